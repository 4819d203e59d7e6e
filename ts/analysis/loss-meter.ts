import type { Batch } from '../batch.js';
import { type Criterion, run } from '../criterion.js';
import { FORWARD, type Method } from '../evaluate.js';
import { SOFT } from '../flags.js';
import type { ForwardOptions } from '../options.js';
import { wrongType } from '../validate.js';
import { load } from '../wasm.js';
import { ExactSum, type ExactSumState, isCount, SUM_LENGTH } from './exact-sum.js';
import { kernels, METER } from './kernels.js';
import { type AnyCriterion, isLossName, type LossName, makeSum, nameOf } from './own-criterion.js';
import type { Logits, Targets } from './tensors.js';

/** Options of {@link LossMeter.update}. */
export type MeterOptions = Omit<ForwardOptions, 'normalizer'>;

const OPTIONS: readonly (keyof MeterOptions)[] = ['numClasses', 'sampleWeights', 'spatialSize'];

/** Adds the values of all rows to the meter of the module. */
const ADD: Method = { ...FORWARD, options: OPTIONS, flags: METER };

/** What has been seen: never changed, so that a call that is stopped leaves a meter as it was. */
interface Seen {
  readonly values: ExactSum;
  readonly denominator: ExactSum;
  readonly rows: number;
}

const NOTHING: Seen = { values: new ExactSum(), denominator: new ExactSum(), rows: 0 };

/** Both together. */
function merged(a: Seen, b: Seen): Seen {
  return {
    values: a.values.plus(b.values),
    denominator: a.denominator.plus(b.denominator),
    rows: a.rows + b.rows,
  };
}

/** What a {@link LossMeter} has seen. */
export interface MeterResult {
  /** The mean loss: `sum / denominator`, NaN where no row counts. */
  readonly mean: number;
  /** The sum of the losses of all rows. */
  readonly sum: number;
  /** How many rows count. */
  readonly rows: number;
  /**
   * What the mean divides by: the criterion's `normalizer`, else what it says `'mean'` divides by, over all that was seen.
   */
  readonly denominator: number;
  /** How many rows have a loss that is NaN. If any has, so are sum and mean. */
  readonly nanRows: number;
  /** How many have an infinite loss. If any has, and none is NaN, sum and mean are infinite. */
  readonly infiniteRows: number;
}

/** A {@link LossMeter} as JSON. */
export interface MeterState {
  /** Of this form. */
  readonly version: 1;
  /** The name of the criterion's class. */
  readonly loss: LossName;
  /** The criterion's options. */
  readonly options: object;
  /** The losses, added up. */
  readonly values: ExactSumState;
  /** What the mean divides by. */
  readonly denominator: ExactSumState;
  /** How many rows count. */
  readonly rows: number;
}

/**
 * The loss of a validation set of any size, a batch at a time.
 *
 * The sum is exact: every loss, as the criterion computes it for its row, is added without rounding, and only what `result`
 * returns is rounded, once. So the parts of a set may be seen in any order, in batches of any size, by several meters, on workers
 * or other machines, and {@link LossMeter.merge | merged} in any order: the result is the same, bit for bit.
 *
 * @example
 * ```ts
 * import { FocalLoss, LossMeter } from 'focal-loss/analysis';
 *
 * const meter = new LossMeter(new FocalLoss());
 * meter.update(new Float64Array([2.5, -1, 0.5, 0.5]), new Uint8Array([0, 1]));
 *
 * // On another worker: its meter arrives as JSON.
 * const worker = new LossMeter(new FocalLoss());
 * worker.update(new Float64Array([-1, 2]), new Uint8Array([1]));
 * meter.merge(LossMeter.fromJSON(JSON.parse(JSON.stringify(worker))));
 *
 * const { mean, rows } = meter.result();
 * rows; // => 3
 * mean; // => 0.014456063646326968
 * ```
 */
export class LossMeter {
  readonly #loss: LossName;
  readonly #criterion: Criterion<'sum'>;
  #seen = NOTHING;

  /**
   * @param criterion - A loss of any entry of this package. Its `reduction` does not matter.
   * @throws TypeError for anything else.
   */
  constructor(criterion: AnyCriterion) {
    this.#loss = nameOf(criterion);
    this.#criterion = makeSum(this.#loss, criterion);
  }

  /**
   * Sees a batch. One that is refused leaves the meter as it was.
   *
   * @param logits - `[rows, classes]`, row-major.
   * @param targets - What the rows are, as the criterion's `forward` takes them.
   * @throws TypeError or RangeError where `forward` throws one.
   */
  update(logits: Logits, targets: Targets, options: MeterOptions = {}): this {
    let batch = NOTHING;
    const collect = ({ reader }: Batch) => {
      const digits = new BigInt64Array(load().buffer, kernels().meter_end() >>> 0, 2 * SUM_LENGTH + 1);
      const rows = Number(digits[2 * SUM_LENGTH]);
      const isWeighted = this.#isWeighted && (reader.flags & SOFT) === 0;
      const denominator = isWeighted ? ExactSum.ofDigits(digits, SUM_LENGTH) : ExactSum.ofInteger(rows);
      batch = { values: ExactSum.ofDigits(digits, 0), denominator, rows };
    };
    run(this.#criterion, { ...ADD, collect }, logits, targets, options);
    this.#seen = merged(this.#seen, batch);
    return this;
  }

  /**
   * Adds what another meter has seen.
   *
   * @throws TypeError where it is none, or one for a criterion with other options.
   */
  merge(other: LossMeter): this {
    if (!isMeter(other)) throw wrongType('other', 'a LossMeter', other);
    if (other.#identity !== this.#identity) {
      throw new TypeError(`other must be for the same loss, ${this.#identity}, got one for ${other.#identity}`);
    }
    this.#seen = merged(this.#seen, other.#seen);
    return this;
  }

  /** What has been seen. */
  result(): MeterResult {
    const { values, rows, denominator: counted } = this.#seen;
    const sum = values.toNumber();
    const denominator = this.#criterion.normalizer ?? counted.toNumber();
    return { mean: sum / denominator, sum, rows, denominator, nanRows: values.nan, infiniteRows: values.infinite };
  }

  /** Everything there is to the meter, its criterion included. Nothing is lost. */
  toJSON(): MeterState {
    const { values, denominator, rows } = this.#seen;
    return {
      version: 1,
      loss: this.#loss,
      options: { ...this.#criterion },
      values: values.toJSON(),
      denominator: denominator.toJSON(),
      rows,
    };
  }

  /**
   * The meter that became this JSON.
   *
   * @throws TypeError or RangeError for what never was one.
   */
  static fromJSON(state: MeterState): LossMeter {
    const values = ExactSum.from(state?.values);
    const denominator = ExactSum.from(state?.denominator);
    if (
      state?.version !== 1 ||
      !isLossName(state.loss) ||
      values === undefined ||
      denominator === undefined ||
      !isCount(state.rows)
    ) {
      throw wrongType('state', 'what LossMeter.toJSON returned', state);
    }
    const meter = create(state);
    meter.#seen = { values, denominator, rows: state.rows };
    return meter;
  }

  get #isWeighted(): boolean {
    return 'weight' in this.#criterion && this.#criterion.weight !== null;
  }

  /** Which loss it is for. */
  get #identity(): string {
    return `${this.#loss} ${JSON.stringify(this.#criterion)}`;
  }
}

// Kept out of the class: one that names itself is given another name when it is bundled.

function isMeter(value: unknown): value is LossMeter {
  return value instanceof LossMeter;
}

function create({ loss, options }: MeterState): LossMeter {
  return new LossMeter(makeSum(loss, options));
}
