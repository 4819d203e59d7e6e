import { allocate, type Criterion, FocalLoss } from 'focal-loss';
import { expect, it } from 'vitest';
import { LOSSES, type LossTests } from '../losses/index.js';
import type { Random } from '../property/numbers.js';
import { randomBatch } from '../support/batch.js';
import { sameBits } from '../support/bits.js';
import { dtypes } from '../support/dtypes.js';
import { expectWorking } from '../support/failure.js';
import { family } from '../support/family.js';
import { generator } from '../support/random.js';
import { IS_SAMPLE } from '../support/sample.js';
import { type ArrayKind, BOOM, Junk } from './junk.js';

/** Valid calls, and what they gave at the beginning. */
const probes = dtypes.flatMap((dtype) => {
  const { logits } = randomBatch(dtype, 5, 3, 80);
  return family(dtype, 5, 3).map(({ criterion, targets }) => {
    const call = () => criterion.valueAndGrad(logits, targets);
    return { call, expected: call() };
  });
});

let turn = 0;

/** A valid call, all of them in turn, must give what it gave at the beginning. */
function probe(): void {
  const { call, expected } = probes[turn++ % probes.length];
  const { value, grad } = call();
  if (!(sameBits(value, expected.value) && sameBits(grad, expected.grad)))
    throw new Error('a valid call went wrong');
}

const FLOATS = [Float32Array, Float64Array] as unknown as ArrayKind[];
const INTEGERS = [Int32Array, Uint8Array, BigInt64Array] as unknown as ArrayKind[];

/** The values that an option may well have. */
function plausible(junk: Junk, name: string, Kind: ArrayKind): unknown {
  const { rows, classes, random } = junk;
  switch (name) {
    case 'grad':
    case 'out':
      return junk.array(Kind, rows * classes);
    case 'sampleWeights':
      return junk.array(junk.choose(FLOATS), junk.chance(0.7) ? rows : rows * classes);
    case 'gradOutput':
      return junk.chance(0.5) ? random() : junk.array(junk.choose(FLOATS), rows);
    case 'numClasses':
      return classes;
    case 'spatialSize':
      return 1 + junk.below(2);
    case 'kind':
      return junk.choose(['exact', 'gauss-newton']);
    case 'reduction':
      return junk.choose(['mean', 'sum', 'none']);
    case 'layout':
      return junk.choose(['channels-first', 'channels-last']);
    case 'focusOn':
      return junk.choose(['smoothed', 'target', 'class']);
    case 'ignoreIndex':
      return junk.choose([-1, 0, 1, 255]);
    case 'alpha':
    case 'weight':
    case 'gamma':
    case 'posWeight':
      return junk.choose([random(), null, junk.list()]);
    default:
      return random();
  }
}

const CRITERION = ['reduction', 'normalizer', 'ignoreIndex', 'numClasses', 'labelSmoothing'];
const CALL = ['grad', 'gradOutput', 'numClasses', 'normalizer', 'sampleWeights', 'spatialSize'];

/** Options: `strange` is how likely each of them is to be anything at all. */
function options(junk: Junk, names: readonly string[], strange: number, Kind: ArrayKind): object {
  const given: Record<string, unknown> = {};
  for (let n = junk.below(4); n > 0; n--) {
    const name = junk.choose(names);
    given[name] = junk.chance(strange) ? junk.anything() : plausible(junk, name, Kind);
  }
  if (junk.chance(0.03))
    given[junk.choose(['gard', '', '0', 'toString', 'constructor'])] = junk.anything();
  return junk.chance(strange) ? junk.disguised(given) : given;
}

type Method = 'forward' | 'backward' | 'valueAndGrad' | 'hessianDiag' | 'gammaGrad';

/** Targets of either form. */
function targetsFor(junk: Junk, elementwise: boolean): unknown {
  const { rows, classes } = junk;
  if (junk.chance(0.4)) return junk.array(junk.choose(FLOATS), rows * classes, () => 1 / classes);
  if (elementwise) return junk.array(junk.choose(FLOATS), rows * classes, () => junk.below(2));
  return junk.array(junk.choose(INTEGERS), rows, () => junk.below(classes));
}

/** A call of a method of a criterion that is sound itself. */
function methodCall(junk: Junk, strange: number): () => unknown {
  const loss = junk.choose(LOSSES);
  const Kind = junk.choose(FLOATS);
  const method = junk.choose<Method>([
    'forward',
    'backward',
    'valueAndGrad',
    'hessianDiag',
    'gammaGrad',
  ]);
  const names = method === 'hessianDiag' ? [...CALL, 'kind', 'out'] : CALL;
  const or = (chance: number, make: () => unknown) =>
    junk.chance(chance) ? junk.anything() : make();
  const args = [
    or(strange / 2, () => junk.array(Kind, junk.rows * junk.classes)),
    or(strange / 2, () => targetsFor(junk, loss.isSigmoid)),
    or(strange / 4, () => options(junk, names, strange, Kind)),
  ].slice(0, junk.chance(0.05) ? junk.below(3) : 3);
  const self = or(0.02, () => soundCriterion(junk, loss));
  const code = Reflect.get(FocalLoss.prototype, method) as () => unknown;
  return () => Reflect.apply(code, self, args);
}

/** The call, with everything made already. */
function anyCall(junk: Junk): () => unknown {
  const strange = junk.choose([0, 0.1, 0.5]);
  if (junk.chance(0.6)) return methodCall(junk, strange);
  if (junk.chance(0.3)) {
    const args = [junk.anything(), junk.anything(), junk.anything()] as unknown as Parameters<
      typeof allocate
    >;
    return () => allocate(...args).dispose();
  }
  const { Loss } = junk.choose(LOSSES);
  const before = new Loss();
  const names = Object.keys(before);
  const settings = junk.chance(0.05)
    ? junk.anything()
    : options(junk, names, strange, Float32Array as ArrayKind);
  return junk.chance(0.5)
    ? () => new Loss(settings as object)
    : () => before.with(settings as object);
}

function soundCriterion(junk: Junk, { Loss, isSigmoid }: LossTests): Criterion {
  const { classes } = junk;
  const settings = {
    reduction: junk.choose(['mean', 'sum', 'none']),
    numClasses: junk.choose([undefined, classes]),
  };
  const layout =
    !isSigmoid && junk.chance(0.2) ? { layout: 'channels-first', numClasses: classes } : {};
  return new Loss({ ...settings, ...layout });
}

/** Makes a call with things of `Object.prototype` that somebody put there. */
function polluted(junk: Junk, call: () => unknown): () => unknown {
  const name = junk.choose([
    ...CALL,
    ...CRITERION,
    'gamma',
    'out',
    'kind',
    'gard',
    'value',
    'enumerable',
  ]);
  const value = junk.choose([1, 'x', undefined, null, () => 1]);
  return () => {
    Object.defineProperty(Object.prototype, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
    try {
      return call();
    } finally {
      delete (Object.prototype as Record<string, unknown>)[name];
    }
  };
}

/** Makes a call; whether it succeeded. */
function attempt(random: Random): boolean {
  const junk = new Junk(random, probe);
  const call = junk.chance(0.03) ? polluted(junk, anyCall(junk)) : anyCall(junk);
  junk.begin();
  try {
    call();
    return true;
  } catch (error) {
    const isExpected = error instanceof TypeError || error instanceof RangeError || error === BOOM;
    if (!isExpected) throw error;
    const changed = junk.changed();
    if (changed !== undefined) throw new Error(`${String(error)}, but ${changed}`);
    return false;
  } finally {
    junk.dispose();
  }
}

/** Half of the calls are the same in every run. */
it.each([20_261_123, Math.floor(Math.random() * 2 ** 31)].slice(0, IS_SAMPLE ? 1 : 2))(
  'whatever it is called with, it throws a TypeError or a RangeError and works on, seed %i',
  { timeout: 120_000 },
  (seed) => {
    const calls = 50_000;
    let succeeded = 0;
    for (let i = 0; i < calls; i++) {
      // Each call has a seed of its own, so that it can be repeated alone.
      try {
        if (attempt(generator(seed + i))) succeeded++;
        probe();
      } catch (error) {
        throw new Error(`call with seed ${seed + i}`, { cause: error });
      }
    }
    console.log(`${calls} calls, ${succeeded} succeeded`);
    expect(succeeded).toBeGreaterThan(0.2 * calls);
    expect(succeeded).toBeLessThan(0.8 * calls);
    expectWorking();
  },
);
