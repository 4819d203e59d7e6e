import {
  type CalibrationCurve,
  type CalibrationMethod,
  type CalibrationOutcome,
  type ChooseThresholdOptions,
  calibrationCurve,
  chooseThreshold,
  classificationReport,
  decisionCurve,
  fitCalibration,
  posterior,
  precisionRecallCurve,
  probabilitiesToLogits,
  type RocCurve,
  rocCurve,
} from 'focal-loss/analysis';
import { criterionOf, type LossSettings } from '../data/analyse.js';
import { type Batch, DataError, IGNORED } from '../data/batch.js';
import { SETTINGS } from '../state.js';
import { count } from '../text.js';

/** The settings that decisions depend on. */
export interface DecisionSettings extends LossSettings {
  /** The number of a method in {@link METHODS}, or {@link POSTERIOR}. */
  readonly calibration: number;
  /** The class that is looked for; without it, the rarest. */
  readonly positive?: number;
}

/** The ways to calibrate that are fitted, by the numbers that the setting has. */
const METHODS: readonly (CalibrationMethod | undefined)[] = [
  undefined,
  'temperature',
  'platt',
  'isotonic',
];
/** The number of the way that needs no fit, but the loss that the model was trained with. */
const POSTERIOR = 4;

/** True where the loss that is set makes a difference, besides to what a model learns from it. */
export function dependsOnLoss({ calibration }: DecisionSettings): boolean {
  return calibration === POSTERIOR;
}

/** A line of a chart. */
export interface Course {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** The figures of probabilities. */
export interface Honesty {
  readonly curve: CalibrationCurve;
  readonly logLoss: number;
  readonly brier: number;
  /** The net benefit over the threshold. */
  readonly benefit: Course;
}

/** A threshold that is the best by some figure. */
export interface Proposal {
  readonly by: string;
  readonly threshold: number;
}

/** Everything that is shown of a batch, small enough to be sent from one thread to another. */
export interface Decisions {
  readonly title: string;
  /** The names of the classes. */
  readonly names: readonly string[];
  /** The reading of the rows, in sentences. */
  readonly notes: readonly string[];
  readonly positive: number;
  /** What the logits say by themselves, and what they say when they are calibrated. */
  readonly before: Honesty;
  readonly after: Honesty;
  /** The end of the fit, where there was one. */
  readonly outcome: CalibrationOutcome | undefined;
  readonly roc: Course;
  readonly auc: number;
  readonly precisionRecall: Course;
  readonly averagePrecision: number;
  readonly treatAll: Course;
  readonly tally: Tally;
  readonly proposals: readonly Proposal[];
}

/** The rows taken for the class at each step of the threshold. */
export interface Tally {
  /** The rows of the class that are shown, and the others. */
  readonly positives: number;
  readonly negatives: number;
  readonly truePositives: Float64Array;
  readonly falsePositives: Float64Array;
}

/** The rows of the class and the others, by what they are taken for at a threshold. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
  readonly recall: number;
  /** NaN where no row is taken for the class. */
  readonly precision: number;
  readonly specificity: number;
  readonly f1: number;
  /** NaN at a threshold of 1. */
  readonly netBenefit: number;
}

const { min: LEAST, max: MOST, step: STEP } = SETTINGS.threshold;

export function confusionAt(tally: Tally, threshold: number): Confusion {
  const { positives, negatives } = tally;
  const step = Math.round((threshold - LEAST) / STEP);
  const [found, wrong] = [tally.truePositives[step], tally.falsePositives[step]];
  const rows = positives + negatives;
  return {
    truePositives: found,
    falsePositives: wrong,
    falseNegatives: positives - found,
    trueNegatives: negatives - wrong,
    recall: found / positives,
    precision: found / (found + wrong),
    specificity: (negatives - wrong) / negatives,
    f1: (2 * found) / (positives + found + wrong),
    netBenefit: threshold < 1 ? (found - (wrong * threshold) / (1 - threshold)) / rows : Number.NaN,
  };
}

/**
 * Calibrates the logits of a batch on one half of its rows, and looks at the other: what its
 * probabilities are worth, and what can be decided by them.
 */
export function decide(batch: Batch, settings: DecisionSettings): Decisions {
  const { title, classes } = batch;
  const names = batch.names ?? Array.from({ length: classes }, (_, j) => String(j));
  const { fitted, shown, leftOut } = halve(batch);
  const rows = rowsOf(classes, fitted.targets, shown.targets);
  const positive = settings.positive ?? rarestOf(rows);
  checkClass(title, rows, positive, names);
  const numClasses = batch.columns;
  const { logits, outcome } = calibrate(batch, settings, fitted, shown);
  const options = { numClasses, positive };
  const reportOn = (logits: Batch['logits']) =>
    classificationReport(logits, shown.targets, { numClasses, auc: false, confusion: false });
  const honestyOf = (logits: Batch['logits']): Honesty => {
    const { logLoss, brier } = reportOn(logits);
    const { thresholds, netBenefit } = decisionCurve(logits, shown.targets, options);
    const curve = calibrationCurve(logits, shown.targets, options);
    return { curve, logLoss, brier, benefit: { x: thresholds, y: netBenefit } };
  };
  const { warning } = reportOn(shown.logits);
  const before = honestyOf(shown.logits);
  const roc = rocCurve(logits, shown.targets, { ...options, dropIntermediate: false });
  const ranks = precisionRecallCurve(logits, shown.targets, options);
  const { thresholds, treatAll } = decisionCurve(logits, shown.targets, options);
  const propose = (by: string, choice: ChooseThresholdOptions<number>): Proposal => ({
    by,
    threshold: chooseThreshold(logits, shown.targets, { ...options, ...choice }).threshold,
  });
  return {
    title,
    names,
    notes: [
      ...(warning === undefined ? [] : [warning]),
      ...(batch.notes ?? []),
      `${count(fitted.targets.length, 'row')} of ${title}, every other one of each class, are for the calibration; the ${count(shown.targets.length, 'other')} are shown.`,
      ...(dependsOnLoss(settings)
        ? [
            'Nothing is fitted: the loss of the sliders, taken for that of the training, says what logits mean.',
          ]
        : []),
      ...(leftOut > 0
        ? [
            `${count(leftOut, 'row')} with logits that are not finite ${leftOut === 1 ? 'is' : 'are'} left out.`,
          ]
        : []),
    ],
    positive,
    before,
    after: logits === shown.logits ? before : honestyOf(logits),
    outcome,
    roc: thinned({ x: roc.falsePositiveRate, y: roc.truePositiveRate }),
    auc: roc.auc,
    // At a recall of 0 no row is taken, and the precision of 1 says nothing.
    precisionRecall: thinned({ x: ranks.recall.slice(0, -1), y: ranks.precision.slice(0, -1) }),
    averagePrecision: ranks.averagePrecision,
    treatAll: { x: thresholds, y: treatAll },
    tally: tallyOf(shown.targets, positive, roc),
    proposals: [
      propose('Best F1', { by: 'f1' }),
      propose('Best balanced accuracy', { by: 'balanced-accuracy' }),
      propose('Best where a miss costs 10 false alarms', {
        by: 'cost',
        costs: { falsePositive: 1, falseNegative: 10 },
      }),
    ],
  };
}

/** The logits of the rows that are shown, calibrated: the same array where nothing is done. */
function calibrate(
  batch: Batch,
  settings: DecisionSettings,
  fitted: Rows,
  { logits }: Rows,
): { readonly logits: Batch['logits']; readonly outcome?: CalibrationOutcome } {
  const numClasses = batch.columns;
  if (settings.calibration === POSTERIOR) {
    const probabilities = posterior(logits, criterionOf(batch, settings), { numClasses });
    return { logits: probabilitiesToLogits(probabilities, numClasses) };
  }
  const method = METHODS[settings.calibration];
  if (method === undefined) return { logits };
  const calibrator = fitCalibration(fitted.logits, fitted.targets, { numClasses, method });
  return { logits: calibrator.apply(logits, { output: 'logits' }), outcome: calibrator.outcome };
}

/** Rows of a batch. */
type Rows = Pick<Batch, 'logits' | 'targets'>;

/** Parts the rows that count: of each class the first is shown, the second is for the fit, … */
function halve({ logits, targets, classes, columns }: Batch) {
  const seen = new Uint32Array(classes);
  const fitted: number[] = [];
  const shown: number[] = [];
  let leftOut = 0;
  for (let row = 0; row < targets.length; row++) {
    if (targets[row] === IGNORED) continue;
    if (logits.subarray(row * columns, (row + 1) * columns).every(Number.isFinite)) {
      (seen[targets[row]]++ % 2 === 0 ? shown : fitted).push(row);
    } else leftOut++;
  }
  const pick = (rows: readonly number[]): Rows => {
    const picked = logits.slice(0, rows.length * columns);
    rows.forEach((row, i) => {
      picked.set(logits.subarray(row * columns, (row + 1) * columns), i * columns);
    });
    return { logits: picked, targets: Int32Array.from(rows, (row) => targets[row]) };
  };
  return { fitted: pick(fitted), shown: pick(shown), leftOut };
}

function rowsOf(classes: number, ...halves: readonly Int32Array[]): number[] {
  const rows = new Array<number>(classes).fill(0);
  for (const half of halves) for (const target of half) rows[target]++;
  return rows;
}

/** The class with the fewest rows, of those that have any; of two that are equal the later. */
function rarestOf(rows: readonly number[]): number {
  return rows.reduce(
    (rarest, count, j) => (count > 0 && count <= (rows[rarest] || Infinity) ? j : rarest),
    0,
  );
}

/** Both halves need rows of the class and others. */
function checkClass(
  title: string,
  rows: readonly number[],
  positive: number,
  names: readonly string[],
): void {
  const own = rows[positive];
  const others = rows.reduce((sum, count) => sum + count, 0) - own;
  if (own >= 2 && others >= 2) return;
  throw new DataError(
    `${title}: there must be two rows or more of class ${names[positive]}, and of others, but there are ${own} and ${others}`,
  );
}

/** The rows taken at each step of the threshold, by the points of a ROC curve. */
function tallyOf(
  targets: Int32Array,
  positive: number,
  { thresholds, truePositiveRate, falsePositiveRate }: RocCurve,
): Tally {
  const positives = targets.reduce((sum, target) => sum + Number(target === positive), 0);
  const negatives = targets.length - positives;
  const steps = Math.round((MOST - LEAST) / STEP) + 1;
  const truePositives = new Float64Array(steps);
  const falsePositives = new Float64Array(steps);
  // Thresholds fall from Infinity on: the last one that is not below the step's is looked for.
  let point = 0;
  for (let step = steps - 1; step >= 0; step--) {
    const threshold = Number((LEAST + step * STEP).toFixed(10));
    while (thresholds[point + 1] >= threshold) point++;
    truePositives[step] = Math.round(truePositiveRate[point] * positives);
    falsePositives[step] = Math.round(falsePositiveRate[point] * negatives);
  }
  return { positives, negatives, truePositives, falsePositives };
}

/** Points that can be told apart in a chart: nearer ones are left out, but for the last. */
function thinned({ x, y }: Course): Course {
  const near = 1 / 400;
  const kept = [0];
  for (let i = 1; i < x.length; i++) {
    const last = kept[kept.length - 1];
    const isNear = Math.abs(x[i] - x[last]) < near && Math.abs(y[i] - y[last]) < near;
    if (!isNear || i === x.length - 1) kept.push(i);
  }
  const pick = (values: Float64Array) => Float64Array.from(kept, (i) => values[i]);
  return { x: pick(x), y: pick(y) };
}
