import type { NumberArray } from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../../arrays/types.js';
import type { Job } from '../../call/blocks.js';
import {
  checkAlpha,
  checkColumnAlpha,
  checkGiven,
  checkIgnoreIndex,
  checkLength,
  checkLogits,
  checkNormalizer,
  checkNotNegative,
  checkNumClasses,
  checkOptions,
  checkPerElement,
  checkPerRow,
  checkSameShape,
  checkSampleWeights,
  checkShape,
  checkShare,
  checkTargets,
  isFloats,
  outOfRange,
  wrongType,
} from '../../call/checks.js';
import { floatsOf } from '../../call/plain-arrays.js';
import { FocalLoss } from '../../losses/focal.js';
import { SigmoidFocalLoss } from '../../losses/sigmoid-focal.js';
import { someLeaveFloat32 } from '../../module/tile.js';
import { type AnyCriterion, sumOf, wrongLoss } from '../criteria/own-criterion.js';
import {
  type AnyPool,
  checkPool,
  type PoolSignal,
  RUN_TASK,
  type Sharded,
  type TaskWork,
} from '../rows/pooled.js';
import { lookLikeProbabilities, PROBABILITIES_NOTICE } from '../rows/probability-watch.js';
import { isSingleColumn } from '../rows/rows.js';
import { withText } from '../rows/table.js';
import { type Logits, opened, type Targets } from '../rows/tensors.js';
import { checkFunction, checkTurnOptions, type Signal, TURN } from '../rows/turns.js';
import type { SweepRow, SweepTable } from './result.js';
import { type Axes, type SweptLoss, SweptSums, sweptRows } from './swept-sums.js';
import { sweepText } from './text.js';

/** A setting, before anybody has judged it. */
export type SweepSetting = Omit<SweepRow, 'metric'>;

/** Options of {@link sweep}. */
export interface SweepOptions {
  /**
   * The loss that is swept: a `FocalLoss` that focuses on `'smoothed'` with the channels last, or a
   * `SigmoidFocalLoss` for yes-or-no and multi-label logits; of any entry of this package. What it
   * was made with holds for whatever is not said here. Only its `reduction` does not matter.
   *
   * @defaultValue `new FocalLoss()`; where there is one logit per row, `new SigmoidFocalLoss()`
   */
  criterion?: AnyCriterion | undefined;
  /**
   * The values of `alpha`, as the loss takes it: one, or an array of several, each a number, an
   * array of one weight per class, or `null`. In all, there may be 1 048 576 settings.
   *
   * @defaultValue that of the criterion, 0.25
   */
  alpha?: number | null | ArrayLike<number | ArrayLike<number> | null> | undefined;
  /**
   * The values of `gamma`: one, or an array of several.
   *
   * @defaultValue that of the criterion, 2
   */
  gamma?: number | ArrayLike<number> | undefined;
  /**
   * The values of `labelSmoothing`: one, or an array of several.
   *
   * @defaultValue that of the criterion, 0
   */
  labelSmoothing?: number | ArrayLike<number> | undefined;
  /**
   * `'mean'` divides by the number of rows that count, `'sum'` by nothing.
   *
   * @defaultValue 'mean'
   */
  reduction?: 'mean' | 'sum' | undefined;
  /** The number that `'mean'` divides by instead. */
  normalizer?: number | undefined;
  /**
   * The target of the rows that do not count: any integer. Only for class indices, and yes-or-no
   * targets.
   */
  ignoreIndex?: number | undefined;
  /**
   * The number of classes. Without it, it is `logits.length / targets.length`, unless the criterion
   * says. 1, or as many class indices as logits, is for one logit per row: yes or no.
   */
  numClasses?: number | undefined;
  /** One weight per row: a float array, or a plain one, of finite numbers that are not negative. */
  sampleWeights?: FloatArray | readonly number[] | undefined;
  /**
   * Says how good a setting is, the larger the better: a score on held-out data, say, of a model
   * trained with it. It is called for each setting, in the order of the rows.
   */
  metric?: ((setting: SweepSetting) => number) | undefined;
}

/** Options of {@link sweepAsync}. */
export interface SweepAsyncOptions extends Omit<SweepOptions, 'metric'> {
  /**
   * Says how good a setting is, as that of {@link SweepOptions}, or promises to. The next is not
   * called before.
   */
  metric?: ((setting: SweepSetting) => number | PromiseLike<number>) | undefined;
  /** Aborts the sweep: the promise is rejected with the reason of the `AbortSignal`. */
  signal?: Signal | undefined;
  /** Told how far the sweep is, in rows of the batch, each time some have been computed. */
  onProgress?: ((done: number, rows: number) => void) | undefined;
  /**
   * The workers that compute it: a pool of `createPool`, of `focal-loss/pool`.
   *
   * @defaultValue none: the calling thread does, in turns
   */
  pool?: AnyPool | undefined;
}

const OPTIONS: readonly (keyof SweepOptions)[] = [
  'criterion',
  'alpha',
  'gamma',
  'labelSmoothing',
  'reduction',
  'normalizer',
  'ignoreIndex',
  'numClasses',
  'sampleWeights',
  'metric',
];

/** The most settings that there may be. */
const MOST_SETTINGS = 2 ** 20;

/** The options of an asynchronous sweep, but for `pool`. */
export const SWEEP_ASYNC_OPTIONS: readonly (keyof SweepAsyncOptions)[] = [
  ...OPTIONS,
  'signal',
  'onProgress',
];

/** Fewer rows in a turn would spend it on other things. */
const FEWEST_ROWS = 64;

/**
 * The focal loss of a batch for every combination of some `alpha`, `gamma` and `labelSmoothing`:
 * what as many losses would give, each to within the accuracy of the losses, from one softmax of
 * each row.
 *
 * The setting with the smallest loss is not the best one. The loss always falls as `gamma` grows,
 * and it falls with the weights: 0.02 with one setting says nothing against 0.05 with another.
 * Train with each and compare what does not depend on the setting, such as the F1 score on held-out
 * rows: that is what `metric` is for.
 *
 * @param logits - `[rows, classes]`, row-major; or a tensor that holds them.
 * @param targets - The class of each row, or with `numClasses` one probability per class; for a
 *   `SigmoidFocalLoss` one per logit.
 * @throws TypeError or RangeError as the losses do, and RangeError for more than 1 048 576
 *   settings.
 *
 * @example
 * ```ts
 * import { sweep } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]);
 * const targets = new Uint8Array([0, 1, 1]);
 * const { rows } = sweep(logits, targets, {
 *   alpha: [0.25, 0.75], gamma: [0.5, 2], labelSmoothing: [0, 0.1],
 * });
 * rows.length; // => 8
 * rows[2].gamma; // => 2
 * rows[2].loss; // => 0.014456063646326968
 * ```
 *
 * Rows of several labels, each a yes or no:
 *
 * ```ts
 * import { SigmoidFocalLoss, sweep } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([2, -1, 0.5, -3]); // two rows of two labels
 * const targets = new Uint8Array([1, 0, 0, 1]);
 * const criterion = new SigmoidFocalLoss({ posWeight: 2 });
 * const { rows } = sweep(logits, targets, { criterion, gamma: [0, 2] });
 * rows[1].loss; // => 0.4210235614265399
 * ```
 */
export function sweep(logits: Logits, targets: Targets, options: SweepOptions = {}): SweepTable {
  const given = checkOptions(options, OPTIONS);
  const { metric } = given;
  checkFunction('metric', metric, 'a function that returns a number');
  const work = prepare(logits, targets, given);
  work.sums.add(work.job, 0, work.job.rows, work.block);
  const settings = settingsOf(work);
  if (metric === undefined) return tableOf(work, settings, undefined);
  const metrics: number[] = [];
  for (const setting of settings) metrics.push(checkMetric(metric(setting)));
  return tableOf(work, settings, metrics);
}

/**
 * A {@link sweep} that lets others have their turn every hundredth of a second, says how far it is,
 * and can be aborted. The results are the same, bit for bit. The arrays must stay as they are until
 * the promise is settled.
 *
 * @example
 * ```ts
 * import { sweepAsync } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]);
 * const targets = new Uint8Array([0, 1, 1]);
 * const scores = [0.7, 0.9, 0.8];
 * const { best } = await sweepAsync(logits, targets, {
 *   gamma: [0.5, 1, 2],
 *   metric: async ({ gamma }) => scores[[0.5, 1, 2].indexOf(gamma)],
 *   signal: AbortSignal.timeout(10_000),
 * });
 * best?.gamma; // => 1
 * ```
 */
export async function sweepAsync(
  logits: Logits,
  targets: Targets,
  options: SweepAsyncOptions = {},
): Promise<SweepTable> {
  const given = checkOptions(options, [...SWEEP_ASYNC_OPTIONS, 'pool']);
  const { metric, signal, onProgress } = given;
  checkFunction('metric', metric, 'a function that returns a number, or a promise of one');
  checkTurnOptions({ signal, onProgress });
  const pool = given.pool === undefined ? undefined : checkPool(given.pool);
  const work = prepare(logits, targets, given);
  signal?.throwIfAborted();
  const isDone = pool !== undefined && (await onPool(pool, work, given));
  if (!isDone)
    await eachTurn(work, async (done) => {
      onProgress?.(done, work.rows);
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
    });
  const settings = settingsOf(work);
  if (metric === undefined) return tableOf(work, settings, undefined);
  const metrics: number[] = [];
  for (const setting of settings) {
    metrics.push(checkMetric(await metric(setting)));
    signal?.throwIfAborted();
  }
  return tableOf(work, settings, metrics);
}

/** Has workers compute a sweep. Returns whether they did. */
async function onPool(
  pool: ReturnType<typeof checkPool>,
  work: Work,
  { signal, onProgress }: SweepAsyncOptions,
): Promise<boolean> {
  const { job, axes, loss, sums, block, rows } = work;
  const step = rowsOfTurn(work) * (job.rows / Math.max(rows, 1));
  let done = 0;
  const data: SweepData = { axes, loss, block, step };
  const sharded = {
    job,
    task: { name: 'sweep', data },
    unit: block,
    entries: rows * (work.width + sums.cost),
    take: (blocks: Float64Array[]) => {
      for (const totals of blocks) sums.addBlock(totals);
      done = Math.min(done + (blocks.length * block * rows) / job.rows, rows);
      onProgress?.(done, rows);
    },
  } as const;
  return pool[RUN_TASK](sharded as Sharded, signal as PoolSignal | undefined);
}

/** The rest of what a worker has to know of a sweep. */
interface SweepData {
  readonly axes: Axes;
  readonly loss: SweptLoss;
  /** The rows of a block. */
  readonly block: number;
  /** The rows that are computed before it is asked whether they are still wanted. */
  readonly step: number;
}

/** The work of a worker: the sums of each block of some rows. */
export const sweepBlocks: TaskWork = (job, start, end, data: SweepData, isStopped) => {
  const { axes, loss, block, step } = data;
  const sums = new SweptSums(axes, loss);
  const blocks: Float64Array[] = [];
  for (let first = start; first < end; first += block) {
    const last = Math.min(first + block, end);
    for (let from = first; from < last; from += step) {
      if (isStopped()) return undefined;
      sums.addWithin(job, from, Math.min(from + step, last));
    }
    blocks.push(sums.takeBlock());
  }
  return blocks;
};

/** A sweep, checked as far as can be before the targets are looked at. */
interface Work {
  readonly job: Job;
  readonly axes: Axes;
  readonly loss: SweptLoss;
  readonly sums: SweptSums;
  /** The rows of the job that make a block. */
  readonly block: number;
  readonly rows: number;
  /** Logits of a row. */
  readonly width: number;
  /** True where each of them has a target of its own. */
  readonly isElementwise: boolean;
  readonly normalizer: number | undefined;
}

function prepare(
  givenLogits: Logits,
  givenTargets: Targets,
  given: Omit<SweepOptions, 'metric'>,
): Work {
  const criterion = given.criterion === undefined ? undefined : checkSwept(given.criterion);
  const open = { ...given, numClasses: given.numClasses ?? criterion?.numClasses };
  const columns = criterion instanceof SigmoidFocalLoss || open.numClasses === 1 ? 1 : 0;
  const { logits, targets, options } = opened(givenLogits, givenTargets, open, undefined, columns);
  const loss = criterion ?? defaultLoss(logits, targets, options.numClasses);
  const sampleWeights = floatsOf('sampleWeights', options.sampleWeights);
  const elementwise = loss instanceof SigmoidFocalLoss;
  const axes = checkAxes(options, loss);
  const normalizer = normalizerOf(options, loss);
  const numClasses = checkNumClasses(options.numClasses, elementwise ? 1 : 2);
  const { rows, width } = checkBatch(logits, targets, numClasses, elementwise);
  if (sampleWeights !== undefined)
    checkRowWeights(sampleWeights, rows, elementwise ? rows * width : rows);
  const swept = {
    elementwise,
    posWeight: elementwise ? loss.posWeight : 1,
    numClasses,
    ignoreIndex: checkIgnoreIndex(options.ignoreIndex ?? loss.ignoreIndex),
    isWide: sampleWeights !== undefined && someLeaveFloat32(sampleWeights),
  };
  const sums = new SweptSums(axes, swept);
  return {
    job: sums.plan(logits, targets, { numClasses, sampleWeights }),
    axes,
    loss: swept,
    sums,
    block: sweptRows(rows, width) * (elementwise ? width : 1),
    rows,
    width,
    isElementwise: elementwise,
    normalizer,
  };
}

/** The number that the sums are divided by, where it is not the number of rows. */
function normalizerOf(
  { reduction = 'mean', normalizer }: Omit<SweepOptions, 'metric'>,
  loss: FocalLoss | SigmoidFocalLoss,
): number | undefined {
  if (reduction !== 'mean' && reduction !== 'sum')
    throw wrongType('reduction', "'mean' or 'sum'", reduction);
  const divisor = checkNormalizer(normalizer ?? loss.normalizer);
  return reduction === 'sum' ? 1 : divisor;
}

/** The loss to sweep, of the classes of this entry. */
function checkSwept(criterion: AnyCriterion): FocalLoss | SigmoidFocalLoss {
  const loss = sumOf(criterion);
  if (loss instanceof SigmoidFocalLoss) return loss;
  if (!(loss instanceof FocalLoss))
    throw wrongLoss('criterion', 'a FocalLoss or a SigmoidFocalLoss', criterion);
  const { focusOn, layout } = loss;
  if (focusOn !== 'smoothed') throw wrongType('criterion.focusOn', "'smoothed'", focusOn);
  if (layout !== 'channels-last') throw wrongType('criterion.layout', "'channels-last'", layout);
  return loss;
}

function defaultLoss(
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  numClasses: number | undefined,
) {
  return isSingleColumn(logits, targets, numClasses) ? new SigmoidFocalLoss() : new FocalLoss();
}

/** The values of each option: of those that are not given, those of the loss. */
function checkAxes(
  options: Omit<SweepOptions, 'metric'>,
  loss: FocalLoss | SigmoidFocalLoss,
): Axes {
  const {
    alpha = [loss.alpha],
    gamma = loss.gamma,
    labelSmoothing = loss.labelSmoothing,
  } = options;
  if (options.gamma === undefined && typeof gamma !== 'number')
    throw wrongType('criterion.gamma', 'a number', gamma);
  const axes = [
    axis('alpha', alpha),
    axis('gamma', gamma),
    axis('labelSmoothing', labelSmoothing),
  ] as const;
  const settings = axes.reduce((product, { length }) => product * length, 1);
  if (settings > MOST_SETTINGS)
    throw outOfRange(
      'alpha, gamma and labelSmoothing',
      `at most ${MOST_SETTINGS} settings`,
      settings,
    );
  const checkTable = loss instanceof SigmoidFocalLoss ? checkColumnAlpha : checkAlpha;
  const checkOne = (name: string, entry: unknown) => {
    if (typeof entry !== 'number') return checkTable(entry as ArrayLike<number> | null);
    if (entry >= 0 && entry <= 1) return entry + 0;
    throw outOfRange(name, 'in [0, 1] (weights of the classes are an array of their own)', entry);
  };
  return {
    alpha: checkEach('alpha', axes[0], checkOne),
    gamma: checkEach('gamma', axes[1], checkNotNegative),
    labelSmoothing: checkEach('labelSmoothing', axes[2], checkShare),
  };
}

/** The values of an option, one or several, none of which has been looked at. */
function axis(name: string, entries: unknown): ArrayLike<unknown> {
  if (typeof entries === 'number' || entries === null) return [entries];
  const { length } = typeof entries === 'object' ? (entries as Partial<ArrayLike<unknown>>) : {};
  if (typeof length !== 'number')
    throw wrongType(name, 'what it is to be, or an array of that', entries);
  if (!(length >= 1)) throw new RangeError(`${name} needs 1 entry or more, got ${length}`);
  return entries as ArrayLike<unknown>;
}

function checkEach<U>(
  name: string,
  entries: ArrayLike<unknown>,
  check: (name: string, entry: unknown) => U,
): U[] {
  return Array.from(entries, (entry, i) => check(`${name}[${i}]`, entry));
}

/** The shape of the batch. */
function checkBatch(
  logits: FloatArray,
  targets: NumberArray,
  numClasses: number | undefined,
  elementwise: boolean,
): { rows: number; width: number } {
  checkLogits(logits);
  const isSoft = isFloats(checkTargets(targets, elementwise));
  const size = checkLength('logits', logits);
  const entries = checkLength('targets', targets);
  if (elementwise)
    return { rows: checkSameShape(size, entries, numClasses), width: numClasses ?? 1 };
  if (!isSoft) return { rows: entries, width: checkShape(size, entries, numClasses) };
  const width = checkGiven(numClasses, 'where targets are probabilities');
  return { rows: checkSameShape(size, entries, width), width };
}

/** One weight per row, or per logit where these have targets of their own. */
function checkRowWeights(sampleWeights: FloatArray, rows: number, targets: number): void {
  checkSampleWeights(sampleWeights);
  if (targets === rows) checkPerRow('sampleWeights', sampleWeights, rows);
  else checkPerElement('sampleWeights', sampleWeights, targets, rows);
}

/**
 * Computes the batch in parts, and waits for `pause` between them, which is told how many rows are
 * done, and behind the last.
 */
async function eachTurn(work: Work, pause: (done: number) => Promise<void>): Promise<void> {
  const { job, sums, block, rows } = work;
  const step = rowsOfTurn(work);
  // An empty batch is one part.
  for (let start = 0; start === 0 || start < rows; start += step) {
    const end = Math.min(start + step, rows);
    checkLength('logits', job.logits);
    checkLength('targets', job.targets);
    const each = job.rows / Math.max(rows, 1);
    sums.add(job, start * each, end * each, block);
    await pause(end);
  }
}

/**
 * The rows of a turn. Sums are kept a row in four, or in two, so that parts must have a multiple of
 * that.
 */
function rowsOfTurn({ sums, width }: Work): number {
  const bySettings = Math.max(FEWEST_ROWS, Math.floor(TURN / sums.cost));
  return Math.max(4, Math.min(Math.floor(TURN / Math.max(width, 1)), bySettings) & ~3);
}

/** The value of a metric may be any number, also NaN. */
function checkMetric(metric: unknown): number {
  if (typeof metric === 'number') return metric;
  if (typeof (metric as PromiseLike<number> | null | undefined)?.then === 'function') {
    throw new TypeError('metric must return a number, got a promise: sweepAsync takes it');
  }
  throw wrongType('metric', 'a function that returns a number', metric);
}

/** All settings, with their losses. */
function settingsOf({ axes, sums, normalizer }: Work): SweepSetting[] {
  const denominator = normalizer ?? sums.rows;
  const settings: SweepSetting[] = [];
  for (const [i, alpha] of axes.alpha.entries()) {
    for (const [j, gamma] of axes.gamma.entries()) {
      for (const [k, labelSmoothing] of axes.labelSmoothing.entries()) {
        settings.push({ alpha, gamma, labelSmoothing, loss: sums.sumOf(i, j, k) / denominator });
      }
    }
  }
  return settings;
}

function tableOf(work: Work, settings: SweepSetting[], metrics: number[] | undefined): SweepTable {
  const rows = settings.map((setting, i): SweepRow => ({ ...setting, metric: metrics?.[i] }));
  let best: SweepRow | undefined;
  for (const row of rows) {
    if (row.metric !== undefined && row.metric > (best?.metric ?? Number.NEGATIVE_INFINITY))
      best = row;
  }
  const losses = Float64Array.from(rows, ({ loss }) => loss);
  const warning = warningOf(work);
  return withText({ rows, losses, count: work.sums.rows, best, warning }, sweepText);
}

/** The warning about logits that look like probabilities, if they do. */
function warningOf({ job: { logits }, rows, width, isElementwise }: Work): string | undefined {
  const labels = { length: isElementwise ? rows * width : rows };
  const form = isElementwise
    ? { classes: 2, isPaired: true, start: (k: number) => k - 1 }
    : { classes: width, isPaired: false, start: (k: number) => k * width };
  return lookLikeProbabilities({ logits, labels, stride: 1, ...form })
    ? PROBABILITIES_NOTICE
    : undefined;
}
