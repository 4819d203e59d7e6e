// A batch as a call works on it, once its arguments have been checked: fields alone.

import type { NumberArray } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import { type Tile, tileOf } from '../module/tile.js';

/** A form that targets have: how they reach the kernels, and how they are checked. */
export interface TargetForm {
  /** The bits that tell the kernels of the form. */
  readonly flags: number;
  /** The things that need room, as bits. */
  readonly extras: number;
  /** True where the kernels of losses check such targets themselves. */
  readonly isCheckedByKernel: boolean;
  /** Makes targets of rows of the batch ready for the kernels. Returns where they lie. */
  load(batch: Batch, start: number, count: number): number;
  /** The first of the rows with their targets at an address whose target is invalid, or -1. */
  findInvalid(batch: Batch, address: number, count: number, flags: number): number;
  /** The error for a row of the batch. */
  error(batch: Batch, row: number): RangeError;
}

export interface Batch {
  tile: Tile;
  logits: FloatArray;
  logitsKind: string;
  targets: NumberArray;
  targetsKind: string;
  /**
   * The address of the logits in the module's memory if the kernels work on them there, and
   * otherwise 0.
   */
  logitsAddress: number;
  /** The same for the targets. */
  targetsAddress: number;
  /** The same for the gradient. */
  gradAddress: number;
  form: TargetForm;
  rows: number;
  /** Logits of a row. */
  width: number;
  /** With the classes first, the rows of a sample, which lie side by side; otherwise 0. */
  spatialSize: number;
  /** Factors of values and gradients, if there are any. */
  sampleWeights: FloatArray | undefined;
  /** The number of rows that a sample weight is for. */
  rowsPerWeight: number;
  /** Factors of the gradients, one for each row, if there are any. */
  gradScales: FloatArray | undefined;
  ignoreIndex: number | undefined;
}

const NOTHING = new Float32Array(0);

export function emptyBatch(form: TargetForm): Batch {
  return {
    tile: tileOf('Float32Array'),
    logits: NOTHING,
    logitsKind: 'Float32Array',
    targets: NOTHING,
    targetsKind: 'Float32Array',
    logitsAddress: 0,
    targetsAddress: 0,
    gradAddress: 0,
    form,
    rows: 0,
    width: 0,
    spatialSize: 0,
    sampleWeights: undefined,
    rowsPerWeight: 1,
    gradScales: undefined,
    ignoreIndex: undefined,
  };
}

/** Lets go of the caller's arrays. */
export function clear(batch: Batch): void {
  batch.logits = NOTHING;
  batch.targets = NOTHING;
  batch.sampleWeights = undefined;
  batch.gradScales = undefined;
}
