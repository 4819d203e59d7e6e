import { said } from '../../arrays/own.js';
import type { Batch } from '../../call/batch.js';
import { plan, runOwn, wholeRows } from '../../call/blocks.js';
import { show, wrongType } from '../../call/checks.js';
import { evaluate } from '../../call/evaluate.js';
import { FORWARD, type Method } from '../../call/method.js';
import type { ForwardOptions } from '../../call/options.js';
import { type Criterion, specOf } from '../../losses/criterion.js';
import type { LossName } from '../../losses/index.js';
import { METER, SOFT } from '../../module/abi.js';
import { kernels } from '../../module/analysis-kernels.js';
import { load } from '../../module/instance.js';
import {
  type AnyCriterion,
  isLossName,
  makeSum,
  nameOf,
  optionsIn,
} from '../criteria/own-criterion.js';
import {
  type Pooled,
  type PooledOptions,
  pooledOf,
  RUN_TASK,
  type TaskWork,
} from '../rows/pooled.js';
import { figuresText, INSPECT, withText } from '../rows/table.js';
import type { Logits, Targets } from '../rows/tensors.js';
import { TURN } from '../rows/turns.js';
import { ExactSum, type ExactSumState, SUM_LENGTH, type Terms } from './exact-sum.js';
import { checkCount, checkRecord, checkVersion, field } from './json.js';

/** Options of {@link LossMeter.update}. */
export type MeterOptions = Omit<ForwardOptions, 'normalizer'>;

const OPTIONS: readonly (keyof MeterOptions)[] = ['numClasses', 'sampleWeights', 'spatialSize'];

/** Options of {@link LossMeter.update} on the workers of a pool. */
export interface PooledMeterOptions extends MeterOptions, PooledOptions {}

/** Adds the values of all rows to the meter of the module. */
const ADD: Method = { ...FORWARD, options: OPTIONS, flags: METER };

/** The meter of the module: exact sums of values and weights, and the number of rows. */
function digitsOf(): BigInt64Array {
  return new BigInt64Array(load().buffer, kernels().meter_end() >>> 0, 2 * SUM_LENGTH + 1);
}

/** The work of a worker: what the meter of its module has come to, for each turn. */
export const meterRows: TaskWork = (job, start, end, step: number, isStopped) => {
  const parts: BigInt64Array[] = [];
  const collect = () => void parts.push(digitsOf().slice());
  for (let first = start; first < end; first += step) {
    if (isStopped()) return undefined;
    runOwn(job, { ...ADD, collect }, first, Math.min(first + step, end));
  }
  return parts;
};

/**
 * The sums of a meter: they never change, so that a call that is stopped leaves a meter as it was.
 */
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

/** The losses that a {@link LossMeter} has seen, summed up. */
export interface MeterResult {
  /** The mean loss: `sum / denominator`, NaN where no row counts. */
  readonly mean: number;
  /** The sum of the losses of all rows. */
  readonly sum: number;
  /** The number of rows that count. */
  readonly rows: number;
  /**
   * The divisor of the mean: the criterion's `normalizer`, else what it says `'mean'` divides by,
   * over all that was seen.
   */
  readonly denominator: number;
  /** The number of rows with a loss that is NaN. If any has, so are sum and mean. */
  readonly nanRows: number;
  /**
   * The number of rows with an infinite loss. If any has, and none is NaN, sum and mean are
   * infinite.
   */
  readonly infiniteRows: number;
}

/** A {@link LossMeter} as JSON. */
export interface MeterState {
  /** The version of this form. Another is refused. */
  readonly version: 1;
  /** The name of the criterion's class. */
  readonly loss: LossName;
  /** The criterion's options. */
  readonly options: object;
  /** The losses, added up. */
  readonly values: ExactSumState;
  /** The divisor of the mean. */
  readonly denominator: ExactSumState;
  /** The number of rows that count. */
  readonly rows: number;
}

/** A {@link LossMeter} of any copy of this package. */
export interface AnyMeter {
  /** Sees a batch. */
  update(logits: Logits, targets: Targets, options?: MeterOptions): unknown;
  /** Everything there is to it. */
  toJSON(): MeterState;
}

/**
 * The loss of a validation set of any size, a batch at a time.
 *
 * The sum is exact: every loss, as the criterion computes it for its row, is added without
 * rounding, and only what `result` returns is rounded, once. So the parts of a set may be seen in
 * any order, in batches of any size, by several meters, on workers or other machines, and
 * {@link LossMeter.merge | merged} in any order: the result is the same, bit for bit.
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
   * A meter that has seen no rows.
   *
   * @param criterion - A loss of any entry of this package. Its `reduction` does not matter.
   * @throws TypeError for anything else.
   */
  constructor(criterion: AnyCriterion) {
    this.#loss = nameOf(criterion);
    this.#criterion = makeSum(this.#loss, optionsIn(criterion, this.#loss));
  }

  /**
   * Sees a batch. One that is refused leaves the meter as it was.
   *
   * With a `pool` its workers compute, and a promise is returned: of the same meter, once it has
   * seen the batch, whose arrays must stay as they are until then. The result is the same, bit for
   * bit. Several such calls may be under way on a meter.
   *
   * @param logits - `[rows, classes]`, row-major.
   * @param targets - What the rows are, as the criterion's `forward` takes them.
   * @throws TypeError or RangeError where `forward` throws one.
   */
  update(logits: Logits, targets: Targets, options: PooledMeterOptions): Promise<this>;
  update(logits: Logits, targets: Targets, options?: MeterOptions): this;
  update(
    logits: Logits,
    targets: Targets,
    options: MeterOptions | PooledMeterOptions = {},
  ): this | Promise<this> {
    const pooled = pooledOf(options, OPTIONS);
    if (pooled !== undefined) return this.#updateOn(pooled, logits, targets);
    let batch = NOTHING;
    const collect = ({ form }: Batch) => {
      batch = this.#seenOf(digitsOf(), (form.flags & SOFT) !== 0);
    };
    evaluate(specOf(this.#criterion), { ...ADD, collect }, logits, targets, options);
    this.#seen = merged(this.#seen, batch);
    return this;
  }

  async #updateOn(
    { pool, signal, options }: Pooled<MeterOptions>,
    logits: Logits,
    targets: Targets,
  ): Promise<this> {
    const { job } = plan(specOf(this.#criterion), ADD, logits, targets, options);
    const unit = wholeRows(job.width);
    const isSoft = job.form === 'probabilities';
    let seen = NOTHING;
    const isDone = await pool[RUN_TASK](
      {
        job,
        task: { name: 'loss', data: Math.ceil(TURN / job.width / unit) * unit },
        unit,
        entries: job.rows * job.width,
        take: (parts) => {
          for (const digits of parts as BigInt64Array[])
            seen = merged(seen, this.#seenOf(digits, isSoft));
        },
      },
      signal,
    );
    if (!isDone) return this.update(logits, targets, options);
    this.#seen = merged(this.#seen, seen);
    return this;
  }

  /** The content of the meter of a module. */
  #seenOf(digits: BigInt64Array, isSoft: boolean): Seen {
    const rows = Number(digits[2 * SUM_LENGTH]);
    const isWeighted = this.#isWeighted && !isSoft;
    const denominator = isWeighted
      ? ExactSum.ofDigits(digits, SUM_LENGTH)
      : ExactSum.ofInteger(rows);
    return { values: ExactSum.ofDigits(digits, 0), denominator, rows };
  }

  /**
   * Adds what another meter has seen. Where that is of another copy of this package, it goes
   * through JSON.
   *
   * @throws TypeError where it is none, or one for a loss with other options, which the error
   *   names.
   */
  merge(other: AnyMeter): this {
    const meter = toMeter(other);
    const differences = this.#differences(meter);
    if (differences !== '') throw new TypeError(`other must be for the same loss: ${differences}`);
    const seen = merged(this.#seen, meter.#seen);
    if (!Number.isSafeInteger(seen.rows)) {
      throw new RangeError(`other has ${meter.#seen.rows} rows, more than can be counted here`);
    }
    this.#seen = seen;
    return this;
  }

  /** The result over all that was seen. */
  result(): MeterResult {
    const { values, rows, denominator: counted } = this.#seen;
    const sum = values.toNumber();
    const denominator = this.#criterion.normalizer ?? counted.toNumber();
    return withText(
      {
        mean: sum / denominator,
        sum,
        rows,
        denominator,
        nanRows: values.nan,
        infiniteRows: values.infinite,
      },
      figuresText,
    );
  }

  /** The rows so far and their loss, as `console.log` prints them in Node.js, Deno and Bun. */
  toString(): string {
    return `LossMeter of ${this.#loss}\n${this.result()}`;
  }

  /** @internal */
  [INSPECT](): string {
    return this.toString();
  }

  /** Everything there is to the meter, its criterion included. Nothing is lost. */
  toJSON(): MeterState {
    const { values, denominator, rows } = this.#seen;
    return {
      version: VERSION,
      loss: this.#loss,
      options: { ...this.#criterion },
      values: values.toJSON(),
      denominator: denominator.toJSON(),
      rows,
    };
  }

  /**
   * The meter that became this JSON. What comes from elsewhere is checked: the meter that is
   * returned is one that could have been.
   *
   * @throws TypeError or RangeError for what never was one, or was one of a version with another
   *   form. It names the field.
   */
  static fromJSON(state: MeterState): LossMeter {
    const record = checkRecord('state', 'what LossMeter.toJSON returned', state);
    checkVersion(record, VERSION);
    const loss = checkLoss(field('state', record, 'loss'));
    const meter = create(restore(loss, field('state', record, 'options')));
    const rows = checkCount('state.rows', field('state', record, 'rows'));
    const losses = { terms: rows, least: 0, most: Number.MAX_VALUE, allFinite: false };
    const values = ExactSum.from('state.values', field('state', record, 'values'), losses);
    const weights = field('state', record, 'denominator');
    const denominator = ExactSum.from('state.denominator', weights, meter.#weightsOf(rows));
    meter.#seen = { values, denominator, rows };
    return meter;
  }

  get #isWeighted(): boolean {
    return this.#weight !== null;
  }

  /** The weights of the classes, of a loss that has such. */
  get #weight(): readonly number[] | null {
    const { weight } = this.#criterion as { weight?: readonly number[] | null };
    return said(this.#criterion, 'weight', weight, null);
  }

  /**
   * The terms that so many rows add to the denominator, in either type of logits: a row of
   * probabilities always adds 1.
   */
  #weightsOf(rows: number): Terms {
    let [least, most] = [1, 1];
    for (const entry of this.#weight ?? []) {
      const single = Math.fround(entry);
      least = Math.min(least, entry, single);
      most = Math.max(most, entry, single === Infinity ? 0 : single);
    }
    return { terms: rows, least, most, allFinite: Math.fround(most) < Infinity };
  }

  /** In what the loss of another meter differs; nothing where it is the same. */
  #differences(other: LossMeter): string {
    if (other.#loss !== this.#loss)
      return `it is for a ${other.#loss}, this one for a ${this.#loss}`;
    const theirs: object = other.#criterion;
    return Object.entries(this.#criterion)
      .flatMap(([name, ours]) =>
        differencesOf(name, ours, (theirs as Record<string, unknown>)[name]),
      )
      .join('; ');
  }
}

// Kept out of the class: one that names itself is given another name when it is bundled.

function create(criterion: AnyCriterion): LossMeter {
  return new LossMeter(criterion);
}

/** A meter of this copy of the package. */
function toMeter(meter: AnyMeter): LossMeter {
  if (meter instanceof LossMeter) return meter;
  const isForeign =
    typeof meter === 'object' &&
    meter !== null &&
    typeof meter.toJSON === 'function' &&
    'update' in meter;
  if (isForeign) return LossMeter.fromJSON(meter.toJSON());
  throw wrongType(
    'other',
    'a LossMeter (LossMeter.fromJSON makes one of what toJSON returned)',
    meter,
  );
}

const VERSION = 1;

function checkLoss(loss: unknown): LossName {
  if (isLossName(loss)) return loss;
  throw wrongType(
    'state.loss',
    'the name of a loss',
    typeof loss === 'string' ? loss.slice(0, 40) : loss,
  );
}

/** The loss with options that became JSON, of which all that have a value must be there. */
function restore(loss: LossName, options: unknown): Criterion<'sum'> {
  const given = checkRecord('state.options', 'the options of a loss', options);
  let criterion: Criterion<'sum'>;
  try {
    criterion = makeSum(loss, given);
  } catch (error) {
    if (error instanceof Error) error.message = `state.options: ${error.message}`;
    throw error;
  }
  for (const [name, value] of Object.entries(criterion))
    if (value !== undefined) field('state.options', given, name);
  const { reduction } = given as { reduction?: unknown };
  if (reduction !== 'sum') throw wrongType('state.options.reduction', "'sum'", reduction);
  return criterion;
}

/**
 * The difference of two losses in an option: where both have as many entries, the first that does.
 */
function differencesOf(name: string, ours: unknown, theirs: unknown): string[] {
  if (JSON.stringify(ours) === JSON.stringify(theirs)) return [];
  if (!(Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length)) {
    return [`its ${name} is ${textOf(theirs)}, here ${textOf(ours)}`];
  }
  const j = ours.findIndex((entry, j) => entry !== theirs[j]);
  return [`its ${name}[${j}] is ${textOf(theirs[j])}, here ${textOf(ours[j])}`];
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? `an array of ${value.length}` : show(value);
}
