import type { Floats, Workload } from '../../cases.js';
import { type Contender, localRun } from '../../contender.js';
import { sigmoidFocal } from './sigmoid.js';
import { crossEntropy, focal, focalOfTwo, softFocal } from './softmax.js';

/**
 * The code that a careful person would write without this package: one loop over typed arrays,
 * nothing allocated in it.
 */
export const plainJs: Contender = {
  name: 'plain JS',
  about: 'one loop over typed arrays, for any number of classes',
  async prepare(workload) {
    const grad = workload.gradient ? workload.logits.slice() : undefined;
    return localRun(compute(workload, grad), grad && (() => grad));
  },
};

/** The same by a person who knows that there are two classes. */
export const plainJsTwo: Contender = {
  name: 'plain JS (two)',
  about: 'one loop over typed arrays, written for two classes',
  async prepare({ logits, targets, classes, loss, gradient }) {
    if (classes !== 2 || loss.kind !== 'focal' || loss.labelSmoothing !== 0) return undefined;
    const grad = gradient ? logits.slice() : undefined;
    return localRun(() => focalOfTwo(logits, targets, loss, grad), grad && (() => grad));
  },
};

function compute(
  { logits, targets, classes, loss }: Workload,
  grad: Floats | undefined,
): () => number {
  switch (loss.kind) {
    case 'sigmoid-focal':
      return () => sigmoidFocal(logits, targets, loss, grad);
    case 'cross-entropy':
      return () => crossEntropy(logits, targets, classes, grad);
    case 'soft-focal':
      return () => softFocal(logits, targets, classes, loss.gamma, grad);
    case 'focal':
      return () => focal(logits, targets, classes, loss, grad);
  }
}
