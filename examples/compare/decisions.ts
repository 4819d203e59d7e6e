import {
  chooseThreshold,
  compareModels,
  type FocalLoss,
  type ModelComparison,
  type Priors,
  posterior,
  probabilitiesToLogits,
} from 'focal-loss/analysis';
import type { Parts } from '../train/data.js';
import { Random } from '../train/random.js';
import type { Trained } from './figures.js';

/** Resamples of the validation rows, in each of which a threshold is chosen. */
const RESAMPLES = 200;

/** Probabilities below it count as this: a smoothed loss makes some 0. Log losses stay finite. */
const LEAST = 1e-7;

/** A p-value below this is called more than chance. */
const CHANCE = 0.05;

/** The class shares of the training rows, and those of the validation rows, which the test has. */
export function priorsOf({ train, validation }: Parts, classes: number): Priors {
  const counts = ({ targets }: Parts['test']) =>
    Array.from({ length: classes }, (_, j) => targets.filter((target) => target === j).length);
  return { training: counts(train), deployment: counts(validation) };
}

/** Logits whose softmax is what a model's logits stand for under its loss. */
export function meantLogits(
  logits: Float32Array,
  criterion: FocalLoss,
  priors: Priors,
): Float64Array {
  const classes = (priors.training as number[]).length;
  const meant = posterior(logits, criterion, { numClasses: classes, priors });
  return probabilitiesToLogits(
    Float64Array.from(meant, (p) => Math.max(p, LEAST)),
    classes,
  );
}

/** A threshold for the probability of class 1, and the test of a loss against cross-entropy. */
export interface Decision {
  readonly threshold: number;
  /** From where to where the thresholds of 95 % of the resamples lie. */
  readonly low: number;
  readonly high: number;
  /** The difference to cross-entropy on the test rows; of that itself there is none. */
  readonly difference: ModelComparison | undefined;
}

/** The decisions by models, the one of cross-entropy first, and how sure they are. */
export function decide(
  criteria: readonly FocalLoss[],
  models: readonly Trained[],
  parts: Parts,
  classes: number,
): Decision[] {
  const { validation, test } = parts;
  const priors = priorsOf(parts, classes);
  const meant = (part: Parts['test']) =>
    models.map((model, i) => meantLogits(model.logits(part), criteria[i], priors));
  const tested = meant(test);
  return meant(validation).map((logits, i) => ({
    ...thresholdOf(logits, validation.targets, classes),
    difference: i === 0 ? undefined : compareModels(tested[0], tested[i], test.targets),
  }));
}

/** The threshold with the best F1, and the interval of those that resampled rows have. */
function thresholdOf(logits: Float64Array, targets: Int32Array, classes: number) {
  const choose = (x: Float64Array, y: Int32Array) =>
    chooseThreshold(x, y, { numClasses: classes, positive: 1 }).threshold;
  const random = new Random(1);
  const chosen: number[] = [];
  while (chosen.length < RESAMPLES) {
    const rows = Array.from(targets, () => Math.floor(random.uniform() * targets.length));
    const drawn = Int32Array.from(rows, (row) => targets[row]);
    if (!drawn.includes(1)) continue;
    const x = rows.flatMap((row) => [...logits.subarray(row * classes, (row + 1) * classes)]);
    chosen.push(choose(Float64Array.from(x), drawn));
  }
  chosen.sort((a, b) => a - b);
  const at = (share: number) => chosen[Math.round(share * (RESAMPLES - 1))];
  return { threshold: choose(logits, targets), low: at(0.025), high: at(0.975) };
}

/** A line for each loss: its threshold, and whether it differs from cross-entropy. */
export function decisionLines(names: readonly string[], decisions: readonly Decision[]): string {
  return decisions
    .map(({ threshold, low, high, difference }, i) => {
      const interval = `${threshold.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
      return `  ${names[i].padEnd(24)}${interval.padEnd(22)}${chance(difference)}`.trimEnd();
    })
    .join('\n');
}

function chance(difference: ModelComparison | undefined): string {
  if (difference === undefined) return '';
  const { auc, f1, logLoss } = difference;
  const figures = [
    ['AUC', auc],
    ['F1', f1],
    ['log loss', logLoss],
  ] as const;
  const parts = figures.map(([name, { difference: gain, pValue }]) => {
    const sign = gain < 0 ? '−' : '+';
    return `${name} ${sign}${Math.abs(gain).toFixed(3)} (p ${pValue.toFixed(2)})`;
  });
  const clear = figures.filter(([, { pValue }]) => pValue < CHANCE).map(([name]) => name);
  const verdict =
    clear.length > 0 ? `more than chance: ${clear.join(', ')}` : 'no more than chance';
  return `${parts.join(', ')}: ${verdict}`;
}
