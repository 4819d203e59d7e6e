// The asymmetric loss of a logit by its definition, and what its logits stand for.

/** The options of an `AsymmetricLoss` that its oracle knows. */
export interface AsymmetricOptions {
  gammaPositive: number;
  gammaNegative: number;
  margin: number;
}

/**
 * The sigmoid of a logit and that of the opposite one. Where `Math.exp` overflows the latter is not
 * 0 yet, and a small margin may divide it.
 */
function sigmoids(x: number) {
  const sigma = 1 / (1 + Math.exp(-x));
  return { sigma, opposite: x > 0 ? sigma * Math.exp(-x) : 1 / (1 + Math.exp(x)) };
}

/** The part of a logit's loss that is that of a negative, by the definition. */
export function ofNegative(x: number, { gammaNegative, margin }: AsymmetricOptions) {
  const { sigma, opposite } = sigmoids(x);
  const above = sigma - margin;
  // There the type's rounding decides whether a negative counts.
  const isAtMargin = margin > 0 && Math.abs(above) < 1e-6 * sigma;
  if (!(above > 0)) return { value: 0, grad: 0, cancelled: 1, isAtMargin };
  const rest = opposite + margin;
  const exact = above > 0.5 ? -Math.log(rest) : -Math.log1p(-above);
  const nll = margin === 0 && x > 700 ? x : exact;
  const factor = above ** gammaNegative;
  const ratio = margin === 0 ? 1 : opposite / rest;
  return {
    value: factor * nll,
    grad: factor * sigma * ((gammaNegative * opposite * nll) / above + ratio),
    cancelled: sigma / above,
    isAtMargin,
  };
}

/** The same of a positive. */
export function ofPositive(x: number, { gammaPositive }: AsymmetricOptions) {
  const { sigma, opposite } = sigmoids(x);
  const nll = Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  const turn = sigma === 0 ? 0 : gammaPositive * sigma * nll;
  const factor = opposite ** gammaPositive;
  return { value: factor === 0 ? 0 : factor * nll, grad: factor * (opposite + turn) };
}

/** The probability of yes that a logit stands for, and what its error is relative to. */
export function asymmetricPosterior(x: number, options: AsymmetricOptions) {
  const [yes, no] = [ofPositive(x, options), ofNegative(x, options)];
  const p = no.grad / (no.grad + yes.grad);
  return { p, scale: no.cancelled * p, isAtMargin: no.isAtMargin };
}
