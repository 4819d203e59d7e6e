// The losses on softmax logits in operations of TensorFlow.js, with the gradient that the kernels
// have. Nothing is computed by subtracting nearly equal numbers.

import {
  add,
  argMax,
  cast,
  div,
  divNoNan,
  equal,
  exp,
  expandDims,
  less,
  max,
  mul,
  neg,
  notEqual,
  oneHot,
  onesLike,
  range,
  reshape,
  squeeze,
  sub,
  sum,
  type Tensor,
  tensor1d,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { gated, log1p, oneMinusExp, power } from './elementary.js';
import { areIndices, castIndices, softmaxClasses, withoutLast } from './targets.js';
import type { Way } from './tensor-loss.js';

/** The settings of a loss: the properties of a `FocalLoss` or a `PolyFocalLoss`. */
export interface SoftmaxRule {
  readonly alpha: number | readonly number[] | null;
  readonly gamma: number | readonly number[];
  readonly focusOn: 'smoothed' | 'target' | 'class';
  readonly labelSmoothing: number;
  readonly ignoreIndex: number | undefined;
  readonly epsilon?: number;
}

export function softmaxOps(rule: SoftmaxRule, checkClasses: (classes: number) => void): Way {
  const [value, gradient] =
    rule.focusOn === 'class'
      ? [classValue(rule), classGradient(rule)]
      : [focalValue(rule), focalGradient(rule)];
  return (logits, yTrue) => {
    checkClasses(softmaxClasses(logits.shape));
    // Also makes sure that the shapes match.
    const indices = areIndices(yTrue, logits.shape);
    const rowsOf = ([x, y]: Tensor[]) => {
      const targets = makeTargets(y as Tensor, indices, (x as Tensor).shape, rule);
      return { ...targets, ...makeProbabilities(x as Tensor) };
    };
    const saved = [logits, yTrue];
    return {
      value: squeeze(value(rowsOf(saved)), [-1]),
      saved,
      gradient: (dy, kept) => mul(expandDims(dy, -1), gradient(rowsOf(kept))),
    };
  };
}

/** Tensors made of targets. All have the classes as their last axis, or one entry there. */
interface Targets {
  /** The targets as they were given, and smoothed; those of rows to be ignored are 0. */
  readonly hard: Tensor;
  readonly q: Tensor;
  /** The weights of the rows, and of the classes. */
  readonly rowWeights: Tensor;
  readonly classWeights: Tensor;
  readonly gamma: Tensor | number;
}

function makeTargets(yTrue: Tensor, indices: boolean, shape: number[], rule: SoftmaxRule): Targets {
  const { alpha, gamma, labelSmoothing, ignoreIndex } = rule;
  const classes = shape.at(-1) as number;
  const given = indices ? reshape(castIndices(yTrue), withoutLast(shape)) : cast(yTrue, 'float32');
  // In floats from the start, the wasm backend gets it wrong.
  let hard = indices ? cast(oneHot(given, classes), 'float32') : given;
  // The one-hot row of no class, as an index to be ignored can be, is all 0.
  let counts: Tensor = onesLike(sum(hard, -1, true));
  if (ignoreIndex !== undefined) {
    if (ignoreIndex >= 0 && ignoreIndex < classes) {
      hard = mul(hard, tensor1d(tabulate(classes, (j) => (j === ignoreIndex ? 0 : 1))));
    }
    counts = cast(notEqual(sum(hard, -1, true), 0), 'float32');
  }
  const q =
    labelSmoothing === 0
      ? hard
      : add(mul(hard, 1 - labelSmoothing), mul(counts, labelSmoothing / classes));
  const classWeights = tensor1d(tabulate(classes, (j) => weightOf(alpha, j)));
  return {
    hard,
    q,
    rowWeights: alpha === null ? counts : sum(mul(hard, classWeights), -1, true),
    classWeights,
    gamma: typeof gamma === 'number' ? gamma : sum(mul(hard, tensor1d([...gamma])), -1, true),
  };
}

function tabulate(count: number, f: (j: number) => number): number[] {
  return Array.from({ length: count }, (_, j) => f(j));
}

function weightOf(alpha: number | readonly number[] | null, j: number): number {
  if (alpha === null) return 1;
  if (typeof alpha !== 'number') return alpha[j] as number;
  return j === 1 ? alpha : 1 - alpha;
}

/**
 * Tensors made of logits: the probability of each class, its distance from 1, and its negative
 * logarithm.
 */
interface Probabilities {
  readonly p: Tensor;
  readonly others: Tensor;
  readonly nll: Tensor;
}

function makeProbabilities(x: Tensor): Probabilities {
  // Only the largest can come near 1, and it alone lacks what the others are.
  const isTop = equal(
    range(0, x.shape.at(-1) as number, 1, 'int32'),
    expandDims(argMax(x, -1), -1),
  );
  const z = sub(x, max(x, -1, true));
  const e = exp(z);
  const rest = sum(where(isTop, zerosLike(e), e), -1, true);
  const total = add(1, rest);
  const p = div(e, total);
  return { p, others: where(isTop, div(rest, total), sub(1, p)), nll: sub(log1p(rest), z) };
}

type Rows = Targets & Probabilities;

/** p - q. */
function excess(p: Tensor, others: Tensor, q: Tensor): Tensor {
  return sub(mul(p, sub(1, q)), mul(q, others));
}

/** A sum with what poly-1 adds to it: `epsilon` times a factor. */
function withPoly(x: Tensor, { epsilon = 0 }: SoftmaxRule, factor: () => Tensor): Tensor {
  return epsilon === 0 ? x : add(x, mul(epsilon, factor()));
}

/** The sum of what each class adds. */
const classValue =
  (rule: SoftmaxRule) =>
  ({ q, classWeights, gamma, others, nll }: Rows) => {
    const ofClass = withPoly(gated(q, nll), rule, () => mul(q, others));
    return sum(mul(ofClass, mul(classWeights, power(others, gamma))), -1, true);
  };

const classGradient =
  (rule: SoftmaxRule) =>
  ({ q, classWeights, gamma, p, others, nll }: Rows) => {
    const plain = add(1, mul(gamma, divNoNan(gated(p, nll), others)));
    const steepness = withPoly(plain, rule, () => mul(add(gamma, 1), p));
    const ofClass = mul(mul(q, classWeights), mul(power(others, gamma), steepness));
    return sub(mul(p, sub(sum(ofClass, -1, true), ofClass)), mul(ofClass, others));
  };

/** The cross-entropy of each row, and by how much it misses. */
function crossEntropy({ hard, q, others, nll }: Rows, { focusOn }: SoftmaxRule) {
  const ce = sum(gated(q, nll), -1, true);
  return {
    ce,
    oneMinusPt: focusOn === 'target' ? sum(mul(hard, others), -1, true) : oneMinusExp(ce),
  };
}

const focalValue = (rule: SoftmaxRule) => (rows: Rows) => {
  const { ce, oneMinusPt } = crossEntropy(rows, rule);
  const sum = withPoly(ce, rule, () => oneMinusPt);
  return mul(rows.rowWeights, mul(power(oneMinusPt, rows.gamma), sum));
};

const focalGradient = (rule: SoftmaxRule) => (rows: Rows) => {
  const { hard, q, rowWeights, gamma, p, others } = rows;
  const { ce, oneMinusPt } = crossEntropy(rows, rule);
  const ofEntropy = excess(p, others, q);
  const factor = mul(rowWeights, power(oneMinusPt, gamma));
  if (rule.focusOn === 'target') {
    const pt = sum(mul(hard, p), -1, true);
    const ofFactor = mul(mul(pt, ce), divNoNan(excess(p, others, hard), oneMinusPt));
    const ofPoly = () => mul(add(gamma, 1), mul(pt, excess(p, others, hard)));
    return mul(factor, withPoly(add(ofEntropy, mul(gamma, ofFactor)), rule, ofPoly));
  }
  // ce / (exp(ce) - 1), which is 1 at 0; so large a ce has no exponential.
  const slope = div(where(less(ce, 100), mul(ce, exp(neg(ce))), zerosLike(ce)), oneMinusPt);
  const ratio = where(equal(oneMinusPt, 0), onesLike(oneMinusPt), slope);
  const steepness = withPoly(add(1, mul(gamma, ratio)), rule, () =>
    mul(add(gamma, 1), exp(neg(ce))),
  );
  return mul(mul(factor, steepness), ofEntropy);
};
