// The losses of the family straight from their definitions in float64: plain loops, with no
// cleverness but what is needed for about 1e-13, relative to the size of the terms.

/** The value of a row, and its gradient. */
export interface FamilyResult {
  value: number;
  /** The size that the error of the value is relative to, if it is not that of the value. */
  valueScale?: number;
  grad: number[];
  /** The sizes that the errors of the gradient's entries are relative to: see docs/numerics.md. */
  scales: number[];
}

export interface SoftmaxRow {
  logits: ArrayLike<number>;
  /** The target as probabilities, not smoothed. */
  q: ArrayLike<number>;
  /** One weight per class, or none. */
  weights: ArrayLike<number> | null;
  labelSmoothing?: number;
}

export interface FocalRow extends SoftmaxRow {
  gamma: number;
  focusOn: 'smoothed' | 'target' | 'class';
}

/** The target of a class index. */
export function oneHot(target: number, classes: number): number[] {
  return Array.from({ length: classes }, (_, j) => (j === target ? 1 : 0));
}

function sumOf(terms: number[]): number {
  return terms.reduce((total, term) => total + term, 0);
}

/** For each of the terms, the sum of all others: without a difference. */
function sumsOfOthers(terms: number[]): number[] {
  const sums = terms.map(() => 0);
  let before = 0;
  let after = 0;
  for (let j = 0, k = terms.length - 1; k >= 0; j++, k--) {
    sums[j] += before;
    sums[k] += after;
    before += terms[j];
    after += terms[k];
  }
  return sums;
}

/** Probabilities, their complements as sums of the others, and minus their logarithms. */
interface Softmax {
  p: number[];
  u: number[];
  surprise: number[];
}

function softmaxOf(logits: number[]): Softmax {
  const max = Math.max(...logits);
  const exps = logits.map((x) => Math.exp(x - max));
  const rest = sumsOfOthers(exps);
  return {
    p: exps.map((e, j) => e / (e + rest[j])),
    u: exps.map((e, j) => rest[j] / (e + rest[j])),
    surprise: exps.map((e, j) =>
      e > rest[j] ? Math.log1p(rest[j] / e) : Math.log(e + rest[j]) + (max - logits[j]),
    ),
  };
}

/**
 * `slope` times the differences of `p_j` times the sum of `pulls` and `pulls_j`, where `u_j` is `1
 * - p_j`: what is in both is left out. `q` are the smoothed targets: where all is in one class, no
 * difference is left.
 */
function differences(slope: number, softmax: Softmax, q: number[], pulls: number[], terms = pulls) {
  const { p, u } = softmax;
  const others = sumsOfOthers(pulls);
  const grad = p.map((pj, j) => slope * (pj * others[j] - pulls[j] * u[j]));
  if (q.includes(1)) return { grad, scales: grad.map(Math.abs) };
  const mass = sumOf(terms);
  const largestTerm = slope * Math.max(...p.map((pj, j) => Math.max(pj * mass, terms[j])));
  return {
    grad,
    scales: Array<number>(p.length).fill(Math.max(largestTerm / 2, ...grad.map(Math.abs))),
  };
}

function smooth(q: number[], labelSmoothing: number): number[] {
  return q.map((qj) => qj * (1 - labelSmoothing) + labelSmoothing / q.length);
}

function weightOf(weights: ArrayLike<number> | null, j: number): number {
  return weights === null ? 1 : weights[j];
}

/** The quotient of two numbers that are the same where both are small. */
function ratioOf(a: number, b: number): number {
  return b === 0 ? 1 : a / b;
}

/** Where there is no probability, there is nothing to be surprised at. */
function times(q: number, surprise: number): number {
  return q === 0 ? 0 : q * surprise;
}

export function crossEntropyOracle({
  logits,
  q,
  weights,
  labelSmoothing = 0,
}: SoftmaxRow): FamilyResult {
  const softmax = softmaxOf(Array.from(logits));
  const smoothed = smooth(Array.from(q), labelSmoothing);
  const aims = smoothed.map((qj, j) => weightOf(weights, j) * qj);
  const value = sumOf(
    smoothed.map((qj, j) => weightOf(weights, j) * times(qj, softmax.surprise[j])),
  );
  return { value, ...differences(1, softmax, smoothed, aims) };
}

export function focalOracle({
  logits,
  q,
  weights,
  labelSmoothing = 0,
  gamma,
  focusOn,
}: FocalRow): FamilyResult {
  const given = Array.from(q);
  const softmax = softmaxOf(Array.from(logits));
  const { p, u, surprise } = softmax;
  const aims = smooth(given, labelSmoothing);
  if (focusOn === 'class') {
    const focused = aims.map((aim, j) => aim * weightOf(weights, j) * u[j] ** gamma);
    // d/dp_j of each class's own term, times p_j; then the softmax's Jacobian.
    const pulls = focused.map((f, j) =>
      f === 0 ? 0 : f * (1 + gamma * ratioOf(p[j] * surprise[j], u[j])),
    );
    const value = sumOf(aims.map((aim, j) => (aim === 0 ? 0 : focused[j] * surprise[j])));
    return { value, ...differences(1, softmax, aims, pulls) };
  }
  const weight = sumOf(given.map((qj, j) => qj * weightOf(weights, j)));
  const nll = sumOf(aims.map((aim, j) => times(aim, surprise[j])));
  if (focusOn === 'target') {
    const t = given.indexOf(1);
    // A half of the power each: all of it may be too small for a number where its product with the
    // surprise at the other classes, which grows with their logits alone, is not.
    const root = u[t] ** (gamma / 2);
    const weighed = weight * root;
    const terms = aims.map((aim) => root * aim);
    // The part that moves the focus pulls at the target alone.
    const focus = gamma === 0 || u[t] === 0 ? 0 : (gamma * p[t] * root * nll) / u[t];
    // A masked class that has a share makes the value infinite, also where the target is certain.
    const value = nll === Infinity ? weight * nll : weighed * (root * nll);
    return {
      value,
      ...differences(weighed, softmax, aims, terms.with(t, terms[t] + focus), terms),
    };
  }
  const unsure = -Math.expm1(-nll);
  const factor = weight * unsure ** gamma;
  const slope = factor * (1 + gamma * ratioOf(Math.exp(-nll) * nll, unsure));
  return { value: factor * nll, ...differences(slope, softmax, aims, aims) };
}

export interface SigmoidElement {
  x: number;
  y: number;
  alpha: number | null;
  gamma: number;
  posWeight?: number;
  labelSmoothing?: number;
}

export function sigmoidOracle(element: SigmoidElement): FamilyResult {
  const { x, alpha, gamma, posWeight = 1, labelSmoothing = 0 } = element;
  const sigma = 1 / (1 + Math.exp(-x));
  const opposite = 1 / (1 + Math.exp(x));
  const softplus = Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  const softplusOfMinus = Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  const y = element.y * (1 - labelSmoothing) + labelSmoothing / 2;
  const rest = (1 - element.y) * (1 - labelSmoothing) + labelSmoothing / 2;
  const weight = alpha === null ? 1 : alpha * y + (1 - alpha) * rest;
  const miss = y * opposite + rest * sigma;
  const nll = posWeight * times(y, softplusOfMinus) + times(rest, softplus);
  const factor = weight * miss ** gamma;
  const turn = miss === 0 ? 0 : ((gamma * (rest - y) * sigma * opposite) / miss) * nll;
  const pulled = posWeight * y;
  const grad = factor * sumOf([rest * sigma, -pulled * opposite, turn]);
  // As p - q, and as (1 - q) - (1 - p): what it is a difference of is the smaller of the two.
  const mass = rest + pulled;
  const terms = Math.min(Math.max(mass * sigma, pulled), Math.max(mass * opposite, rest));
  const largestTerm = factor * Math.max(terms, Math.abs(turn));
  return { value: factor * nll, grad: [grad], scales: [Math.max(largestTerm / 2, Math.abs(grad))] };
}
