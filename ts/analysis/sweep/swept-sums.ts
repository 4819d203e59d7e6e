// The data path of a sweep: a loss as the batch sees it, whose kernel adds to many sums at once.

import { kindOf } from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../../arrays/types.js';
import type { Batch } from '../../call/batch.js';
import { evaluate } from '../../call/evaluate.js';
import { FORWARD, type Method } from '../../call/method.js';
import { type LossSpec, makeSpec, numberOr1, perClass } from '../../call/spec.js';
import {
  LARGEST_PRODUCT,
  NUMBER_POSITIVE_WEIGHT,
  SWEEP_STATE,
  SWEEP_WEIGHTS,
  WEIGHTING_EVEN,
  WEIGHTING_ONE,
  WEIGHTING_ONE_ALONE,
  WEIGHTING_OTHERS,
  WEIGHTING_OTHERS_ALONE,
} from '../../module/abi.js';
import { kernels } from '../../module/analysis-kernels.js';
import { load } from '../../module/instance.js';
import { type Block, room } from '../../module/memory.js';
import { needsFloat64, someLeaveFloat32 } from '../../module/tile.js';

export type Alpha = number | readonly number[] | null;

/** The axes of a sweep. */
export interface Axes {
  readonly alpha: readonly Alpha[];
  readonly gamma: readonly number[];
  readonly labelSmoothing: readonly number[];
}

/** The loss that is swept, besides its settings. */
export interface SweptLoss {
  /** True where each logit has a target of its own, as those of a `SigmoidFocalLoss` have. */
  readonly elementwise: boolean;
  /** The factor of the positive term there. */
  readonly posWeight: number | readonly number[];
  readonly numClasses: number | undefined;
  readonly ignoreIndex: number | undefined;
  /** Those of the whole batch, checked. */
  readonly sampleWeights: FloatArray | undefined;
}

/** The most numbers that there is room for. */
const MOST_NUMBERS = 2 ** 28 - 1;

const OPTIONS = ['numClasses', 'sampleWeights'];

/**
 * The weightings that an alpha is made of: where one of two weighs nothing, it adds nothing to the
 * other, also if it is infinite.
 */
function weightingsOf(alpha: number): [number] | [number, number] {
  if (alpha === 0) return [WEIGHTING_OTHERS_ALONE];
  return alpha === 1 ? [WEIGHTING_ONE_ALONE] : [WEIGHTING_ONE, WEIGHTING_OTHERS];
}

/**
 * A sweep that may be computed in parts: between them it holds its sums itself, since the module
 * has room for one.
 */
export class SweptSums {
  readonly #spec: LossSpec;
  readonly #method: Method;
  readonly #axes: Axes;
  readonly #gammas: Float64Array;
  readonly #weightings: readonly number[];
  readonly #tables: readonly (readonly number[])[];
  /** Where each entry of an axis is among the exponents, and the weightings. */
  readonly #places: { readonly gamma: readonly number[]; readonly alpha: readonly number[] };
  /** The number of sums: every setting is one or two of them. */
  readonly #sums: number;
  /** The content of the module's room while a part is computed. */
  readonly #plan: Float64Array;
  /**
   * The place of it then. Nobody keeps it: no other call takes memory before this one has ended.
   */
  #room: Block | undefined;

  constructor(
    axes: Axes,
    { elementwise, posWeight, numClasses, ignoreIndex, sampleWeights }: SweptLoss,
  ) {
    this.#axes = axes;
    this.#gammas = Float64Array.from(new Set(axes.gamma)).sort();
    this.#tables = axes.alpha.filter((entry): entry is readonly number[] => Array.isArray(entry));
    const { alpha, labelSmoothing } = axes;
    const options = [
      ...this.#tables.flatMap((table) => perClass('alpha', table, undefined)),
      ...perClass('posWeight', posWeight, 'posWeights'),
    ];
    const common = { reduction: 'sum', normalizer: undefined, numClasses, ignoreIndex } as const;
    // No part of a batch may be computed in another precision than the others.
    const isWide =
      labelSmoothing.some((smoothed) => needsFloat64(smoothed, [])) ||
      (sampleWeights !== undefined && someLeaveFloat32(sampleWeights));
    this.#spec = makeSpec(common, {
      flags: 0,
      numbers: { [NUMBER_POSITIVE_WEIGHT]: numberOr1(posWeight) },
      perClass: options,
      sizes: [...alpha, posWeight],
      isWide,
      columns: elementwise ? (options[0]?.values.length ?? 1) : 0,
      indicesOnly: ignoreIndex === undefined ? undefined : 'where ignoreIndex is given',
    });
    this.#method = {
      ...FORWARD,
      options: OPTIONS,
      kernel: {
        prepare: () => this.#prepare(),
        run: (batch, logits, targets, rows, flags) =>
          this.#run(batch, logits, targets, rows, flags),
      },
      collect: () => this.#plan.set(this.#inRoom()),
    };
    const plain = [
      ...(axes.alpha.includes(null) ? [WEIGHTING_EVEN] : []),
      ...new Set(
        axes.alpha.flatMap((alpha) => (typeof alpha === 'number' ? weightingsOf(alpha) : [])),
      ),
    ];
    this.#weightings = [...plain, ...this.#tables.keys()];
    this.#places = {
      gamma: placesOf(axes.gamma, this.#gammas),
      alpha: placesOfAlpha(axes.alpha, plain),
    };
    this.#sums = axes.labelSmoothing.length * this.#gammas.length * this.#weightings.length;
    const entries = this.#gammas.length + axes.labelSmoothing.length + this.#weightings.length;
    const length = this.#tables.reduce(
      (sum, weights) => sum + weights.length,
      this.#counted + 1 + entries,
    );
    if (length > MOST_NUMBERS) throw noRoom();
    this.#plan = new Float64Array(length);
    let place = this.#counted + 1;
    for (const numbers of [this.#gammas, axes.labelSmoothing, this.#weightings, ...this.#tables]) {
      this.#plan.set(numbers, place);
      place += numbers.length;
    }
  }

  /**
   * The number of logits that take about as long as the settings of a row do: sixteen sums, or four
   * powers.
   */
  get cost(): number {
    const isProduct = (gamma: number) => gamma <= LARGEST_PRODUCT && Number.isInteger(2 * gamma);
    const powers = this.#gammas.reduce((count, gamma) => count + (isProduct(gamma) ? 0 : 1), 0);
    return this.#sums / 16 + (this.#axes.labelSmoothing.length * powers) / 4;
  }

  /** Where the sums are in the plan, and behind them how many rows counted. */
  get #totals(): number {
    return SWEEP_STATE * this.#sums + SWEEP_WEIGHTS * this.#weightings.length;
  }

  get #counted(): number {
    return this.#totals + this.#sums;
  }

  /** The number of rows that counted. */
  get rows(): number {
    return this.#plan[this.#counted] as number;
  }

  /** Adds a batch, or a part of one. */
  add(
    logits: FloatArray,
    targets: ClassIndices | FloatArray,
    options: { numClasses?: number | undefined; sampleWeights?: FloatArray | undefined },
  ): void {
    evaluate(this.#spec, this.#method, logits, targets, options);
    this.#isSingle = kindOf(logits) !== 'Float64Array';
  }

  /** A flag: weights are rounded as those of a loss in float32 are. */
  #isSingle = false;

  /** The sum of the losses with a setting, by the places of its entries on the axes. */
  sumOf(alpha: number, gamma: number, labelSmoothing: number): number {
    const entry = this.#axes.alpha[alpha] as Alpha;
    const row = labelSmoothing * this.#gammas.length + (this.#places.gamma[gamma] as number);
    const at = this.#totals + row * this.#weightings.length + (this.#places.alpha[alpha] as number);
    const sum = this.#plan[at] as number;
    if (typeof entry !== 'number' || weightingsOf(entry).length === 1) return sum;
    const others = this.#plan[at + 1] as number;
    const round = this.#isSingle && !this.#spec.isWide ? Math.fround : Number;
    return round(entry) * sum + round(1 - entry) * others;
  }

  /** Takes room for the plan, with every batch, and puts it there. */
  #prepare(): void {
    this.#room = room(this.#plan.byteLength);
    if (this.#room === undefined) throw noRoom();
    this.#inRoom().set(this.#plan);
  }

  /** The plan, in the module's memory. */
  #inRoom(): Float64Array {
    return new Float64Array(load().buffer, this.#room?.start, this.#plan.length);
  }

  #run(batch: Batch, logits: number, targets: number, rows: number, flags: number): number {
    const { start } = this.#room as Block;
    const { columns } = this.#spec;
    const sizes = [
      this.#gammas.length,
      this.#axes.labelSmoothing.length,
      this.#weightings.length,
      start,
    ] as const;
    if (columns === 0) return kernels().sweep(logits, targets, rows, batch.width, flags, ...sizes);
    kernels().sweep_elements(logits, targets, rows, columns, flags, ...sizes);
    return -1;
  }
}

function noRoom(): RangeError {
  return new RangeError('not enough memory for so many settings');
}

/** The place of each of some numbers among others. */
function placesOf(numbers: readonly number[], among: Float64Array): number[] {
  const places = new Map(Array.from(among, (number, place) => [number, place]));
  return numbers.map((number) => places.get(number) as number);
}

/** Where the weighting of each alpha is: the tables are behind those that are none. */
function placesOfAlpha(alphas: readonly Alpha[], plain: readonly number[]): number[] {
  let tables = plain.length;
  return alphas.map((alpha) => {
    if (alpha === null) return plain.indexOf(WEIGHTING_EVEN);
    return typeof alpha === 'number' ? plain.indexOf(weightingsOf(alpha)[0]) : tables++;
  });
}
