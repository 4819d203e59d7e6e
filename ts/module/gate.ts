// The one gate into the module. An engine that runs out of stack, or a script that is stopped, can
// end a call at any place of it, and neither `catch` nor `finally` is sure to run then. So nothing
// is put in order behind a call; the next one does it.

import { resetStack, wasm } from './instance.js';
import { refresh } from './memory.js';
import { forgetShapes } from './tile.js';

/** True while a call has begun that has not come to its end. */
let isInside = false;

/**
 * Begins a call: nothing of the module is called, and nothing of its memory looked at, before. All
 * code of the caller's, as getters of options are, has to have run. Where the call before never
 * came to its end, what it left is put in order now.
 */
export function enter(): void {
  if (isInside) putInOrder();
  isInside = true;
}

/** Ends a call that came to its end. One that throws needs no end. */
export function leave(): void {
  isInside = false;
}

/** Kept out of the way in: engines inline by size. */
function putInOrder(): void {
  if (wasm === undefined) return;
  resetStack();
  forgetShapes();
  refresh();
}
