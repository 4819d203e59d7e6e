// Stands in for focal-loss/tfjs.
import { customGrad, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { FocalLoss, type FocalLossOptions } from 'focal-loss';

export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

export function focalLoss(options: Omit<FocalLossOptions, 'reduction'>): LossFunction {
  return (yTrue, yPred) =>
    customGrad((logits) => {
      const x = (logits as Tensor).dataSync() as Float32Array;
      const y = Float32Array.from(yTrue.dataSync());
      const criterion = new FocalLoss({ ...options, reduction: 'none', numClasses: yPred.shape[1] as number });
      return {
        value: tensor(criterion.forward(x, y)),
        gradFunc: (dy: Tensor) =>
          tensor(criterion.backward(x, y, { gradOutput: dy.dataSync() as Float32Array }), yPred.shape),
      };
    })(yPred);
}
