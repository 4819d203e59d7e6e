/**
 * The general power costs as much as the rest of a small row, so the usual exponents go without it.
 */
export function focus(miss: number, exponent: number): number {
  if (exponent === 1) return miss;
  return exponent === 2 ? miss * miss : miss ** exponent;
}
