import { join } from 'node:path';
import type { Pool } from 'focal-loss/pool';
import { root } from '../../bootstrap/paths.mjs';
import type { Contender } from '../contender.js';
import { findPython, jsPeersHome, nativeProgram } from '../peers.mjs';
import { startChild } from './child.js';
import { copy } from './copy.js';
import { focalLoss, focalLossOnShared } from './focal-loss.js';
import { focalLossResident } from './focal-loss-resident.js';
import { makeJaxJs } from './jax-js.js';
import { plainJs, plainJsTwo } from './plain-js/index.js';
import { pooled, startProcesses } from './pool.js';
import { makeTfjs } from './tfjs.js';

/** A contender that may not be there. */
export interface Entry {
  readonly name: string;
  /** Others are to be beaten; a limit is what the machine allows. */
  readonly role: 'ours' | 'peer' | 'limit';
  load(): Promise<Contender>;
  /** The advice where it can't be loaded. */
  readonly hint?: string;
}

const JS_HINT = 'npm run bench installs it where the npm registry can be reached';
const PYTHON_HINT = 'npm run bench -- --install-peers installs it (5 GB)';

/** Frameworks in Python, as `peers.py` calls them. */
const FRAMEWORKS = {
  'PyTorch eager': 'torch',
  'torch.compile': 'torch.compile',
  JAX: 'jax',
  'JAX (Optax)': 'jax-optax',
};

/** In the order of the columns. The ratios refer to the first. */
export const ENTRIES: readonly Entry[] = [
  { name: focalLoss.name, role: 'ours', load: async () => focalLoss },
  { name: focalLossResident.name, role: 'ours', load: async () => focalLossResident },
  { name: plainJs.name, role: 'peer', load: async () => plainJs },
  { name: plainJsTwo.name, role: 'peer', load: async () => plainJsTwo },
  { name: 'TF.js wasm', role: 'peer', load: () => makeTfjs('wasm', jsPeersHome), hint: JS_HINT },
  { name: 'TF.js cpu', role: 'peer', load: () => makeTfjs('cpu', jsPeersHome), hint: JS_HINT },
  { name: 'jax-js', role: 'peer', load: () => makeJaxJs(jsPeersHome), hint: JS_HINT },
  ...Object.entries(FRAMEWORKS).map(
    ([name, framework]): Entry => ({
      name,
      role: 'peer',
      load: () => startPython(name, framework),
      hint: PYTHON_HINT,
    }),
  ),
  { name: 'native crate', role: 'limit', load: () => startNative('native crate', 'baseline') },
  {
    name: 'native crate (this CPU)',
    role: 'limit',
    load: () => startNative('native crate (this CPU)', 'native'),
  },
  { name: copy.name, role: 'limit', load: async () => copy },
];

/** One thread, as everyone else has. */
const ONE_THREAD = {
  OMP_NUM_THREADS: '1',
  XLA_FLAGS: '--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1',
};

/** scikit-learn, which computes figures of a classifier: see scripts/bench/judged.ts. */
export const SCIKIT_LEARN: Entry = {
  name: 'scikit-learn',
  role: 'peer',
  load: () => startPython('scikit-learn', 'scikit-learn'),
  hint: PYTHON_HINT,
};

/** The ways to have the losses on all cores, and what they are compared with: the first. */
export function poolEntries(pool: Pool, poolOfCopies: Pool): readonly Entry[] {
  const pools = [pooled(pool, false), pooled(pool, true), pooled(poolOfCopies, false)];
  return [
    ...[focalLoss, focalLossOnShared, ...pools].map(
      (contender): Entry => ({ name: contender.name, role: 'ours', load: async () => contender }),
    ),
    { name: 'processes', role: 'limit', load: () => startProcesses(pool.size) },
    ...Object.entries(FRAMEWORKS).map(
      ([name, framework]): Entry => ({
        name,
        role: 'peer',
        load: () => startPython(name, framework, 'all'),
        hint: PYTHON_HINT,
      }),
    ),
  ];
}

async function startPython(
  name: string,
  framework: string,
  threads: 'one' | 'all' = 'one',
): Promise<Contender> {
  const command = findPython();
  if (!command) throw new Error('there is no python3');
  return startChild({
    name,
    command,
    args: [join(root, 'scripts', 'bench', 'python', 'peers.py'), framework, threads],
    env: threads === 'one' ? ONE_THREAD : {},
  });
}

function startNative(name: string, build: 'baseline' | 'native'): Promise<Contender> {
  return startChild({ name, command: nativeProgram(build), args: [] });
}

export interface Missing {
  readonly name: string;
  readonly reason: string;
}

/**
 * The contenders that are there, and those that are not.
 * @param patterns parts of the names of those that are wanted, all where there are none; the first
 *   entry always is
 */
export async function loadContenders(
  patterns: readonly string[],
  entries: readonly Entry[] = ENTRIES,
) {
  const contenders: Contender[] = [];
  const missing: Missing[] = [];
  for (const [i, { name, load, hint }] of entries.entries()) {
    const wanted =
      patterns.length === 0 ||
      patterns.some((part) => name.toLowerCase().includes(part.toLowerCase()));
    if (i > 0 && !wanted) continue;
    try {
      contenders.push(await load());
    } catch (error) {
      const [reason] = String(error instanceof Error ? error.message : error).split('\n');
      missing.push({ name, reason: hint ? `${reason} (${hint})` : reason });
    }
  }
  return { contenders, missing };
}
