import { createHash } from 'node:crypto';
import { createPool, type Pool, type PoolOptions } from 'focal-loss/pool';
import { shared, withoutSharing } from '../../scripts/bench/contenders/shared.js';

export { shared };

/** The ways in which arrays reach the workers of a pool, and who computes. */
export const WAYS: readonly (readonly [string, (options?: PoolOptions) => Promise<Pool>])[] = [
  ['shared memory', createPool],
  [
    'shared memory, on workers alone',
    (options) => createPool({ ...options, useCallingThread: false }),
  ],
  ['copies', (options) => withoutSharing(() => createPool(options))],
];

/** A test whether that is by way of shared memory. */
export const sharesMemory = (way: string) => way !== 'copies';

/** Logits of which there are so many that workers compute with them, wherever they lie. */
export const MANY = 2 ** 19;

/** The bits of numbers, arrays and results: as a text that is quick to make of many. */
export function bitsOf(value: unknown): string {
  if (typeof value === 'number') return bitsOf(Float64Array.of(value));
  if (!ArrayBuffer.isView(value))
    return Object.entries(value as object)
      .map(([name, entry]) => `${name} ${bitsOf(entry)}`)
      .join();
  const { buffer, byteOffset, byteLength } = value;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return `${value.constructor.name} ${createHash('sha256').update(bytes).digest('hex')}`;
}
