import { pathToFileURL } from 'node:url';
import * as built from 'focal-loss';
import type { Floats, Loss } from '../cases.js';
import { type Contender, localRun } from '../contender.js';
import { shared } from './shared.js';

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

/** The same on arrays that lie on shared memory. */
export const focalLossOnShared: Contender = {
  name: 'one thread, shared arrays',
  about: 'this package, from and to shared arrays',
  prepare: prepareWith(built, shared),
};

type Place = <A extends Floats | Int32Array>(array: A) => A;

function prepareWith(build: Build, place: Place = (array) => array): Contender['prepare'] {
  return async ({ loss, gradient, classes, ...given }) => {
    const [logits, targets] = [place(given.logits), place(given.targets)];
    const criterion = makeCriterion(loss, build);
    const of = loss.kind === 'soft-focal' ? { numClasses: classes } : {};
    if (!gradient) return localRun(() => criterion.forward(logits, targets, of));
    const options = { grad: place(given.logits.slice()), ...of };
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
