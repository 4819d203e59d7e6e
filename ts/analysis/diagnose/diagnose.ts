import { checkOptions, checkShare } from '../../call/checks.js';
import { checkAnyCriterion, type DiagnosedCriterion, isSigmoid } from '../criteria/criterion.js';
import { pick, placesWhere, sum, tabulate } from '../rows/loops.js';
import { ascendingInTurns } from '../rows/order.js';
import { leastSuspicious } from '../rows/probability-watch.js';
import { withText } from '../rows/table.js';
import { type Logits, opened, type Targets } from '../rows/tensors.js';
import { finish, inTurns, TURN_OPTIONS, type TurnOptions, type Work } from '../rows/turns.js';
import { adviseOn } from './advice.js';
import type { ClassDiagnosis, ColumnDiagnosis, Diagnosis, Summary } from './result.js';
import { entriesOf, type LossBatch, measureRows, openBatch, type RowLosses } from './row-losses.js';
import { diagnosisText } from './text.js';

/** Options of {@link diagnose}. Every option may be left out. */
export interface DiagnoseOptions {
  /**
   * The confidence above which a row is overconfident, in [0, 1].
   *
   * @defaultValue 0.95
   */
  overconfidence?: number | undefined;
  /** The number of classes, for this call; of a `SigmoidFocalLoss` the logits of a row. */
  numClasses?: number | undefined;
  /** With layout `'channels-first'`, the number of positions of each sample. */
  spatialSize?: number | undefined;
}

/** Options of {@link diagnoseAsync}. Every option may be left out. */
export interface DiagnoseAsyncOptions extends DiagnoseOptions, TurnOptions {}

export const DIAGNOSE_OPTIONS: readonly (keyof DiagnoseOptions)[] = [
  'overconfidence',
  'numClasses',
  'spatialSize',
];

/**
 * Looks into a batch through the eyes of a loss: which rows and classes it is about, how sure the
 * model is of itself, and what stands out of that.
 *
 * A figure of a row goes by its loss under the criterion, whatever its reduction. Rows to be
 * ignored are left out, as are rows whose loss or gradient is not finite, which are counted and
 * listed. Labels, `numClasses`, `layout` and the rest are as in a call of the criterion.
 *
 * For a `SigmoidFocalLoss` every logit is a row by itself, of class 1 where its target is above
 * 1/2, else of class 0, and its confidence is the larger of the sigmoid and 1 minus it. The other
 * losses take one logit per row as well, that of class 1 of two, beside which class 0 has a 0:
 * where there are as many class indices as logits, or `numClasses` is 1.
 *
 * @param logits - `[rows, classes]`, row-major.
 * @param targets - Class indices, or class probabilities; for a `SigmoidFocalLoss` one per logit,
 *   in [0, 1].
 * @param criterion - A `FocalLoss`, `CrossEntropyLoss` or `SigmoidFocalLoss`.
 * @throws TypeError and RangeError as the criterion does.
 *
 * @example
 * ```ts
 * import { diagnose, FocalLoss } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]);
 * const diagnosis = diagnose(logits, new Uint8Array([0, 1, 1]), new FocalLoss());
 * diagnosis.loss.mean; // => 0.014456063646326968
 * diagnosis.confidence.mean; // => 0.807754
 * diagnosis.overconfident.rows; // => Uint32Array.of(0, 2)
 * diagnosis.hard.rows; // => Uint32Array.of(1)
 * diagnosis.classes[1].lossShare; // => 0.999558
 * diagnosis.effectiveSampleSize; // => 1.038793
 * ```
 */
export function diagnose(
  logits: Logits,
  targets: Targets,
  criterion: DiagnosedCriterion,
  options: DiagnoseOptions = {},
): Diagnosis {
  const given = checkOptions(options, DIAGNOSE_OPTIONS);
  return finish(diagnoseInTurns(prepare(logits, targets, criterion, given)));
}

/**
 * A {@link diagnose} that lets others have their turn every few hundredths of a second, says how
 * far it is, and can be aborted. The results are the same, bit for bit. The arrays must stay as
 * they are until the promise is settled.
 *
 * @param logits - `[rows, classes]`, row-major.
 * @param targets - Class indices, or class probabilities.
 * @param criterion - A `FocalLoss`, `CrossEntropyLoss` or `SigmoidFocalLoss`.
 * @returns A promise, which is rejected with what {@link diagnose} throws, or the reason of the
 *   signal.
 *
 * @example
 * ```ts
 * import { diagnoseAsync, FocalLoss } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]);
 * const { loss } = await diagnoseAsync(logits, new Uint8Array([0, 1, 1]), new FocalLoss(), {
 *   signal: AbortSignal.timeout(10_000),
 *   onProgress: (done, rows) => console.log(`${done} of ${rows}`),
 * });
 * loss.mean; // => 0.014456063646326968
 * ```
 */
export async function diagnoseAsync(
  logits: Logits,
  targets: Targets,
  criterion: DiagnosedCriterion,
  options: DiagnoseAsyncOptions = {},
): Promise<Diagnosis> {
  const given = checkOptions(options, [...DIAGNOSE_OPTIONS, ...TURN_OPTIONS]);
  const { signal, onProgress } = given;
  const work = prepare(logits, targets, criterion, given);
  const { batch } = work;
  return inTurns(diagnoseInTurns(work), entriesOf(batch), batch.rows, { signal, onProgress });
}

/** A batch to be diagnosed, checked as far as can be before its entries are looked at. */
export interface ToDiagnose {
  readonly batch: LossBatch;
  readonly overconfidence: number;
}

export function prepare(
  logits: Logits,
  targets: Targets,
  criterion: DiagnosedCriterion,
  options: DiagnoseOptions,
): ToDiagnose {
  const { overconfidence = 0.95 } = options;
  checkShare('overconfidence', overconfidence);
  checkAnyCriterion('criterion', criterion);
  const { numClasses = criterion.numClasses, spatialSize } = options;
  const elementwise = isSigmoid(criterion);
  const layout = elementwise ? undefined : criterion.layout;
  const given = opened(logits, targets, { numClasses, spatialSize }, layout, elementwise ? 1 : 0);
  return {
    batch: openBatch(given.logits, given.targets, criterion, given.options),
    overconfidence,
  };
}

/** The work of a diagnosis. */
export function* diagnoseInTurns({ batch, overconfidence }: ToDiagnose): Work<Diagnosis> {
  const measured = yield* measureRows(batch);
  const { numbers, labels, predicted, confidences, losses, factors, weights } = measured;
  const count = losses.length;
  const isRight = (k: number) => predicted[k] === labels[k];
  const loss = summarize(losses);
  const total = sum(losses);
  const numbersOf = (places: Uint32Array) => pick(numbers, places, new Uint32Array(places.length));
  const shareOfLoss = (places: Uint32Array) =>
    shareOf(sum(pick(losses, places, new Float64Array(places.length))), total);
  yield count;

  const overconfident = placesWhere(count, (k) => (confidences[k] as number) > overconfidence);
  const sureAndWrong = placesWhere(
    overconfident.length,
    (i) => !isRight(overconfident[i] as number),
  ).length;
  yield count;
  const easy = placesWhere(count, (k) => isRight(k) && (confidences[k] as number) > 0.5);
  const hard = placesWhere(count, (k) => (losses[k] as number) > loss.mean);
  yield count;
  const hardestFirst = yield* ascendingInTurns(
    tabulate(hard.length, (i) => -(losses[hard[i] as number] as number)),
  );
  const hardLossShare = shareOfLoss(hard);
  const hardRows = numbersOf(pick(hard, hardestFirst, new Uint32Array(hard.length)));
  yield count;
  const classes = describe(measured, measured.classes, (k) => labels[k] as number);
  yield count;
  const columns = describeColumns(measured, batch);
  yield count;
  const findings = {
    rows: count,
    nonFinite: { rows: measured.nonFinite, logits: measured.nonFiniteLogits },
    accuracy: placesWhere(count, isRight).length / count,
    loss,
    floor: measured.least / count,
    confidence: summarize(confidences),
    overconfident: {
      threshold: overconfidence,
      rows: numbersOf(overconfident),
      wrong: sureAndWrong,
    },
    hard: { threshold: loss.mean, rows: hardRows, lossShare: hardLossShare },
    easy: { rows: easy.length, lossShare: shareOfLoss(easy) },
    classes,
    columns,
    focalWeight: sum(factors) / count,
    effectiveSampleSize: shareOf(
      sum(weights) ** 2,
      sum(tabulate(count, (k) => (weights[k] as number) ** 2)),
    ),
  };
  const isSuspicious = measured.mayBeProbabilities && count >= leastSuspicious(batch.width === 1);
  const advice = adviseOn(findings, batch.criterion, isSuspicious);
  return withText({ ...findings, advice }, diagnosisText);
}

function summarize(values: Float64Array): Summary {
  if (values.length === 0) return { mean: NaN, min: NaN, max: NaN };
  let min = Infinity;
  let max = -Infinity;
  for (let k = 0; k < values.length; k++) {
    const value = values[k] as number;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  // Where all values are the same, rounding must not move the mean away from them.
  return { mean: Math.min(Math.max(sum(values) / values.length, min), max), min, max };
}

/** A part of a whole, and of nothing none. */
function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** The figures of groups of rows, of which there are so many. */
function describe(
  { labels, predicted, losses, gradients }: RowLosses,
  groups: number,
  groupOf: (k: number) => number,
): ClassDiagnosis[] {
  const counts = new Float64Array(groups);
  const right = new Float64Array(groups);
  const lossOf = new Float64Array(groups);
  const gradientOf = new Float64Array(groups);
  for (let k = 0; k < labels.length; k++) {
    const group = groupOf(k);
    counts[group] = (counts[group] as number) + 1;
    lossOf[group] = (lossOf[group] as number) + (losses[k] as number);
    gradientOf[group] = (gradientOf[group] as number) + (gradients[k] as number);
    if (predicted[k] === labels[k]) right[group] = (right[group] as number) + 1;
  }
  const loss = sum(lossOf);
  const gradient = sum(gradientOf);
  return Array.from(counts, (count, j) => ({
    rows: count,
    accuracy: (right[j] as number) / count,
    meanLoss: (lossOf[j] as number) / count,
    lossShare: shareOf(lossOf[j] as number, loss),
    gradientShare: shareOf(gradientOf[j] as number, gradient),
  }));
}

/** The columns of a batch with several yes-or-no logits per row. */
function describeColumns(
  measured: RowLosses,
  { criterion, call }: LossBatch,
): ColumnDiagnosis[] | undefined {
  const { numClasses = 1 } = call;
  if (!isSigmoid(criterion) || numClasses === 1) return undefined;
  const { numbers, labels } = measured;
  const columnOf = (k: number) => (numbers[k] as number) % numClasses;
  const positives = new Float64Array(numClasses);
  for (let k = 0; k < labels.length; k++) {
    const column = columnOf(k);
    positives[column] = (positives[column] as number) + (labels[k] as number);
  }
  return describe(measured, numClasses, columnOf).map((one, j) => ({
    ...one,
    positives: positives[j] as number,
  }));
}
