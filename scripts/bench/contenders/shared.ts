import type { Floats } from '../cases.js';

/** A copy on shared memory. */
export function shared<A extends Floats | Int32Array>(array: A): A {
  const Kind = array.constructor as new (buffer: SharedArrayBuffer) => A;
  const copy = new Kind(new SharedArrayBuffer(array.byteLength));
  copy.set(array);
  return copy;
}

/** Does something as if there were no shared memory: as on a page that is not isolated. */
export async function withoutSharing<T>(work: () => Promise<T>): Promise<T> {
  const { SharedArrayBuffer: taken } = globalThis;
  Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
  try {
    return await work();
  } finally {
    globalThis.SharedArrayBuffer = taken;
  }
}
