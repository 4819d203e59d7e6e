// The losses on sigmoid logits in operations of TensorFlow.js, with the gradient that the kernels
// have. Nothing is computed by subtracting nearly equal numbers.

import {
  add,
  cast,
  div,
  divNoNan,
  expandDims,
  greater,
  mean,
  mul,
  neg,
  notEqual,
  onesLike,
  relu,
  sigmoid,
  sub,
  type Tensor,
  tensor1d,
} from '@tensorflow/tfjs-core';
import { gated, log1p, power, softplus } from './elementary.js';
import { checkSameShape } from './targets.js';
import type { Way } from './tensor-loss.js';

/** The settings of a loss: the properties of a `SigmoidFocalLoss`. */
export interface SigmoidRule {
  readonly alpha: number | readonly number[] | null;
  readonly gamma: number;
  readonly posWeight: number | readonly number[];
  readonly labelSmoothing: number;
  readonly ignoreIndex: number | undefined;
}

/** The settings of a loss: the properties of an `AsymmetricLoss`. */
export interface AsymmetricRule {
  readonly gammaPositive: number;
  readonly gammaNegative: number;
  readonly margin: number;
  readonly ignoreIndex: number | undefined;
}

/** The loss of each logit, or its gradient. */
type Each = (logits: Tensor, yTrue: Tensor) => Tensor;

export function sigmoidOps(rule: SigmoidRule, checkClasses: (columns: number) => void): Way {
  return elementWise(
    (x, y) => value(rule, makeElements(rule, x, y)),
    (x, y) => gradient(rule, makeElements(rule, x, y)),
    checkClasses,
  );
}

export function asymmetricOps(rule: AsymmetricRule, checkClasses: (columns: number) => void): Way {
  return elementWise(
    (x, y) => asymmetricValue(rule, makeParts(rule, x, y)),
    (x, y) => asymmetricGradient(rule, makeParts(rule, x, y)),
    checkClasses,
  );
}

/** The means over rows of what each logit gives. */
function elementWise(value: Each, gradient: Each, checkClasses: (columns: number) => void): Way {
  return (logits, yTrue) => {
    const { shape } = logits;
    checkSameShape(yTrue, shape);
    const columns = shape.length > 1 ? (shape.at(-1) as number) : 1;
    checkClasses(columns);
    const saved = [logits, yTrue];
    const losses = value(logits, yTrue);
    return {
      value: shape.length > 1 ? mean(losses, -1) : losses,
      saved,
      gradient: (dy, [x, y]) => {
        const own = gradient(x as Tensor, y as Tensor);
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

/** The targets that count, as 1 and 0, and the targets, 0 where they do not. */
function targetsThatCount(ignoreIndex: number | undefined, yTrue: Tensor) {
  const given = cast(yTrue, 'float32');
  if (ignoreIndex === undefined) return { counts: onesLike(given), kept: given };
  const counts = cast(notEqual(given, ignoreIndex), 'float32');
  return { counts, kept: gated(counts, given) };
}

function makeElements(
  { alpha, posWeight, labelSmoothing, ignoreIndex }: SigmoidRule,
  x: Tensor,
  yTrue: Tensor,
): Elements {
  const { counts, kept } = targetsThatCount(ignoreIndex, yTrue);
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

/** Tensors made of logits and targets, for the asymmetric loss. */
interface Parts {
  /** The targets, and what those that count lack to 1. */
  readonly y: Tensor;
  readonly no: Tensor;
  /** The probabilities of yes and of no. */
  readonly s: Tensor;
  readonly t: Tensor;
  /** The probability of yes, clipped, and its complement. */
  readonly clipped: Tensor;
  readonly rest: Tensor;
  /** The cross-entropies of yes, and of the clipped no. */
  readonly yes: Tensor;
  readonly unlikely: Tensor;
}

function makeParts({ margin, ignoreIndex }: AsymmetricRule, x: Tensor, yTrue: Tensor): Parts {
  const { counts, kept } = targetsThatCount(ignoreIndex, yTrue);
  const s = sigmoid(x);
  const t = sigmoid(neg(x));
  const clipped = relu(sub(s, margin));
  const rest = add(t, margin);
  return {
    y: kept,
    no: gated(counts, sub(1, kept)),
    s,
    t,
    clipped,
    rest,
    yes: softplus(neg(x)),
    unlikely: margin === 0 ? softplus(x) : log1p(div(clipped, rest)),
  };
}

function asymmetricValue(
  { gammaPositive, gammaNegative }: AsymmetricRule,
  { y, no, t, clipped, yes, unlikely }: Parts,
): Tensor {
  return add(
    gated(y, mul(power(t, gammaPositive), yes)),
    gated(no, mul(power(clipped, gammaNegative), unlikely)),
  );
}

function asymmetricGradient(
  { gammaPositive, gammaNegative, margin }: AsymmetricRule,
  { y, no, s, t, clipped, rest, yes, unlikely }: Parts,
): Tensor {
  const pull = mul(power(t, gammaPositive), add(t, mul(gammaPositive, mul(s, yes))));
  const ofFactor = mul(gammaNegative, mul(mul(t, unlikely), divNoNan(s, clipped)));
  const ofEntropy = margin === 0 ? s : mul(s, div(t, rest));
  const push = mul(power(clipped, gammaNegative), add(ofFactor, ofEntropy));
  const above = cast(greater(clipped, 0), 'float32');
  return sub(gated(mul(no, above), push), gated(y, pull));
}
