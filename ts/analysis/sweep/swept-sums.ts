// The data path of a sweep: a loss as the batch sees it, whose kernel adds to many sums at once.

import { kindOf } from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../../arrays/types.js';
import type { Batch } from '../../call/batch.js';
import { type Job, plan, runOwn, wholeRows } from '../../call/blocks.js';
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
import { needsFloat64 } from '../../module/tile.js';

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
  /** True where weights of rows take float64. */
  readonly isWide: boolean;
}

/** The most blocks of rows whose sums are added up one after the other. */
const MOST_BLOCKS = 64;

/** The rows of a block of a sweep over so many rows of so many logits. */
export function sweptRows(rows: number, width: number): number {
  const least = wholeRows(width);
  return Math.max(1, Math.ceil(rows / least / MOST_BLOCKS)) * least;
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
 * has room for one. A total is the sum of those of fixed blocks of rows, so that blocks may be
 * computed anywhere.
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
  /** The sums of the blocks so far, and what additions have rounded off. */
  readonly #whole: Float64Array;
  readonly #lost: Float64Array;
  /** The number of rows that counted in these blocks. */
  #rows = 0;

  constructor(axes: Axes, loss: SweptLoss) {
    const { elementwise, posWeight, numClasses, ignoreIndex } = loss;
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
    const isWide = loss.isWide || labelSmoothing.some((smoothed) => needsFloat64(smoothed, []));
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
    this.#whole = new Float64Array(this.#sums);
    this.#lost = new Float64Array(this.#sums);
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
    return this.#rows;
  }

  /** A batch, checked, but for its targets. */
  plan(
    logits: FloatArray,
    targets: ClassIndices | FloatArray,
    options: { numClasses?: number | undefined; sampleWeights?: FloatArray | undefined },
  ): Job {
    this.#isSingle = kindOf(logits) !== 'Float64Array';
    return plan(this.#spec, this.#method, logits, targets, options).job;
  }

  /** Adds rows of a batch that lie behind those before, by blocks of so many. */
  add(job: Job, start: number, end: number, block: number): void {
    for (let first = start; first < end; ) {
      const last = Math.min((Math.floor(first / block) + 1) * block, end);
      this.addWithin(job, first, last);
      if (last % block === 0 || last === job.rows) this.addBlock(this.takeBlock());
      first = last;
    }
  }

  /** Adds rows to the block that has been begun. */
  addWithin(job: Job, start: number, end: number): void {
    runOwn(job, this.#method, start, end);
  }

  /** The sums of a block, and how many of its rows counted. What is added next is of another. */
  takeBlock(): Float64Array<ArrayBuffer> {
    const sums = this.#plan.slice(this.#totals, this.#counted + 1);
    this.#plan.fill(0, 0, this.#counted + 1);
    return sums;
  }

  /** Adds the sums of the block that is next in the batch. */
  addBlock(sums: Float64Array): void {
    const [whole, lost] = [this.#whole, this.#lost];
    for (let i = 0; i < whole.length; i++) {
      const [before, added] = [whole[i] as number, sums[i] as number];
      const sum = before + added;
      // The rest that the addition rounds off (Knuth's two-sum).
      const from = sum - before;
      lost[i] = (lost[i] as number) + (before - (sum - from) + (added - from));
      whole[i] = sum;
    }
    this.#rows += sums[whole.length] as number;
  }

  /** The sum at a place, of all blocks. */
  #sumAt(place: number): number {
    const sum = this.#whole[place] as number;
    return Number.isFinite(sum) ? sum + (this.#lost[place] as number) : sum;
  }

  /** A flag: weights are rounded as those of a loss in float32 are. */
  #isSingle = false;

  /** The sum of the losses with a setting, by the places of its entries on the axes. */
  sumOf(alpha: number, gamma: number, labelSmoothing: number): number {
    const entry = this.#axes.alpha[alpha] as Alpha;
    const row = labelSmoothing * this.#gammas.length + (this.#places.gamma[gamma] as number);
    const at = row * this.#weightings.length + (this.#places.alpha[alpha] as number);
    const sum = this.#sumAt(at);
    if (typeof entry !== 'number' || weightingsOf(entry).length === 1) return sum;
    const others = this.#sumAt(at + 1);
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
