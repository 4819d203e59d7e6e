import type { FloatArray } from 'focal-loss';
import { expect } from 'vitest';

/** A test whether two arrays hold the same bits; far quicker than `toEqual` on large ones. */
export function sameBits(actual: FloatArray, expected: FloatArray): boolean {
  return Buffer.compare(bytes(actual), bytes(expected)) === 0;
}

function bytes(array: FloatArray): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

export function expectSameBits(actual: FloatArray, expected: FloatArray, where: string): void {
  if (!sameBits(actual, expected)) expect(actual, where).toEqual(expected);
  // `toEqual` takes NaNs of any bits for equal.
  expect(sameBits(actual, expected), where).toBe(true);
}
