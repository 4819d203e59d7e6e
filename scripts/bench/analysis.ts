import { classificationReport, diagnose, FocalLoss } from 'focal-loss/analysis';
import { makeWorkload, plainCase, type Workload } from './cases.js';
import { timeCalls } from './contender.js';
import { formatNumber, formatRatio, formatSeconds, table } from './report.js';
import { type Quartiles, quartiles, timeInterleaved } from './timing.js';

export const ANALYSIS_SHAPES = [
  [1e6, 2],
  [1e5, 100],
] as const;

type Analysis = (workload: Workload) => () => unknown;

/** What the functions of `focal-loss/analysis` are compared with. */
const FORWARD = 'forward';

/** What is timed, by name: makes the call of a workload. */
const ANALYSES: Readonly<Record<string, Analysis>> = {
  [FORWARD]: onRows((logits, targets) => new FocalLoss().forward(logits, targets)),
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

/** What one function needs for one shape. */
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
      return { time: (calls: number) => timeCalls(call, calls) };
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
