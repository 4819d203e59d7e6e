import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import type { Floats, Loss, Workload } from '../cases.js';
import { type Contender, localRun } from '../contender.js';

/**
 * The part of a tensor that is used here. The package is not installed where the types are checked.
 */
interface Tensor {
  dataSync(): Float32Array;
}

type Shape2 = [number, number];

/** The part of `@tensorflow/tfjs` that is used here. */
interface Tf {
  readonly version: { readonly tfjs: string };
  enableProdMode(): void;
  setBackend(name: string): Promise<boolean>;
  env(): { getAsync(flag: string): Promise<boolean | number> };
  tidy(body: () => void): void;
  tensor1d(values: Int32Array, dtype: 'int32'): Tensor;
  tensor2d(values: Floats, shape: Shape2): Tensor;
  oneHot(indices: Tensor, depth: number): Tensor;
  add(a: Tensor | number, b: Tensor | number): Tensor;
  sub(a: Tensor | number, b: Tensor | number): Tensor;
  mul(a: Tensor | number, b: Tensor | number): Tensor;
  pow(a: Tensor, b: number): Tensor;
  square(a: Tensor): Tensor;
  neg(a: Tensor): Tensor;
  abs(a: Tensor): Tensor;
  relu(a: Tensor): Tensor;
  exp(a: Tensor): Tensor;
  log1p(a: Tensor): Tensor;
  sigmoid(a: Tensor): Tensor;
  equal(a: Tensor, b: number): Tensor;
  cast(a: Tensor, dtype: 'float32'): Tensor;
  logSoftmax(a: Tensor): Tensor;
  sum(a: Tensor, axis: number): Tensor;
  mean(a: Tensor): Tensor;
  valueAndGrad(f: (x: Tensor) => Tensor): (x: Tensor) => { value: Tensor; grad: Tensor };
}

/**
 * TensorFlow.js: the loss composed of its operations, differentiated by it.
 * @param modules the folder whose node_modules has it
 */
export async function makeTfjs(backend: 'wasm' | 'cpu', modules: string): Promise<Contender> {
  const load = createRequire(modules + sep);
  const tf: Tf = load('@tensorflow/tfjs');
  const wasm: { setWasmPaths(folder: string): void } = load('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(dirname(load.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  tf.enableProdMode();
  const simd = backend === 'wasm' && (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'));
  return {
    name: `TF.js ${backend}`,
    about: `TensorFlow.js ${tf.version.tfjs}, backend ${backend}${simd ? ' with SIMD' : ''}; valueAndGrad of a composed loss`,
    async prepare(workload) {
      if (workload.dtype === 'float64') return undefined;
      const run = makeRun(tf, workload);
      // Two contenders share this library, which has one backend at a time.
      const select = () => tf.setBackend(backend);
      return {
        outcome: async () => {
          await select();
          return run.outcome();
        },
        time: async (calls) => {
          await select();
          return run.time(calls);
        },
      };
    },
  };
}

function makeRun(tf: Tf, workload: Workload) {
  const { logits, rows, classes, gradient } = workload;
  let value = Number.NaN;
  let grad: Floats = new Float32Array();
  const call = () => {
    // A tidy walks through all that it returns, entry by entry: so nothing.
    tf.tidy(() => {
      const loss = makeLoss(tf, workload);
      const x = tf.tensor2d(logits, [rows, classes]);
      if (gradient) {
        const result = tf.valueAndGrad(loss)(x);
        grad = result.grad.dataSync();
        value = result.value.dataSync()[0];
      } else {
        value = loss(x).dataSync()[0];
      }
    });
    return value;
  };
  return localRun(call, gradient ? () => grad : undefined);
}

/** The loss as a function of the logits. */
function makeLoss(tf: Tf, { rows, classes, targets, loss }: Workload): (x: Tensor) => Tensor {
  if (!(targets instanceof Int32Array)) {
    const y = tf.tensor2d(targets, [rows, classes]);
    if (loss.kind === 'soft-focal') {
      return (x) => {
        const ce = tf.neg(tf.sum(tf.mul(tf.logSoftmax(x), y), 1));
        const miss = tf.sub(1, tf.exp(tf.neg(ce)));
        return tf.mean(tf.mul(power(tf, miss, loss.gamma), ce));
      };
    }
    return (x) => sigmoidFocal(tf, x, y, loss);
  }
  const indices = tf.tensor1d(targets, 'int32');
  const smoothing = loss.kind === 'focal' ? loss.labelSmoothing : 0;
  // In floats from the start, the wasm backend gets it wrong.
  const hard = tf.cast(tf.oneHot(indices, classes), 'float32');
  const q = smoothing === 0 ? hard : tf.add(tf.mul(hard, 1 - smoothing), smoothing / classes);
  const crossEntropy = (x: Tensor) => tf.neg(tf.sum(tf.mul(tf.logSoftmax(x), q), 1));
  if (loss.kind !== 'focal') return (x) => tf.mean(crossEntropy(x));

  const { alpha, gamma } = loss;
  const weights = blend(tf, tf.cast(tf.equal(indices, 1), 'float32'), alpha);
  return (x) => {
    const ce = crossEntropy(x);
    const miss = tf.sub(1, tf.exp(tf.neg(ce)));
    return tf.mean(tf.mul(tf.mul(weights, power(tf, miss, gamma)), ce));
  };
}

function sigmoidFocal(tf: Tf, x: Tensor, y: Tensor, loss: Loss): Tensor {
  if (loss.kind !== 'sigmoid-focal') throw new Error(`${loss.kind} has a target per row`);
  const ce = tf.add(tf.sub(tf.relu(x), tf.mul(x, y)), tf.log1p(tf.exp(tf.neg(tf.abs(x)))));
  const p = tf.sigmoid(x);
  const miss = tf.sub(tf.add(p, y), tf.mul(2, tf.mul(p, y)));
  return tf.mean(tf.mul(tf.mul(blend(tf, y, loss.alpha), power(tf, miss, loss.gamma)), ce));
}

/**
 * alpha where y is 1, 1 − alpha where it is 0: several times as fast as a choice between two
 * constants.
 */
function blend(tf: Tf, y: Tensor, alpha: number): Tensor {
  return tf.add(1 - alpha, tf.mul(2 * alpha - 1, y));
}

function power(tf: Tf, base: Tensor, exponent: number): Tensor {
  return exponent === 2 ? tf.square(base) : tf.pow(base, exponent);
}
