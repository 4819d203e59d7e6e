// The common parts of reports on rows of one class and on multi-label rows.

import type { FloatArray } from '../../arrays/types.js';
import { checkEntries, checkPerRow, checkWeights } from '../../call/checks.js';
import {
  BIN_CONFIDENCE,
  BIN_RIGHT,
  BIN_WEIGHT,
  DECISIONS_CROSS_ENTROPY,
  DECISIONS_DISTANCE,
  DECISIONS_NON_FINITE,
  DECISIONS_RIGHT,
  DECISIONS_WEIGHT,
  DECISIONS_WRONG,
} from '../../module/abi.js';
import { BIN_LENGTH, DECISIONS_LENGTH, type Decided } from '../rows/row-figures.js';
import { calibrationOf } from './calibration.js';
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
  /** The sums that the kernel adds to. */
  readonly decided: Decided;

  /** Of so many bins of confidence, by the weights of rows, if there are any. */
  constructor(bins: number, weights?: Float64Array) {
    const sums = new Float64Array(DECISIONS_LENGTH);
    this.decided = { sums, bins: new Float64Array(BIN_LENGTH * bins), weights };
  }

  /** The weight of all of them. */
  get weight(): number {
    return this.#sum(DECISIONS_WEIGHT);
  }

  figures() {
    const { bins } = this.decided;
    const of = (place: number) =>
      Float64Array.from(
        { length: bins.length / BIN_LENGTH },
        (_, bin) => bins[BIN_LENGTH * bin + place] as number,
      );
    return {
      nonFinite: this.#sum(DECISIONS_NON_FINITE),
      accuracy: this.#sum(DECISIONS_RIGHT) / this.weight,
      hammingLoss: this.#sum(DECISIONS_WRONG) / this.weight,
      brier: this.#sum(DECISIONS_DISTANCE) / this.weight,
      logLoss: this.#sum(DECISIONS_CROSS_ENTROPY) / this.weight,
      calibration: calibrationOf(of(BIN_WEIGHT), of(BIN_CONFIDENCE), of(BIN_RIGHT)),
    };
  }

  #sum(place: number): number {
    return this.decided.sums[place] as number;
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
