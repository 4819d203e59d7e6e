import {
  classificationReport,
  diagnose,
  FocalLoss,
  LossMeter,
  logSoftmax,
  predict,
  softmax,
  sweep,
} from 'focal-loss/analysis';
import { makeWorkload, plainCase, type Workload } from './cases.js';
import { formatNumber, formatRatio, formatSeconds, table } from './report.js';
import { type Quartiles, quartiles, timed, timeInterleaved } from './timing.js';

export const ANALYSIS_SHAPES = [
  [1e6, 2],
  [1e5, 100],
] as const;

/** A grid of 48 settings, as somebody looking for the right ones would try them. */
export const GRID = {
  alpha: [0.1, 0.25, 0.5, 0.75],
  gamma: [0.5, 1, 2, 3],
  labelSmoothing: [0, 0.05, 0.1],
};

type Analysis = (workload: Workload) => () => unknown;

/** The loss that the functions of `focal-loss/analysis` are compared with. */
const FORWARD = 'forward';

/** The calls that are timed, by name: makes the call of a workload. */
const ANALYSES: Readonly<Record<string, Analysis>> = {
  [FORWARD]: onRows((logits, targets) => new FocalLoss().forward(logits, targets)),
  LossMeter: onRows((logits, targets) => new LossMeter(new FocalLoss()).update(logits, targets)),
  'sweep, 48 settings': onRows((logits, targets) => sweep(logits, targets, GRID)),
  '48 losses': onRows((logits, targets) => separately(logits, targets)),
  softmax: onLogits((logits, classes) => softmax(logits, classes)),
  logSoftmax: onLogits((logits, classes) => logSoftmax(logits, classes)),
  predict: onLogits((logits, classes) => predict(logits, classes)),
  diagnose: onRows((logits, targets) => diagnose(logits, targets, new FocalLoss())),
  classificationReport: onRows((logits, targets) => classificationReport(logits, targets)),
  'classificationReport without AUC': onRows((logits, targets) =>
    classificationReport(logits, targets, { auc: false }),
  ),
};

function onRows(call: (logits: Workload['logits'], targets: Int32Array) => unknown): Analysis {
  return ({ logits, targets }) =>
    () =>
      call(logits, targets as Int32Array);
}

function onLogits(call: (logits: Workload['logits'], classes: number) => unknown): Analysis {
  return ({ logits, classes }) =>
    () =>
      call(logits, classes);
}

/** The losses of the grid, one after the other. */
function separately(logits: Workload['logits'], targets: Int32Array): number[] {
  return GRID.alpha.flatMap((alpha) =>
    GRID.gamma.flatMap((gamma) =>
      GRID.labelSmoothing.map((labelSmoothing) =>
        new FocalLoss({ alpha, gamma, labelSmoothing }).forward(logits, targets),
      ),
    ),
  );
}

/** The time of one function for one shape. */
export interface AnalysisResult {
  readonly rows: number;
  readonly classes: number;
  readonly name: string;
  /** Per call. */
  readonly seconds: Quartiles;
  /** Its time in units of `forward`'s, round by round. */
  readonly ratio: Quartiles;
}

export async function measureAnalysis(
  rounds: number,
  onRound: () => void,
  shapes: readonly (readonly [number, number])[] = ANALYSIS_SHAPES,
): Promise<AnalysisResult[]> {
  const results: AnalysisResult[] = [];
  for (const [rows, classes] of shapes) {
    const workload = makeWorkload(plainCase(rows, classes));
    const runs = Object.values(ANALYSES).map((prepare) => {
      const call = prepare(workload);
      return timed(call);
    });
    const samples = await timeInterleaved(runs, rounds, onRound);
    for (const [i, name] of Object.keys(ANALYSES).entries()) {
      const ratio = quartiles(samples[i].map((seconds, round) => seconds / samples[0][round]));
      results.push({ rows, classes, name, seconds: quartiles(samples[i]), ratio });
    }
  }
  return results;
}

export function analysisTable(results: readonly AnalysisResult[]): string {
  return table(
    ['function', '[rows, classes]', 'time of a call', 'M rows/s', `times ${FORWARD}`],
    results.map(({ name, rows, classes, seconds, ratio }) => [
      name,
      `[${rows}, ${classes}]`,
      formatSeconds(seconds.median),
      formatNumber(rows / seconds.median / 1e6),
      formatRatio(ratio.median),
    ]),
  );
}
