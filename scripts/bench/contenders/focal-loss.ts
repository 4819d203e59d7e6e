import { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import type { Loss } from '../cases.js';
import { type Contender, localRun } from '../contender.js';

/** This package. */
export const focalLoss: Contender = {
  name: 'focal-loss',
  about: 'this package',
  async prepare({ logits, targets, loss, gradient }) {
    const criterion = makeCriterion(loss);
    if (!gradient) return localRun(() => criterion.forward(logits, targets));
    const options = { grad: logits.slice() };
    return localRun(
      () => criterion.valueAndGrad(logits, targets, options).value,
      () => options.grad,
    );
  },
};

/** The criterion of a case. */
export function makeCriterion(loss: Loss) {
  switch (loss.kind) {
    case 'focal':
      return new FocalLoss({
        alpha: loss.alpha,
        gamma: loss.gamma,
        labelSmoothing: loss.labelSmoothing,
      });
    case 'sigmoid-focal':
      return new SigmoidFocalLoss({ alpha: loss.alpha, gamma: loss.gamma });
    case 'cross-entropy':
      return new CrossEntropyLoss();
  }
}
