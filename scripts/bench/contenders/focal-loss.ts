import { pathToFileURL } from 'node:url';
import * as built from 'focal-loss';
import type { Loss } from '../cases.js';
import { type Contender, localRun } from '../contender.js';

type Build = typeof built;

/** This package. */
export const focalLoss: Contender = {
  name: 'focal-loss',
  about: 'this package',
  prepare: prepareWith(built),
};

/** The name of another build of this package. */
export const BEFORE = 'before';

/** Another build of this package, from the folder that it lies in. */
export async function buildIn(folder: string): Promise<Contender> {
  const build: Build = await import(pathToFileURL(`${folder}/index.js`).href);
  return { name: BEFORE, about: 'another build of this package', prepare: prepareWith(build) };
}

function prepareWith(build: Build): Contender['prepare'] {
  return async ({ logits, targets, loss, gradient, classes }) => {
    const criterion = makeCriterion(loss, build);
    const of = loss.kind === 'soft-focal' ? { numClasses: classes } : {};
    if (!gradient) return localRun(() => criterion.forward(logits, targets, of));
    const options = { grad: logits.slice(), ...of };
    return localRun(
      () => criterion.valueAndGrad(logits, targets, options).value,
      () => options.grad,
    );
  };
}

/** The criterion of a case. */
export function makeCriterion(
  loss: Loss,
  { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss }: Build = built,
) {
  switch (loss.kind) {
    case 'soft-focal':
      return new FocalLoss({ gamma: loss.gamma, alpha: null });
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
