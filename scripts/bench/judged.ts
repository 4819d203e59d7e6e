// Figures of a classifier beside those of a build before and of scikit-learn, in one run.

import { pathToFileURL } from 'node:url';
import * as analysis from 'focal-loss/analysis';
import { makeWorkload, plainCase, type Workload } from './cases.js';
import type { Contender, Run } from './contender.js';
import { loadContenders, type Missing, SCIKIT_LEARN } from './contenders/index.js';
import { formatRatio, formatSeconds, table } from './report.js';
import { quartiles, type Timed, timed, timeInterleaved } from './timing.js';

type Analysis = typeof analysis;

/** A figure, or many, of a batch of two classes. */
interface Judgement {
  readonly name: string;
  readonly rows: number;
  /** The resamples of a bootstrap, beside the batch itself. */
  readonly repeats: number;
  /** True where scikit-learn computes the same figures. */
  readonly hasPeer: boolean;
  /** Computes them with a build, from which it returns the area under the ROC curve, if any. */
  readonly run: (build: Analysis, logits: Workload['logits'], targets: Int32Array) => number;
}

/** Repeats of a bootstrap: all take as long as the first. */
const REPEATS = 100;

const JUDGEMENTS: readonly Judgement[] = [
  {
    name: 'classificationReport',
    rows: 1e6,
    repeats: 0,
    hasPeer: true,
    run: (build, logits, targets) => build.classificationReport(logits, targets).auc,
  },
  {
    name: 'diagnose',
    rows: 65536,
    repeats: 0,
    hasPeer: false,
    run: (build, logits, targets) => {
      build.diagnose(logits, targets, new build.FocalLoss());
      return NaN;
    },
  },
  {
    name: `report, ${REPEATS} resamples`,
    rows: 1e4,
    repeats: REPEATS,
    hasPeer: true,
    run: (build, logits, targets) =>
      build.classificationReport(logits, targets, {
        intervals: { repeats: REPEATS, method: 'percentile' },
      }).auc,
  },
];

/** The time of a judgement, and how many times as long others take. */
export interface JudgedResult {
  readonly name: string;
  readonly rows: number;
  readonly seconds: number;
  readonly before: number | undefined;
  readonly peer: number | undefined;
}

/** Measures beside the build in a folder, if one is given, and scikit-learn, if it is there. */
export async function measureJudgements(
  folder: string | undefined,
  rounds: number,
  onRound: () => void,
): Promise<{ results: JudgedResult[]; missing: readonly Missing[] }> {
  const path = folder && pathToFileURL(`${folder}/analysis.js`).href;
  const before: Analysis | undefined = path && (await import(path));
  const { contenders, missing } = await loadContenders([], [SCIKIT_LEARN]);
  const results: JudgedResult[] = [];
  for (const judgement of JUDGEMENTS)
    results.push(await measureOne(judgement, before, contenders[0], rounds, onRound));
  for (const { close } of contenders) close?.();
  return { results, missing };
}

async function measureOne(
  { name, rows, repeats, hasPeer, run }: Judgement,
  before: Analysis | undefined,
  contender: Contender | undefined,
  rounds: number,
  onRound: () => void,
): Promise<JudgedResult> {
  const workload = { ...makeWorkload(plainCase(rows, 2)), gradient: false, repeats };
  const call = (build: Analysis) => () =>
    run(build, workload.logits, workload.targets as Int32Array);
  // A build may be older than an option.
  const older = before && works(call(before)) ? timed(call(before)) : undefined;
  const peer = hasPeer ? await contender?.prepare(workload) : undefined;
  if (peer !== undefined) await checkAgreement(name, peer, call(analysis)());
  const runs = [timed(call(analysis)), older, peer].filter((one) => one !== undefined);
  const samples = await timeInterleaved(runs, rounds, onRound);
  const ratioOf = (other: Timed | undefined) => {
    if (other === undefined) return undefined;
    const times = samples[runs.indexOf(other)].map((seconds, round) => seconds / samples[0][round]);
    return quartiles(times.filter(Number.isFinite)).median;
  };
  const seconds = quartiles(samples[0]).median;
  return { name, rows, seconds, before: ratioOf(older), peer: ratioOf(peer) };
}

async function checkAgreement(name: string, peer: Run, auc: number): Promise<void> {
  const theirs = (await peer.outcome?.())?.value ?? NaN;
  if (!(Math.abs(theirs - auc) < 1e-9))
    throw new Error(`${name}: scikit-learn has another area under the ROC curve, ${theirs}`);
}

function works(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch {
    return false;
  }
}

export function judgedTable(results: readonly JudgedResult[]): string {
  const ratio = (times: number | undefined) => (times === undefined ? '' : formatRatio(times));
  return table(
    ['figures', '[rows, classes]', 'time of a call', 'times: build before', 'times: scikit-learn'],
    results.map(({ name, rows, seconds, before, peer }) => [
      name,
      `[${rows}, 2]`,
      formatSeconds(seconds),
      ratio(before),
      ratio(peer),
    ]),
  );
}
