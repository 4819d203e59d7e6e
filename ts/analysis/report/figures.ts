// The common parts of reports on rows of one class and on multi-label rows.

import type { FloatArray } from '../../arrays/types.js';
import { checkEntries } from '../../call/checks.js';
import {
  BIN_CONFIDENCE,
  BIN_RIGHT,
  BIN_WEIGHT,
  COUNTS_OCCURS,
  COUNTS_RIGHT,
  COUNTS_SUPPORT,
  COUNTS_WRONG,
  DECISIONS_CROSS_ENTROPY,
  DECISIONS_DISTANCE,
  DECISIONS_NON_FINITE,
  DECISIONS_RIGHT,
  DECISIONS_WEIGHT,
  DECISIONS_WRONG,
} from '../../module/abi.js';
import { BIN_LENGTH, COUNTS_LENGTH, DECISIONS_LENGTH, type Decided } from '../rows/row-figures.js';
import { checkRowWeights } from '../rows/weights.js';
import { calibrationOf } from './calibration.js';
import { type Counts, countOthers, makeMatrix } from './confusion.js';
import type { RankingArrays } from './ranking.js';
import type { Findings, Settings } from './result.js';
import { average, classScores, microScores, ScoreAverage } from './scores.js';

/** The weights of the rows of a batch, checked. */
export function weightsOf({ sampleWeights }: Settings, rows: number): FloatArray | undefined {
  if (sampleWeights === undefined) return undefined;
  checkRowWeights(sampleWeights, rows);
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

  /** For so many classes and bins of confidence, by the weights of rows, if there are any. */
  constructor(classes: number, bins: number, weights?: Float64Array) {
    this.decided = {
      sums: new Float64Array(DECISIONS_LENGTH),
      bins: new Float64Array(BIN_LENGTH * bins),
      counts: new Float64Array(COUNTS_LENGTH * classes),
      weights,
    };
  }

  /** The weight of all of them. */
  get weight(): number {
    return this.#sum(DECISIONS_WEIGHT);
  }

  /** The counts of the classes. */
  get counts(): Counts {
    const of = (place: number) => column(this.decided.counts, COUNTS_LENGTH, place);
    const counts = {
      support: of(COUNTS_SUPPORT),
      negatives: of(COUNTS_SUPPORT),
      right: of(COUNTS_RIGHT),
      wrong: of(COUNTS_WRONG),
      occurs: Uint8Array.from(of(COUNTS_OCCURS)),
    };
    countOthers(counts);
    return counts;
  }

  figures() {
    const of = (place: number) => column(this.decided.bins, BIN_LENGTH, place);
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

/** The numbers at a place of each record of so many. */
function column(records: Float64Array, length: number, place: number): Float64Array {
  const numbers = new Float64Array(records.length / length);
  for (let i = 0; i < numbers.length; i++) numbers[i] = records[length * i + place] as number;
  return numbers;
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
