// Where the module comes from in `focal-loss/slim`.

import { startOnce } from './wasm.js';

/** What the global class of this name makes, where the runtime's types know it, and otherwise nothing. */
type Made<Name extends string> = typeof globalThis extends Record<Name, { prototype: infer T }> ? T : never;

/** A compiled module, where the runtime's types know such, and otherwise nothing. To TypeScript, any object is one. */
type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer T } } }
  ? T & object
  : never;

/**
 * What {@link init} takes for the module: it itself, compiled; its bytes; a `Response` that brings them; or where to fetch
 * them from. It must be the file `focal-loss/focal-loss.wasm` of the very version.
 */
export type ModuleSource = CompiledModule | ArrayBuffer | ArrayBufferView | Made<'Response'> | Made<'URL'> | string;

/** What the build puts into focal-loss.wasm, as a section of this name, so that no other module is taken for it. */
declare const MODULE_ID: string;
const ID_SECTION = 'focal-loss';

/** The name of a built-in class, whichever realm it comes from. */
const classOf = (value: unknown): string => Object.prototype.toString.call(value).slice('[object '.length, -1);

async function fetched(url: string | URL): Promise<ArrayBuffer> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new Error(`the WebAssembly module could not be fetched from ${url}`, { cause });
  }
  return received(response);
}

/** Not compiled as it streams in: the module is small, and servers need not know its type. */
async function received(response: Response): Promise<ArrayBuffer> {
  if (!response.ok) {
    throw new Error(
      `the WebAssembly module could not be fetched: ${response.status} for ${response.url || 'a Response'}`,
    );
  }
  return response.arrayBuffer();
}

async function compiled(source: ModuleSource): Promise<WebAssembly.Module> {
  if (ArrayBuffer.isView(source)) {
    // A copy, since engines take neither every kind of view nor shared memory.
    return WebAssembly.compile(new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice());
  }
  switch (classOf(source)) {
    case 'WebAssembly.Module':
      return source as WebAssembly.Module;
    case 'ArrayBuffer':
      return WebAssembly.compile(source as ArrayBuffer);
    case 'Response':
      return WebAssembly.compile(await received(source as Response));
    case 'String':
    case 'URL':
      return WebAssembly.compile(await fetched(source as string | URL));
    default:
      throw new TypeError(
        `source must be a WebAssembly.Module, bytes, a Response, a URL or a string, got ${classOf(source)}`,
      );
  }
}

async function checked(source: ModuleSource): Promise<WebAssembly.Module> {
  const module = await compiled(source);
  const [id] = WebAssembly.Module.customSections(module, ID_SECTION);
  if (id === undefined || new TextDecoder().decode(id) !== MODULE_ID) {
    throw new TypeError('source must be the file focal-loss.wasm of this very version of focal-loss');
  }
  return module;
}

/**
 * Starts the WebAssembly module, which `focal-loss/slim` does not hold. Before that, whatever computes something throws a
 * {@link NotInitializedError}. Calls at the same time share one start, that of the first, and later ones do nothing;
 * after a start that failed the next call tries again, with what it is given.
 *
 * URLs and strings are handed to `fetch`. That of Node reads no files: there, give it the bytes.
 *
 * @param source - The module, or the promise of it.
 * @throws TypeError where the source is something else, or another module; otherwise what fetching or compiling threw.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { FocalLoss, init } from 'focal-loss/slim';
 *
 * await init(readFile(new URL(import.meta.resolve('focal-loss/focal-loss.wasm'))));
 * new FocalLoss().forward(new Float32Array(2), new Uint8Array(1)); // => 0.1299651
 * ```
 */
export function init(source: ModuleSource | PromiseLike<ModuleSource>): Promise<void> {
  const given = Promise.resolve(source);
  // Where another call's source is used, nobody waits for this one.
  given.catch(() => {});
  return startOnce(async () => checked(await given));
}
