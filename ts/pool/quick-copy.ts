// Copies from and to shared memory at the speed of others. Since other threads may write to it,
// V8's `set` copies it word by word, which takes up to four times as long, and is felt: a kernel
// takes no more than four times as long as a copy of what it works on. The `copy` of Node's Buffer
// takes memory for memory. Numbers that are changed meanwhile are wrong either way, and targets are
// checked as copied.

import {
  bufferOf,
  copyInto,
  copyWith,
  kindOf,
  lengthOf,
  offsetOf,
  sizeOf,
} from '../arrays/typed-arrays.js';
import { isNode } from './runtime.js';
import { isOnShared } from './staging.js';

/** The bytes of an array from which on it is felt. */
const LEAST = 4096;

/** The bytes that `copy` is sure to count right. */
const MOST = 2 ** 30;

/** The `copy` of a Buffer. Of all bytes of its source it would use `set`. */
type Copy = (
  this: Uint8Array,
  target: Uint8Array,
  targetStart: number,
  sourceStart: number,
  sourceEnd: number,
) => number;

/** Has this thread copy arrays on shared memory as quickly as others, where there is a way. */
export function copyQuickly(): void {
  const { Buffer } = globalThis as { readonly Buffer?: { readonly prototype: { copy?: Copy } } };
  const copy = isNode() ? Buffer?.prototype.copy : undefined;
  if (copy === undefined || areQuick) return;
  areQuick = true;
  const set = copyInto;
  copyWith((target, source, start) => {
    const bytes = sizeOf(source);
    if (bytes < LEAST || bytes > MOST || kindOf(source) !== kindOf(target))
      return set(target, source, start);
    if (!(isOnShared(source) || isOnShared(target))) return set(target, source, start);
    const from = bufferOf(source);
    const offset = offsetOf(source);
    // One byte more than is copied, if there is one.
    const before = offset > 0 ? 1 : 0;
    const after = before === 0 && from.byteLength > bytes ? 1 : 0;
    const place = offsetOf(target) + start * (bytes / lengthOf(source));
    copy.call(
      new Uint8Array(from, offset - before, before + bytes + after),
      new Uint8Array(bufferOf(target), place, bytes),
      0,
      before,
      before + bytes,
    );
  });
}

let areQuick = false;
