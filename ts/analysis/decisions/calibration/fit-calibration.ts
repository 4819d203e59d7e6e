import type { FloatArray } from '../../../arrays/types.js';
import {
  checkChoice,
  checkInteger,
  checkOptions,
  checkSampleWeights,
} from '../../../call/checks.js';
import { floatsOf } from '../../../call/plain-arrays.js';
import type { AnyCriterion } from '../../criteria/own-criterion.js';
import { checkKind, openBatch } from '../../report/batch.js';
import { classificationReport } from '../../report/report.js';
import { pick, placesWhere, tabulate } from '../../rows/loops.js';
import { ROW_OPTIONS, type RowOptions } from '../../rows/rows.js';
import type { Logits, Targets } from '../../rows/tensors.js';
import {
  type CalibrationFigures,
  type CalibrationMethod,
  type CalibrationParameters,
  type Calibrator,
  calibrated,
  makeCalibrator,
} from './calibrator.js';
import {
  type CalibrationOutcome,
  type Evidence,
  evidenceOf,
  type Fit,
  membersOf,
} from './evidence.js';
import { fitKnots } from './isotonic.js';
import { logOddsOf } from './log-odds.js';
import { lossOf, meantLogits } from './meaning.js';
import { fitLine } from './platt.js';
import { fitTemperature } from './temperature.js';

/** Options of {@link fitCalibration}. */
export interface FitCalibrationOptions<M extends CalibrationMethod = CalibrationMethod>
  extends RowOptions {
  /**
   * The method. `'temperature'` divides all logits by one number, and changes no prediction.
   * `'platt'` has a slope and an intercept for each class's log-odds. `'isotonic'` takes any course
   * that never falls, which needs rows: a thousand or more.
   *
   * @defaultValue 'temperature'
   */
  method?: M | undefined;
  /**
   * The loss that the model was trained with, of any entry of this package: what is fitted to are
   * then not the logits themselves, but the probabilities that they stand for under it, as
   * `posterior` has them. So a fit has only that to mend in which the model is not at the minimum
   * of its loss. Where label smoothing or a margin has clipped a probability to 0, that counts as
   * 2^-23. It says what the logits mean, as it does for `classificationReport`: its `numClasses`,
   * `ignoreIndex` and `layout` hold where they are not given, and a `SigmoidFocalLoss` or
   * `AsymmetricLoss` with `numClasses` is of rows of several labels.
   *
   * @defaultValue none: the logits are those of a cross-entropy
   */
  criterion?: AnyCriterion | undefined;
  /** One weight per row: finite numbers that are not negative. Rows that weigh 0 are left out. */
  sampleWeights?: FloatArray | readonly number[] | undefined;
  /**
   * The number of bins of the calibration errors before and after.
   *
   * @defaultValue 15
   */
  bins?: number | undefined;
}

const OPTIONS: readonly (keyof FitCalibrationOptions)[] = [
  ...ROW_OPTIONS,
  'method',
  'criterion',
  'sampleWeights',
  'bins',
];

/**
 * Fits a calibration to validation rows: what turns the logits of a model into probabilities that
 * come true as often as they say. Fit it to rows that the model was not trained on.
 *
 * - `'temperature'`: softmax of the logits divided by the temperature that makes the log loss least
 *   (Guo et al. 2017), between e^-10 and e^10.
 * - `'platt'`: the sigmoid of `slope * s + intercept` (Platt 1999), of log-odds s.
 * - `'isotonic'`: the line through the knots that isotonic regression finds over s (Zadrozny and
 *   Elkan 2002), flat beyond the first and the last.
 *
 * The log-odds of two classes are the difference of their logits. Of more, each class has those
 * against all others, and the probabilities are divided by their sum, as in scikit-learn's
 * `CalibratedClassifierCV`. Where targets are probabilities, rows are of the classes in these
 * shares. Of several labels, each has a line of its own, and all have one temperature.
 *
 * A fit always ends: {@link Calibrator.outcome} says how. The results have the same bits in every
 * engine, but for the figures `before` and `after`.
 *
 * @param logits - `[rows, classes]`, row-major, or one per row; or a tensor that holds them. Those
 *   of rows that count must be finite.
 * @param targets - Class indices, or with `numClasses` class probabilities; for one logit per row
 *   0, 1 or a probability.
 * @throws TypeError and RangeError as the losses do; RangeError where no row counts or weighs
 *   anything, and for a logit that is not finite.
 *
 * @example
 * ```ts
 * import { fitCalibration } from 'focal-loss/analysis';
 *
 * // Eight rows of two classes: the model is too sure, as one in four of its answers is wrong.
 * const logits = new Float64Array([4, 0, 4, 0, 4, 0, 4, 0, 0, 4, 0, 4, 0, 4, 0, 4]);
 * const calibrator = fitCalibration(logits, new Uint8Array([0, 0, 0, 1, 1, 1, 1, 0]));
 * calibrator.parameters.temperature; // => 3.640956907
 * calibrator.apply(new Float64Array([4, 0]))[0]; // => 0.75
 * calibrator.before.calibrationError; // => 0.23201379004
 * ```
 */
export function fitCalibration<M extends CalibrationMethod = 'temperature'>(
  logits: Logits,
  targets: Targets,
  options: FitCalibrationOptions<M> = {},
): Calibrator<M> {
  const given = checkOptions(options, OPTIONS);
  const method = checkChoice(
    'method',
    ['temperature', 'platt', 'isotonic'],
    given.method ?? 'temperature',
  ) as M;
  const bins = checkInteger('bins', 1, 10_000, given.bins ?? 15);
  const weights = floatsOf('sampleWeights', given.sampleWeights);
  if (weights !== undefined) checkSampleWeights(weights);
  const criterion = given.criterion === undefined ? undefined : lossOf(given.criterion);
  const batch = openBatch(logits, targets, given);
  checkKind('criterion', batch, given.criterion);
  const evidence = evidenceOf(batch, weights);
  const { labels, classes, numbers } = evidence;
  const numClasses = labels > 0 ? labels : classes;
  const multiLabel = labels > 1;
  // All labels have their places in rows; what is of no use is left out in the end.
  const plain = multiLabel
    ? Float64Array.from(batch.logits)
    : labels > 0
      ? secondOf(evidence.pairs)
      : evidence.pairs;
  const used = (all: Float64Array) =>
    multiLabel ? pick(all, numbers, new Float64Array(numbers.length)) : all;
  const pairs = criterion
    ? pairsOfMeant(used(meantLogits(criterion, plain, numClasses, labels > 0)), labels)
    : evidence.pairs;
  const { parameters, outcome } = fitBy(method, { ...evidence, pairs });
  const state = { method, numClasses, multiLabel, criterion, parameters, outcome };
  const figures = {
    before: figuresOf(used(plain), evidence, bins),
    after: figuresOf(used(calibrated(state, plain)), evidence, bins),
  };
  return makeCalibrator({ ...state, ...figures }, evidence.warning);
}

function fitBy<M extends CalibrationMethod>(
  method: M,
  evidence: Evidence,
): Fit<CalibrationParameters[M]>;
function fitBy(method: CalibrationMethod, evidence: Evidence): Fit<unknown> {
  if (method === 'temperature') return fitTemperature(evidence);
  const { labels, classes, rows, numbers, weights } = evidence;
  const odds = logOddsOf(evidence.pairs, classes).map(toFinite);
  const columns = labels > 0 ? labels : classes === 2 ? 1 : classes;
  const fitEach = <T extends { readonly outcome: CalibrationOutcome }>(
    fitOne: (scores: Float64Array, members: Float64Array, weights: Float64Array | undefined) => T,
  ) =>
    Array.from({ length: columns }, (_, j) => {
      const members = membersOf(evidence, columns === 1 || labels > 1 ? 1 : j);
      if (labels <= 1)
        return fitOne(
          tabulate(rows, (k) => odds[k * columns + j] as number),
          members,
          weights,
        );
      const places = placesWhere(rows, (k) => (numbers[k] as number) % labels === j);
      const own = (all: Float64Array) => pick(all, places, new Float64Array(places.length));
      return fitOne(own(odds), own(members), weights && own(weights));
    });
  if (method === 'platt') {
    const lines = fitEach(fitLine);
    const parameters = {
      slopes: lines.map(({ slope }) => slope),
      intercepts: lines.map(({ intercept }) => intercept),
    };
    return { parameters, outcome: outcomeOf(lines) };
  }
  const knots = fitEach(fitKnots);
  const parameters = {
    scores: knots.map(({ scores }) => scores),
    probabilities: knots.map(({ probabilities }) => probabilities),
  };
  return { parameters, outcome: outcomeOf(knots) };
}

/** Logits that stand for the same under a cross-entropy; yes-or-no ones with a 0 before each. */
function pairsOfMeant(meant: Float64Array, labels: number): Float64Array {
  return labels === 0
    ? meant
    : new Float64Array(2 * meant.length).map((_, k) =>
        k % 2 === 0 ? 0 : (meant[k >> 1] as number),
      );
}

/** The first outcome that needs to be looked at. */
function outcomeOf(fits: readonly { readonly outcome: CalibrationOutcome }[]): CalibrationOutcome {
  return fits.find(({ outcome }) => outcome !== 'fitted')?.outcome ?? 'fitted';
}

/** Differences of the largest numbers are still numbers that halves and products can be made of. */
function toFinite(score: number): number {
  return Math.min(Math.max(score, -LARGEST), LARGEST);
}

const LARGEST = Number.MAX_VALUE / 4;

/** The second of each pair. */
function secondOf(pairs: Float64Array): Float64Array {
  const second = new Float64Array(pairs.length / 2);
  for (let k = 0; k < second.length; k++) second[k] = pairs[2 * k + 1] as number;
  return second;
}

/** The figures of a report on the rows of a fit. */
function figuresOf(logits: Float64Array, evidence: Evidence, bins: number): CalibrationFigures {
  const { classes, labels, targets, shares, weights } = evidence;
  const soft = labels > 0 && shares !== undefined ? secondOf(shares) : shares;
  const { logLoss, brier, calibration } = classificationReport(logits, soft ?? targets, {
    numClasses: labels > 0 ? 1 : classes,
    sampleWeights: weights,
    bins,
    auc: false,
    confusion: false,
  });
  return { logLoss, brier, calibrationError: calibration.expectedError };
}
