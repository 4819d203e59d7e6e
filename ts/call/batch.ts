// The data path. A batch goes through the tile in as many steps as it takes: rows are copied in, a kernel runs on them,
// and what it leaves in place of the logits is copied out. What lies in the module's memory already is worked on where it
// is. Nothing here allocates as long as the shape of the calls stays the same and a batch fits the tile.

import { copyInto, copyRun, type NumberArray, partOrWhole } from '../arrays/typed-arrays.js';
import type { FloatArray, Reduction } from '../arrays/types.js';
import { ALPHA_PER_CLASS, CONTINUES, IGNORE, ROW_SCALES, ROW_WEIGHTS, VALUES } from '../module/flags.js';
import type { Area } from '../module/memory.js';
import { type Tile, tileOf } from '../module/tile.js';
import type { CriterionSettings } from './options.js';
import { classIndices, type TargetReader } from './target-forms.js';

/** The part of a loss that is its own: its options, and its kernel. */
export abstract class Formula {
  readonly reduction: Reduction;
  readonly numClasses: number | undefined;
  readonly normalizer: number | undefined;
  readonly ignoreIndex: number | undefined;
  readonly channelsFirst: boolean = false;
  /** Where every logit is a row by itself, with a target of its own: after how many options per class repeat. Else 0. */
  readonly columns: number = 0;
  /** Whether a mean divides by the weights of the class indices, not by their number. */
  readonly isWeighted: boolean = false;
  /** What keeps the targets from being probabilities, if something does. */
  readonly indicesOnly: string | undefined = undefined;

  constructor({ reduction, numClasses, normalizer, ignoreIndex }: CriterionSettings) {
    this.reduction = reduction;
    this.numClasses = numClasses;
    this.normalizer = normalizer;
    this.ignoreIndex = ignoreIndex;
  }

  /** Whether float32 does not hold its numbers, so that it is computed in float64 whatever the logits are. */
  readonly isWide: boolean = false;

  /** Whether an option has one entry per class. */
  readonly isPerClass: boolean = false;

  /** Throws where an option has one entry per class, and not as many as there are classes, which is 0 for unknown. */
  abstract checkClasses(classes: number): void;

  /** The numbers that the kernel takes: see {@link kernelNumbers}. */
  abstract readonly numbers: Float64Array;

  /** Puts what there is per class where the kernel looks for it. */
  abstract load(tile: Tile): void;

  /**
   * Runs the kernel over rows of the batch that lie at these addresses; a `grad` of 0 is none. Returns the first row whose
   * target is not a class, or -1.
   */
  abstract run(batch: Batch, logits: number, targets: number, grad: number, rows: number, flags: number): number;
}

const NOTHING = new Float32Array(0);

/** What a call works on, checked. */
export class Batch {
  tile = tileOf('Float32Array');
  logits: FloatArray = NOTHING;
  logitsKind = 'Float32Array';
  targets: NumberArray = NOTHING;
  targetsKind = 'Float32Array';
  // Where they lie if the kernels work on them there, and otherwise 0; and so the gradient.
  logitsAddress = 0;
  targetsAddress = 0;
  gradAddress = 0;
  /** The form of the targets. */
  reader: TargetReader = classIndices;
  rows = 0;
  /** Logits of a row. */
  width = 0;
  /** With the classes first: the rows of a sample, which lie side by side. Otherwise 0. */
  plane = 0;
  /** Factors of values and gradients, if there are any: one for each `span` rows. */
  weights: FloatArray | undefined;
  span = 1;
  /** Factors of the gradients, if there are any. */
  scales: FloatArray | undefined;
  ignoreIndex: number | undefined;

  /** Lets go of the caller's arrays. */
  clear(): void {
    this.logits = NOTHING;
    this.targets = NOTHING;
    this.weights = undefined;
    this.scales = undefined;
  }

  /** Has all be computed in float64, which logits, targets and gradient are copied to and from. */
  widen(): void {
    this.tile = tileOf('Float64Array');
    this.logitsAddress = 0;
    this.gradAddress = 0;
    if (this.reader !== classIndices) this.targetsAddress = 0;
  }

  /** Whether the kernels find all there is of each row in place, and leave it there. */
  isInPlace(values: FloatArray | undefined, grad: FloatArray | undefined): boolean {
    if (this.logitsAddress === 0 || this.targetsAddress === 0) return false;
    if (grad !== undefined && this.gradAddress === 0) return false;
    return values === undefined && this.weights === undefined && this.scales === undefined;
  }

  /** Makes +0 of -0, to which small negative numbers have been rounded where the results are of another kind. */
  clearSigns(values: FloatArray | undefined, grad: FloatArray | undefined): void {
    if (this.tile.flags === 0 || this.logitsKind === this.tile.kind) return;
    for (let i = 0; values !== undefined && i < this.rows; i++) values[i] = (values[i] as number) + 0;
    for (let i = 0; grad !== undefined && i < this.rows * this.width; i++) grad[i] = (grad[i] as number) + 0;
  }

  /** Looks over all targets, in steps of so many, and throws when one is not what it must be. Counts those that count. */
  survey(step: number, weighted: boolean): void {
    const { reader } = this;
    const flags = this.#flags(undefined) | (weighted ? ALPHA_PER_CLASS : 0);
    for (let start = 0; start < this.rows; start += step) {
      const count = Math.min(step, this.rows - start);
      const targets = reader.load(this, start, count);
      this.#check(targets, start, count, start === 0 ? flags : flags | CONTINUES);
    }
  }

  /**
   * Runs a kernel over all rows, at least one, `step` of them at a time. Fills `values` and `grad` where they are
   * given.
   */
  run(
    formula: Formula,
    isSurveyed: boolean,
    step: number,
    asked: number,
    values: FloatArray | undefined,
    grad: FloatArray | undefined,
  ): void {
    const { reader, tile, rows } = this;
    const isChecked = isSurveyed || reader.isCheckedByKernel;
    const flags = asked | this.#flags(values);
    for (let start = 0; start < rows; start += step) {
      const count = Math.min(step, rows - start);
      // Probabilities pass through the same area as the logits, and so have to come first.
      const targets = reader.load(this, start, count);
      if (!isChecked) this.#check(targets, start, count, flags);
      const logits = this.#load(start, count);
      const isCopiedOut = grad !== undefined && this.gradAddress === 0;
      const there = isCopiedOut ? tile.logits.address : this.#addressOf(this.gradAddress, start);
      const now = start === 0 ? flags : flags | CONTINUES;
      const row = formula.run(this, logits, targets, there, count, now);
      if (row !== -1) throw reader.error(this, start + row);
      if (isCopiedOut) this.#storeRows(grad, start, count);
      if (values !== undefined) copyInto(values, tile.values.view(count), start);
    }
  }

  /** What the kernels are told of the batch. */
  #flags(values: FloatArray | undefined): number {
    return (
      this.reader.flags |
      this.tile.flags |
      (values === undefined ? 0 : VALUES) |
      (this.ignoreIndex === undefined ? 0 : IGNORE) |
      (this.weights === undefined ? 0 : ROW_WEIGHTS) |
      (this.scales === undefined ? 0 : ROW_SCALES)
    );
  }

  #check(targets: number, start: number, count: number, flags: number): void {
    const row = this.reader.findInvalid(this, targets, count, flags);
    if (row !== -1) throw this.reader.error(this, start + row);
  }

  /** Where the rows from one on begin, of those that begin at an address; 0 stays 0. */
  #addressOf(address: number, start: number): number {
    return address === 0 ? 0 : address + start * this.width * this.tile.elementBytes;
  }

  /** Copies rows of the batch, but for their targets, into the tile. Returns where the logits are. */
  #load(start: number, count: number): number {
    const { tile, logits, logitsAddress, weights, scales } = this;
    if (weights !== undefined) this.#loadWeights(weights, start, count);
    if (scales !== undefined) tile.rowScales.view(count).set(partOrWhole(scales, start, count));
    return this.loadRows(tile.logits, logits, logitsAddress, start, count);
  }

  /** Copies rows of an array into an area, unless the kernels find them at its address. Returns where they are. */
  loadRows(
    area: Area<Float32Array | Float64Array>,
    source: FloatArray,
    address: number,
    start: number,
    count: number,
  ): number {
    if (address !== 0) return this.#addressOf(address, start);
    const { width, plane } = this;
    const view = area.view(count * width);
    if (plane === 0) copyInto(view, partOrWhole(source, start * width, count * width), 0);
    else this.#gather(view, source, start, count);
    return area.address;
  }

  /** Copies rows of an array that has the classes first. */
  #gather(view: Float32Array | Float64Array, source: FloatArray, start: number, count: number): void {
    const { tile, width } = this;
    this.#stage(source, start, count, false);
    tile.kernels.transpose(tile.stage.address, tile.logits.address, width, count, tile.flags);
    const gathered = tile.logits.view(count * width);
    if (view !== gathered) view.set(gathered);
  }

  /** Copies what is in place of the logits to where it belongs. */
  #storeRows(target: FloatArray, start: number, count: number): void {
    const { tile, width, plane } = this;
    if (plane === 0) copyInto(target, tile.logits.view(count * width), start * width);
    else this.#scatter(target, start, count);
  }

  #scatter(target: FloatArray, start: number, count: number): void {
    const { tile, width } = this;
    tile.kernels.transpose(tile.logits.address, tile.stage.address, count, width, tile.flags);
    this.#stage(target, start, count, true);
  }

  /**
   * Copies rows between memory that has the classes first and the stage, which has too, but holds no more than these
   * rows: of every class as many runs as there are samples that the rows are of.
   */
  #stage(memory: FloatArray, start: number, count: number, out: boolean): void {
    const { width, plane } = this;
    const stage = this.tile.stage.view(count * width);
    if (count === plane) {
      // A whole sample lies in memory as it does on the stage.
      if (out) copyInto(memory, stage, start * width);
      else stage.set(partOrWhole(memory, start * width, count * width));
      return;
    }
    for (let done = 0; done < count; ) {
      const sample = Math.floor((start + done) / plane);
      const position = (start + done) % plane;
      const run = Math.min(plane - position, count - done);
      for (let j = 0; j < width; j++) {
        const there = (sample * width + j) * plane + position;
        const here = j * count + done;
        if (out) copyRun(memory, there, stage, here, run);
        else copyRun(stage, here, memory, there, run);
      }
      done += run;
    }
  }

  #loadWeights(weights: FloatArray, start: number, count: number): void {
    const { span } = this;
    const view = this.tile.rowWeights.view(count);
    if (span === 1) {
      view.set(partOrWhole(weights, start, count));
    } else {
      for (let i = 0; i < count; i++) view[i] = weights[Math.floor((start + i) / span)] as number;
    }
  }

  /** Where the probability of a class, of a row, is among the targets. */
  indexOf(row: number, j: number): number {
    const { width, plane } = this;
    if (plane === 0) return row * width + j;
    return (Math.floor(row / plane) * width + j) * plane + (row % plane);
  }
}
