import {
  CrossEntropyLoss,
  type CrossEntropyLossOptions,
  FocalLoss,
  type FocalLossOptions,
  SigmoidFocalLoss,
  type SigmoidFocalLossOptions,
} from 'focal-loss';
import * as tfjs from 'focal-loss/tfjs';
import {
  crossEntropy,
  focalLoss,
  type Implementation,
  type LossFunction,
  sigmoidFocalLoss,
} from 'focal-loss/tfjs';
import { type AnyCriterion, LOSSES } from '../losses/index.js';

/** Numbers in [0, 1) that are the same in every run. */
export function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = randomSource(7);
const floats = (count: number, make: (i: number) => number) =>
  new Float32Array(count).map((_, i) => make(i));

export const ROWS = 24;
export const CLASSES = 5;

/** Logits whose rows are further and further apart. */
export const logits = floats(
  ROWS * CLASSES,
  (i) => (random() - 0.5) * 1.25 ** Math.floor(i / CLASSES),
);
export const indices = new Int32Array(ROWS).map(() => Math.floor(random() * CLASSES));
export const oneHot = floats(ROWS * CLASSES, (i) =>
  indices[Math.floor(i / CLASSES)] === i % CLASSES ? 1 : 0,
);
export const yesNo = floats(ROWS * CLASSES, () => (random() < 0.3 ? 1 : 0));
export const shares = floats(ROWS * CLASSES, random);
export const probabilities = (() => {
  const result = shares.slice();
  for (let start = 0; start < result.length; start += CLASSES) {
    const row = result.subarray(start, start + CLASSES);
    const sum = row.reduce((a, b) => a + b);
    row.forEach((share, j) => {
      row[j] = share / sum;
    });
  }
  return result;
})();

/** A loss on tensors, and the criterion that says what it gives. */
const focal = (options: FocalLossOptions) => ({
  name: `focal ${JSON.stringify(options)}`,
  criterion: new FocalLoss({ ...options, reduction: 'none' }),
  make: (implementation: Implementation) => focalLoss({ ...options, implementation }),
});

const entropy = (options: CrossEntropyLossOptions) => ({
  name: `cross-entropy ${JSON.stringify(options)}`,
  criterion: new CrossEntropyLoss({ ...options, reduction: 'none' }),
  make: (implementation: Implementation) => crossEntropy({ ...options, implementation }),
});

const sigmoid = (options: SigmoidFocalLossOptions) => ({
  name: `sigmoid focal ${JSON.stringify(options)}`,
  criterion: new SigmoidFocalLoss({ ...options, reduction: 'none' }),
  make: (implementation: Implementation) => sigmoidFocalLoss({ ...options, implementation }),
});

const perClass = [0.5, 1, 0, 2, 3];

/** Losses for any targets. */
export const SOFTMAX = [
  focal({}),
  focal({ alpha: null, gamma: 0 }),
  focal({ alpha: perClass, gamma: 1 }),
  focal({ gamma: 0.5 }),
  focal({ gamma: 2.7, labelSmoothing: 0.1 }),
  focal({ focusOn: 'class', gamma: 1.5 }),
  focal({ focusOn: 'class', labelSmoothing: 0.2, alpha: perClass }),
  entropy({}),
  entropy({ weight: perClass, labelSmoothing: 0.1 }),
];

/** Losses for class indices alone, also as one-hot rows. */
export const INDICES_ONLY = [
  focal({ focusOn: 'target', labelSmoothing: 0.1 }),
  focal({ focusOn: 'target', labelSmoothing: 0.3, gamma: 0.5, alpha: null }),
  focal({ gamma: [0, 1, 2, 3, 0.5] }),
  focal({ focusOn: 'class', gamma: [0, 1, 2, 3, 0.5] }),
  focal({ ignoreIndex: 2 }),
  focal({ ignoreIndex: 2, alpha: null, labelSmoothing: 0.1 }),
  entropy({ ignoreIndex: 0, weight: perClass }),
  entropy({ ignoreIndex: 4, labelSmoothing: 0.1 }),
];

export const SIGMOID = [
  sigmoid({}),
  sigmoid({ alpha: null, gamma: 0 }),
  sigmoid({ alpha: [0.1, 0.2, 0.3, 0.4, 0.5], gamma: 1, posWeight: [1, 2, 3, 4, 5] }),
  sigmoid({ gamma: 0.5, posWeight: 3 }),
  sigmoid({ gamma: 2.7, labelSmoothing: 0.1 }),
  sigmoid({ ignoreIndex: 1 }),
];

/** A loss on tensors of which there are no forms above: those of the tests of all losses. */
interface OtherLoss {
  name: string;
  criterion: AnyCriterion<'none'>;
  make: (implementation: Implementation) => LossFunction;
}

const NAMED = ['FocalLoss', 'CrossEntropyLoss', 'SigmoidFocalLoss'];

for (const { name, Loss, isSigmoid, forms } of LOSSES) {
  if (NAMED.includes(name)) continue;
  const makeLoss = Reflect.get(tfjs, name.charAt(0).toLowerCase() + name.slice(1));
  for (const { name: form, options, isSoft } of forms([0.1, 0.2, 0.3, 0.4, 0.5])) {
    const other: OtherLoss = {
      name: form,
      criterion: new Loss({ ...options, reduction: 'none' }) as AnyCriterion<'none'>,
      make: (implementation) => makeLoss({ ...options, implementation }),
    };
    if (isSigmoid) SIGMOID.push(other as never);
    else (isSoft ? SOFTMAX : INDICES_ONLY).push(other as never);
  }
}

export type SoftmaxLoss = (typeof SOFTMAX)[number];
export type SigmoidLoss = (typeof SIGMOID)[number];
