// The loss, gradient and prediction of each row of a batch, a part of the batch at a time.

import { arrayLike, kindOf, part } from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../../arrays/types.js';
import type { Batch } from '../../call/batch.js';
import {
  checkGiven,
  checkLength,
  checkLogits,
  checkNumClasses,
  checkSameShape,
  checkShape,
  checkSpatialSize,
  checkTargets,
  isFloats,
  outOfRange,
} from '../../call/checks.js';
import { evaluate } from '../../call/evaluate.js';
import { FORWARD, type Method } from '../../call/method.js';
import { integersOf } from '../../call/plain-arrays.js';
import type { LossSpec } from '../../call/spec.js';
import { specOf } from '../../losses/criterion.js';
import {
  FIGURE_LABEL,
  LIST_LOSS,
  LIST_NON_FINITE,
  LIST_NUMBER,
  LIST_SURE,
  SORT_COUNTS,
  TALLY_NON_FINITE,
  TALLY_ROWS,
  TALLY_SURE,
  TALLY_THRESHOLD,
  TILE_ROWS,
} from '../../module/abi.js';
import { kernels } from '../../module/analysis-kernels.js';
import { load } from '../../module/instance.js';
import { type Block, room } from '../../module/memory.js';
import { type DiagnosedCriterion, isSigmoid } from '../criteria/criterion.js';
import { makeEach, nameOf, optionsIn } from '../criteria/own-criterion.js';
import { mayBeProbabilities } from '../rows/probability-watch.js';
import { checkFew, FEW_CLASSES, isSingleColumn, pairsOf, widen } from '../rows/rows.js';
import { TURN, type Work } from '../rows/turns.js';
import { type FlooredRows, leastOf } from './floor.js';
import { ABOVE_LENGTH, type HardRows, hardestInPlace } from './hard.js';
import { numberThem } from './listed.js';
import { GROUP_LENGTH, TALLY_LENGTH, Tally } from './tally.js';

/** The rows of a batch under its criterion. */
export interface RowLosses {
  /** What the rows that count and whose loss and gradient are finite add up to. */
  readonly tally: Tally;
  /** The rows whose loss is above the mean; nothing where parts have to come together for it. */
  readonly hard: HardRows | undefined;
  /** The least that the losses could add up to; NaN where there is no formula for it. */
  readonly least: number;
  /** True where all rows that count could be probabilities. */
  readonly mayBeProbabilities: boolean;
}

/** Options of a call: see the losses. */
export interface CallOptions {
  numClasses?: number | undefined;
  spatialSize?: number | undefined;
}

/** A batch and the loss it goes through, the shapes of which have been checked. */
export interface LossBatch {
  readonly logits: FloatArray;
  readonly targets: ClassIndices | FloatArray;
  readonly criterion: DiagnosedCriterion;
  readonly call: CallOptions;
  readonly rows: number;
  /** The number of logits of a row. */
  readonly width: number;
  /** The number of rows that lie side by side; 0 where the logits of a row do. */
  readonly spatialSize: number;
  /** The number of targets of a row. */
  readonly targetsWidth: number;
}

/**
 * Checks as much of a batch as there is to be known without looking at its entries, as the losses
 * do.
 */
export function openBatch(
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  criterion: DiagnosedCriterion,
  { numClasses, spatialSize }: CallOptions,
): LossBatch {
  const elementwise = isSigmoid(criterion);
  checkNumClasses(numClasses, 1);
  checkLogits(logits);
  const isSoft = isFloats(checkTargets(targets, elementwise));
  const size = checkLength('logits', logits);
  const entries = checkLength('targets', targets);
  const given = { logits, targets, criterion, call: { numClasses, spatialSize } };
  if (elementwise || isSingleColumn(logits, targets, numClasses)) {
    checkSameShape(size, entries, numClasses);
    checkSpatialSize(!elementwise && criterion.layout === 'channels-first', spatialSize, size);
    const labels = isSoft && !elementwise ? labelsOf(targets as FloatArray) : targets;
    return { ...given, targets: labels, rows: size, width: 1, spatialSize: 0, targetsWidth: 1 };
  }
  const channelsFirst = criterion.layout === 'channels-first';
  if (channelsFirst) checkGiven(numClasses, "for layout 'channels-first'");
  const width = isSoft
    ? checkGiven(numClasses, 'where targets are probabilities')
    : checkShape(size, entries, numClasses);
  const rows = isSoft ? checkSameShape(size, entries, width) : entries;
  return {
    ...given,
    rows,
    width,
    spatialSize: checkSpatialSize(channelsFirst, spatialSize, rows),
    targetsWidth: isSoft ? width : 1,
  };
}

/** Labels of rows with one logit each, as class indices. */
function labelsOf(targets: FloatArray): Int32Array {
  const row = targets.findIndex((target: number) => !Number.isInteger(target));
  if (row >= 0) {
    const expected =
      'a class index where there is one logit per row, unless for a SigmoidFocalLoss';
    throw outOfRange(`targets[${row}]`, expected, targets[row]);
  }
  return integersOf('targets', targets);
}

/** The most looks at a row after those at its logits, the sorting of the hard ones included. */
const AFTERWARDS = 16;

/** The number of entries that are looked at in a batch, about. */
export function entriesOf({ rows, width }: LossBatch): number {
  return rows * (width + AFTERWARDS);
}

/**
 * Passes a batch through its criterion, row by row. Rows above the threshold are overconfident.
 */
export function* measureRows(batch: LossBatch, overconfidence: number): Work<RowLosses> {
  const { rows, width, criterion, call } = batch;
  const measured = new MeasuredRows(batch, overconfidence);
  // Parts begin at a whole group of rows, as kernels have them, and where a row of columns does.
  const unit = 4 * (isSigmoid(criterion) ? (call.numClasses ?? 1) : 1);
  const step = Math.ceil(TURN / Math.max(width, 1) / unit) * unit;
  // A batch without rows is one part as well, in which options are checked.
  for (let start = 0; start === 0 || start < rows; start += step) {
    const count = Math.min(step, rows - start);
    try {
      measured.add(start, count);
    } catch (error) {
      // An error about a part counts the part's rows. All rows as one part have the error that
      // counts from the first.
      if (start > 0) measured.check();
      throw error;
    }
    yield count * width;
  }
  return measured.rowLosses();
}

/** The most rows of a vector. */
const VECTOR = 4;

/** Places of figures. */
const FIGURES = FIGURE_LABEL + 1;

/** The label of rows that do not count. */
const UNCOUNTED = -1;

/**
 * The rows of a batch that have been measured: by the criterion made again of this module's
 * classes, in whose place a kernel runs that puts down what it finds.
 */
class MeasuredRows {
  readonly #batch: LossBatch;
  readonly #spec: LossSpec;
  readonly #method: Method;
  /** True where each row is one logit, beside which a 0 stands. */
  readonly #isPaired: boolean;
  readonly #numClasses: number | undefined;
  readonly #tally: Tally;
  readonly #classes: number;
  readonly #columns: number;
  readonly #overconfidence: number;
  #mayBeProbabilities = true;
  #hard: HardRows | undefined;
  /** The first row of the part, how many it has, and the number of the next one. */
  #first = 0;
  #count = 0;
  #next = 0;
  /** The number of rows for whose figures there is room. */
  #height = 0;
  #room: Block | undefined;

  constructor(batch: LossBatch, overconfidence: number) {
    const { criterion, call, width } = batch;
    const elementwise = isSigmoid(criterion);
    this.#batch = batch;
    this.#overconfidence = overconfidence;
    this.#isPaired = width === 1 && !elementwise;
    this.#numClasses = this.#isPaired ? 2 : call.numClasses;
    const changes = elementwise
      ? { normalizer: undefined }
      : { normalizer: undefined, layout: 'channels-last', numClasses: this.#numClasses };
    const name = nameOf(criterion);
    this.#spec = specOf(makeEach(name, { ...optionsIn(criterion, name), ...changes }));
    this.#method = {
      ...FORWARD,
      kernel: {
        prepare: () => this.#prepare(),
        run: (batch, logits, targets, rows, flags) =>
          this.#run(batch, logits, targets, rows, flags),
      },
      collect: () => this.#collect(),
    };
    const { numClasses = 1 } = call;
    this.#classes = classesOf(batch);
    this.#columns = elementwise && numClasses > 1 ? numClasses : 0;
    this.#tally = new Tally(this.#classes, this.#columns);
  }

  /** Measures so many rows from one on, which come behind those before. */
  add(start: number, count: number): void {
    const { columns } = this.#spec;
    this.#first = this.#next = start;
    this.#count = count;
    const most = columns === 0 ? TILE_ROWS : Math.max(2 * TILE_ROWS, 4 * columns);
    this.#height = Math.min(count, most) + VECTOR;
    this.#evaluate(this.#method, start, count);
  }

  /** Has the loss look at all rows, of which one may be refused. */
  check(): void {
    this.#evaluate(FORWARD, 0, this.#batch.rows);
  }

  #evaluate(method: Method, start: number, count: number): void {
    const { logits, targets } = partOf(this.#batch, start, count);
    const given = this.#isPaired ? pairsOf(logits) : logits;
    evaluate(this.#spec, method, given, targets, { numClasses: this.#numClasses });
  }

  /** The place of a figure in the room, behind the sums. */
  #placeOf(figure: number): number {
    return (this.#room as Block).start + 8 * (TALLY_LENGTH + figure * this.#height);
  }

  /** The place of the record of a threshold, behind the figures and the groups. */
  get #above(): number {
    return this.#placeOf(FIGURES) + 8 * GROUP_LENGTH * (this.#classes + this.#columns);
  }

  /** The number of rows for which lists behind that record have room. */
  get #listed(): number {
    return this.#count + VECTOR;
  }

  /** A copy of the first entries of a list. */
  #list<A extends Float64Array | Uint32Array>(
    Kind: new (buffer: ArrayBuffer, place: number, length: number) => A,
    list: number,
    length: number,
  ): A {
    const place = this.#above + 8 * ABOVE_LENGTH + 4 * list * this.#listed;
    return new Kind(load().buffer, place, length).slice() as A;
  }

  /**
   * Takes room for sums, figures, lists and what sorting takes. Nobody keeps it: it is there until
   * the call ends.
   */
  #prepare(): void {
    const groups = GROUP_LENGTH * (this.#classes + this.#columns);
    const sorting = ABOVE_LENGTH + 3 * this.#listed + SORT_COUNTS;
    this.#room = room(8 * (TALLY_LENGTH + FIGURES * this.#height + groups + sorting), 0);
    if (this.#room === undefined) throw new RangeError('not enough memory for figures of rows');
    this.#sums().fill(0)[TALLY_THRESHOLD] = this.#overconfidence;
    this.#groups(0, this.#classes + this.#columns).fill(0);
  }

  #sums(): Float64Array {
    return new Float64Array(load().buffer, this.#room?.start, TALLY_LENGTH);
  }

  #run(batch: Batch, logits: number, targets: number, rows: number, flags: number): number {
    const { start } = this.#room as Block;
    const { columns } = this.#spec;
    const given = this.#mayBeProbabilities
      ? logitsAt(batch, logits, rows * batch.width)
      : undefined;
    const room = [flags, start, this.#height, this.#listed, this.#next] as const;
    if (columns === 0) {
      const row = kernels().loss_figures(logits, targets, rows, batch.width, ...room);
      if (row !== -1) return row;
    } else kernels().element_figures(logits, targets, rows, columns, ...room, this.#columns);
    if (given !== undefined) {
      const labels = new Int32Array(load().buffer, this.#placeOf(FIGURE_LABEL), rows);
      this.#watch(given, labels, batch.width);
    }
    this.#next += rows;
    return -1;
  }

  /** Takes what the kernel has added up and listed of all rows of a call. */
  #collect(): void {
    const sums = this.#sums();
    const classes = this.#groups(0, this.#classes);
    this.#tally.add(sums, classes, this.#groups(this.#classes, this.#columns));
    const lengthOf = (list: number) => sums[list] as number;
    const rows = lengthOf(TALLY_ROWS);
    const isWhole = this.#count === this.#batch.rows;
    const part = {
      first: this.#first,
      rows,
      numbers: rows < this.#count ? this.#list(Uint32Array, LIST_NUMBER, rows) : undefined,
      losses: this.#list(Float64Array, LIST_LOSS, isWhole ? 0 : rows),
      overconfident: this.#list(Uint32Array, LIST_SURE, lengthOf(TALLY_SURE)),
      nonFinite: this.#list(Uint32Array, LIST_NON_FINITE, lengthOf(TALLY_NON_FINITE)),
    };
    this.#tally.parts.push(part);
    if (!isWhole) return;
    // What has been taken of the lists leaves room to sort.
    const hard = hardestInPlace(this.#tally.losses.mean, rows, this.#listed, this.#above);
    this.#hard = { ...hard, rows: numberThem(hard.rows, part) };
  }

  /** The sums of so many groups from one on. */
  #groups(first: number, count: number): Float64Array {
    const place = this.#placeOf(FIGURES) + 8 * GROUP_LENGTH * first;
    return new Float64Array(load().buffer, place, GROUP_LENGTH * count);
  }

  /** Looks whether logits could be probabilities, of the rows that count. */
  #watch(logits: FloatArray, labels: Int32Array, width: number): void {
    const classes = width === 1 ? 2 : width;
    const rows = {
      logits: width === 1 ? pairsOf(logits) : logits,
      labels,
      classes,
      stride: 1,
      isPaired: this.#isPaired || width === 1,
      start: (k: number) => k * classes,
    };
    this.#mayBeProbabilities = mayBeProbabilities(rows, (k) => labels[k] !== UNCOUNTED);
  }

  /** All that has been found. */
  rowLosses(): RowLosses {
    const { criterion, call, rows } = this.#batch;
    const tally = this.#tally;
    if (rows === 0) checkFew(call.numClasses ?? 0);
    const floored = {
      counts: tally.counts,
      rows: tally.rows,
      numbers: () => tally.numbers,
      shareOf: sharesOf(this.#batch),
      areSpread: areSpread(this.#batch),
    };
    return {
      tally,
      hard: this.#hard,
      least: leastOf(floored, criterion),
      mayBeProbabilities: this.#mayBeProbabilities,
    };
  }
}

/** A copy of logits that lie at an address. */
function logitsAt({ tile }: Batch, address: number, count: number): FloatArray {
  const memory = load().buffer;
  return tile.kind === 'Float64Array'
    ? new Float64Array(memory, address, count).slice()
    : new Float32Array(memory, address, count).slice();
}

/** The number of classes of the rows of a batch; where there are none, of how many it says. */
function classesOf({ width, rows, call: { numClasses = 0 } }: LossBatch): number {
  if (width === 1) return 2;
  return rows === 0 ? Math.min(numClasses, FEW_CLASSES) : width;
}

/** A function that reads the probabilities that rows have for targets, by their numbers. */
function sharesOf({
  targets,
  targetsWidth: width,
  spatialSize,
}: LossBatch): FlooredRows['shareOf'] {
  if (width === 1) return (row) => Number(targets[row]);
  if (spatialSize === 0) return (row, j) => targets[row * width + j] as number;
  return (row, j) => {
    const first = Math.floor(row / spatialSize) * width * spatialSize + (row % spatialSize);
    return targets[first + j * spatialSize] as number;
  };
}

/** A test whether targets are probabilities; of single ones, whether any is neither 0 nor 1. */
function areSpread({ targets, targetsWidth, criterion }: LossBatch): boolean {
  if (!isFloats(kindOf(targets))) return false;
  if (targetsWidth > 1) return true;
  const isClass = (target: number | bigint) =>
    target === 0 || target === 1 || target === criterion.ignoreIndex;
  let k = 0;
  while (k < targets.length && isClass(targets[k] as number)) k++;
  return k < targets.length;
}

/** The logits and targets of so many rows from a row on, as they lie with the classes last. */
function partOf(
  { logits, targets, width, spatialSize, targetsWidth }: LossBatch,
  start: number,
  count: number,
) {
  checkLength('logits', logits);
  checkLength('targets', targets);
  const of = <A extends ClassIndices | FloatArray>(array: A, width: number): A =>
    spatialSize === 0 || width === 1
      ? part(array, start * width, count * width)
      : (gather(array as FloatArray, width, spatialSize, start, count) as A);
  return { logits: widen(of(logits, width)), targets: of(targets, targetsWidth) };
}

/** A copy of rows that lie side by side, one after the other. */
function gather(
  array: FloatArray,
  width: number,
  spatialSize: number,
  start: number,
  count: number,
): FloatArray {
  const copy = arrayLike(array, count * width);
  for (let k = 0; k < count; k++) {
    const row = start + k;
    const first = Math.floor(row / spatialSize) * width * spatialSize + (row % spatialSize);
    for (let j = 0; j < width; j++) copy[k * width + j] = array[first + j * spatialSize] as number;
  }
  return copy;
}
