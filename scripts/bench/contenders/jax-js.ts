import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import type { Floats, Workload } from '../cases.js';
import { type Contender, localRun } from '../contender.js';

/**
 * The part of an array of jax-js that is used here; the package is not installed where the types
 * are checked. A function that is given one disposes of it, unless it is given its `ref`.
 */
interface Arr {
  readonly ref: Arr;
  dispose(): void;
  add(other: Arr | number): Arr;
  sub(other: Arr | number): Arr;
  mul(other: Arr | number): Arr;
  neg(): Arr;
  equal(other: Arr | number): Arr;
  sum(axis: number): Arr;
  mean(axis?: number): Arr;
  reshape(shape: number[]): Arr;
  dataSync(): Floats;
}

type LossOfArrays = (x: Arr, targets: Arr) => Arr;

/** The part of `@jax-js/jax` that is used here. */
interface JaxJs {
  init(...devices: string[]): Promise<string[]>;
  defaultDevice(device: string): void;
  jit<F>(f: F): F & { dispose(): void };
  valueAndGrad(f: LossOfArrays): (x: Arr, targets: Arr) => [Arr, Arr];
  readonly numpy: {
    array(values: Floats | Int32Array): Arr;
    abs(a: Arr): Arr;
    exp(a: Arr): Arr;
    log1p(a: Arr): Arr;
    square(a: Arr): Arr;
    power(a: Arr, exponent: number): Arr;
    maximum(a: Arr, b: number): Arr;
    where(condition: Arr, yes: Arr | number, no: number): Arr;
    arange(end: number): Arr;
  };
  readonly nn: {
    logsumexp(a: Arr, axis: number): Arr;
    sigmoid(a: Arr): Arr;
  };
}

/**
 * jax-js: the loss composed of its operations, differentiated and compiled by it.
 * @param modules the folder whose node_modules has it
 */
export async function makeJaxJs(modules: string): Promise<Contender> {
  // It asks the navigator what the browser can do.
  if (typeof navigator === 'undefined') throw new Error('needs Node 21 or newer');
  const load = createRequire(modules + sep);
  const jax: JaxJs = load('@jax-js/jax');
  if (!(await jax.init('wasm')).includes('wasm')) throw new Error('has no wasm backend here');
  jax.defaultDevice('wasm');
  const manifest = join(dirname(load.resolve('@jax-js/jax')), '..', 'package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return {
    name: 'jax-js',
    about: `jax-js ${version}, backend wasm; jit(valueAndGrad) of a composed loss`,
    async prepare(workload) {
      // It has float64, but with exponentials and logarithms that are right in float32 only.
      if (workload.dtype === 'float64') return undefined;
      const { logits, targets, rows, classes, gradient } = workload;
      const loss = makeLoss(jax, workload);
      const inputs = () => {
        const y = jax.numpy.array(targets);
        const x = jax.numpy.array(logits).reshape([rows, classes]);
        return [x, targets instanceof Int32Array ? y : y.reshape([rows, classes])] as const;
      };
      if (!gradient) {
        const compiled = jax.jit(loss);
        const run = localRun(() => compiled(...inputs()).dataSync()[0]);
        return { ...run, dispose: () => compiled.dispose() };
      }
      const compiled = jax.jit(jax.valueAndGrad(loss));
      let grad: Floats = new Float32Array();
      const call = () => {
        const [value, slope] = compiled(...inputs());
        grad = slope.dataSync();
        return value.dataSync()[0];
      };
      return { ...localRun(call, () => grad), dispose: () => compiled.dispose() };
    },
  };
}

function makeLoss({ numpy: np, nn }: JaxJs, { loss, rows, classes }: Workload): LossOfArrays {
  const power = (a: Arr, exponent: number) =>
    exponent === 2 ? np.square(a) : np.power(a, exponent);
  if (loss.kind === 'sigmoid-focal') {
    const { alpha, gamma } = loss;
    return (x, y) => {
      const ce = np
        .maximum(x.ref, 0)
        .sub(x.ref.mul(y.ref))
        .add(np.log1p(np.exp(np.abs(x.ref).neg())));
      const p = nn.sigmoid(x);
      const miss = p.ref.add(y.ref).sub(p.mul(y.ref).mul(2));
      const weights = y.mul(2 * alpha - 1).add(1 - alpha);
      return weights.mul(power(miss, gamma)).mul(ce).mean();
    };
  }
  if (loss.kind === 'soft-focal') {
    return (x, q) => {
      const ce = nn.logsumexp(x.ref, 1).sub(x.mul(q).sum(1));
      const miss = np.exp(ce.ref.neg()).mul(-1).add(1);
      return power(miss, loss.gamma).mul(ce).mean();
    };
  }
  const smoothing = loss.kind === 'focal' ? loss.labelSmoothing : 0;
  // The logits of the targets by comparing: to take them by index has no gradient that can be
  // compiled, and its one-hot rows come out of an identity matrix, for which fifty thousand classes
  // are too many.
  const crossEntropy = (x: Arr, targets: Arr) => {
    const isTarget = np.arange(classes).equal(targets.reshape([rows, 1]));
    const towards = np.where(isTarget, x.ref, 0).sum(1);
    if (smoothing === 0) return nn.logsumexp(x, 1).sub(towards);
    const smoothed = towards.mul(1 - smoothing).add(x.ref.mean(1).mul(smoothing));
    return nn.logsumexp(x, 1).sub(smoothed);
  };
  if (loss.kind !== 'focal') return (x, targets) => crossEntropy(x, targets).mean();
  const { alpha, gamma } = loss;
  return (x, targets) => {
    const ce = crossEntropy(x, targets.ref);
    const miss = np.exp(ce.ref.neg()).mul(-1).add(1);
    const weights = np.where(targets.equal(1), alpha, 1 - alpha);
    return weights.mul(power(miss, gamma)).mul(ce).mean();
  };
}
