// The data path of a sweep: a loss as the batch sees it, whose kernel adds to many sums at once.

import { kindOf } from '../arrays.js';
import { type Batch, Formula } from '../batch.js';
import { evaluate, FORWARD, type Method } from '../evaluate.js';
import { refresh } from '../memory.js';
import { kernelNumbers } from '../tile.js';
import type { ClassIndices, FloatArray } from '../types.js';
import { checkEntries } from '../validate.js';
import { load } from '../wasm.js';
import { kernels } from './kernels.js';

export type Alpha = number | readonly number[] | null;

/** The axes of a sweep. */
export interface Axes {
  readonly alpha: readonly Alpha[];
  readonly gamma: readonly number[];
  readonly labelSmoothing: readonly number[];
}

/** What may be said of the batch. */
export interface BatchOptions {
  readonly numClasses: number | undefined;
  readonly ignoreIndex: number | undefined;
}

/** What the kernel calls the weightings that are no tables: see crate/src/kernels/sweep.rs. */
const EVEN = -1;
const ONE = -2;
const OTHERS = -3;

/** What the kernel needs of each, in float64: the state of a sum; the weights of a block. */
const STATE = 4;
const WEIGHTS = 64;

const SWEEP: Method = { ...FORWARD, options: ['numClasses', 'sampleWeights'] };

const alphasOf = ({ alpha }: Axes) => alpha.filter((entry): entry is readonly number[] => Array.isArray(entry));

/** A sweep that may be computed in parts: between them it holds its sums itself, since the module has room for one. */
export class SweepFormula extends Formula {
  override readonly indicesOnly: string | undefined;
  /** What there is per class, and all else that the kernel looks for in the room, goes there with every batch. */
  override readonly isPerClass = true;
  override readonly numbers: Float64Array;
  readonly #axes: Axes;
  readonly #gammas: Float64Array;
  readonly #weightings: readonly number[];
  readonly #tables: readonly (readonly number[])[];
  readonly #sums: number;
  /** What is in the module's room while a part is computed. */
  readonly #plan: Float64Array;

  constructor(axes: Axes, { numClasses, ignoreIndex }: BatchOptions) {
    super({ reduction: 'sum', normalizer: undefined, numClasses, ignoreIndex });
    this.indicesOnly = ignoreIndex === undefined ? undefined : 'where ignoreIndex is given';
    this.numbers = kernelNumbers(0, 0, 1, 1, 1, ignoreIndex);
    this.#axes = axes;
    this.#gammas = Float64Array.from(new Set(axes.gamma)).sort();
    this.#tables = alphasOf(axes);
    this.#weightings = [
      ...(axes.alpha.includes(null) ? [EVEN] : []),
      ...(axes.alpha.some((alpha) => typeof alpha === 'number') ? [ONE, OTHERS] : []),
      ...this.#tables.keys(),
    ];
    this.#sums = axes.labelSmoothing.length * this.#gammas.length * this.#weightings.length;
    const settings = [...this.#gammas, ...axes.labelSmoothing, ...this.#weightings, ...this.#tables.flat()];
    this.#plan = new Float64Array(this.#counted + 1 + settings.length);
    this.#plan.set(settings, this.#counted + 1);
  }

  /** Where the sums are in the plan, and behind them how many rows counted. */
  get #totals(): number {
    return STATE * this.#sums + WEIGHTS * this.#weightings.length;
  }

  get #counted(): number {
    return this.#totals + this.#sums;
  }

  /** How many rows counted. */
  get rows(): number {
    return this.#plan[this.#counted] as number;
  }

  /** Adds a batch, or a part of one. */
  add(
    logits: FloatArray,
    targets: ClassIndices | FloatArray,
    options: { numClasses?: number | undefined; sampleWeights?: FloatArray | undefined },
  ): void {
    const collect = () => this.#plan.set(this.#room());
    evaluate(this, { ...SWEEP, collect }, logits, targets, options);
    this.#isSingle = kindOf(logits) !== 'Float64Array';
  }

  /** Whether weights are rounded as those of a loss in float32 are. */
  #isSingle = false;

  /** The sum of the losses with a setting, by the places of its entries on the axes. */
  sumOf(alpha: number, gamma: number, labelSmoothing: number): number {
    const entry = this.#axes.alpha[alpha] as Alpha;
    const row = labelSmoothing * this.#gammas.length + this.#gammas.indexOf(this.#axes.gamma[gamma] as number);
    const sum = (weighting: number) =>
      this.#plan[this.#totals + row * this.#weightings.length + this.#weightings.indexOf(weighting)] as number;
    if (entry === null) return sum(EVEN);
    if (typeof entry === 'object') return sum(this.#tables.indexOf(entry));
    const round = this.#isSingle ? Math.fround : Number;
    return round(entry) * sum(ONE) + round(1 - entry) * sum(OTHERS);
  }

  checkClasses(classes: number): void {
    for (const table of this.#tables) checkEntries('alpha', table, classes);
  }

  load(): void {
    this.#room().set(this.#plan);
  }

  /** As much of the module's memory as the plan takes. */
  #room(): Float64Array {
    const room = kernels().room(this.#plan.byteLength) >>> 0;
    refresh();
    if (room === 0) throw new RangeError('not enough memory for so many settings');
    return new Float64Array(load().buffer, room, this.#plan.length);
  }

  run(batch: Batch, logits: number, targets: number, _grad: number, rows: number, flags: number): number {
    const { labelSmoothing } = this.#axes;
    return kernels().sweep(
      logits,
      targets,
      rows,
      batch.width,
      flags,
      this.#gammas.length,
      labelSmoothing.length,
      this.#weightings.length,
    );
  }
}
