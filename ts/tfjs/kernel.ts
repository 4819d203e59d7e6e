// The losses by the kernels, from the tensors' data.

import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { Criterion } from '../index.js';
import { ProbabilityWatch } from './probability-watch.js';
import { checkSameShape, readSoftmaxTargets, softmaxClasses, withoutLast } from './targets.js';
import type { Way } from './tensor-loss.js';

/** A softmax loss of rows. */
export function softmaxKernel(criterion: Criterion<'none'>): Way {
  const watch = new ProbabilityWatch('softmax');
  return (logits, yTrue) => {
    const { shape } = logits;
    const numClasses = softmaxClasses(shape);
    const data = floats(logits);
    const targets = readSoftmaxTargets(yTrue, shape, criterion.ignoreIndex);
    watch.look(data, numClasses);
    const values = criterion.forward(data, targets, { numClasses });
    return {
      value: tensor(values, withoutLast(shape)),
      saved: [logits],
      gradient: (dy) =>
        tensor(criterion.backward(data, targets, { numClasses, gradOutput: floats(dy) }), shape),
    };
  };
}

/** The sigmoid loss of rows: the means of the losses of their logits. */
export function sigmoidKernel(criterion: Criterion<'none'>): Way {
  const watch = new ProbabilityWatch('sigmoid');
  return (logits, yTrue) => {
    const { shape } = logits;
    checkSameShape(yTrue, shape);
    const columns = shape.length > 1 ? (shape.at(-1) as number) : 1;
    const data = floats(logits);
    const targets = yTrue.dataSync<'float32' | 'int32'>();
    watch.look(data, columns);
    const values = criterion.forward(data, targets, { numClasses: columns });
    return {
      value: tensor(means(values, columns), shape.length > 1 ? withoutLast(shape) : shape),
      saved: [logits],
      gradient: (dy) => {
        const gradOutput = spread(floats(dy), columns);
        return tensor(
          criterion.backward(data, targets, { numClasses: columns, gradOutput }),
          shape,
        );
      },
    };
  };
}

function floats(given: Tensor): Float32Array {
  return given.dataSync<'float32'>();
}

/** The mean of each successive so many values. */
function means(values: Float32Array, columns: number): Float32Array {
  if (columns === 1) return values;
  const result = new Float32Array(columns === 0 ? 0 : values.length / columns);
  for (let row = 0; row < result.length; row++) {
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) sum += values[i] as number;
    result[row] = sum / columns;
  }
  return result;
}

/** The gradient that a mean passes on to each of so many values. */
function spread(upstream: Float32Array, columns: number): Float32Array {
  if (columns === 1) return upstream;
  const result = new Float32Array(upstream.length * columns);
  for (let i = 0; i < result.length; i++)
    result[i] = (upstream[Math.floor(i / columns)] as number) / columns;
  return result;
}
