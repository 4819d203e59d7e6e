import type { Contender } from '../contender.js';
import type { Workload } from '../workload.js';

/** What a careful person would write without this package: one loop over typed arrays, nothing allocated in it. */
export const plainJs: Contender = {
  name: 'plain JS',
  async prepare(workload) {
    const grad = new Float32Array(workload.logits.length);
    return { call: () => valueAndGrad(workload, grad), grad: () => grad };
  },
};

function valueAndGrad({ logits, targets, classes, alpha, gamma }: Workload, grad: Float32Array): number {
  const scale = 1 / targets.length;
  let total = 0;
  for (let row = 0, start = 0; row < targets.length; row++, start += classes) {
    const end = start + classes;
    const at = start + targets[row];

    let max = logits[start];
    for (let i = start + 1; i < end; i++) max = Math.max(max, logits[i]);
    let sum = 0;
    for (let i = start; i < end; i++) {
      const exponential = Math.exp(logits[i] - max);
      grad[i] = exponential;
      sum += exponential;
    }

    const inverse = 1 / sum;
    const loss = Math.log(sum) + max - logits[at];
    const pt = grad[at] * inverse;
    const miss = 1 - pt;
    const weight = targets[row] === 1 ? alpha : 1 - alpha;
    // The general power costs as much as the rest of a small row, so the usual gamma goes without it.
    const power = gamma === 2 ? miss : miss ** (gamma - 1);
    total += weight * power * miss * loss;

    const slope = scale * weight * power * (miss + gamma * pt * loss);
    const share = slope * inverse;
    for (let i = start; i < end; i++) grad[i] *= share;
    grad[at] -= slope;
  }
  return total * scale;
}
