// A batch cut into chunks, and parts of its arrays for workers that share no memory.

import { arrayLike, copyInto, copyOf, copyRun, lengthOf, part } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import { blockRows, type Job } from '../call/blocks.js';

/** The logits of a chunk, about: a call can be stopped between chunks. */
const CHUNK = 2 ** 19;

/**
 * The rows at which chunks begin, and the last one's end: for so many workers, about as many chunks
 * for each.
 */
export function chunksOf({ rows, width }: Job, workers: number): number[] {
  const size = blockRows(width);
  const blocks = Math.ceil(rows / size);
  const each = Math.max(2, Math.ceil((rows * width) / (CHUNK * workers)));
  const step = Math.ceil(blocks / (each * workers)) * size;
  return [...steps(rows, step), rows];
}

/** The same for one chunk a worker. */
export function sharesOf({ rows, width }: Job, workers: number): number[] {
  const size = blockRows(width);
  return [...steps(rows, Math.ceil(Math.ceil(rows / size) / workers) * size), rows];
}

function steps(rows: number, step: number): number[] {
  return Array.from({ length: Math.ceil(rows / step) }, (_, k) => k * step);
}

/** A part of a batch: a job by itself, and which of its rows are wanted. */
export interface JobPart {
  readonly job: Job;
  /** The row of the batch that is its first. */
  readonly first: number;
  /** The rows of the part that are wanted. */
  readonly start: number;
  readonly end: number;
}

function leastMultiple(numbers: readonly number[]): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  return numbers.reduce((a, b) => (b === 0 ? a : (a / divisor(a, b)) * b), 1);
}

/** Copies what rows of a batch need: these rows, and those that cannot be parted from them. */
export function partOf(job: Job, start: number, end: number): JobPart {
  const { rows, width, spatialSize, rowsPerWeight, spec } = job;
  // Rows of a single sample are a smaller sample.
  const isWithin = spatialSize !== 0 && sampleOf(job, start) === sampleOf(job, end - 1);
  const align = leastMultiple([rowsPerWeight, spec.columns, isWithin ? 0 : spatialSize]);
  const first = Math.floor(start / align) * align;
  const last = Math.min(rows, Math.ceil(end / align) * align);
  const count = last - first;
  const perLogit = (array: FloatArray): FloatArray =>
    isWithin ? gathered(job, array, first, count) : copyOf(array, first * width, count * width);
  const perRow = <A extends FloatArray>(array: A | undefined, rowsEach: number) =>
    array && copyOf(array, first / rowsEach, count / rowsEach);
  return {
    job: {
      ...job,
      logits: perLogit(job.logits),
      targets:
        job.form === 'probabilities'
          ? perLogit(job.targets as FloatArray)
          : copyOf(job.targets, first, count),
      sampleWeights: perRow(job.sampleWeights, rowsPerWeight),
      gradScales: perRow(job.gradScales, 1),
      rows: count,
      spatialSize: isWithin ? count : spatialSize,
    },
    first,
    start: start - first,
    end: end - first,
  };
}

const sampleOf = ({ spatialSize }: Job, row: number) => Math.floor(row / spatialSize);

/** The entries of rows of one sample, class by class. */
function gathered(job: Job, array: FloatArray, first: number, count: number): FloatArray {
  const { width, spatialSize } = job;
  const copy = arrayLike(array, count * width);
  const place = sampleOf(job, first) * spatialSize * width + (first % spatialSize);
  for (let j = 0; j < width; j++) copyRun(copy, j * count, array, place + j * spatialSize, count);
  return copy;
}

/** Copies the rows that were wanted of a part to their places, where there is one per logit. */
export function putBack(
  whole: Job,
  { job, first, start, end }: JobPart,
  from: FloatArray,
  to: FloatArray,
): void {
  const { width, spatialSize } = job;
  if (spatialSize === 0) {
    copyInto(to, part(from, start * width, (end - start) * width), (first + start) * width);
    return;
  }
  for (let row = start; row < end; ) {
    const position = row % spatialSize;
    const count = Math.min(spatialSize - position, end - row);
    const there = first + row;
    const place = sampleOf(whole, there) * whole.spatialSize * width + (there % whole.spatialSize);
    const here = sampleOf(job, row) * spatialSize * width + position;
    for (let j = 0; j < width; j++)
      copyRun(to, place + j * whole.spatialSize, from, here + j * spatialSize, count);
    row += count;
  }
}

/** Copies one entry per row, of those that were wanted. */
export function putRowsBack(
  { first, start, end }: JobPart,
  from: FloatArray,
  to: FloatArray,
): void {
  copyInto(to, part(from, start, end - start), first + start);
}

/** Memory for results of a job. */
export function resultsOf(job: Job, blocks: number, wantsValues: boolean, wantsGrad: boolean) {
  return {
    partials: new Float64Array(blocks),
    values: wantsValues ? arrayLike(job.logits, job.rows) : undefined,
    grad: wantsGrad ? arrayLike(job.logits, lengthOf(job.logits)) : undefined,
  };
}
