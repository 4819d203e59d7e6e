import { readOptions } from '../../../arrays/own.js';
import {
  checkChoice,
  checkNotNegative,
  checkOptionNames,
  checkOptions,
  checkShare,
  wrongType,
} from '../../../call/checks.js';
import { figure, table, withText } from '../../rows/table.js';
import type { Logits, Targets } from '../../rows/tensors.js';
import {
  type Column,
  CURVE_OPTIONS,
  type CurveOptions,
  ofColumns,
  type PerClass,
} from './columns.js';
import { probabilitiesOf, type Ranking, rankingOf } from './ranking.js';

/** The figure by which a threshold is chosen: the largest, or of costs the least. */
export type ThresholdCriterion = 'f1' | 'f-beta' | 'youden' | 'balanced-accuracy' | 'cost';

/** The cost of a row, by what it is taken for. */
export interface DecisionCosts {
  /** The cost of a row that is taken for the class and is not of it. */
  falsePositive: number;
  /** The cost of a row of the class that is not taken for it. */
  falseNegative: number;
  /**
   * The cost of a row of the class that is taken for it.
   *
   * @defaultValue 0
   */
  truePositive?: number | undefined;
  /**
   * The cost of a row that is neither.
   *
   * @defaultValue 0
   */
  trueNegative?: number | undefined;
}

/** The least that figures at a threshold must be. */
export interface LeastFigures {
  /** The least recall. */
  recall?: number | undefined;
  /** The least precision. */
  precision?: number | undefined;
  /** The least specificity. */
  specificity?: number | undefined;
}

/** Options of {@link chooseThreshold}. */
export interface ChooseThresholdOptions<P extends number | 'each' = number | 'each'>
  extends CurveOptions<P> {
  /**
   * The figure that decides: the F1 score; the F score with `beta`; Youden's index, recall +
   * specificity - 1; the balanced accuracy, which has its largest value at the same threshold; or
   * the average of `costs`, of which the least decides.
   *
   * @defaultValue 'f1'
   */
  by?: ThresholdCriterion | undefined;
  /**
   * The weight of recall beside precision, for `'f-beta'`, which needs it: 2 for F2.
   */
  beta?: number | undefined;
  /** The costs, for `'cost'`, which needs them: numbers that are not negative. */
  costs?: DecisionCosts | undefined;
  /** Figures that a threshold must have, each in [0, 1]; of those that have them, `by` decides. */
  atLeast?: LeastFigures | undefined;
}

const OPTIONS: readonly (keyof ChooseThresholdOptions)[] = [
  ...CURVE_OPTIONS,
  'by',
  'beta',
  'costs',
  'atLeast',
];

/** All thresholds, falling: entries of the same place in the arrays belong together. */
export interface ThresholdTable {
  /** The thresholds, of which the first is Infinity and the last 0. */
  readonly thresholds: Float64Array;
  /** The figure that decides. */
  readonly values: Float64Array;
  /** The share of the rows of the class that is taken for it; NaN without such rows. */
  readonly recall: Float64Array;
  /** NaN where no row is taken for the class. */
  readonly precision: Float64Array;
  /** The share of the other rows that is not taken for the class; NaN without such rows. */
  readonly specificity: Float64Array;
}

/** A threshold, and what comes of it. */
export interface ThresholdChoice {
  /** The class that is looked for. */
  readonly positive: number;
  /**
   * A row is taken for the class where its probability is not below this: halfway between the two
   * that it parts, 0 where all rows are taken, Infinity where none is.
   */
  readonly threshold: number;
  /** The figure that decides, at the threshold. */
  readonly value: number;
  /** The share of the rows of the class that is taken for it; NaN without such rows. */
  readonly recall: number;
  /** The share of the rows taken for the class that is of it; NaN where no row is. */
  readonly precision: number;
  /** The share of the other rows that is not taken for the class; NaN without such rows. */
  readonly specificity: number;
  /** The harmonic mean of precision and recall; NaN without rows of either. */
  readonly f1: number;
  /** The mean of recall and specificity; NaN where one of them is. */
  readonly balancedAccuracy: number;
  /** The share of rows that is taken for what it is. */
  readonly accuracy: number;
  /** Rows of the class that are taken for it; with `sampleWeights`, what they weigh. */
  readonly truePositives: number;
  /** Other rows that are taken for it. */
  readonly falsePositives: number;
  /** Rows of the class that are not taken for it. */
  readonly falseNegatives: number;
  /** Other rows that are not. */
  readonly trueNegatives: number;
  /** The same figures at every threshold. */
  readonly curve: ThresholdTable;
  /**
   * A warning to look at first: that the logits look like probabilities, which makes all of it
   * meaningless.
   */
  readonly warning: string | undefined;
  /** The threshold and its figures as a table. */
  toString(): string;
}

/**
 * The threshold at which a class is best told from the rest, and the figures there.
 *
 * Thresholds part rows whose probabilities differ as float64 numbers. Of those that are equally
 * good, the highest is chosen. Choose on validation rows: figures at a chosen threshold flatter the
 * rows that it was chosen on.
 *
 * @param logits - As `rocCurve` takes them.
 * @param targets - As `rocCurve` takes them.
 * @throws TypeError and RangeError as `rocCurve` does; RangeError where the class has no rows, or
 *   all and `by` needs others, and where no threshold has the figures of `atLeast`.
 *
 * @example
 * ```ts
 * import { chooseThreshold } from 'focal-loss/analysis';
 *
 * const odds = new Float64Array([-3, -2, -1, -0.5, 1, 2]); // one logit per row
 * const targets = new Uint8Array([0, 0, 1, 0, 1, 1]);
 * const choice = chooseThreshold(odds, targets, { numClasses: 1 });
 * choice.threshold; // => 0.19407217
 * choice.f1; // => 0.8571428571428571
 * const careful = chooseThreshold(odds, targets, {
 *   numClasses: 1,
 *   by: 'cost',
 *   costs: { falsePositive: 1, falseNegative: 1 },
 *   atLeast: { specificity: 1 },
 * });
 * careful.recall; // => 0.6666666666666666
 * ```
 */
export function chooseThreshold<P extends number | 'each' = number>(
  logits: Logits,
  targets: Targets,
  options: ChooseThresholdOptions<P> = {},
): PerClass<P, ThresholdChoice> {
  const given = checkOptions(options, OPTIONS);
  const task = checkTask(given);
  const make = (column: Column) => choose(column, task);
  return ofColumns(logits, targets, given, make) as PerClass<P, ThresholdChoice>;
}

/** The figure that decides, and the figures that there must be. */
interface Task {
  readonly by: ThresholdCriterion;
  /** The weight of recall in the F score, and that of precision. */
  readonly recalls: number;
  readonly precisions: number;
  readonly costs: Required<Record<keyof DecisionCosts, number>> | undefined;
  readonly atLeast: readonly (readonly [keyof LeastFigures, number])[];
}

const CHOICES: readonly ThresholdCriterion[] = [
  'f1',
  'f-beta',
  'youden',
  'balanced-accuracy',
  'cost',
];
const COSTS = ['falsePositive', 'falseNegative', 'truePositive', 'trueNegative'] as const;
const LEAST = ['recall', 'precision', 'specificity'] as const;

function checkTask({ by = 'f1', beta, costs, atLeast = {} }: ChooseThresholdOptions): Task {
  checkChoice('by', CHOICES, by);
  if (beta !== undefined) checkNotNegative('beta', beta);
  if (by === 'f-beta' && beta === undefined)
    throw new TypeError("beta must be given for by: 'f-beta'");
  if (by === 'cost' && costs === undefined)
    throw new TypeError("costs must be given for by: 'cost'");
  const square = by === 'f-beta' ? (beta as number) * (beta as number) : 1;
  const least = checkNamed('atLeast', atLeast, LEAST);
  return {
    by,
    recalls: square === Infinity ? 1 : square / (1 + square),
    precisions: 1 / (1 + square),
    costs: costs === undefined ? undefined : checkCosts(costs),
    atLeast: LEAST.flatMap((name) => {
      const value = least[name];
      return value === undefined ? [] : [[name, checkShare(`atLeast.${name}`, value)] as const];
    }),
  };
}

function checkCosts(given: DecisionCosts) {
  const costs = checkNamed('costs', given, COSTS);
  const { falsePositive, falseNegative, truePositive = 0, trueNegative = 0 } = costs;
  const checked = { falsePositive, falseNegative, truePositive, trueNegative };
  for (const name of COSTS) checkNotNegative(`costs.${name}`, checked[name]);
  return checked;
}

/** An object of some names, read once. */
function checkNamed<T extends object>(name: string, given: T, known: readonly string[]): T {
  if (typeof given !== 'object' || given === null) throw wrongType(name, 'an object', given);
  checkOptionNames(given, known);
  return readOptions(given, known);
}

/** Rows that are taken for the class or not, where those down to some place of a ranking are. */
interface Counts {
  readonly found: number;
  readonly wrong: number;
  readonly missed: number;
  readonly spared: number;
}

function choose(column: Column, task: Task): ThresholdChoice {
  const ranking = rankingOf(column);
  checkSides(column, ranking, task);
  const { positives, negatives, truePositives, falsePositives } = ranking;
  const { places, thresholds } = cutsOf(probabilitiesOf(ranking.scores, column.areOdds));
  const countsAt = (place: number): Counts => {
    const found = place < 0 ? 0 : (truePositives[place] as number);
    const wrong = place < 0 ? 0 : (falsePositives[place] as number);
    return { found, wrong, missed: positives - found, spared: negatives - wrong };
  };
  const all = Array.from(places, countsAt);
  const numbers = (figureOf: (counts: Counts) => number) => Float64Array.from(all, figureOf);
  const curve: ThresholdTable = {
    thresholds,
    values: numbers((counts) => worthOf(counts, task)),
    recall: numbers(recallOf),
    precision: numbers(precisionOf),
    specificity: numbers(specificityOf),
  };
  const best = placeOfBest(curve, task);
  const { found, wrong, missed, spared } = all[best] as Counts;
  const [recall, specificity] = [curve.recall[best] as number, curve.specificity[best] as number];
  return withText(
    {
      positive: column.positive,
      threshold: thresholds[best] as number,
      value: curve.values[best] as number,
      recall,
      precision: curve.precision[best] as number,
      specificity,
      f1: (2 * found) / (2 * found + wrong + missed),
      balancedAccuracy: recall / 2 + specificity / 2,
      accuracy: (found + spared) / (positives + negatives),
      truePositives: found,
      falsePositives: wrong,
      falseNegatives: missed,
      trueNegatives: spared,
      curve,
      warning: column.warning,
    },
    (choice: ThresholdChoice) => choiceText(choice, task.by),
  );
}

function recallOf({ found, missed }: Counts): number {
  return found / (found + missed);
}

function precisionOf({ found, wrong }: Counts): number {
  return found / (found + wrong);
}

function specificityOf({ wrong, spared }: Counts): number {
  return spared / (wrong + spared);
}

function worthOf(counts: Counts, { by, recalls, precisions, costs }: Task): number {
  const { found, wrong, missed, spared } = counts;
  if (by === 'cost' && costs !== undefined) {
    const cost =
      costs.falsePositive * wrong +
      costs.falseNegative * missed +
      costs.truePositive * found +
      costs.trueNegative * spared;
    return cost / (found + wrong + missed + spared);
  }
  if (by === 'youden') return recallOf(counts) + specificityOf(counts) - 1;
  if (by === 'balanced-accuracy') return recallOf(counts) / 2 + specificityOf(counts) / 2;
  const sides = recalls * (found + missed) + precisions * (found + wrong);
  // Of no row that is taken, with all the weight on precision, 0 / 0 is no better than 0.
  return sides === 0 ? 0 : found / sides;
}

/** There must be rows to decide by. */
function checkSides({ positive }: Column, { positives, negatives }: Ranking, { by }: Task): void {
  if (by === 'cost') return;
  if (positives === 0)
    throw new RangeError(`targets must have a row of class ${positive} for by: '${by}', got none`);
  if (negatives === 0 && (by === 'youden' || by === 'balanced-accuracy')) {
    throw new RangeError(
      `targets must have a row that is not of class ${positive} for by: '${by}', got none`,
    );
  }
}

/**
 * The thresholds that part probabilities, falling, and the last place of those above each, −1 where
 * there is none.
 */
function cutsOf(p: Float64Array): { places: Int32Array; thresholds: Float64Array } {
  const places = [-1];
  const thresholds = [Infinity];
  for (let place = 0; place < p.length; place++) {
    const own = p[place] as number;
    const next = place + 1 < p.length ? (p[place + 1] as number) : -1;
    if (own === next) continue;
    const middle = own / 2 + next / 2;
    places.push(place);
    thresholds.push(next < 0 ? 0 : middle > next ? middle : own);
  }
  return { places: Int32Array.from(places), thresholds: Float64Array.from(thresholds) };
}

/** The first place with the best value, of those that have the figures that there must be. */
function placeOfBest(curve: ThresholdTable, { by, atLeast }: Task): number {
  const sign = by === 'cost' ? -1 : 1;
  let best = -1;
  for (let i = 0; i < curve.values.length; i++) {
    if (!hasAll(curve, i, atLeast)) continue;
    if (best < 0 || sign * (curve.values[i] as number) > sign * (curve.values[best] as number))
      best = i;
  }
  if (best >= 0) return best;
  const wanted = atLeast.map(([name, least]) => `a ${name} of ${least}`).join(' and ');
  throw new RangeError(
    `atLeast must be had at some threshold, got ${wanted} where the most is ${mostOf(curve, atLeast)}`,
  );
}

/** The most that there is of the last figure where there is what must be of all others. */
function mostOf(curve: ThresholdTable, atLeast: Task['atLeast']): string {
  const before: Task['atLeast'][number][] = [];
  for (const [name, least] of atLeast) {
    const found = curve[name].reduce(
      (most, value, i) => (value > most && hasAll(curve, i, before) ? value : most),
      0,
    );
    const others = before.map(([other, share]) => `a ${other} of ${share}`).join(' and ');
    if (found < least) return `a ${name} of ${found}${others === '' ? '' : ` with ${others}`}`;
    before.push([name, least]);
  }
  return 'none';
}

/** A test whether there is what must be at a threshold. */
function hasAll(curve: ThresholdTable, i: number, atLeast: Task['atLeast']): boolean {
  return atLeast.every(([name, least]) => (curve[name][i] as number) >= least);
}

function choiceText(choice: ThresholdChoice, by: ThresholdCriterion): string {
  const { threshold, value, recall, precision, specificity, f1, balancedAccuracy, accuracy } =
    choice;
  const text = table([
    [`threshold for class ${choice.positive}`, figure(threshold)],
    [by, figure(value)],
    ['recall', figure(recall)],
    ['precision', figure(precision)],
    ['specificity', figure(specificity)],
    ['F1', figure(f1)],
    ['balanced accuracy', figure(balancedAccuracy)],
    ['accuracy', figure(accuracy)],
  ]);
  return choice.warning === undefined ? text : `${text}\n\n${choice.warning}`;
}
