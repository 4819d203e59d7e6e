// A batch cut into chunks, and what workers that share no memory made of theirs.

import { arrayLike, copyInto, copyRun, part } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import { blockRows, type Job } from '../call/blocks.js';
import { type JobPart, sampleOf } from '../call/parts.js';

/**
 * The logits of a chunk, about. With fewer, taking chunks is felt; with more, threads wait for the
 * one that has the last.
 */
const LEAST_CHUNK = 2 ** 16;
const MOST_CHUNK = 2 ** 19;

/** The chunks that each thread gets, if they are large enough, and not too large. */
const CHUNKS_EACH = 32;

/** The last chunks that each thread gets, and the pieces that each of these is cut into. */
const LAST_EACH = 2;
const PIECES = 4;

/**
 * The rows at which chunks begin, and the last one's end, for so many threads. A chunk has a
 * multiple of so many rows, and takes as long as so many logits do, of which all have so many. The
 * last ones are smaller: threads wait for the one that has the last. (With ordinary arrays the
 * calling thread begins at the end, and they make no difference.)
 */
export function chunksOf(
  { rows, width }: Job,
  threads: number,
  unit = blockRows(width),
  entries = rows * width,
): number[] {
  const size = Math.min(
    Math.max(entries / (CHUNKS_EACH * threads), LEAST_CHUNK),
    MOST_CHUNK,
    entries / (2 * threads),
  );
  const units = Math.max(1, Math.round((size * rows) / entries / unit));
  const step = units * unit;
  const whole = Math.max(0, Math.floor(rows / step) - LAST_EACH * threads) * step;
  const piece = Math.ceil(units / PIECES) * unit;
  return [...boundsOf(0, whole, step).slice(0, -1), ...boundsOf(whole, rows, piece)];
}

/** The same for one chunk a worker. */
export function sharesOf({ rows, width }: Job, workers: number, unit = blockRows(width)): number[] {
  return boundsOf(0, rows, Math.ceil(Math.ceil(rows / unit) / workers) * unit);
}

/** The rows at which steps from `start` on begin, and where the last one ends. */
function boundsOf(start: number, end: number, step: number): number[] {
  const starts: number[] = [];
  for (let row = start; row < end; row += step) starts.push(row);
  starts.push(end);
  return starts;
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
    grad: wantsGrad ? arrayLike(job.logits, job.rows * job.width) : undefined,
  };
}
