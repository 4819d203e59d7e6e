// The differences between the runtimes: where workers come from, and what keeps a process alive.

/** A worker of Node, or what connects it with the thread that made it, as far as it is used. */
export interface NodePort {
  on(event: string, listener: (value: never) => void): unknown;
  postMessage(message: object, transfer: readonly unknown[]): void;
}

export interface NodeWorker extends NodePort {
  ref(): void;
  unref(): void;
  terminate(): unknown;
}

/** What is used of `node:worker_threads`. */
interface Threads {
  readonly parentPort: NodePort | null;
  readonly Worker: new (code: string, options: object) => NodeWorker;
}

interface Runtime {
  readonly process?: {
    readonly versions?: { readonly node?: string; readonly bun?: string };
    getBuiltinModule?(name: string): unknown;
  };
  readonly Deno?: { unrefTimer?(timer: unknown): void };
  setImmediate?(work: () => void): void;
  readonly navigator?: { readonly hardwareConcurrency?: number };
}

const runtime = globalThis as Runtime;

export function isDeno(): boolean {
  return runtime.Deno !== undefined;
}

/** A test whether this is Node, and not one that has its workers besides those of the web. */
export function isNode(): boolean {
  const { node, bun } = runtime.process?.versions ?? {};
  return node !== undefined && bun === undefined && !isDeno();
}

/** Imports a module of the runtime, past bundlers: these know it not, and see no name. */
export const importPast = (name: string): Promise<unknown> =>
  import(/* webpackIgnore: true */ /* @vite-ignore */ name);

/** A module of Node. */
async function builtIn<T>(name: string): Promise<T> {
  return (runtime.process?.getBuiltinModule?.(name) ?? (await importPast(name))) as T;
}

export function threads(): Promise<Threads> {
  return builtIn('node:worker_threads');
}

/** The number of processors, as far as the runtime tells. */
export async function processors(): Promise<number> {
  if (!isNode()) return runtime.navigator?.hardwareConcurrency ?? 1;
  const os = await builtIn<{ availableParallelism?(): number; cpus(): readonly unknown[] }>(
    'node:os',
  );
  return os.availableParallelism?.() ?? os.cpus().length;
}

/** Lets others have their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (runtime.setImmediate !== undefined) return runtime.setImmediate(resolve);
    // Timers wait longer.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Calls back later, unless the process ends before. Returns how to keep it from that. */
export function later(work: () => void, milliseconds: number): () => void {
  const timer: unknown = setTimeout(work, milliseconds);
  if (isDeno()) runtime.Deno?.unrefTimer?.(timer);
  else (timer as { unref?(): void }).unref?.();
  return () => clearTimeout(timer as number);
}
