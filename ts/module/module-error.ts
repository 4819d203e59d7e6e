// The reason why the WebAssembly module cannot be started, and the way out, in place of what the
// engine says of it.

/**
 * The error of the first loss or of `init` where the engine does not start the WebAssembly module:
 * it has no WebAssembly or no SIMD, starts modules of this size only asynchronously, is not allowed
 * to compile, or runs on a big-endian processor. The message says which of these it is, and the way
 * out; `cause` is the engine's own error.
 *
 * @example
 * ```ts
 * import { FocalLoss, ModuleError } from 'focal-loss';
 *
 * try {
 *   const loss = new FocalLoss().forward(new Float32Array(2), new Uint8Array(1));
 *   loss; // => 0.1299651
 * } catch (error) {
 *   if (error instanceof ModuleError) console.warn(error.message);
 *   else throw error;
 * }
 * ```
 */
export class ModuleError extends Error {
  /** Its own, whichever copy of the package it comes from. */
  override readonly name: string = 'ModuleError';
}

/**
 * The message about bytes that the engine takes for no module, of which it is known that they are
 * one.
 */
const NO_SIMD =
  'this engine has no WebAssembly SIMD, as Chrome 91, Firefox 89, Safari 16.4, Node 18 and processors with SSE4.1 have';

function reasonFor(message: string, bytes: BufferSource | undefined, invalid: string): string {
  if (typeof WebAssembly === 'undefined') {
    return 'there is no WebAssembly: this engine is too old, or has it switched off, as with --jitless or in a lockdown mode';
  }
  if (bytes !== undefined && !WebAssembly.validate(bytes)) return invalid;
  if (/main thread/.test(message)) {
    return "await init() first: on a page's main thread, this engine starts WebAssembly only asynchronously";
  }
  if (/memory/i.test(message)) return 'there is no memory for the WebAssembly module';
  return "WebAssembly may not be compiled here: a page has to allow 'wasm-unsafe-eval' in the script-src of its Content-Security-Policy, a worker that compiles nothing has to start focal-loss/slim with a compiled module";
}

/**
 * The error that says it, from the engine's and the bytes that were to be started, where it was
 * bytes.
 */
export function explained(
  cause: unknown,
  bytes: BufferSource | undefined,
  invalid = NO_SIMD,
): unknown {
  const message = cause instanceof Error ? cause.message : String(cause);
  // An engine out of stack can do so at the next call.
  if (cause instanceof ModuleError || /stack|recursion/.test(message)) return cause;
  return new ModuleError(`${reasonFor(message, bytes, invalid)} (${message})`, { cause });
}
