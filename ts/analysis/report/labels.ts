import { lengthOf, part } from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../../arrays/types.js';
import { checkSameShape } from '../../call/checks.js';
import { pick, placesWhere, tabulate } from '../rows/loops.js';
import {
  leastSuspicious,
  mayBeProbabilities,
  PROBABILITIES_NOTICE,
} from '../rows/probability-watch.js';
import { figuresOf } from '../rows/row-figures.js';
import { checkElements, elementsOf, type RowOptions, type Rows, widen } from '../rows/rows.js';
import { eachPart, type Work } from '../rows/turns.js';
import { countLabel, emptyCounts } from './confusion.js';
import { Decisions, matrixOf, scoreFigures, weightsOf } from './figures.js';
import { emptyRanking, type RankingArrays, rankingFigures, setOfOne } from './ranking.js';
import type { Findings, Settings } from './result.js';
import { ScoreAverage, type Scores, scoresOf } from './scores.js';

/** The mark of a label that does not count. */
export const IGNORED = -1;

/** The report on multi-label rows: each label is yes or no by itself. */
export function* reportOnLabels(
  given: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
  settings: Settings,
): Work<Findings> {
  const logits = widen(given);
  yield* checkElements(logits, targets, options);
  const labels = options.numClasses as number;
  const size = lengthOf(logits);
  const rows = checkSameShape(size, size, labels);
  const weights = weightsOf(settings, rows);
  const weightOf = (row: number) => (weights === undefined ? 1 : (weights[row] as number));
  const tally = new LabelTally(labels, settings);
  const members = new Int8Array(size).fill(IGNORED);
  yield* eachPart(rows, 2 * labels, (start, end) => {
    const first = start * labels;
    const slice = <A extends FloatArray | ClassIndices>(array: A) =>
      part(array, first, (end - start) * labels);
    const pairs = elementsOf(slice(logits), slice(targets), options.ignoreIndex);
    tally.add(pairs, (row) => weightOf(start + row));
    for (let k = 0; k < pairs.numbers.length; k++) {
      members[first + (pairs.numbers[k] as number)] = pairs.labels[k] as number;
    }
  });
  const ranked = emptyRanking(labels);
  for (let j = 0; settings.auc && j < labels; j++) {
    const counted = placesWhere(rows, (row) => members[row * labels + j] !== IGNORED);
    const column = (array: ArrayLike<number>) =>
      tabulate(counted.length, (k) => array[(counted[k] as number) * labels + j] as number);
    // A logit of Infinity has no probability, as in the loss.
    const scores = column(logits).map((logit) => (logit === Infinity ? NaN : logit));
    yield rows;
    const own = weights && pick(weights, counted, new Float64Array(counted.length));
    setOfOne(ranked, j, yield* rankingFigures(scores, Int32Array.from(column(members)), 1, own));
  }
  return tally.findings(ranked);
}

/** A row of which a label counts, judged by all that do. */
export interface JudgedRow {
  /** Its number. */
  readonly row: number;
  readonly scores: Scores;
  /** True where all of them are right. */
  readonly isRight: boolean;
}

/** Judges rows of so many labels, which are pairs, one after the other. */
export function judgeRows(
  { numbers, labels: members }: Pick<Rows, 'numbers' | 'labels'>,
  predicted: Int32Array,
  labels: number,
  settings: Settings,
  take: (judged: JudgedRow) => void,
): void {
  for (let k = 0; k < numbers.length; ) {
    const row = Math.floor((numbers[k] as number) / labels);
    const end = (row + 1) * labels;
    let [all, positives, right, wrong] = [0, 0, 0, 0];
    for (; k < numbers.length && (numbers[k] as number) < end; k++) {
      all++;
      if (members[k] === 1) positives++;
      if (predicted[k] !== 1) continue;
      if (members[k] === 1) right++;
      else wrong++;
    }
    const scores = scoresOf(positives, all - positives, right, wrong, settings);
    take({ row, scores, isRight: right === positives && wrong === 0 });
  }
}

/** The sums that are added up of labels, and of the rows that have them. */
class LabelTally {
  readonly #labels: number;
  readonly #settings: Settings;
  readonly #decisions: Decisions;
  readonly #counts;
  readonly #matrix;
  readonly #samples = new ScoreAverage();
  #mayBeProbabilities = true;
  #count = 0;
  #rows = 0;
  #weight = 0;
  #allRight = 0;

  constructor(labels: number, settings: Settings) {
    this.#labels = labels;
    this.#settings = settings;
    this.#decisions = new Decisions(2, settings.bins);
    this.#counts = emptyCounts(labels);
    this.#matrix = matrixOf(settings, labels, 4 * labels);
  }

  /** Adds the labels that count of some rows, each of which is a pair. */
  add(pairs: Rows, weightOf: (row: number) => number): void {
    const { numbers, labels } = pairs;
    this.#mayBeProbabilities &&= mayBeProbabilities(pairs);
    this.#count += numbers.length;
    const rowOf = (k: number) => Math.floor((numbers[k] as number) / this.#labels);
    const weights = tabulate(numbers.length, (k) => weightOf(rowOf(k)));
    const { predicted } = figuresOf(pairs, { ...this.#decisions.decided, weights });
    for (let k = 0; k < numbers.length; k++) {
      const j = (numbers[k] as number) % this.#labels;
      this.#addLabel(j, labels[k] as number, predicted[k] as number, weights[k] as number);
    }
    judgeRows(pairs, predicted, this.#labels, this.#settings, ({ row, scores, isRight }) => {
      const weight = weightOf(row);
      this.#samples.add(scores, weight);
      this.#rows++;
      this.#weight += weight;
      if (isRight) this.#allRight += weight;
    });
  }

  #addLabel(j: number, label: number, predicted: number, weight: number): void {
    countLabel(this.#counts, j, label, predicted, weight);
    const cell = 4 * j + 2 * label + predicted;
    if (this.#matrix !== undefined) this.#matrix[cell] = (this.#matrix[cell] as number) + weight;
  }

  findings(ranked: RankingArrays): Findings {
    const averagesAll = this.#settings.averageOver !== 'present';
    const found = this.#decisions.figures();
    return {
      multiLabel: true,
      rows: this.#rows,
      numClasses: this.#labels,
      ...found,
      // The two probabilities of a label are equally far from their targets.
      brier: found.brier / 2,
      accuracy: this.#allRight / this.#weight,
      balancedAccuracy: NaN,
      topKAccuracy: NaN,
      mcc: NaN,
      kappa: NaN,
      ...scoreFigures(this.#counts, ranked, this.#rows > 0, averagesAll, this.#settings),
      samples: this.#samples.value,
      confusion: this.#matrix,
      warning:
        this.#mayBeProbabilities && this.#count >= leastSuspicious(true)
          ? PROBABILITIES_NOTICE
          : undefined,
      intervals: undefined,
    };
  }
}
