// The loss on sigmoid logits in operations of TensorFlow.js, with the gradient that the kernels
// have. Nothing is computed by subtracting nearly equal numbers.

import {
  add,
  cast,
  divNoNan,
  expandDims,
  mean,
  mul,
  neg,
  notEqual,
  onesLike,
  sigmoid,
  sub,
  type Tensor,
  tensor1d,
} from '@tensorflow/tfjs-core';
import { gated, power, softplus } from './elementary.js';
import { checkSameShape } from './targets.js';
import type { Way } from './tensor-loss.js';

/** The settings of a loss: the properties of a `SigmoidFocalLoss`. */
interface SigmoidRule {
  readonly alpha: number | readonly number[] | null;
  readonly gamma: number;
  readonly posWeight: number | readonly number[];
  readonly labelSmoothing: number;
  readonly ignoreIndex: number | undefined;
}

export function sigmoidOps(rule: SigmoidRule, checkClasses: (columns: number) => void): Way {
  return (logits, yTrue) => {
    const { shape } = logits;
    checkSameShape(yTrue, shape);
    const columns = shape.length > 1 ? (shape.at(-1) as number) : 1;
    checkClasses(columns);
    const saved = [logits, yTrue];
    const losses = value(rule, makeElements(rule, logits, yTrue));
    return {
      value: shape.length > 1 ? mean(losses, -1) : losses,
      saved,
      gradient: (dy, [x, y]) => {
        const own = gradient(rule, makeElements(rule, x as Tensor, y as Tensor));
        return mul(shape.length > 1 ? expandDims(mul(dy, 1 / columns), -1) : dy, own);
      },
    };
  };
}

/** A number, or one for each column. */
type Factor = number | Tensor;

const factor = (given: number | readonly number[]): Factor =>
  typeof given === 'number' ? given : tensor1d([...given]);

/** Tensors made of logits and targets. */
interface Elements {
  /** The smoothed targets, and what they lack to 1. */
  readonly y: Tensor;
  readonly no: Tensor;
  readonly weights: Tensor;
  readonly posWeight: Factor;
  /** The probabilities of yes and of no. */
  readonly s: Tensor;
  readonly t: Tensor;
  /** The probability that the logits give to the wrong answer. */
  readonly oneMinusPt: Tensor;
  readonly ce: Tensor;
}

function makeElements(
  { alpha, posWeight, labelSmoothing, ignoreIndex }: SigmoidRule,
  x: Tensor,
  yTrue: Tensor,
): Elements {
  const given = cast(yTrue, 'float32');
  const counts =
    ignoreIndex === undefined ? onesLike(given) : cast(notEqual(given, ignoreIndex), 'float32');
  const kept = ignoreIndex === undefined ? given : gated(counts, given);
  const y = labelSmoothing === 0 ? kept : add(mul(kept, 1 - labelSmoothing), labelSmoothing / 2);
  const no = sub(1, y);
  const ofYes = alpha === null ? 1 : factor(alpha);
  const ofNo = alpha === null ? 1 : sub(1, ofYes);
  const s = sigmoid(x);
  const t = sigmoid(neg(x));
  const columnWeights = factor(posWeight);
  return {
    y,
    no,
    weights: mul(counts, add(mul(y, ofYes), mul(no, ofNo))),
    posWeight: columnWeights,
    s,
    t,
    oneMinusPt: add(mul(y, t), mul(no, s)),
    ce: add(mul(columnWeights, gated(y, softplus(neg(x)))), gated(no, softplus(x))),
  };
}

function value({ gamma }: SigmoidRule, { weights, oneMinusPt, ce }: Elements): Tensor {
  return gated(weights, mul(power(oneMinusPt, gamma), ce));
}

function gradient(
  { gamma }: SigmoidRule,
  { y, no, weights, posWeight, s, t, oneMinusPt, ce }: Elements,
): Tensor {
  const ofEntropy = sub(mul(no, s), mul(posWeight, mul(y, t)));
  const ofFactor = mul(divNoNan(mul(s, t), oneMinusPt), mul(sub(no, y), ce));
  return gated(weights, mul(power(oneMinusPt, gamma), add(ofEntropy, mul(gamma, ofFactor))));
}
