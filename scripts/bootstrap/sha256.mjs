import { createHash } from 'node:crypto';

/**
 * The SHA-256 of some data, as hex digits.
 * @param {string | NodeJS.ArrayBufferView} data
 */
export function sha256(data) {
  return createHash('sha256').update(data).digest('hex');
}
