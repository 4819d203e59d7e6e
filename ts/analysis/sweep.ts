import { lengthOf, type NumberArray, part } from '../arrays.js';
import type { ClassIndices, FloatArray } from '../types.js';
import {
  checkAlpha,
  checkGiven,
  checkIgnoreIndex,
  checkLabelSmoothing,
  checkLength,
  checkLogits,
  checkNormalizer,
  checkNumClasses,
  checkOneGamma,
  checkOptionNames,
  checkPerRow,
  checkSameShape,
  checkSampleWeights,
  checkShape,
  checkTargets,
  isFloats,
  wrongType,
} from '../validate.js';
import { type Alpha, type Axes, SweepFormula } from './sweep-formula.js';
import { type Logits, opened, type Targets } from './tensors.js';

/** One setting of a {@link sweep}, and what it gives. */
export interface SweepRow {
  /** The weight of class 1, the weights of all classes, or `null`. */
  readonly alpha: number | readonly number[] | null;
  /** The exponent of the focusing factor. */
  readonly gamma: number;
  /** How far targets are drawn towards the uniform distribution. */
  readonly labelSmoothing: number;
  /** The loss of the batch, as a `FocalLoss` of these options has it. */
  readonly loss: number;
  /** What `metric` made of the setting. */
  readonly metric: number | undefined;
}

/** What a {@link sweep} returns. */
export interface SweepTable {
  /** Each setting once: `labelSmoothing` changes from row to row, then `gamma`, and `alpha` last. */
  readonly rows: readonly SweepRow[];
  /** The losses of all rows. */
  readonly losses: Float64Array<ArrayBuffer>;
  /** How many rows of the batch count. */
  readonly count: number;
  /**
   * The row with the largest metric, the first of equal ones; `undefined` without a metric, or where it is never a number. There is no
   * best by loss: the loss falls with gamma whatever the logits are.
   */
  readonly best: SweepRow | undefined;
}

/** A setting, before anybody has judged it. */
export type SweepSetting = Omit<SweepRow, 'metric'>;

/** Options of {@link sweep}. */
export interface SweepOptions {
  /**
   * What `alpha` is to be, as a `FocalLoss` takes it: numbers, arrays of one weight per class, `null`.
   *
   * @defaultValue [0.25]
   */
  alpha?: ArrayLike<number | ArrayLike<number> | null> | undefined;
  /**
   * What `gamma` is to be.
   *
   * @defaultValue [2]
   */
  gamma?: ArrayLike<number> | undefined;
  /**
   * What `labelSmoothing` is to be.
   *
   * @defaultValue [0]
   */
  labelSmoothing?: ArrayLike<number> | undefined;
  /**
   * `'mean'` divides by the number of rows that count, `'sum'` by nothing.
   *
   * @defaultValue 'mean'
   */
  reduction?: 'mean' | 'sum' | undefined;
  /** What `'mean'` divides by instead. */
  normalizer?: number | undefined;
  /** The target of the rows that do not count: any integer. Only for class indices. */
  ignoreIndex?: number | undefined;
  /** The number of classes. Without it, it is `logits.length / targets.length`. */
  numClasses?: number | undefined;
  /** One weight per row: any float array of finite numbers that are not negative. */
  sampleWeights?: FloatArray | undefined;
  /**
   * Says how good a setting is, the larger the better: a score on held-out data, say, of a model trained with it. It is called for
   * each setting, in the order of the rows.
   */
  metric?: ((setting: SweepSetting) => number) | undefined;
}

/** Options of {@link sweepAsync}. */
export interface SweepAsyncOptions extends Omit<SweepOptions, 'metric'> {
  /** Says how good a setting is, as that of {@link SweepOptions}, or promises to. The next is not called before. */
  metric?: ((setting: SweepSetting) => number | PromiseLike<number>) | undefined;
  /** Aborts the sweep: the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Told how far the sweep is, in rows of the batch, each time some have been computed. */
  onProgress?: ((done: number, rows: number) => void) | undefined;
}

const OPTIONS: readonly (keyof SweepOptions)[] = [
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

const ASYNC_OPTIONS: readonly (keyof SweepAsyncOptions)[] = [...OPTIONS, 'signal', 'onProgress'];

/** Logits that are looked at before others get their turn: a hundredth of a second or so. */
const TURN = 2 ** 19;

/**
 * The focal loss of a batch for every combination of some `alpha`, `gamma` and `labelSmoothing`: what as many losses would give, each to
 * within the accuracy of the losses, from one softmax of each row.
 *
 * The setting with the smallest loss is not the best one. The loss always falls as `gamma` grows, and it falls with the
 * weights: 0.02 with one setting says nothing against 0.05 with another. Train with each and compare what does not depend on the
 * setting, such as the F1 score on held-out rows: that is what `metric` is for.
 *
 * @param logits - `[rows, classes]`, row-major; or a tensor that holds them.
 * @param targets - The class of each row, or with `numClasses` one probability per class.
 *
 * @example
 * ```ts
 * import { sweep } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]);
 * const targets = new Uint8Array([0, 1, 1]);
 * const { rows } = sweep(logits, targets, { alpha: [0.25, 0.75], gamma: [0.5, 2], labelSmoothing: [0, 0.1] });
 * rows.length; // => 8
 * rows[2].gamma; // => 2
 * rows[2].loss; // => 0.014456063646326968
 * ```
 */
export function sweep(logits: Logits, targets: Targets, options: SweepOptions = {}): SweepTable {
  checkOptionNames(options, OPTIONS);
  const work = prepare(logits, targets, options);
  work.formula.add(work.logits, work.targets, work.batch);
  const settings = settingsOf(work);
  const { metric } = options;
  return tableOf(
    work,
    settings,
    metric === undefined ? undefined : settings.map((setting) => checkMetric(metric(setting))),
  );
}

/**
 * A {@link sweep} that lets others have their turn every hundredth of a second, says how far it is, and can be aborted. The results are
 * the same, bit for bit. The arrays must stay as they are until the promise is settled.
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
  checkOptionNames(options, ASYNC_OPTIONS);
  const { metric, signal, onProgress } = options;
  const work = prepare(logits, targets, options);
  signal?.throwIfAborted();
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

/** A sweep, checked as far as can be before the targets are looked at. */
interface Work {
  readonly logits: FloatArray;
  readonly targets: ClassIndices | FloatArray;
  readonly axes: Axes;
  readonly formula: SweepFormula;
  readonly rows: number;
  readonly classes: number;
  readonly normalizer: number | undefined;
  readonly batch: { readonly numClasses: number | undefined; readonly sampleWeights: FloatArray | undefined };
}

function prepare(givenLogits: Logits, givenTargets: Targets, given: Omit<SweepOptions, 'metric'>): Work {
  const { logits, targets, options } = opened(givenLogits, givenTargets, given);
  const { reduction = 'mean', sampleWeights } = options;
  const axes: Axes = {
    alpha: axis<ArrayLike<number> | number | null, Alpha>('alpha', options.alpha ?? [0.25], checkAlpha),
    gamma: axis('gamma', options.gamma ?? [2], checkOneGamma),
    labelSmoothing: axis('labelSmoothing', options.labelSmoothing ?? [0], checkLabelSmoothing),
  };
  if (reduction !== 'mean' && reduction !== 'sum') throw wrongType('reduction', "'mean' or 'sum'", reduction);
  const normalizer = checkNormalizer(options.normalizer);
  const numClasses = checkNumClasses(options.numClasses, 2);
  const formula = new SweepFormula(axes, { numClasses, ignoreIndex: checkIgnoreIndex(options.ignoreIndex) });
  const { rows, classes } = checkBatch(logits, targets, numClasses);
  if (sampleWeights !== undefined) {
    checkSampleWeights(sampleWeights);
    checkPerRow('sampleWeights', sampleWeights, rows);
  }
  return {
    logits,
    targets,
    axes,
    formula,
    rows,
    classes,
    normalizer: reduction === 'sum' ? 1 : normalizer,
    batch: { numClasses, sampleWeights },
  };
}

function axis<T, U>(name: string, entries: ArrayLike<T>, check: (entry: T) => U): readonly U[] {
  if (typeof entries !== 'object' || entries === null || typeof entries.length !== 'number') {
    throw wrongType(name, 'an array of what it is to be', entries);
  }
  if (entries.length === 0) throw new RangeError(`${name} needs 1 entry or more, got 0`);
  return Array.from(entries, check);
}

/** The shape of the batch. */
function checkBatch(logits: FloatArray, targets: NumberArray, numClasses: number | undefined) {
  checkLogits(logits);
  const isSoft = isFloats(checkTargets(targets, false));
  const size = checkLength('logits', logits);
  const entries = checkLength('targets', targets);
  if (!isSoft) return { rows: entries, classes: checkShape(size, entries, numClasses) };
  const classes = checkGiven(numClasses, 'where targets are probabilities');
  return { rows: checkSameShape(size, entries, classes), classes };
}

/** Computes the batch in parts, and waits for `pause` between them, which is told how many rows are done, and behind the last. */
async function eachTurn(
  { logits, targets, formula, batch, rows, classes }: Work,
  pause: (done: number) => Promise<void>,
): Promise<void> {
  const { sampleWeights } = batch;
  const perRow = lengthOf(targets) === rows ? 1 : classes;
  // Sums are kept a row in four, or in two, so that parts must have a multiple of that; and an empty batch is one part.
  const step = Math.max(4, Math.floor(TURN / Math.max(classes, 1)) & ~3);
  for (let start = 0; start === 0 || start < rows; start += step) {
    const count = Math.min(step, rows - start);
    checkLength('logits', logits);
    checkLength('targets', targets);
    const weights = sampleWeights && part(sampleWeights, start, count);
    formula.add(part(logits, start * classes, count * classes), part(targets, start * perRow, count * perRow), {
      ...batch,
      sampleWeights: weights,
    });
    await pause(start + count);
  }
}

/** What a metric may be: any number, also NaN. */
function checkMetric(metric: number): number {
  if (typeof metric !== 'number') throw wrongType('metric', 'a function that returns a number', metric);
  return metric;
}

/** All settings, with their losses. */
function settingsOf({ axes, formula, normalizer }: Work): SweepSetting[] {
  const denominator = normalizer ?? formula.rows;
  return axes.alpha.flatMap((alpha, i) =>
    axes.gamma.flatMap((gamma, j) =>
      axes.labelSmoothing.map((labelSmoothing, k) => ({
        alpha,
        gamma,
        labelSmoothing,
        loss: formula.sumOf(i, j, k) / denominator,
      })),
    ),
  );
}

function tableOf({ formula }: Work, settings: SweepSetting[], metrics: number[] | undefined): SweepTable {
  const rows = settings.map((setting, i): SweepRow => ({ ...setting, metric: metrics?.[i] }));
  let best: SweepRow | undefined;
  for (const row of rows) {
    if (row.metric !== undefined && row.metric > (best?.metric ?? Number.NEGATIVE_INFINITY)) best = row;
  }
  return { rows, losses: Float64Array.from(rows, ({ loss }) => loss), count: formula.rows, best };
}
