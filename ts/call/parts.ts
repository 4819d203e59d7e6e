// Parts of a batch, copied: jobs by themselves, for threads that share no memory, and for code that
// takes no range of rows.

import { arrayLike, copyOf, copyRun } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import type { Job } from './blocks.js';

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

/**
 * Copies what rows of a batch need: these rows, and those that cannot be parted from them. Logits
 * and targets are empty where nobody wants them.
 */
export function partOf(job: Job, start: number, end: number, wantsData = true): JobPart {
  const { rows, width, spatialSize, spec } = job;
  const rowsPerWeight = job.sampleWeights === undefined ? 1 : job.rowsPerWeight;
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
  const dataOf = () => ({
    logits: perLogit(job.logits),
    targets:
      job.form === 'probabilities'
        ? perLogit(job.targets as FloatArray)
        : copyOf(job.targets, first, count),
  });
  return {
    job: {
      ...job,
      ...(wantsData
        ? dataOf()
        : { logits: copyOf(job.logits, 0, 0), targets: copyOf(job.targets, 0, 0) }),
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

export const sampleOf = ({ spatialSize }: Job, row: number) => Math.floor(row / spatialSize);

/** The entries of rows of one sample, class by class. */
function gathered(job: Job, array: FloatArray, first: number, count: number): FloatArray {
  const { width, spatialSize } = job;
  const copy = arrayLike(array, count * width);
  const place = sampleOf(job, first) * spatialSize * width + (first % spatialSize);
  for (let j = 0; j < width; j++) copyRun(copy, j * count, array, place + j * spatialSize, count);
  return copy;
}
