import { allocate } from 'focal-loss';
import { type Contender, localRun } from '../contender.js';
import { makeCriterion } from './focal-loss.js';

/** This package on arrays in its own memory: nothing is copied. */
export const focalLossResident: Contender = {
  name: 'focal-loss (resident)',
  about: 'this package on arrays from allocate(), filled before: no copies',
  async prepare({ logits, targets, loss, gradient, rows, classes, dtype }) {
    // Targets that are floats have no place in resident arrays.
    if (!(targets instanceof Int32Array)) return undefined;
    const criterion = makeCriterion(loss);
    const arrays = allocate(rows, classes, dtype);
    arrays.logits.set(logits);
    arrays.targets.set(targets);
    const call = gradient
      ? () => criterion.valueAndGrad(arrays.logits, arrays.targets, { grad: arrays.grad }).value
      : () => criterion.forward(arrays.logits, arrays.targets);
    // The copy of the gradient is one that later calls don't change.
    return {
      ...localRun(call, gradient ? () => arrays.grad.slice() : undefined),
      dispose: () => arrays.dispose(),
    };
  },
};
