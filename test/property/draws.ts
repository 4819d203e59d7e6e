// The parts of a call that fast-check draws. The numbers in its arrays follow from a seed: that is
// far quicker than to draw each of them, and fast-check can make a failing call smaller all the
// same.

import fc from 'fast-check';
import type { Reduction } from 'focal-loss';
import { float32, float64 } from '../support/dtypes.js';

/** Kinds of arrays for class indices. */
export const INDEX_KINDS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
] as const;

/** The nature of the logits of a batch. */
export const FLAVOURS = [
  'ordinary',
  'far apart',
  'of any size',
  'tiny',
  'ties',
  'far from 0',
  'special',
  'masked',
  'extreme',
] as const;

export type Flavour = (typeof FLAVOURS)[number];

export const hundredths = (x: number) => x / 100;
export const often = <T>(common: fc.Arbitrary<T>, rare: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: common, weight: 9 }, { arbitrary: rare, weight: 1 });

/** The draws for calls of any loss. */
export const common = {
  seed: fc.noShrink(fc.nat()),
  flavour: fc.constantFrom(...FLAVOURS),
  samples: often(fc.integer({ min: 1, max: 3 }), fc.constant(0)),
  /** Rows of a sample. */
  positions: often(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 40 })),
  classes: often(
    fc.oneof(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 2, max: 24 })),
    fc.integer({ min: 60, max: 140 }),
  ),
  indexKind: fc.constantFrom(...INDEX_KINDS),
  /** The kind of the arrays that need not be of the kind of the logits. */
  otherFloats: fc.constantFrom(float32, float64),
  reduction: fc.constantFrom<Reduction>('mean', 'sum', 'none'),
  normalizer: fc.constantFrom(undefined, undefined, 'criterion', 'call'),
  numClasses: fc.constantFrom(undefined, 'criterion', 'call'),
  ignoreIndex: fc.constantFrom(undefined, undefined, -1, -100, 0, 1, 255),
  gamma: fc.oneof(
    fc.integer({ min: 0, max: 10 }).map((x) => x / 2),
    fc.integer({ min: 0, max: 800 }).map(hundredths),
  ),
  labelSmoothing: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 }).map(hundredths)),
  alpha: fc.constantFrom('number', 'each', null),
  sampleWeights: fc.boolean(),
  gradOutput: fc.constantFrom(undefined, 'number', 'each'),
  /** A flag: there is a buffer for the gradient. */
  buffer: fc.boolean(),
  /** Entries before an array in its buffer. */
  offset: fc.nat(5),
  /** The bits that say which of logits, targets and the buffer are resident. */
  resident: often(fc.constant(0), fc.integer({ min: 1, max: 7 })),
};

/** The draws for calls of any softmax loss. */
export const softmax = { ...common, soft: fc.boolean(), channelsFirst: fc.boolean() };

/** The draws for calls of a focal loss on softmax logits. */
export const focal = {
  ...softmax,
  gammaPerClass: often(fc.constant(false), fc.constant(true)),
  focusOn: fc.constantFrom('smoothed', 'target', 'class'),
};

/** The draws for calls of any loss whose every logit is a row by itself. */
export const sigmoid = {
  ...common,
  classes: fc.integer({ min: 1, max: 8 }),
  /** A flag: targets may lie between 0 and 1. */
  soft: fc.boolean(),
  /** A flag: sample weights are one per row, not one per logit. */
  weightsPerRow: fc.boolean(),
};

type DrawnOf<R> = { [Name in keyof R]: R[Name] extends fc.Arbitrary<infer D> ? D : never };

/** The parts that calls of all losses have. */
export type AnyCall = DrawnOf<typeof common>;
export type SoftmaxCall = DrawnOf<typeof softmax>;
export type FocalCall = DrawnOf<typeof focal>;
export type SigmoidCall = DrawnOf<typeof sigmoid>;
