// The way from a batch to what a meter of reports sees of it: at one go, or in parts on workers.

import { lengthOf } from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../../arrays/types.js';
import { partOf } from '../../call/parts.js';
import type { JudgedBatch } from '../report/batch.js';
import type { Settings } from '../report/result.js';
import { joined } from '../rows/loops.js';
import type { Sharded, TaskWork } from '../rows/pooled.js';
import { planRows, type RowOptions, type Rows, readRows } from '../rows/rows.js';
import { ExactSum } from './exact-sum.js';
import { seeLabels } from './see-labels.js';
import { merged, partsOf, type Scored, type Seen, seeRows } from './seen.js';

/** The rows of a part, at least. */
const UNIT = 1024;

/**
 * The logits of a part of a report, between which a worker asks whether they are still wanted. It
 * keeps figures of all rows of a part, and so has fewer of them than are in a turn.
 */
const PART = 2 ** 17;

/** The time that the figures of a logit take, in that of its loss, at least. */
const COST = 8;

/** Everything that is to be seen of a batch, if there is anything. */
export function seeBatch(
  { logits, targets, options, isMultiLabel }: JudgedBatch,
  settings: Settings,
  check: (rows: Rows) => void = () => {},
): Seen | undefined {
  if (isMultiLabel) {
    const seen = seeLabels(logits, targets, options, settings);
    return seen.labels?.rows === 0 ? undefined : seen;
  }
  const rows = readRows(logits, targets, options);
  if (rows.labels.length === 0) return undefined;
  check(rows);
  return seeRows(rows, settings);
}

/** The rest of what a worker has to know of a report. */
interface ReportData {
  readonly options: RowOptions;
  readonly isMultiLabel: boolean;
  readonly settings: Settings;
  /** The rows of the job that go together. */
  readonly unit: number;
}

/** A batch for workers, and what they have seen of it, once they have. */
export function shardedReport(
  batch: JudgedBatch,
  settings: Settings,
): Sharded & { seen(): Seen | undefined } {
  const { logits, targets, options, isMultiLabel } = batch;
  const job = planRows(logits, targets, options, isMultiLabel);
  const { rows, width, spatialSize, spec } = job;
  const isSingle = spec.columns !== 0;
  // A part cannot know it by itself.
  const numClasses = isSingle ? (isMultiLabel ? options.numClasses : 1) : width;
  const each = isMultiLabel ? (numClasses as number) : 1;
  // Parts are of whole samples, or within the only one.
  const unit = spatialSize > 0 && spatialSize < rows ? spatialSize : UNIT * each;
  const data: ReportData = {
    options: { ...options, numClasses, spatialSize: undefined },
    isMultiLabel,
    settings: { ...settings, classNames: undefined },
    unit,
  };
  const parts: Seen[] = [];
  return {
    job,
    task: { name: 'report', data },
    unit,
    entries: COST * lengthOf(job.logits),
    take: (found) => {
      for (const part of found as Packed[]) parts.push(unpack(part) as Seen);
    },
    seen: () => (parts.length === 0 ? undefined : inOneScore(parts.reduce(merged))),
  };
}

/** The work of a worker: what there is to see of some rows, in parts. */
export const seePart: TaskWork = (job, start, end, data: ReportData, isStopped) => {
  const { options, isMultiLabel, settings, unit } = data;
  const step = Math.max(1, Math.floor(PART / job.width / unit)) * unit;
  const parts: Packed[] = [];
  for (let first = start; first < end; first += step) {
    if (isStopped()) return undefined;
    const { job: part } = partOf(job, first, Math.min(first + step, end));
    const { logits, spatialSize } = part;
    const targets = part.targets as ClassIndices | FloatArray;
    const own = spatialSize === 0 ? options : { ...options, spatialSize };
    const seen = seeBatch({ logits, targets, options: own, isMultiLabel }, settings);
    if (seen !== undefined) parts.push(pack(seen));
  }
  return parts;
};

/** The scores of all parts in one, the first row first. */
function inOneScore(seen: Seen): Seen {
  const parts = partsOf(seen.scored).reverse();
  const last = parts.at(-1);
  if (last === undefined) return seen;
  const scored: Scored = {
    labels: joined(
      Int32Array,
      parts.map(({ labels }) => labels),
    ),
    scores: last.scores.map((_, j) =>
      joined(
        Float64Array,
        parts.map(({ scores }) => scores[j] as Float64Array),
      ),
    ),
    before: undefined,
  };
  return { ...seen, scored };
}

/** Something with sums in it, as data that can be sent. */
type Packed = unknown;

/** A sum as data. */
interface SumData {
  readonly units: bigint;
  readonly nan: number;
  readonly infinite: number;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);
}

/** The same, with something else for each object that `change` knows. */
function changed(value: unknown, change: (object: object) => unknown): unknown {
  if (!isRecord(value)) return value;
  const known = change(value);
  if (known !== undefined) return known;
  if (Array.isArray(value)) return value.map((entry) => changed(entry, change));
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, changed(entry, change)]),
  );
}

function pack(seen: Seen): Packed {
  return changed(seen, (object): SumData | undefined => {
    if (!(object instanceof ExactSum)) return undefined;
    const { units, nan, infinite } = object;
    return { units, nan, infinite };
  });
}

function unpack(packed: Packed): unknown {
  return changed(packed, (object) => {
    const { units, nan, infinite } = object as SumData;
    return typeof units === 'bigint' ? new ExactSum(units, nan, infinite) : undefined;
  });
}
