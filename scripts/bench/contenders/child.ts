import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Floats, Workload } from '../cases.js';
import type { Contender, Run } from '../contender.js';

/** A program that answers requests, a line of JSON each. */
export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * The messages of a program: what it is when it has started, then an answer to each request, in
 * order.
 */
type Answer = { about: string } | { value: number } | { seconds: number } | { error: string };

/**
 * A contender in a process of its own, which waits without using the processor while others have
 * their turn. Its requests are
 *
 * - `{"prepare": {…case, "logits": path, "targets": path, "grad": path}}`: it reads the data, makes
 *   itself ready, writes the gradient and answers `{"value": …}`;
 * - `{"time": calls}`: it makes that many calls and answers `{"seconds": …}`.
 *
 * @throws Error where the program does not start; the message says why
 */
export async function startChild({ name, command, args, env }: Program): Promise<Contender> {
  const child = new Child(command, args, env);
  const { about } = await child.next('about');
  return {
    name,
    about,
    prepare: (workload) => prepare(child, workload),
    close: () => child.close(),
  };
}

async function prepare(child: Child, workload: Workload): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-bench-'));
  try {
    const { logits, targets, ...rest } = workload;
    const paths = {
      logits: join(folder, 'logits'),
      targets: join(folder, 'targets'),
      grad: join(folder, 'grad'),
    };
    writeFileSync(paths.logits, logits);
    writeFileSync(paths.targets, targets);
    const { value } = await child.ask({ prepare: { ...rest, ...paths } }, 'value');
    const outcome = { value, grad: workload.gradient ? readFloats(paths.grad, logits) : undefined };
    return {
      outcome: () => outcome,
      time: async (calls) => (await child.ask({ time: calls }, 'seconds')).seconds,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readFloats(path: string, like: Floats): Floats {
  const bytes = new Uint8Array(readFileSync(path)).buffer;
  return like instanceof Float32Array ? new Float32Array(bytes) : new Float64Array(bytes);
}

class Child {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: AsyncIterator<string>;
  #lastWords = '';

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv | undefined) {
    this.#process = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#process.on('error', (error) => {
      this.#lastWords = error.message;
    });
    this.#process.stdin.on('error', () => {
      // It is gone; the answer that does not come says so.
    });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = text.trimEnd().split('\n').at(-1) || this.#lastWords;
    });
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
  }

  ask<K extends string>(request: object, wanted: K) {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    return this.next(wanted);
  }

  /** The next answer, which must be of the kind that is wanted. */
  async next<K extends string>(wanted: K): Promise<Extract<Answer, Record<K, unknown>>> {
    const { value: line, done } = await this.#lines.next();
    if (done) throw new Error(this.#lastWords || 'ended without a word');
    const answer = JSON.parse(line) as Answer;
    if ('error' in answer) throw new Error(answer.error);
    if (wanted in answer) return answer as Extract<Answer, Record<K, unknown>>;
    throw new Error(`answered ${line}`);
  }

  close(): void {
    this.#process.kill();
  }
}
