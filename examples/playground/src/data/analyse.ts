import {
  type ClassificationReport,
  classificationReport,
  type Diagnosis,
  diagnose,
  FocalLoss,
  predict,
  SigmoidFocalLoss,
  type SweepRow,
  sweepAsync,
} from 'focal-loss/analysis';
import { type Batch, IGNORED } from './batch.js';

/** The loss that is looked through. */
export interface LossSettings {
  readonly alpha: number;
  readonly gamma: number;
  readonly smoothing: number;
}

/** A row to look at. Rows are counted from 0. */
export interface HardRow {
  readonly row: number;
  readonly target: number;
  readonly predicted: number;
  readonly confidence: number;
  readonly loss: number;
  readonly logits: readonly number[];
}

/** The findings in a batch, small enough to be sent from one thread to another. */
export interface Findings {
  readonly title: string;
  /** The names of the classes. */
  readonly names: readonly string[];
  /** The reading of the file. */
  readonly notes: readonly string[];
  readonly diagnosis: Pick<
    Diagnosis,
    'rows' | 'loss' | 'confidence' | 'classes' | 'effectiveSampleSize' | 'advice'
  >;
  readonly overconfident: { readonly rows: number; readonly wrong: number };
  readonly nonFinite: number;
  readonly hard: {
    readonly rows: number;
    readonly lossShare: number;
    readonly first: readonly HardRow[];
  };
  readonly report: ClassificationReport;
}

/** Hard rows that are shown; all are in what is exported. */
const SHOWN = 100;
/** With more classes than this, sorting all rows for each takes too long. */
const MOST_AREAS = 20;

/** The loss that is set, of one logit per row or of several. */
export function criterionOf({ columns }: Batch, { alpha, gamma, smoothing }: LossSettings) {
  const options = {
    alpha,
    gamma,
    labelSmoothing: smoothing,
    ignoreIndex: IGNORED,
    reduction: 'none',
  } as const;
  return columns === 1 ? new SigmoidFocalLoss(options) : new FocalLoss(options);
}

/** The predictions for rows; one logit is that of class 1, beside 0. */
function predictRows(logits: Batch['logits'], { columns, classes }: Batch) {
  if (columns > 1) return predict(logits, classes);
  const pairs = new Float64Array(2 * logits.length);
  for (let row = 0; row < logits.length; row++) pairs[2 * row + 1] = logits[row];
  return predict(pairs, classes);
}

export function analyse(batch: Batch, settings: LossSettings): Findings {
  const { title, logits, targets, classes, columns, notes = [] } = batch;
  const names = batch.names ?? Array.from({ length: classes }, (_, j) => String(j));
  const criterion = criterionOf(batch, settings);
  const { hard, overconfident, nonFinite, ...diagnosis } = diagnose(logits, targets, criterion);
  const auc = classes <= MOST_AREAS;
  const report = classificationReport(logits, targets, {
    numClasses: columns,
    ignoreIndex: IGNORED,
    bins: 10,
    auc,
  });
  const first = Array.from(hard.rows.subarray(0, SHOWN), (row): HardRow => {
    const rowLogits = logits.slice(row * columns, (row + 1) * columns);
    const target = targets.slice(row, row + 1);
    const { classes: predicted, confidence } = predictRows(rowLogits, batch);
    return {
      row,
      target: target[0],
      predicted: predicted[0],
      confidence: confidence[0],
      loss: criterion.forward(rowLogits, target)[0],
      logits: Array.from(rowLogits),
    };
  });
  const { rows, loss, confidence, classes: ofClass, effectiveSampleSize, advice } = diagnosis;
  return {
    title,
    names,
    notes,
    diagnosis: { rows, loss, confidence, classes: ofClass, effectiveSampleSize, advice },
    overconfident: { rows: overconfident.rows.length, wrong: overconfident.wrong },
    nonFinite: nonFinite.rows.length,
    hard: { rows: hard.rows.length, lossShare: hard.lossShare, first },
    report,
  };
}

/** The data of the heat map. */
export const SWEEP = {
  alpha: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
  gamma: [0, 0.5, 1, 2, 3, 4, 5],
};

/** The loss of a batch for many settings, with the smoothing that is set. */
export async function sweepBatch(
  { logits, targets, columns }: Batch,
  smoothing: number,
  onProgress: (share: number) => void,
): Promise<readonly SweepRow[]> {
  const { rows } = await sweepAsync(logits, targets, {
    ...SWEEP,
    numClasses: columns,
    labelSmoothing: [smoothing],
    ignoreIndex: IGNORED,
    onProgress: (done, rows) => onProgress(done / rows),
  });
  return rows;
}

/** Lines of CSV about every row, some thousands at a time. */
export function* rowsAsCsv(batch: Batch, settings: LossSettings): Generator<string> {
  const { logits, targets } = batch;
  const losses = criterionOf(batch, settings).forward(logits, targets);
  const { classes: predicted, confidence } = predictRows(logits, batch);
  yield 'row,target,predicted,confidence,loss\n';
  for (let from = 0; from < targets.length; from += 10_000) {
    let text = '';
    for (let row = from; row < Math.min(from + 10_000, targets.length); row++) {
      text += `${row},${targets[row]},${predicted[row]},${confidence[row]},${losses[row]}\n`;
    }
    yield text;
  }
}

export function sweepAsCsv(rows: readonly SweepRow[]): string {
  const lines = rows.map(
    ({ alpha, gamma, labelSmoothing, loss }) => `${alpha},${gamma},${labelSmoothing},${loss}\n`,
  );
  return `alpha,gamma,labelSmoothing,loss\n${lines.join('')}`;
}
