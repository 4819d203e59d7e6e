// The sources of the module in `focal-loss/slim` and `focal-loss/analysis/slim`.

import { shorten } from '../arrays/shorten.js';
import { type Exports, take, wasm } from './instance.js';
import { explained } from './module-error.js';

/**
 * The instances of the global class of this name, where the runtime's types know it, and otherwise
 * nothing.
 */
type Made<Name extends string> =
  typeof globalThis extends Record<Name, { prototype: infer T }> ? T : never;

/**
 * A compiled module, its instance, or what that exports, where the runtime's types know such, and
 * otherwise nothing. To TypeScript, any object is one.
 */
type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer T } } }
  ? T & object
  : never;

/**
 * The source that {@link init} takes for the module: it itself, compiled; its bytes; a `Response`
 * that brings them; where to fetch or read them from; or what importing the file gives, be it one
 * of these as its default, or the module's exports. It must be the file
 * `focal-loss/focal-loss.wasm` of the very version, for `focal-loss/analysis/slim`
 * `focal-loss/focal-loss-analysis.wasm`.
 */
export type ModuleSource =
  | CompiledModule
  | ArrayBuffer
  | ArrayBufferView
  | Made<'Response'>
  | Made<'URL'>
  | string
  | ImportedDefault;

/** A module whose default is the source, as dynamic imports give it. */
export interface ImportedDefault {
  /** The source. */
  readonly default: ModuleSource;
}

/** The export of the module that says which one it is, so that no other is taken for it. */
declare const MODULE_ID: string;

/** The file that it is in. */
declare const MODULE_FILE: string;

/** The message about bytes that the engine takes for no module. */
const INVALID = 'source is no WebAssembly module to this engine, which must have SIMD';

/** The name of a built-in class, whichever realm it comes from. */
const classOf = (value: unknown): string =>
  Object.prototype.toString.call(value).slice('[object '.length, -1);

/** The functions of Node, Deno and Bun, of which the second is new. */
interface Host {
  readonly process?: {
    readonly versions?: { readonly node?: string };
    getBuiltinModule?(name: string): unknown;
  };
}

interface Files {
  readFile(url: URL): Promise<Uint8Array<ArrayBuffer>>;
}

/** Imports a module of the runtime, past bundlers: these know it not, and see no name. */
const importPast = (name: string): Promise<unknown> =>
  import(/* webpackIgnore: true */ /* @vite-ignore */ name);

/** The messages of an error and of what caused it: that of fetch says little. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}

/** The outcome of something that was waited for: the exports, or the stage behind it. */
type Outcome = Stage | Exports;

/**
 * A part of a start: one wait. All calls at the same time go through the same stages, each with
 * jobs of its own: a job that is stopped, or is dropped with others, is one call's alone.
 */
type Stage = () => Promise<Outcome>;

function stage<T>(
  begin: () => PromiseLike<T> | T,
  make: (value: T) => Outcome,
  explain: (cause: unknown) => unknown = (cause) => cause,
): Stage {
  let begun: PromiseLike<T> | T | undefined;
  let made: Outcome | undefined;
  return async () => {
    let value: T;
    try {
      begun ??= begin();
      value = await begun;
    } catch (cause) {
      throw explain(cause);
    }
    made ??= make(value);
    return made;
  };
}

function fetched(url: string | URL): Stage {
  // The end of a runtime's own reason, behind a path, can be what helps: `--allow-read`.
  const failed = (cause: unknown) =>
    new Error(
      `the WebAssembly module could not be fetched from ${shorten(String(url))}: ${shorten(reasonOf(cause), 500)}`,
      { cause },
    );
  const { process } = globalThis as Host;
  if (process?.versions?.node === undefined || !/^file:/i.test(String(url))) {
    return stage(() => fetch(url), received, failed);
  }
  // Files, which fetch reads in some runtimes only.
  const name = 'node:fs/promises';
  return stage(
    () => (process.getBuiltinModule?.(name) ?? importPast(name)) as Promise<Files>,
    (files) => stage(() => files.readFile(new URL(url)), compiled, failed),
    failed,
  );
}

/** Not compiled as it streams in: the module is small, and servers need not know its type. */
function received(response: Response): Stage {
  if (!response.ok) {
    throw new Error(
      `the WebAssembly module could not be fetched: ${response.status} for ${shorten(response.url) || 'a Response'}`,
    );
  }
  return stage(() => response.arrayBuffer(), compiled);
}

function compiled(bytes: BufferSource): Stage {
  return stage(
    () => WebAssembly.compile(bytes),
    started,
    (cause) => explained(cause, bytes, INVALID),
  );
}

/** Throws where names are not those of the module's exports. */
function check(isThere: boolean): void {
  if (!isThere)
    throw new TypeError(
      `source must be the file ${MODULE_FILE} of this very version of focal-loss`,
    );
}

function started(module: WebAssembly.Module): Stage {
  check(WebAssembly.Module.exports(module).some(({ name }) => name === MODULE_ID));
  return stage(
    () => WebAssembly.instantiate(module),
    (instance) => instance.exports,
    (cause) => explained(cause, undefined),
  );
}

function startedFrom(source: ModuleSource): Outcome {
  if (ArrayBuffer.isView(source)) {
    // A copy, since engines take neither every kind of view nor shared memory.
    return compiled(new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice());
  }
  const found = classOf(source);
  switch (found) {
    case 'WebAssembly.Module':
      return started(source as WebAssembly.Module);
    case 'ArrayBuffer':
      return compiled(source as ArrayBuffer);
    case 'Response':
      return received(source as Response);
    case 'String':
    case 'URL':
      return fetched(source as string | URL);
    case 'WebAssembly.Instance':
    case 'Module':
    case 'Object':
      return imported(source as ImportedFile);
    default:
      throw new TypeError(
        `source must be a WebAssembly.Module, bytes, a Response, a URL or a string, got ${shorten(found)}`,
      );
  }
}

/**
 * An instance, or what importing the file gives: its exports, or one of the other sources as its
 * default.
 */
interface ImportedFile {
  readonly default?: ModuleSource;
  readonly exports?: Exports;
}

function imported(source: ImportedFile): Outcome {
  if (source.default !== undefined) return startedFrom(source.default);
  const exports = source.exports ?? source;
  check(MODULE_ID in exports);
  return exports as Exports;
}

/** The first stage of the start that is under way. */
let pending: Stage | undefined;

/**
 * Starts the WebAssembly module, which a slim entry does not hold. Before that, whatever computes
 * something throws a {@link NotInitializedError}. Calls at the same time share one start, that of
 * the first, and later ones do nothing; after a start that failed the next call tries again, with
 * what it is given.
 *
 * Strings and URLs are handed to `fetch`, but for those of files in Node, Deno and Bun, which are
 * read.
 *
 * @param source - The module, or the promise of it.
 * @throws TypeError where the source is something else, or another module; ModuleError where the
 *   engine does not start it; an Error where it could not be fetched or read.
 *
 * @example
 * ```ts
 * import { FocalLoss, init } from 'focal-loss/slim';
 *
 * await init(new URL(import.meta.resolve('focal-loss/focal-loss.wasm')));
 * new FocalLoss().forward(new Float32Array(2), new Uint8Array(1)); // => 0.1299651
 * ```
 */
export async function init(source: ModuleSource | PromiseLike<ModuleSource>): Promise<void> {
  // Where another call's source is used, nobody waits for this one.
  Promise.resolve(source).catch(() => {});
  if (wasm !== undefined) return;
  pending ??= stage(() => source, startedFrom);
  const first = pending;
  try {
    let made: Outcome = first;
    while (typeof made === 'function') made = await made();
    take(made);
  } finally {
    // After a failure the next call tries again, and what was started needs its source no more.
    if (pending === first) pending = undefined;
  }
}
