// The distance of the operations from the kernels, on any backend.

import * as tf from '@tensorflow/tfjs-core';
import type { Implementation, LossFunction } from 'focal-loss/tfjs';
import {
  CLASSES,
  INDICES_ONLY,
  indices,
  logits,
  oneHot,
  probabilities,
  ROWS,
  SIGMOID,
  SOFTMAX,
  shares,
  yesNo,
} from './batches.js';

const SHAPE: [number, number] = [ROWS, CLASSES];
const upstream = new Float32Array(ROWS).map((_, row) => Math.fround(0.25 + row / 7));

/** Logits so far apart that 1 - p is nowhere near representable for the rows that are right. */
export const far = logits.map((_, i) => {
  const row = Math.floor(i / CLASSES);
  return (i % CLASSES === indices[row] ? row - 8 : 0) + ((i * 7) % 5) / 8;
});

interface Result {
  value: ArrayLike<number>;
  grad: ArrayLike<number>;
}

/** One-hot rows, probabilities or class indices. */
export type Targets = Float32Array | Int32Array;

/** A loss in both of its ways, and its targets, whose array says what they are. */
interface Case {
  name: string;
  make: (implementation: Implementation) => LossFunction;
  targets: Targets;
}

/** The losses of softmax logits with all targets that they take. */
const softmaxCases: Case[] = [
  ...[...SOFTMAX, ...INDICES_ONLY].flatMap(({ name, make }) => [
    { name, make, targets: indices },
    { name: `${name}, one-hot`, make, targets: oneHot },
  ]),
  ...SOFTMAX.map(({ name, make }) => ({ name: `${name}, soft`, make, targets: probabilities })),
];

/** The losses of single logits with all targets that they take. */
const sigmoidCases: Case[] = SIGMOID.flatMap(({ name, criterion, make }) =>
  (criterion.ignoreIndex === undefined ? [yesNo, shares] : [yesNo]).map((targets) => ({
    name,
    make,
    targets,
  })),
);

/** All of them. */
export const cases = [...softmaxCases, ...sigmoidCases];

/** A tensor of targets. */
export function tensorOf(targets: Targets): tf.Tensor {
  return targets instanceof Int32Array ? tf.tensor1d(targets, 'int32') : tf.tensor(targets, SHAPE);
}

async function run(loss: LossFunction, targets: Targets, x: Float32Array): Promise<Result> {
  const [value, grad] = tf.tidy(() => {
    const yTrue = tensorOf(targets);
    const given = tf.tensor(x, SHAPE);
    const summed = (x: tf.Tensor) => tf.sum(tf.mul(loss(yTrue, x), tf.tensor1d(upstream)));
    return [loss(yTrue, given), tf.grad(summed)(given)] as const;
  });
  const result = { value: await value.data(), grad: await grad.data() };
  tf.dispose([value, grad]);
  return result;
}

/**
 * The largest error of values, relative to each, and of gradients, relative to the largest entry of
 * their row.
 */
function worst(actual: Result, expected: Result): number {
  let error = 0;
  for (let row = 0; row < ROWS; row++) {
    error = Math.max(error, difference(actual.value, expected.value, row, row + 1));
    error = Math.max(
      error,
      difference(actual.grad, expected.grad, row * CLASSES, (row + 1) * CLASSES),
    );
  }
  return error;
}

function difference(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  start: number,
  end: number,
): number {
  let scale = 0;
  let largest = 0;
  for (let i = start; i < end; i++) {
    scale = Math.max(scale, Math.abs(expected[i] as number));
    largest = Math.max(largest, Math.abs((actual[i] as number) - (expected[i] as number)));
  }
  if (Number.isNaN(largest)) return Infinity;
  return largest === 0 ? 0 : largest / scale;
}

/**
 * The largest error of the operations on the present backend, and the loss that has it. The kernels
 * read their tensors, so that they are run with the backend `cpu`. With `every`, it takes one of so
 * many cases.
 */
async function largestError(
  cases: readonly Case[],
  x: Float32Array,
  every = 1,
): Promise<[number, string]> {
  const backend = tf.getBackend();
  let largest: [number, string] = [0, ''];
  for (const { name, make, targets } of cases.filter((_, i) => i % every === 0)) {
    await tf.setBackend('cpu');
    const expected = await run(make('kernel'), targets, x);
    await tf.setBackend(backend);
    const error = worst(await run(make('ops'), targets, x), expected);
    if (!(error <= largest[0])) largest = [error, name];
  }
  return largest;
}

export const softmaxError = (x: Float32Array, every?: number) =>
  largestError(softmaxCases, x, every);
export const sigmoidError = (x: Float32Array, every?: number) =>
  largestError(sigmoidCases, x, every);

/**
 * The bounds of errors: the largest found on any backend, rounded up. Where a smoothed target is
 * nearly met, the operations take the difference of the probability and the target.
 */
export const BOUNDS = { softmax: 8e-7, softmaxFar: 8e-6, sigmoid: 7e-7, sigmoidFar: 1.1e-6 };
