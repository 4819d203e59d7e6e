// The common parts of reports on rows of one class and on multi-label rows.

import type { FloatArray } from '../../arrays/types.js';
import { checkEntries, checkPerRow, checkWeights } from '../../call/checks.js';
import type { RowFigures } from '../rows/row-figures.js';
import { Bins } from './calibration.js';
import { type Counts, makeMatrix } from './confusion.js';
import type { RankingArrays } from './ranking.js';
import type { Findings, Settings } from './result.js';
import { average, classScores, microScores, ScoreAverage } from './scores.js';

/** The weights of the rows of a batch, checked. */
export function weightsOf({ sampleWeights }: Settings, rows: number): FloatArray | undefined {
  if (sampleWeights === undefined) return undefined;
  checkPerRow('sampleWeights', sampleWeights, rows);
  checkWeights(sampleWeights);
  return sampleWeights;
}

/** A confusion matrix without rows, if one is asked for. */
export function matrixOf({ confusion, sampleWeights }: Settings, classes: number, entries: number) {
  return confusion ? makeMatrix(classes, entries, sampleWeights !== undefined) : undefined;
}

/**
 * The sums that are added up decision by decision: that for the class of a row, or for or against
 * one of its labels.
 */
export class Decisions {
  /** The weight of all of them. */
  weight = 0;
  /** The number of those without a probability. */
  nonFinite = 0;
  #right = 0;
  #wrong = 0;
  #entropy = 0;
  #distance = 0;
  readonly #bins: Bins;

  constructor(bins: number) {
    this.#bins = new Bins(bins);
  }

  /**
   * Adds so many decisions, of which the first has a place among the labels and weights, and the
   * others follow.
   */
  add(
    labels: Int32Array,
    first: number,
    count: number,
    figures: RowFigures,
    weights: Float64Array | undefined,
  ): void {
    const { predicted, confidence, crossEntropy, distance } = figures;
    this.#bins.add(figures, labels, first, count, weights);
    let [all, right, wrong, entropies, distances, nonFinite] = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < count; i++) {
      const weight = weights === undefined ? 1 : (weights[first + i] as number);
      all += weight;
      if (predicted[i] === labels[first + i]) right += weight;
      else wrong += weight;
      if (Number.isNaN(confidence[i])) nonFinite++;
      entropies += (crossEntropy[i] as number) * weight;
      distances += (distance[i] as number) * weight;
    }
    this.weight += all;
    this.#right += right;
    this.#wrong += wrong;
    this.nonFinite += nonFinite;
    this.#entropy += entropies;
    this.#distance += distances;
  }

  figures() {
    return {
      nonFinite: this.nonFinite,
      accuracy: this.#right / this.weight,
      hammingLoss: this.#wrong / this.weight,
      brier: this.#distance / this.weight,
      logLoss: this.#entropy / this.weight,
      calibration: this.#bins.calibration(),
    };
  }
}

/**
 * The scores of classes, or labels, and their averages; `hasRows` says whether there is anything to
 * average.
 */
export function scoreFigures(
  counts: Counts,
  ranked: RankingArrays,
  hasRows: boolean,
  averagesAll: boolean,
  settings: Settings,
): Pick<
  Findings,
  'classes' | 'macro' | 'weighted' | 'micro' | 'auc' | 'weightedAuc' | 'averagePrecision'
> {
  const { support, right, wrong, occurs } = counts;
  checkEntries('classNames', settings.classNames ?? null, support.length);
  const scores = classScores(counts, settings);
  const takesPart = (j: number) => hasRows && (averagesAll || occurs[j] === 1);
  const macro = new ScoreAverage();
  const weighted = new ScoreAverage();
  scores.forEach((score, j) => {
    if (!takesPart(j)) return;
    macro.add(score, 1);
    weighted.add(score, support[j] as number);
  });
  return {
    classes: scores.map((score, j) => ({
      name: settings.classNames?.[j] ?? String(j),
      support: support[j] as number,
      predicted: (right[j] as number) + (wrong[j] as number),
      ...score,
      auc: ranked.auc[j] as number,
      averagePrecision: ranked.averagePrecision[j] as number,
    })),
    macro: macro.value,
    weighted: weighted.value,
    micro: microScores(counts, takesPart, hasRows ? settings : { ...settings, zeroDivision: NaN }),
    auc: average(ranked.auc, () => 1),
    weightedAuc: average(ranked.auc, (j) => support[j] as number),
    averagePrecision: average(ranked.averagePrecision, () => 1),
  };
}
