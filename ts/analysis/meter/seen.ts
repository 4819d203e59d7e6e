// Everything that a meter of reports has seen: sums without rounding, and the scores of rows.

import { binOf } from '../report/calibration.js';
import {
  type Counts,
  countLabel,
  countOthers,
  countRow,
  emptyCounts,
} from '../report/confusion.js';
import type { Settings } from '../report/result.js';
import { isAmongFirst } from '../report/rows.js';
import { mayBeProbabilities } from '../rows/probability-watch.js';
import { figuresOf, fillScores, type RowFigures } from '../rows/row-figures.js';
import type { Rows } from '../rows/rows.js';
import type { ExactSum } from './exact-sum.js';
import { mergedLabels, type SeenLabels } from './label-scores.js';
import { TermSum } from './term-sum.js';

/** The scores of some rows, with those of the rows before them. */
export interface Scored {
  /** The classes of the rows; of several labels those of each, with -1 where one is ignored. */
  readonly labels: Int32Array;
  /** The scores of class 1 of two, of each class, or of all labels, row by row. */
  readonly scores: readonly Float64Array[];
  readonly before: Scored | undefined;
}

/** The sums over decisions: those for the class of a row, or for or against one of its labels. */
export interface Sums {
  /** The decisions without a probability. */
  readonly nonFinite: number;
  readonly mayBeProbabilities: boolean;
  readonly entropy: ExactSum;
  readonly distance: ExactSum;
  readonly binRows: Float64Array;
  readonly binRight: Float64Array;
  readonly confidence: readonly ExactSum[];
}

/** Everything seen so far: never changed, so that a call that is stopped leaves a meter alone. */
export interface Seen extends Sums {
  /** The number of classes, or labels. */
  readonly classes: number;
  readonly isPaired: boolean;
  /** Row-major `[class, predicted class]`, or `[label, target, prediction]`. */
  readonly confusion: Float64Array;
  readonly hits: number;
  readonly scored: Scored | undefined;
  /** What there is besides of rows of several labels. */
  readonly labels: SeenLabels | undefined;
}

/** The sums of numbers at the same places. A confusion matrix has many. */
function added(a: Float64Array, b: Float64Array): Float64Array {
  const sums = a.slice();
  for (let i = 0; i < b.length; i++) sums[i] = (sums[i] as number) + (b[i] as number);
  return sums;
}

/** Both together, of the same classes and bins. */
export function merged(a: Seen, b: Seen): Seen {
  let { scored } = a;
  for (const { labels, scores } of partsOf(b.scored)) scored = { labels, scores, before: scored };
  return {
    classes: a.classes,
    isPaired: a.isPaired,
    confusion: added(a.confusion, b.confusion),
    nonFinite: a.nonFinite + b.nonFinite,
    hits: a.hits + b.hits,
    mayBeProbabilities: a.mayBeProbabilities && b.mayBeProbabilities,
    entropy: a.entropy.plus(b.entropy),
    distance: a.distance.plus(b.distance),
    binRows: added(a.binRows, b.binRows),
    binRight: added(a.binRight, b.binRight),
    confidence: a.confidence.map((sum, i) => sum.plus(b.confidence[i] as ExactSum)),
    scored,
    labels: a.labels && b.labels && mergedLabels(a.labels, b.labels),
  };
}

/** The parts of what has been scored, the last one first. */
export function partsOf(scored: Scored | undefined): Scored[] {
  const parts: Scored[] = [];
  for (let part = scored; part !== undefined; part = part.before) parts.push(part);
  return parts;
}

/** Adds up the decisions for rows, or for the pairs that labels are. */
export function sumsOf(rows: Rows, figures: RowFigures, bins: number): Sums {
  const { labels, classes } = rows;
  const sums = { entropy: new TermSum(), distance: new TermSum() };
  const confidence = Array.from({ length: bins }, () => new TermSum());
  const [binRows, binRight] = [new Float64Array(bins), new Float64Array(bins)];
  let nonFinite = 0;
  for (let k = 0; k < labels.length; k++) {
    sums.entropy.add(figures.crossEntropy[k] as number);
    // The probabilities of two classes are equally far from their targets.
    sums.distance.add((figures.distance[k] as number) / (classes === 2 ? 2 : 1));
    const p = figures.confidence[k] as number;
    if (Number.isNaN(p)) nonFinite++;
    const bin = binOf(p, bins);
    binRows[bin] = (binRows[bin] as number) + 1;
    if (labels[k] === figures.predicted[k]) binRight[bin] = (binRight[bin] as number) + 1;
    (confidence[bin] as TermSum).add(p);
  }
  return {
    nonFinite,
    mayBeProbabilities: mayBeProbabilities(rows),
    entropy: sums.entropy.total(),
    distance: sums.distance.total(),
    binRows,
    binRight,
    confidence: confidence.map((sum) => sum.total()),
  };
}

/** Everything that is to be seen of rows of one class each. */
export function seeRows(rows: Rows, settings: Settings): Seen {
  const { labels, classes } = rows;
  const figures = figuresOf(rows);
  const confusion = new Float64Array(classes * classes);
  let hits = 0;
  for (let k = 0; k < labels.length; k++) {
    const cell = (labels[k] as number) * classes + (figures.predicted[k] as number);
    confusion[cell] = (confusion[cell] as number) + 1;
    if (settings.topK >= classes || isAmongFirst(rows, k, settings.topK)) hits++;
  }
  return {
    ...sumsOf(rows, figures, settings.bins),
    classes,
    isPaired: rows.isPaired,
    confusion,
    hits,
    scored: settings.auc
      ? { labels: labels.slice(), scores: scoresOf(rows, figures), before: undefined }
      : undefined,
    labels: undefined,
  };
}

/** The scores of rows by which they are ranked: of class 1 of two, or of each. */
function scoresOf(rows: Rows, figures: RowFigures): Float64Array[] {
  const classes = rows.classes === 2 ? [1] : Array.from({ length: rows.classes }, (_, j) => j);
  return classes.map((j) => {
    const scores = new Float64Array(rows.labels.length);
    fillScores(scores, rows, figures, j, 0, scores.length);
    return scores;
  });
}

/** The counts of classes, or of labels, that a confusion matrix has. */
export function countsOf(confusion: Float64Array, classes: number, areLabels: boolean): Counts {
  const counts = emptyCounts(classes);
  confusion.forEach((rows, cell) => {
    if (rows === 0) return;
    if (areLabels) countLabel(counts, Math.floor(cell / 4), (cell >> 1) & 1, cell & 1, rows);
    else countRow(counts, Math.floor(cell / classes), cell % classes, rows);
  });
  if (!areLabels) countOthers(counts);
  return counts;
}
