import type { Work } from '../rows/turns.js';
import { normalCdf, normalQuantile } from './normal.js';
import { below, integersOf } from './random.js';

/** An interval that a figure is in with some confidence. */
export interface Interval {
  /** The lower end. */
  readonly low: number;
  /** The upper end. */
  readonly high: number;
}

/** Two ways to make an interval of the figures of resamples. */
export type IntervalMethod = 'bca' | 'percentile';

/** Rows that are drawn as one, by their places. */
export type Unit = readonly number[] | Uint32Array;

/** Resamples are drawn from the units of each of these. */
export type Strata = readonly (readonly Unit[])[];

/** Figures of rows that are there so many times each. */
export type FiguresOf = (times: Uint32Array) => Float64Array;

/** Blocks at most that figures are computed without, each time one. */
const BLOCKS = 1000;

/** The figures of resamples, and of all units but some. */
export interface Resampled {
  /** The figures of each resample, which there are as many of as repeats. */
  readonly repeats: readonly Float64Array[];
  /** The figures without each block of units, for each of the strata. */
  readonly without: readonly (readonly Float64Array[])[];
}

/**
 * The units of rows: each by itself, or by the group that it is of. Rows that weigh nothing are of
 * none: drawn, they would take the place of others.
 */
export function strataOf(
  labels: Int32Array,
  classes: number,
  groups: ArrayLike<unknown> | undefined,
  weights: Float64Array | undefined,
): Strata {
  const strata: Unit[][] = Array.from({ length: classes }, () => []);
  const counts = (k: number) => weights === undefined || weights[k] !== 0;
  if (groups === undefined) {
    for (let k = 0; k < labels.length; k++) if (counts(k)) strata[labels[k] as number]?.push([k]);
  } else {
    const byGroup = new Map<unknown, number[]>();
    labels.forEach((_, k) => {
      if (!counts(k)) return;
      const members = byGroup.get(groups[k]);
      if (members === undefined) byGroup.set(groups[k], [k]);
      else members.push(k);
    });
    for (const members of byGroup.values())
      strata[commonest(members, labels, classes)]?.push(members);
  }
  return strata.filter((units) => units.length > 0);
}

/** The class that most rows of a group have, the first of equals. */
function commonest(members: Unit, labels: Int32Array, classes: number): number {
  const counts = new Uint32Array(classes);
  for (const k of members)
    counts[labels[k] as number] = (counts[labels[k] as number] as number) + 1;
  return counts.indexOf(Math.max(...counts));
}

/**
 * Resamples the units of each of the strata by themselves, with replacement, and for BCa leaves
 * each out in turn; of more than a thousand, blocks of them.
 */
export function* resample(
  strata: Strata,
  rows: number,
  figuresOf: FiguresOf,
  repeats: number,
  seed: number,
  method: IntervalMethod,
): Work<Resampled> {
  const draw = drawer(strata, seed);
  const times = new Uint32Array(rows);
  const drawn: Float64Array[] = [];
  for (let i = 0; i < repeats; i++) {
    draw(times);
    drawn.push(figuresOf(times));
    yield rows;
  }
  const without: Float64Array[][] = [];
  if (method === 'percentile') return { repeats: drawn, without };
  const all = strata.reduce((total, units) => total + units.length, 0);
  times.fill(1);
  for (const units of strata) {
    const blocks = Math.max(1, Math.floor(units.length * Math.min(1, BLOCKS / all)));
    without.push(yield* figuresWithout(units, blocks, times, figuresOf));
  }
  return { repeats: drawn, without };
}

/** Draws as many units of each of the strata as there are: how often each row is there. */
function drawer(strata: Strata, seed: number): (times: Uint32Array) => void {
  const integer = integersOf(seed);
  const count = (units: readonly Unit[], times: Uint32Array) => {
    for (let n = 0; n < units.length; n++) {
      for (const k of units[below(units.length, integer)] as Unit)
        times[k] = (times[k] as number) + 1;
    }
  };
  return (times) => {
    times.fill(0);
    for (const units of strata) count(units, times);
  };
}

/** The figures without each of so many blocks of units. */
function* figuresWithout(
  units: readonly Unit[],
  blocks: number,
  times: Uint32Array,
  figuresOf: FiguresOf,
): Work<Float64Array[]> {
  const figures: Float64Array[] = [];
  const edge = (block: number) => Math.floor((block * units.length) / blocks);
  for (let block = 0; block < blocks; block++) {
    const left = units.slice(edge(block), edge(block + 1)).flatMap((unit) => Array.from(unit));
    for (const k of left) times[k] = 0;
    figures.push(figuresOf(times));
    for (const k of left) times[k] = 1;
    yield times.length;
  }
  return figures;
}

/**
 * The interval of a figure from its place among those of resamples: between quantiles, which BCa
 * moves for bias and acceleration (Efron, Better Bootstrap Confidence Intervals, 1987), as
 * scipy.stats.bootstrap does for several samples.
 */
export function intervalOf(
  { repeats, without }: Resampled,
  i: number,
  value: number,
  level: number,
  method: IntervalMethod,
): Interval {
  const numbers = Float64Array.from(repeats, (figures) => figures[i] as number).filter(
    (x) => !Number.isNaN(x),
  );
  if (numbers.length === 0 || Number.isNaN(value)) return { low: NaN, high: NaN };
  numbers.sort();
  const tails = [(1 - level) / 2, (1 + level) / 2] as const;
  const moved =
    method === 'bca'
      ? tails.map((tail) => movedTail(tail, numbers, value, accelerationOf(without, i)))
      : tails;
  const [low, high] = moved.some(Number.isNaN) ? tails : moved;
  return { low: quantileOf(numbers, low as number), high: quantileOf(numbers, high as number) };
}

/** NaN where there is no telling, because all resamples are on one side. */
function movedTail(
  tail: number,
  sorted: Float64Array,
  value: number,
  acceleration: number,
): number {
  let fewer = 0;
  let notMore = 0;
  for (const number of sorted) {
    if (number < value) fewer++;
    if (number <= value) notMore++;
  }
  const bias = normalQuantile((fewer + notMore) / (2 * sorted.length));
  const z = bias + normalQuantile(tail);
  return normalCdf(bias + z / (1 - acceleration * z));
}

/** The acceleration of a figure, 0 where leaving out changes nothing. */
export function accelerationOf(without: Resampled['without'], i: number): number {
  let cubes = 0;
  let squares = 0;
  for (const figures of without) {
    const { length } = figures;
    const numbers = figures.map((all) => all[i] as number);
    const mean = numbers.reduce((sum, x) => sum + x, 0) / length;
    for (const number of numbers) {
      const influence = ((length - 1) * (mean - number)) / length;
      cubes += influence * influence * influence;
      squares += influence * influence;
    }
  }
  return squares > 0 ? cubes / (6 * squares * Math.sqrt(squares)) : 0;
}

/** A quantile of ascending numbers, on the straight line between neighbours. */
function quantileOf(sorted: Float64Array, share: number): number {
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  return below === above ? below : below + (above - below) * (place - Math.floor(place));
}
