import type { Contender } from '../contender.js';
import type { Workload } from '../workload.js';

/** The plain loop for two classes and no more: only their gap counts, so one exponential and one logarithm do. */
export const plainJsTwo: Contender = {
  name: 'plain JS for C = 2',
  async prepare(workload) {
    if (workload.classes !== 2) return undefined;
    const grad = new Float32Array(workload.logits.length);
    return { call: () => valueAndGrad(workload, grad), grad: () => grad };
  },
};

function valueAndGrad({ logits, targets, alpha, gamma }: Workload, grad: Float32Array): number {
  const scale = 1 / targets.length;
  let total = 0;
  for (let row = 0; row < targets.length; row++) {
    const target = targets[row];
    const at = 2 * row + target;
    const other = 2 * row + 1 - target;

    const gap = logits[other] - logits[at];
    const exponential = Math.exp(-Math.abs(gap));
    const larger = 1 / (1 + exponential);
    const smaller = exponential * larger;
    const wrong = gap > 0;
    const loss = Math.log1p(exponential) + (wrong ? gap : 0);
    const pt = wrong ? smaller : larger;
    const miss = wrong ? larger : smaller;

    const weight = (target === 1 ? alpha : 1 - alpha) * (gamma === 2 ? miss * miss : miss ** gamma);
    total += weight * loss;
    const slope = scale * weight * (miss + gamma * pt * loss);
    grad[other] = slope;
    grad[at] = -slope;
  }
  return total * scale;
}
