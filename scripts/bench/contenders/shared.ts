import type { Floats } from '../cases.js';

/** A copy on shared memory. */
export function shared<A extends Floats | Int32Array>(array: A): A {
  const Kind = array.constructor as new (buffer: SharedArrayBuffer) => A;
  const copy = new Kind(new SharedArrayBuffer(array.byteLength));
  copy.set(array);
  return copy;
}
