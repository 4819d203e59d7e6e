import type { Floats, Loss } from '../../cases.js';
import { focus } from './focus.js';

/** The focal loss of independent logits; the gradient goes to `grad` where there is one. */
export function sigmoidFocal(
  logits: Floats,
  targets: Int32Array | Floats,
  { alpha, gamma }: Extract<Loss, { kind: 'sigmoid-focal' }>,
  grad: Floats | undefined,
): number {
  const scale = 1 / logits.length;
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    const positive = targets[i] === 1;
    const gap = positive ? -logits[i] : logits[i];
    const exponential = Math.exp(-Math.abs(gap));
    const larger = 1 / (1 + exponential);
    const smaller = exponential * larger;
    const wrong = gap > 0;
    const loss = Math.log1p(exponential) + (wrong ? gap : 0);
    const pt = wrong ? smaller : larger;
    const miss = wrong ? larger : smaller;

    const weight = (positive ? alpha : 1 - alpha) * focus(miss, gamma);
    total += weight * loss;
    if (!grad) continue;
    const slope = scale * weight * (miss + gamma * pt * loss);
    grad[i] = positive ? -slope : slope;
  }
  return total * scale;
}
