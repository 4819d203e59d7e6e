// The common part of all losses on tensors.

import { customGrad, getBackend, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { shorten } from '../arrays/shorten.js';
import { named } from './named.js';

/** Where a loss is computed: see {@link TensorLossOptions}. */
export type Implementation = 'auto' | 'kernel' | 'ops';

/** The options that every loss on tensors has as well. */
export interface TensorLossOptions {
  /**
   * The way in which it is computed.
   *
   * - `'kernel'`: the kernels of this package, on the processor.
   * - `'ops'`: operations of TensorFlow.js, wherever its backend runs them: the same loss in the
   *   same form without cancellation. They cannot check targets, because they never see them.
   * - `'auto'`: the kernels, if tensors lie in ordinary memory, as they do with the backends `cpu`,
   *   `wasm` and `tensorflow`; otherwise, as with `webgl` and `webgpu`, where reading them would
   *   wait for the GPU, the operations.
   *
   * @defaultValue 'auto'
   */
  implementation?: Implementation | undefined;
}

/**
 * A loss on tensors: of each row of the logits `yPred`, given their targets `yTrue`. It can be
 * differentiated once, with respect to the logits.
 *
 * @returns One loss per row: the shape of the logits without its last axis.
 */
export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** A loss of a batch, and what its gradient takes. */
export interface Pass {
  /** The loss of each row. */
  readonly value: Tensor;
  /** The tensors that the gradient needs: the logits first. */
  readonly saved: Tensor[];
  /** The gradient with respect to the logits, given that with respect to the value. */
  gradient(dy: Tensor, saved: Tensor[]): Tensor;
}

/** One of the ways to compute a loss: called with logits and targets. */
export type Way = (logits: Tensor, targets: Tensor) => Pass;

/** Makes a loss of its ways, under a name. */
export function tensorLoss(
  name: string,
  implementation: Implementation = 'auto',
  ways: { readonly kernel: Way; readonly ops: Way },
): LossFunction {
  if (!['auto', 'kernel', 'ops'].includes(implementation)) {
    throw new TypeError(
      `implementation must be 'auto', 'kernel' or 'ops', got ${shorten(String(implementation))}`,
    );
  }
  return named(name, (yTrue, yPred) => {
    checkLogits(yPred);
    const chosen = implementation === 'auto' ? whereTensorsAre() : implementation;
    return differentiate(ways[chosen], yTrue, yPred);
  });
}

/** The backends whose tensors can be read without waiting. */
const READABLE = ['cpu', 'wasm', 'tensorflow'];

function whereTensorsAre(): 'kernel' | 'ops' {
  return READABLE.includes(getBackend()) ? 'kernel' : 'ops';
}

function checkLogits(logits: Tensor): void {
  if (logits.dtype !== 'float32') {
    throw new TypeError(`yPred must be logits of type float32, got ${logits.dtype}`);
  }
}

/**
 * The targets are not an argument of the function that is differentiated, which would have to have
 * a gradient with respect to them as well. The gradient is one such function itself: only so does
 * asking for its gradient become an error, and not a wrong number.
 */
function differentiate(way: Way, yTrue: Tensor, yPred: Tensor): Tensor {
  return tidy(() =>
    customGrad((logits, save) => {
      const { value, saved, gradient } = way(logits as Tensor, yTrue);
      (save as (tensors: Tensor[]) => void)(saved);
      const gradFunc = (dy: Tensor, kept: Tensor[]) =>
        customGrad((_, dy) => ({ value: gradient(dy as Tensor, kept), gradFunc: refuse }))(
          kept[0] as Tensor,
          dy,
        );
      return { value, gradFunc };
    })(yPred),
  );
}

function refuse(): never {
  throw new Error('The losses of focal-loss/tfjs can be differentiated once, not twice');
}
