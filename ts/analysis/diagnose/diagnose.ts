import { checkOptions, checkShare } from '../../call/checks.js';
import { checkAnyCriterion, type DiagnosedCriterion, isSigmoid } from '../criteria/criterion.js';
import { leastSuspicious } from '../rows/probability-watch.js';
import { withText } from '../rows/table.js';
import { type Logits, opened, type Targets } from '../rows/tensors.js';
import { finish, inTurns, TURN_OPTIONS, type TurnOptions, type Work } from '../rows/turns.js';
import { adviseOn } from './advice.js';
import { hardest } from './hard.js';
import type { Diagnosis } from './result.js';
import { entriesOf, type LossBatch, measureRows, openBatch } from './row-losses.js';
import { shareOf } from './tally.js';
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
  const { tally, ...measured } = yield* measureRows(batch, overconfidence);
  const { rows: count, losses: loss, easy } = tally;
  const { factor, weight, squares } = tally.factors;
  const { overconfident, nonFinite } = tally;
  const hard = measured.hard ?? (yield* hardest(tally.parts, loss.mean));
  const { criterion, call } = batch;
  const findings = {
    rows: count,
    nonFinite: { rows: nonFinite, logits: tally.nonFiniteLogits },
    accuracy: tally.right / count,
    loss,
    floor: measured.least / count,
    confidence: tally.confidences,
    overconfident: { threshold: overconfidence, rows: overconfident, wrong: tally.sureAndWrong },
    hard: { threshold: loss.mean, rows: hard.rows, lossShare: shareOf(hard.loss, tally.loss) },
    easy: { rows: easy.rows, lossShare: shareOf(easy.loss, tally.loss) },
    classes: tally.classes(),
    columns: isSigmoid(criterion) && (call.numClasses ?? 1) > 1 ? tally.columns() : undefined,
    focalWeight: factor / count,
    effectiveSampleSize: shareOf(weight * weight, squares),
  };
  const isSuspicious = measured.mayBeProbabilities && count >= leastSuspicious(batch.width === 1);
  const advice = adviseOn(findings, batch.criterion, isSuspicious);
  return withText({ ...findings, advice }, diagnosisText);
}
