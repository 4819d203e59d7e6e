// Rows on their way from the caller's arrays into the tile, and back. Nothing here allocates as
// long as the shape of the calls stays the same and a batch fits the tile.

import { copyInto, copyRun, type NumberArray, part } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import type { Area } from '../module/memory.js';
import type { Batch } from './batch.js';

type FloatArea = Area<Float32Array | Float64Array>;

/**
 * The entries of `count` rows from `start` on, of an array with `width` of them a row. Of all rows
 * it is the array: to look its length up takes long, by the measure of a small call.
 */
export function rowsOf<A extends NumberArray>(
  { rows }: Batch,
  array: A,
  width: number,
  start: number,
  count: number,
): A {
  return count === rows ? array : part(array, start * width, count * width);
}

/** The address of the rows from one on, of those that begin at an address; 0 stays 0. */
export function addressOfRow({ width, tile }: Batch, address: number, start: number): number {
  return address === 0 ? 0 : address + start * width * tile.elementBytes;
}

/** Copies rows of the batch, but for their targets, into the tile. Returns where the logits are. */
export function loadLogits(batch: Batch, start: number, count: number): number {
  const { tile, logits, logitsAddress, sampleWeights, gradScales } = batch;
  if (sampleWeights !== undefined) loadWeights(batch, sampleWeights, start, count);
  if (gradScales !== undefined)
    tile.rowScales.view(count).set(rowsOf(batch, gradScales, 1, start, count));
  return loadRows(batch, tile.logits, logits, logitsAddress, start, count);
}

/**
 * Copies rows of an array into an area, unless the kernels find them at its address. Returns where
 * they are.
 */
export function loadRows(
  batch: Batch,
  area: FloatArea,
  source: FloatArray,
  address: number,
  start: number,
  count: number,
): number {
  if (address !== 0) return addressOfRow(batch, address, start);
  const { width, spatialSize } = batch;
  const view = area.view(count * width);
  if (spatialSize === 0) copyInto(view, rowsOf(batch, source, width, start, count), 0);
  else gather(batch, view, source, start, count);
  return area.address;
}

/** Copies rows of an array that has the classes first. */
function gather(
  batch: Batch,
  view: Float32Array | Float64Array,
  source: FloatArray,
  start: number,
  count: number,
): void {
  const { tile, width } = batch;
  copyStage(batch, source, start, count, false);
  tile.kernels.transpose(tile.stage.address, tile.logits.address, width, count, tile.flags);
  const gathered = tile.logits.view(count * width);
  if (view !== gathered) view.set(gathered);
}

/** Copies what is in place of the logits to where it belongs. */
export function storeRows(batch: Batch, target: FloatArray, start: number, count: number): void {
  const { tile, width, spatialSize } = batch;
  if (spatialSize === 0) copyInto(target, tile.logits.view(count * width), start * width);
  else scatter(batch, target, start, count);
}

function scatter(batch: Batch, target: FloatArray, start: number, count: number): void {
  const { tile, width } = batch;
  tile.kernels.transpose(tile.logits.address, tile.stage.address, count, width, tile.flags);
  copyStage(batch, target, start, count, true);
}

/**
 * Copies rows between memory that has the classes first and the stage, which has too, but holds no
 * more than these rows: of every class as many runs as there are samples that the rows are of.
 */
function copyStage(
  batch: Batch,
  memory: FloatArray,
  start: number,
  count: number,
  out: boolean,
): void {
  const { tile, width, spatialSize } = batch;
  const stage = tile.stage.view(count * width);
  if (count === spatialSize) {
    // A whole sample lies in memory as it does on the stage.
    if (out) copyInto(memory, stage, start * width);
    else stage.set(rowsOf(batch, memory, width, start, count));
    return;
  }
  for (let done = 0; done < count; ) {
    const position = (start + done) % spatialSize;
    const length = Math.min(spatialSize - position, count - done);
    const first = indexOf(batch, start + done, 0);
    for (let j = 0; j < width; j++) {
      const there = first + j * spatialSize;
      const here = j * count + done;
      if (out) copyRun(memory, there, stage, here, length);
      else copyRun(stage, here, memory, there, length);
    }
    done += length;
  }
}

function loadWeights(batch: Batch, sampleWeights: FloatArray, start: number, count: number): void {
  const { tile, rowsPerWeight } = batch;
  const view = tile.rowWeights.view(count);
  if (rowsPerWeight === 1) {
    view.set(rowsOf(batch, sampleWeights, 1, start, count));
  } else {
    for (let i = 0; i < count; i++)
      view[i] = sampleWeights[Math.floor((start + i) / rowsPerWeight)] as number;
  }
}

/** The index of a class, of a row, in an array that lies as the logits do. */
export function indexOf({ width, spatialSize }: Batch, row: number, j: number): number {
  if (spatialSize === 0) return row * width + j;
  return (Math.floor(row / spatialSize) * width + j) * spatialSize + (row % spatialSize);
}
