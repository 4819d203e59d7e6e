// The WebAssembly module where it is not part of the bundle: takes the place of embedded.ts in
// `focal-loss/slim`.

import { ModuleError } from './module-error.js';

/** The entry that this is built into. */
declare const ENTRY: string;

/** The error of a loss that is computed before the module is there: see {@link init}. */
export class NotInitializedError extends ModuleError {
  /** Its own, whichever copy of the package it comes from. */
  override readonly name = 'NotInitializedError';

  constructor() {
    super(
      `the WebAssembly module is not there yet: await init(source), of ${ENTRY}, before anything is computed (what is imported and what is required have one each)`,
    );
  }
}

/** There are none. */
export function moduleBytes(): never {
  throw new NotInitializedError();
}
