// The WebAssembly module where it is not part of the bundle: takes the place of embedded.ts in `focal-loss/slim`.

/** What a loss throws that is computed before the module is there: see {@link init}. */
export class NotInitializedError extends Error {
  /** Its own, whichever copy of the package it comes from. */
  override readonly name = 'NotInitializedError';

  constructor() {
    super(
      'the WebAssembly module is not there yet: await init(source), of focal-loss/slim, before anything is computed',
    );
  }
}

/** There are none. */
export function moduleBytes(): never {
  throw new NotInitializedError();
}
