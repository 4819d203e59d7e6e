import type { Case } from './cases.js';
import type { Outcome } from './contender.js';

/**
 * Contenders may round as their floats do, at every step; anything more is another function. The
 * share of the largest entry of the gradient is for formulas that lose digits where the target is
 * nearly certain. Some add the losses up one by one: so the value may be off by a share of itself
 * for every term, a thirty-second part of what each could cost.
 */
const TOLERANCES = {
  float32: { relative: 1e-4, ofLargest: 1e-6, perTerm: 2 ** -29 },
  float64: { relative: 1e-9, ofLargest: 1e-14, perTerm: 2 ** -58 },
} as const;

/** The fault of an outcome in the light of a trusted one; undefined where they agree. */
export function disagreement(of: Case, outcome: Outcome, trusted: Outcome): string | undefined {
  const { relative, ofLargest, perTerm } = TOLERANCES[of.dtype];
  const terms = of.loss.kind === 'sigmoid-focal' ? of.rows * of.classes : of.rows;
  if (
    !(
      Math.abs(outcome.value - trusted.value) <=
      (relative + terms * perTerm) * Math.abs(trusted.value)
    )
  ) {
    return `value ${outcome.value}, wanted ${trusted.value}`;
  }
  if (!of.gradient) return undefined;

  const { grad } = outcome;
  const wanted = trusted.grad;
  if (!(grad && wanted)) return 'no gradient';
  if (grad.length !== wanted.length)
    return `${grad.length} gradient entries, wanted ${wanted.length}`;
  let largest = 0;
  for (const entry of wanted) largest = Math.max(largest, Math.abs(entry));
  const wrong = wanted.findIndex(
    (entry, i) => !(Math.abs(grad[i] - entry) <= relative * Math.abs(entry) + ofLargest * largest),
  );
  return wrong < 0 ? undefined : `gradient[${wrong}] ${grad[wrong]}, wanted ${wanted[wrong]}`;
}
