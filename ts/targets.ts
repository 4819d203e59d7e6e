// The three forms of targets: how they come into the tile, and how they are checked.

import { copyIndices, copyNumbers, partOrWhole } from './arrays.js';
import type { Batch } from './batch.js';
import { ELEMENTS, PROBABILITIES, SOFT } from './flags.js';
import { targetsArea } from './tile.js';
import type { ClassIndices, FloatArray } from './types.js';
import { invalidElement, invalidIndex, invalidProbabilities } from './validate.js';
import {
  countElementsF32,
  countElementsF64,
  countTargetsF32,
  countTargetsF64,
  findInvalidProbabilitiesF32,
  findInvalidProbabilitiesF64,
} from './wasm.js';

export interface TargetReader {
  /** What the kernels are told of the form. */
  readonly flags: number;
  /** What they need room for. */
  readonly extras: number;
  /** Whether the kernels check such targets themselves. */
  readonly isCheckedByKernel: boolean;
  /** Whether looking them over counts those that are not to be ignored. */
  readonly counts: boolean;
  /** Copies rows of the batch into the tile. */
  load(batch: Batch, start: number, count: number): void;
  /** The first row in the tile that is not what it must be, or -1. */
  findInvalid(batch: Batch, count: number, flags: number): number;
  /** The error for a row of the batch. */
  error(batch: Batch, row: number): RangeError;
}

/** One class index per row. */
export const classIndices: TargetReader = {
  flags: 0,
  extras: 0,
  isCheckedByKernel: true,
  counts: true,
  load({ targets }, start, count) {
    copyIndices(targetsArea.view(count), partOrWhole(targets as ClassIndices, start, count));
  },
  findInvalid({ tile, width, ignoreIndex = 0 }, count, flags) {
    return tile.elementBytes === 4
      ? countTargetsF32(count, width, flags, ignoreIndex)
      : countTargetsF64(count, width, flags, ignoreIndex);
  },
  error: ({ targets, width, ignoreIndex }, row) => invalidIndex(targets as ClassIndices, row, width, ignoreIndex),
};

/** One probability per class and row. */
export const probabilities: TargetReader = {
  flags: SOFT,
  extras: PROBABILITIES,
  isCheckedByKernel: false,
  counts: false,
  load(batch, start, count) {
    batch.loadRows(batch.tile.soft, batch.targets as FloatArray, start, count);
  },
  findInvalid({ tile, width }, count) {
    return tile.elementBytes === 4
      ? findInvalidProbabilitiesF32(count, width)
      : findInvalidProbabilitiesF64(count, width);
  },
  error(batch, row) {
    const targets = batch.targets as FloatArray;
    return invalidProbabilities(row, batch.width, (j) => targets[batch.indexOf(row, j)] as number);
  },
};

/** One probability of yes per logit. */
export const elements: TargetReader = {
  flags: 0,
  extras: PROBABILITIES | ELEMENTS,
  isCheckedByKernel: false,
  counts: true,
  load({ tile, targets }, start, count) {
    copyNumbers(tile.soft.view(count), partOrWhole(targets, start, count));
  },
  findInvalid({ tile, ignoreIndex = 0 }, count, flags) {
    return tile.elementBytes === 4
      ? countElementsF32(count, flags, ignoreIndex)
      : countElementsF64(count, flags, ignoreIndex);
  },
  error: ({ targets, ignoreIndex }, row) => invalidElement(targets, row, ignoreIndex),
};
