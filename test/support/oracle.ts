/** The focal loss of one row, straight from its definition in float64. */
export interface RowOptions {
  weight: number;
  gamma: number;
  labelSmoothing?: number;
}

export interface RowResult {
  value: number;
  grad: number[];
  /** The size of the terms whose difference an entry of the gradient is under smoothing. */
  scale: number;
}

/**
 * Plain loops, no cleverness but what is needed to be right to about 1e-14: the other classes' sum
 * is taken without the target, so that `1 - pt` is never a difference.
 */
export function focalRow(
  logits: ArrayLike<number>,
  target: number,
  options: RowOptions,
): RowResult {
  const { weight, gamma, labelSmoothing = 0 } = options;
  const row = Array.from(logits);
  const max = Math.max(...row);
  const exps = row.map((x) => Math.exp(x - max));
  const sumOfOthers = exps.reduce((a, e, j) => (j === target ? a : a + e), 0);
  const all = sumOfOthers + exps[target];
  const p = exps.map((e) => e / all);
  const others = sumOfOthers / all;
  // -log(p[target]), by way of log1p where p[target] is near 1.
  const hard =
    exps[target] > sumOfOthers
      ? Math.log1p(sumOfOthers / exps[target])
      : Math.log(all) + max - row[target];

  const share = labelSmoothing / row.length;
  const spread = row.reduce((total, x) => total + (hard + row[target] - x), 0);
  const crossEntropy = (1 - labelSmoothing) * hard + share * spread;
  // Both are 1 - pt and pt * crossEntropy / (1 - pt).
  const unsure = labelSmoothing === 0 ? others : -Math.expm1(-crossEntropy);
  const ratio = unsure === 0 ? 1 : (Math.exp(-crossEntropy) * crossEntropy) / unsure;

  const factor = weight * unsure ** gamma;
  const slope = factor * (1 + gamma * ratio);
  return {
    value: factor * crossEntropy,
    // p - q, where for the target that is (1 - q) - (1 - p).
    grad: p.map((pj, j) => slope * (j === target ? labelSmoothing - share - others : pj - share)),
    scale: slope * Math.max(others, labelSmoothing),
  };
}

/** The weight of a class. */
export function weightOf(alpha: number | readonly number[] | null, target: number): number {
  if (alpha === null) return 1;
  if (typeof alpha === 'number') return target === 1 ? alpha : 1 - alpha;
  return alpha[target];
}
