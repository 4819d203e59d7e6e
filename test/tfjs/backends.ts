import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
// Not for what it exports: it registers the gradients of all operations, as the package
// `@tensorflow/tfjs` does.
import '@tensorflow/tfjs-layers';

const { resolve } = createRequire(import.meta.url);
setWasmPaths(dirname(resolve('@tensorflow/tfjs-backend-wasm')) + sep);

/**
 * A backend like those of GPUs in that its tensors cannot be read while they are worked with, and
 * computing like `cpu`.
 */
class Unreadable extends MathBackendCPU {
  override readSync(): never {
    throw new Error('This would stall');
  }

  // Its own operations may.
  override bufferSync<R extends tf.Rank, D extends tf.DataType>({
    shape,
    dtype,
    dataId,
  }: tf.TensorInfo) {
    const values = super.readSync(dataId) as tf.DataTypeMap[D];
    return tf.buffer<R, D>(shape as tf.ShapeMap[R], dtype as D, values);
  }

  override async read(data: object) {
    return super.readSync(data);
  }
}

tf.registerBackend('webgl', () => new Unreadable());
tf.copyRegisteredKernels('cpu', 'webgl');

export const BACKENDS = ['cpu', 'wasm'] as const;

/** Makes a backend that of all tensors. */
export async function useBackend(name: (typeof BACKENDS)[number] | 'webgl'): Promise<void> {
  if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js has no backend ${name}`);
  await tf.ready();
}
