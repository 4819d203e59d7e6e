// Calls in parts: a batch is cut into blocks of rows, whose sums make up the total, so that parts
// of a call can be computed anywhere, in any order, to the bits of the whole.

import type { Logits, Targets } from '../arrays/tensor-types.js';
import { kindOf, type NumberArray } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import { TILE_ROWS, TOTAL_VALUES } from '../module/abi.js';
import { enter, leave } from '../module/gate.js';
import { loadNumbers, tileOf, totals } from '../module/tile.js';
import { clear } from './batch.js';
import {
  batch,
  type CallOptions,
  count,
  countOf,
  evaluate,
  leaves,
  lighten,
  needsCount,
  prepare,
} from './evaluate.js';
import { FORWARD, type Method } from './method.js';
import { clearSigns, flagsOf, runKernel } from './run.js';
import type { LossSpec } from './spec.js';
import { classIndices, elements, probabilities } from './target-forms.js';

const FORMS = { classIndices, probabilities, elements };

/** The name of a form of targets. */
export type FormName = keyof typeof FORMS;

/** The most rows of a block. */
const BLOCK_ROWS = 4096;

/** Logits of a block, if its rows can have as many. */
const BLOCK_LOGITS = 32 * 1024;

/** The fewest rows of a block. */
const FEWEST_ROWS = 4;

/**
 * Rows of a block of a batch whose rows have so many logits, or 1 for losses on elements: a power
 * of two. The kernels have the same function.
 */
export function blockRows(width: number): number {
  const rows = Math.min(Math.max(BLOCK_LOGITS / width, FEWEST_ROWS), BLOCK_ROWS);
  return 2 ** (31 - Math.clz32(rows));
}

/**
 * Rows of so many logits with as many of which blocks begin, whatever the loss: of losses on
 * elements as well. A power of two.
 */
export function wholeRows(width: number): number {
  // The lowest bit of the width: so many elements more does each row bring of a block's.
  const even = width & -width;
  return Math.max(blockRows(width), BLOCK_ROWS / Math.min(even, BLOCK_ROWS));
}

/** One of the passes over the rows that a call takes. */
export interface Pass {
  readonly wantsValue: boolean;
  readonly wantsGrad: boolean;
  /** True where it is in float64 whatever the logits are. */
  readonly isWide: boolean;
}

/** The fields of a call whose arguments have been checked: plain data, for any thread. */
export interface Job {
  readonly spec: LossSpec;
  readonly form: FormName;
  readonly logits: FloatArray;
  readonly targets: NumberArray;
  readonly sampleWeights: FloatArray | undefined;
  /** The upstream gradients of the rows. */
  readonly gradScales: FloatArray | undefined;
  /** Rows of the batch; for losses on elements, these. */
  readonly rows: number;
  /** Logits of a row. */
  readonly width: number;
  /** With the classes first, the rows of a sample, which lie side by side; otherwise 0. */
  readonly spatialSize: number;
  /** The number of rows that a sample weight is for. */
  readonly rowsPerWeight: number;
  readonly gradOutput: number;
  /** The number that the reduction divides by, over all rows. */
  readonly denominator: number;
  /** True where the weights of the classes are made lighter, as the denominator has been. */
  readonly isHeavy: boolean;
  /** One or, where only the gradient leaves float32, two. */
  readonly passes: readonly Pass[];
}

/** A call that is ready to be computed in parts. */
export interface Plan {
  readonly job: Job;
  /** True where all targets have been checked already. */
  readonly areChecked: boolean;
  /** The place that the caller has given for the gradient. */
  readonly buffer: FloatArray | undefined;
}

/**
 * Checks the arguments of a call, and counts its denominator where it has to be counted. Computes
 * and writes nothing.
 */
export function plan(
  spec: LossSpec,
  method: Method,
  logits: Logits,
  targets: Targets,
  options?: CallOptions,
): Plan {
  return evaluate(spec, method, logits, targets, options, planBatch);
}

function planBatch(
  spec: LossSpec,
  method: Method,
  gradOutput: number,
  normalizer: number | undefined,
  buffer: FloatArray | undefined,
): Plan {
  const { logits, targets, sampleWeights, gradScales, rows, width, spatialSize } = batch;
  const form = (Object.keys(FORMS) as FormName[]).find((name) => FORMS[name] === batch.form);
  const given = spec.reduction === 'mean' ? normalizer : 1;
  const room = prepare(spec, method, buffer);
  const areChecked = rows > 0 && needsCount(spec, given);
  const isHeavy = areChecked && count(spec, room);
  const denominator = areChecked ? countOf(spec) : (given ?? rows);
  const { wantsValue, wantsGrad } = method;
  const isWidened = leaves(method, gradOutput, denominator);
  const isWide = batch.tile.flags !== 0 || isWidened === true;
  return {
    job: {
      spec,
      form: form as FormName,
      logits,
      targets,
      sampleWeights,
      gradScales,
      rows,
      width,
      spatialSize,
      rowsPerWeight: batch.rowsPerWeight,
      gradOutput,
      denominator,
      isHeavy,
      passes:
        isWidened === undefined
          ? [
              { wantsValue: true, wantsGrad: false, isWide: false },
              { wantsValue: false, wantsGrad: true, isWide: true },
            ]
          : [{ wantsValue, wantsGrad, isWide }],
    },
    areChecked,
    buffer,
  };
}

/**
 * Computes the rows from `start`, where a block begins, up to `end`, where one ends or the batch
 * does. The sums of these blocks go to `partials`; values and gradients to the places of the rows
 * in `values` and `grad`, where they are given. Between blocks it asks whether it is to stop, and
 * returns false where it did.
 *
 * @throws RangeError for a target that is none.
 */
export function runBlocks(
  job: Job,
  start: number,
  end: number,
  partials: Float64Array,
  values: FloatArray | undefined,
  grad: FloatArray | undefined,
  isStopped = () => false,
): boolean {
  const { spec, gradOutput, denominator } = job;
  const length = blockRows(job.width);
  for (const pass of job.passes) {
    const valuesOfPass = pass.wantsValue && spec.reduction === 'none' ? values : undefined;
    const gradOfPass = pass.wantsGrad ? grad : undefined;
    const isDone = inBatch(job, pass, FORWARD, (capacity) => {
      loadNumbers(spec.numbers, pass.wantsGrad ? gradOutput : 1, denominator);
      for (let first = start; first < end; first += length) {
        if (isStopped()) return false;
        const last = Math.min(first + length, end);
        turnColumns(spec, first, last);
        runKernel(batch, spec, FORWARD, false, capacity, valuesOfPass, gradOfPass, first, last);
        if (pass.wantsValue) {
          partials[(first - start) / length] = totals()[TOTAL_VALUES] as number;
        }
      }
      clearSigns(batch, valuesOfPass, gradOfPass, start, end);
      return true;
    });
    if (!isDone) return false;
  }
  return true;
}

/**
 * Has the kernel of a method run over the rows from `start` on up to `end`, whose values it adds
 * up in a way of its own, and collects that. The job must be one for that method.
 *
 * @throws RangeError for a target that is none.
 */
export function runOwn(job: Job, method: Method, start: number, end: number): void {
  const { spec } = job;
  inBatch(job, job.passes[0] as Pass, method, (capacity) => {
    loadNumbers(spec.numbers, 1, 1);
    turnColumns(spec, start, end);
    runKernel(batch, spec, method, false, capacity, undefined, undefined, start, end);
    method.collect?.(batch);
  });
}

/**
 * The error of the synchronous call for the first target that is none, of the rows from `start` on
 * up to `end`; `undefined` where all are such.
 */
export function invalidTarget(job: Job, start: number, end: number): Error | undefined {
  let error: Error | undefined;
  for (const pass of job.passes) {
    error ??= inBatch(job, pass, FORWARD, (capacity) => {
      const { form } = batch;
      const step = form === classIndices ? TILE_ROWS : capacity;
      const flags = flagsOf(batch, undefined);
      for (let first = start; first < end; first += step) {
        const rows = Math.min(step, end - first);
        const row = form.findInvalid(batch, form.load(batch, first, rows), rows, flags);
        if (row !== -1) return form.error(batch, first + row);
      }
      return undefined;
    });
  }
  return error;
}

/** Throws that error where there is one. */
export function checkValid(job: Job, start: number, end: number): void {
  const error = invalidTarget(job, start, end);
  if (error !== undefined) throw error;
}

/** The value of a call: the sums of all its blocks, added up in their order as the kernels do. */
export function reduce(partials: Float64Array, denominator: number): number {
  let sum = 0;
  // What each addition rounds off (Knuth's two-sum).
  let lost = 0;
  for (const partial of partials) {
    const next = sum + partial;
    const added = next - sum;
    lost += sum - (next - added) + (partial - added);
    sum = next;
  }
  return (Number.isFinite(sum) ? sum + lost : sum) / denominator;
}

/** Calls `run` in the module, with a pass of the job for the batch, and how many rows fit it. */
function inBatch<T>(job: Job, { isWide }: Pass, method: Method, run: (capacity: number) => T): T {
  enter();
  try {
    const { spec, logits, targets } = job;
    batch.form = FORMS[job.form];
    batch.logits = logits;
    batch.logitsKind = kindOf(logits) as string;
    batch.targets = targets;
    batch.targetsKind = kindOf(targets) as string;
    batch.tile = tileOf(isWide ? 'Float64Array' : batch.logitsKind);
    batch.logitsAddress = batch.targetsAddress = batch.gradAddress = 0;
    batch.rows = job.rows;
    batch.width = job.width;
    batch.spatialSize = job.spatialSize;
    batch.sampleWeights = job.sampleWeights;
    batch.rowsPerWeight = job.rowsPerWeight;
    batch.gradScales = job.gradScales;
    batch.ignoreIndex = spec.ignoreIndex;
    const capacity = prepare(spec, method, undefined);
    if (job.isHeavy) lighten();
    const result = run(capacity);
    leave();
    return result;
  } finally {
    clear(batch);
  }
}

/**
 * Puts the options per column where the kernels look for them, the first of them that of the column
 * of an element: a block may begin within a row.
 */
function turnColumns({ columns, perClass }: LossSpec, first: number, end: number): void {
  if (columns < 2) return;
  for (const { area, values } of perClass) {
    if (area === undefined) continue;
    const view = batch.tile[area].view(values.length);
    for (let k = 0; k < Math.min(columns, end - first); k++)
      view[k] = values[(first + k) % columns] as number;
  }
}
