import { FocalLoss } from 'focal-loss';
import type { Contender } from '../contender.js';

/** This package. */
export const focalLoss: Contender = {
  name: 'focal-loss',
  async prepare({ logits, targets, alpha, gamma }) {
    const criterion = new FocalLoss({ alpha, gamma });
    const options = { grad: new Float32Array(logits.length) };
    return {
      call: () => criterion.valueAndGrad(logits, targets, options).value,
      grad: () => options.grad,
    };
  },
};
