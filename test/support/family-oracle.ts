// The losses of the family straight from their definitions in float64: plain loops, with no cleverness but what is needed
// for about 1e-13, relative to the size of the terms.

/** What a row is worth, and its gradient. */
export interface FamilyResult {
  value: number;
  grad: number[];
  /** The size of the terms whose difference an entry of the gradient is. */
  scale: number;
}

export interface SoftmaxRow {
  logits: ArrayLike<number>;
  /** The target as probabilities, not smoothed. */
  q: ArrayLike<number>;
  /** One weight per class. */
  weights: ArrayLike<number>;
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

/** Probabilities, their complements as sums of the others, and minus their logarithms. */
function softmax(logits: number[]) {
  const max = Math.max(...logits);
  const exps = logits.map((x) => Math.exp(x - max));
  const rest = exps.map((_, j) => sumOf(exps.filter((_, k) => k !== j)));
  return {
    p: exps.map((e, j) => e / (e + rest[j])),
    u: exps.map((e, j) => rest[j] / (e + rest[j])),
    surprise: exps.map((e, j) => (e > rest[j] ? Math.log1p(rest[j] / e) : Math.log(e + rest[j]) + max - logits[j])),
  };
}

function smooth(q: number[], labelSmoothing: number): number[] {
  return q.map((qj) => qj * (1 - labelSmoothing) + labelSmoothing / q.length);
}

/** Where there is no probability, there is nothing to be surprised at. */
function times(q: number, surprise: number): number {
  return q === 0 ? 0 : q * surprise;
}

export function crossEntropyOracle({ logits, q, weights, labelSmoothing = 0 }: SoftmaxRow): FamilyResult {
  const { p, surprise } = softmax(Array.from(logits));
  const aims = smooth(Array.from(q), labelSmoothing).map((qj, j) => weights[j] * qj);
  const mass = sumOf(aims);
  return {
    value: sumOf(aims.map((aim, j) => times(aim, surprise[j]))),
    grad: p.map((pj, j) => mass * pj - aims[j]),
    scale: mass,
  };
}

export function focalOracle({ logits, q, weights, labelSmoothing = 0, gamma, focusOn }: FocalRow): FamilyResult {
  const given = Array.from(q);
  const { p, u, surprise } = softmax(Array.from(logits));
  const aims = smooth(given, labelSmoothing);
  if (focusOn === 'class') {
    // d/dp_j of each class's own term, times p_j, then the softmax's Jacobian.
    const pulls = p.map(
      (pj, j) =>
        aims[j] * weights[j] * (u[j] ** gamma + (gamma === 0 ? 0 : gamma * u[j] ** (gamma - 1) * pj * surprise[j])),
    );
    const all = sumOf(pulls);
    return {
      value: sumOf(aims.map((aim, j) => aim * weights[j] * u[j] ** gamma * surprise[j])),
      grad: p.map((pj, j) => pj * all - pulls[j]),
      scale: all,
    };
  }
  const weight = sumOf(given.map((qj, j) => qj * weights[j]));
  const nll = sumOf(aims.map((aim, j) => times(aim, surprise[j])));
  const mass = sumOf(aims);
  if (focusOn === 'target') {
    const t = given.indexOf(1);
    const pull = gamma === 0 ? 0 : gamma * u[t] ** (gamma - 1) * p[t] * nll;
    return {
      value: weight * u[t] ** gamma * nll,
      grad: p.map((pj, j) => weight * (u[t] ** gamma * (pj - aims[j]) + pull * (j === t ? -u[t] : pj))),
      scale: weight * (u[t] ** gamma + pull),
    };
  }
  const unsure = -Math.expm1(-nll);
  const factor = weight * unsure ** gamma;
  const slope = factor * (1 + gamma * (unsure === 0 ? 1 : (Math.exp(-nll) * nll) / unsure));
  return { value: factor * nll, grad: p.map((pj, j) => slope * (mass * pj - aims[j])), scale: slope };
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
  const turn = gamma === 0 ? 0 : ((gamma * (rest - y) * sigma * opposite) / miss) * nll;
  const pulls = [rest * sigma, -posWeight * y * opposite, turn];
  return {
    value: factor * nll,
    grad: [factor * sumOf(pulls)],
    scale: factor * Math.max(...pulls.map(Math.abs)),
  };
}
