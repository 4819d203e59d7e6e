// The loops over a batch. It goes through the tile in as many steps as it takes: rows are copied
// in, a kernel runs on them, and what it leaves in place of the logits is copied out. What lies in
// the module's memory already is worked on where it is.

import { copyInto } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import {
  ALPHA_PER_CLASS,
  CONTINUES,
  IGNORE,
  ROW_SCALES,
  ROW_WEIGHTS,
  VALUES,
} from '../module/abi.js';
import type { Batch } from './batch.js';
import type { Method } from './method.js';
import type { LossSpec } from './spec.js';
import { addressOfRow, indexOf, loadLogits, storeRows } from './transfer.js';

/** A test whether the kernels find all there is of each row in place, and leave it there. */
export function isInPlace(
  batch: Batch,
  values: FloatArray | undefined,
  grad: FloatArray | undefined,
): boolean {
  if (batch.logitsAddress === 0 || batch.targetsAddress === 0) return false;
  if (grad !== undefined && batch.gradAddress === 0) return false;
  return (
    values === undefined && batch.sampleWeights === undefined && batch.gradScales === undefined
  );
}

/**
 * Makes +0 of -0, to which small negative numbers have been rounded where the results are of
 * another kind, from row `first` on up to `end`.
 */
export function clearSigns(
  batch: Batch,
  values: FloatArray | undefined,
  grad: FloatArray | undefined,
  first: number,
  end: number,
): void {
  const { tile, logitsKind } = batch;
  // The loops are apart: engines inline only so much code into a call.
  if (tile.flags !== 0 && logitsKind !== tile.kind)
    for (let row = first; row < end; row++) clearSignsOf(batch, values, grad, row);
}

function clearSignsOf(
  batch: Batch,
  values: FloatArray | undefined,
  grad: FloatArray | undefined,
  row: number,
): void {
  if (values !== undefined) values[row] = (values[row] as number) + 0;
  for (let j = 0; grad !== undefined && j < batch.width; j++) {
    const i = indexOf(batch, row, j);
    grad[i] = (grad[i] as number) + 0;
  }
}

/**
 * Checks all targets, in steps of so many rows, and throws for the first that is invalid. Counts
 * those that count.
 */
export function checkAllTargets(batch: Batch, step: number, weighted: boolean): void {
  const flags = flagsOf(batch, undefined) | (weighted ? ALPHA_PER_CLASS : 0);
  for (let start = 0; start < batch.rows; start += step) {
    const count = Math.min(step, batch.rows - start);
    const targets = batch.form.load(batch, start, count);
    checkTargets(batch, targets, start, count, start === 0 ? flags : flags | CONTINUES);
  }
}

/**
 * Runs a kernel over the rows from `first` on up to `end`, at least one, `step` of them at a time.
 * Fills `values` and `grad` where they are given.
 */
export function runKernel(
  batch: Batch,
  spec: LossSpec,
  method: Method,
  areChecked: boolean,
  step: number,
  values: FloatArray | undefined,
  grad: FloatArray | undefined,
  first: number,
  end: number,
): void {
  const { form, tile } = batch;
  const isChecked = areChecked || form.isCheckedByKernel;
  const flags = method.flags | flagsOf(batch, values);
  for (let start = first; start < end; start += step) {
    const count = Math.min(step, end - start);
    // Probabilities pass through the same area as the logits, and so have to come first.
    const targets = form.load(batch, start, count);
    if (!isChecked) checkTargets(batch, targets, start, count, flags);
    const logits = loadLogits(batch, start, count);
    const isCopiedOut = grad !== undefined && batch.gradAddress === 0;
    const there = isCopiedOut ? tile.logits.address : addressOfRow(batch, batch.gradAddress, start);
    const now = start === first ? flags : flags | CONTINUES;
    const row = runRows(batch, spec, method, logits, targets, there, count, now);
    if (row !== -1) throw form.error(batch, start + row);
    if (isCopiedOut) storeRows(batch, grad, start, count);
    if (values !== undefined) copyInto(values, tile.values.view(count), start);
  }
}

/**
 * Runs a kernel over rows that lie at these addresses. Returns the first row whose target is not a
 * class, or -1.
 */
function runRows(
  batch: Batch,
  spec: LossSpec,
  { kernel }: Method,
  logits: number,
  targets: number,
  grad: number,
  rows: number,
  asked: number,
): number {
  const { kernels } = batch.tile;
  const flags = asked | spec.flags;
  if (kernel !== undefined) return kernel.run(batch, logits, targets, rows, flags);
  return spec.columns === 0
    ? kernels.solve(logits, targets, grad, rows, batch.width, flags)
    : kernels.sigmoid(logits, targets, grad, rows, spec.columns, flags);
}

/** The bits that tell the kernels of the batch. */
export function flagsOf(batch: Batch, values: FloatArray | undefined): number {
  return (
    batch.form.flags |
    batch.tile.flags |
    (values === undefined ? 0 : VALUES) |
    (batch.ignoreIndex === undefined ? 0 : IGNORE) |
    (batch.sampleWeights === undefined ? 0 : ROW_WEIGHTS) |
    (batch.gradScales === undefined ? 0 : ROW_SCALES)
  );
}

function checkTargets(
  batch: Batch,
  targets: number,
  start: number,
  count: number,
  flags: number,
): void {
  const row = batch.form.findInvalid(batch, targets, count, flags);
  if (row !== -1) throw batch.form.error(batch, start + row);
}
