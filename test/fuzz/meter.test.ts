import fc from 'fast-check';
import {
  CrossEntropyLoss,
  FocalLoss,
  LossMeter,
  type MeterState,
  SigmoidFocalLoss,
} from 'focal-loss/analysis';
import { expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { float32, float64 } from '../support/dtypes.js';

/** Documents that are mutated, half of them the same in every run, the others new. */
const RUNS = 20_000;
const SEEDS = [20_261_127, Math.floor(Math.random() * 2 ** 31)];

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const ONE = 1n << 1074n;
/** The largest number, in units of the smallest one. */
const HUGE = ((1n << 53n) - 1n) << (971n + 1074n);

/** Meters of every loss, with and without rows whose loss is no number. */
const states = [float32, float64].flatMap((dtype) => {
  const { logits, targets } = randomBatch(dtype, 9, 3, 1);
  const special = logits.slice();
  special[0] = Number.NaN;
  special.fill(Number.NEGATIVE_INFINITY, 3 + targets[1], 4 + targets[1]);
  const elements = dtype.array(Array.from(logits, (_, i) => i % 2));
  return [logits, special].flatMap((x) => [
    new LossMeter(new FocalLoss({ alpha: [0.1, 0.2, 0.7], ignoreIndex: 1 })).update(x, targets),
    new LossMeter(new FocalLoss({ alpha: null, normalizer: 7, numClasses: 3 })).update(x, targets),
    new LossMeter(new CrossEntropyLoss({ weight: [0.3, 1, 2.5] })).update(x, targets),
    new LossMeter(new SigmoidFocalLoss({ posWeight: 3 })).update(x, elements),
    new LossMeter(new FocalLoss()),
  ]);
});
const documents = states.map((meter): Json => JSON.parse(JSON.stringify(meter)));

/** The places in a document. */
function placesIn(document: Json, path: string[] = []): string[][] {
  if (typeof document !== 'object' || document === null) return [path];
  return [
    path,
    ...Object.entries(document).flatMap(([key, value]) => placesIn(value, [...path, key])),
  ];
}

/** A copy of a document with something else at a place; nothing at all for `undefined`. */
function withChange(
  document: Json,
  [key, ...rest]: string[],
  change: (value: Json) => Json | undefined,
): Json {
  if (key === undefined) return change(document) ?? null;
  const copy = (Array.isArray(document) ? [...document] : { ...(document as object) }) as Record<
    string,
    Json
  >;
  const value = rest.length === 0 ? change(copy[key]) : withChange(copy[key], rest, change);
  if (value === undefined) delete copy[key];
  else copy[key] = value;
  return copy;
}

const numbers = fc.oneof(
  fc.integer({ min: -3, max: 12 }),
  fc.double(),
  fc.constantFrom(-0, 2 ** 53 - 1, 2 ** 53, 1e308, 5e-324),
);
const hexadecimal = fc.bigInt({ min: -4n, max: 1n << 2200n }).map((n) => n.toString(16));

/**
 * The other values that one may become: something near it, the value of another place, or anything.
 */
const changes: fc.Arbitrary<(value: Json, others: Json[]) => Json | undefined> = fc.oneof(
  fc.constant(() => undefined),
  numbers.map((n) => (value: Json) => (typeof value === 'number' ? n : String(n))),
  numbers.map((n) => (value: Json) => (typeof value === 'number' ? value + Math.trunc(n) : n)),
  hexadecimal.map((text) => () => text),
  fc
    .tuple(fc.nat(), fc.constantFrom('', '0', '1', 'f', 'F', 'x', '-', ' '))
    .map(([at, insert]) => (value: Json) => {
      if (typeof value !== 'string') return insert;
      const place = at % (value.length + 1);
      return value.slice(0, place) + insert + value.slice(place + (insert === '' ? 1 : 0));
    }),
  fc.nat().map((i) => (_: Json, others: Json[]) => others[i % others.length]),
  fc.jsonValue({ maxDepth: 2 }).map((value) => () => value as Json),
  fc
    .constantFrom(
      'FocalLoss',
      'CrossEntropyLoss',
      'SigmoidFocalLoss',
      'smoothed',
      'target',
      'mean',
      'sum',
    )
    .map((word) => () => word),
);

/** Throws unless the state of a meter is one that updates could have led to. */
function expectPossible({ rows, values, denominator, loss, options }: MeterState): void {
  const [sum, total] = [values, denominator].map(({ units }) => BigInt(`0x${units}`));
  const finite = BigInt(rows - values.nan - values.infinite);
  expect(Number.isSafeInteger(rows) && rows >= 0 && values.nan >= 0 && values.infinite >= 0).toBe(
    true,
  );
  expect(finite >= 0n && sum <= finite * HUGE).toBe(true);
  expect(denominator.nan).toBe(0);
  const { weight } = options as { weight?: readonly number[] | null };
  if (loss !== 'CrossEntropyLoss' || weight === null || weight === undefined) {
    expect(denominator.infinite).toBe(0);
    expect(total).toBe(BigInt(rows) * ONE);
  } else if (weight.every((entry) => entry < 1e38)) {
    // Probabilities add 1 a row, a class its weight, which float32 may hold a little larger.
    const least = Math.min(1, ...weight) * (1 - 1e-7) - 1e-45;
    const most = Math.max(1, ...weight) * (1 + 1e-7);
    const mean = Number(total >> 1010n) / Number((BigInt(rows) * ONE) >> 1010n);
    if (rows === 0) expect(total).toBe(0n);
    else
      expect(
        mean >= least * (1 - 1e-9) && mean <= most * (1 + 1e-9),
        `${mean} in ${least}..${most}`,
      ).toBe(true);
  }
}

type Mutation = [
  at: number,
  change: (value: Json, others: Json[]) => Json | undefined,
  from: number,
];

function mutated(document: Json, [at, change, from]: Mutation): Json {
  const places = placesIn(document);
  const other = documents[from % documents.length];
  const valueAt = (path: string[]) =>
    path.reduce<Json>((value, key) => (value as Record<string, Json>)[key], other);
  const others = placesIn(other).map(valueAt);
  return withChange(document, places[at % places.length], (value) => change(value, others));
}

/** The meter of a document, or nothing where that is refused as it should be. */
function read(document: Json): LossMeter | undefined {
  try {
    return LossMeter.fromJSON(document as unknown as MeterState);
  } catch (error) {
    const isRefusal = error instanceof TypeError || error instanceof RangeError;
    if (isRefusal && /^state\b/.test(error.message)) return undefined;
    throw error;
  }
}

/** It is a meter like any other: what it says can be read again, and it merges with its like. */
function expectMeter(meter: LossMeter): void {
  const state = meter.toJSON();
  expectPossible(state);
  expect(JSON.stringify(LossMeter.fromJSON(JSON.parse(JSON.stringify(meter))))).toBe(
    JSON.stringify(state),
  );
  const { sum, rows } = meter.result();
  expect(Number.isNaN(sum)).toBe(state.values.nan > 0);
  if (rows < 2 ** 52) expect(meter.merge(meter).result().rows).toBe(2 * rows);
}

it('mutated JSON is refused, or becomes a meter that could have been', { timeout: 120_000 }, () => {
  const mutation: fc.Arbitrary<Mutation> = fc.tuple(fc.nat(), changes, fc.nat());
  const mutations = fc.array(mutation, { minLength: 1, maxLength: 3 });
  for (const seed of SEEDS) {
    const met = { refused: 0, accepted: 0 };
    const property = fc.property(fc.constantFrom(...documents), mutations, (document, drawn) => {
      const meter = read(drawn.reduce(mutated, document));
      met[meter === undefined ? 'refused' : 'accepted']++;
      if (meter !== undefined) expectMeter(meter);
    });
    fc.assert(property, { numRuns: RUNS / 2, seed });
    console.log(`seed ${seed}: ${met.refused} refused, ${met.accepted} accepted`);
    expect(met.refused).toBeGreaterThan(RUNS / 8);
    expect(met.accepted).toBeGreaterThan(RUNS / 400);
  }
});

it('valid JSON is read as it is', () => {
  for (const meter of states) {
    expect(JSON.stringify(LossMeter.fromJSON(JSON.parse(JSON.stringify(meter))))).toBe(
      JSON.stringify(meter),
    );
    expectPossible(meter.toJSON());
  }
});
