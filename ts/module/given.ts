// The WebAssembly module where it is handed over: takes the place of embedded.ts in workers.

let given: Uint8Array<ArrayBuffer>;

/** Takes the bytes of the module. */
export function give(bytes: Uint8Array<ArrayBuffer>): void {
  given = bytes;
}

/** The module, as it was given. */
export function moduleBytes(): Uint8Array<ArrayBuffer> {
  return given;
}
