// The three forms of targets: how they come into the tile, and how they are checked.

import { copyIndices, copyNumbers } from '../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../arrays/types.js';
import { ELEMENTS, PROBABILITIES, SOFT } from '../module/abi.js';
import { targetsArea } from '../module/tile.js';
import type { TargetForm } from './batch.js';
import { invalidElement, invalidIndex, invalidProbabilities } from './checks.js';
import { indexOf, loadRows, rowsOf } from './transfer.js';

/** One class index per row. */
export const classIndices: TargetForm = {
  flags: 0,
  extras: 0,
  isCheckedByKernel: true,
  load(batch, start, count) {
    const { targets, targetsKind, targetsAddress } = batch;
    if (targetsAddress !== 0) return targetsAddress + start * Int32Array.BYTES_PER_ELEMENT;
    copyIndices(
      targetsArea.view(count),
      rowsOf(batch, targets as ClassIndices, 1, start, count),
      targetsKind,
    );
    return targetsArea.address;
  },
  findInvalid({ tile, width, ignoreIndex = 0 }, address, count, flags) {
    return tile.kernels.countTargets(address, count, width, flags, ignoreIndex);
  },
  error: ({ targets, width, ignoreIndex }, row) =>
    invalidIndex(targets as ClassIndices, row, width, ignoreIndex),
};

/** One probability per class and row. */
export const probabilities: TargetForm = {
  flags: SOFT,
  extras: PROBABILITIES,
  isCheckedByKernel: false,
  load(batch, start, count) {
    return loadRows(
      batch,
      batch.tile.soft,
      batch.targets as FloatArray,
      batch.targetsAddress,
      start,
      count,
    );
  },
  findInvalid({ tile, width }, address, count, flags) {
    return tile.kernels.findInvalidProbabilities(address, count, width, flags);
  },
  error(batch, row) {
    const targets = batch.targets as FloatArray;
    return invalidProbabilities(row, batch.width, (j) => targets[indexOf(batch, row, j)] as number);
  },
};

/** One probability of yes per logit. */
export const elements: TargetForm = {
  flags: 0,
  extras: PROBABILITIES | ELEMENTS,
  isCheckedByKernel: false,
  load(batch, start, count) {
    const { tile, targets, targetsKind, targetsAddress } = batch;
    if (targetsAddress !== 0) return targetsAddress + start * tile.elementBytes;
    copyNumbers(tile.soft.view(count), rowsOf(batch, targets, 1, start, count), targetsKind);
    return tile.soft.address;
  },
  findInvalid({ tile, ignoreIndex = 0 }, address, count, flags) {
    return tile.kernels.countElements(address, count, flags, ignoreIndex);
  },
  error: ({ targets, ignoreIndex }, row) => invalidElement(targets, row, ignoreIndex),
};
