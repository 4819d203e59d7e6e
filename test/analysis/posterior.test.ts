import { readFileSync } from 'node:fs';
import {
  AsymmetricLoss,
  allocate,
  CrossEntropyLoss,
  type FloatArray,
  FocalLoss,
  PolyFocalLoss,
  posterior,
  SigmoidFocalLoss,
  softmax,
} from 'focal-loss/analysis';
import * as slim from 'focal-loss/slim';
import { describe, expect, it } from 'vitest';
import { Accuracy } from '../support/accuracy.js';
import { asymmetricPosterior } from '../support/asymmetric-oracle.js';
import { expectSameBits } from '../support/bits.js';
import { type Dtype, dtypes } from '../support/dtypes.js';
import { expectFailure } from '../support/failure.js';
import { generator } from '../support/random.js';

interface PosteriorCase {
  api: 'CrossEntropyLoss' | 'FocalLoss' | 'SigmoidFocalLoss';
  options: { gamma?: number; labelSmoothing: number };
  logits: number[];
  posterior: number[];
}

const { cases }: { cases: PosteriorCase[] } = JSON.parse(
  readFileSync(new URL('../golden/posterior.json', import.meta.url), 'utf8'),
);

interface AsymmetricCase {
  gammaPositive: number;
  gammaNegative: number;
  margin: number;
  priors?: { training: number; deployment: number };
  logits: number[];
  posterior: number[];
  scales: number[];
}

const { cases: ofAsymmetric }: { cases: AsymmetricCase[] } = JSON.parse(
  readFileSync(new URL('../golden/asymmetric-posterior.json', import.meta.url), 'utf8'),
);
const LOSSES = { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss };

const random = generator(20_261_128);
const normal = (scale: number) => {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum * scale;
};
const draws = (dtype: Dtype, count: number, scale = 2): FloatArray =>
  dtype.array(Array.from({ length: count }, () => normal(scale)));
const plain = () => new FocalLoss({ alpha: null });

/** The largest entry of `sum_i eta_i * dL_i/dx`, and the largest of its terms. */
function residualOf(criterion: AnyFocal, x: FloatArray, eta: FloatArray) {
  const sum = criterion.with({ reduction: 'sum' });
  const total = new Float64Array(x.length);
  let size = 0;
  eta.forEach((p: number, i: number) => {
    sum.valueAndGrad(x, Uint8Array.of(i)).grad.forEach((g: number, j: number) => {
      total[j] = (total[j] as number) + p * g;
      size = Math.max(size, Math.abs(p * g));
    });
  });
  return { rest: Math.max(...total.map(Math.abs)), size };
}

type AnyFocal = FocalLoss | PolyFocalLoss | CrossEntropyLoss;

describe.each(dtypes)('$name', (dtype) => {
  // Without smoothing each probability by itself; with it relative to the largest of the row.
  it('is exact within the bound of the losses', () => {
    const accuracy = new Accuracy(dtype);
    let entries = 0;
    for (const { api, options, logits, posterior: exact } of cases) {
      const criterion = new LOSSES[api](options);
      const got = posterior(dtype.array(logits), criterion, { numClasses: logits.length });
      const isSmoothed = options.labelSmoothing > 0;
      const largest = api === 'SigmoidFocalLoss' ? 1 : Math.max(...exact);
      exact.forEach((p, j) => {
        const where = `${api} ${JSON.stringify(options)}, class ${j} of ${logits}`;
        const bound = dtype.bound(options.gamma ?? 0);
        accuracy.add(where, got[j] as number, p, bound, isSmoothed ? largest : p);
        entries++;
      });
    }
    accuracy.report('posterior', entries);
  });

  it('makes the gradients of a row cancel', () => {
    let worst = 0;
    for (let k = 0; k < 60; k++) {
      const classes = 2 + (k % 5);
      const weights = Array.from({ length: classes }, () => 0.5 + random());
      const gamma = [0, 0.5, 1, 2, 3.3][Math.floor(random() * 5)] as number;
      const gammas = Array.from({ length: classes }, () => 3 * random());
      const labelSmoothing = [0, 0.02, 0.1][k % 3] as number;
      const focusOn = (['smoothed', 'target', 'class'] as const)[Math.floor(random() * 3)];
      const options = { alpha: weights, gamma, labelSmoothing, focusOn };
      for (const criterion of [
        new FocalLoss(options),
        new PolyFocalLoss({ ...options, epsilon: [-0.5, 1, 3][k % 3] as number }),
        new CrossEntropyLoss({ weight: weights, labelSmoothing }),
        ...(focusOn === 'class' ? [] : [new FocalLoss({ ...options, gamma: gammas })]),
      ]) {
        const x = draws(dtype, classes, 0.4);
        const eta = posterior(x, criterion);
        const { rest, size } = residualOf(criterion, x, eta);
        // A row with an entry that smoothing has clipped is none of the minimum.
        if (Array.from(eta).some((p) => p === 0)) continue;
        const share = rest / size / dtype.bound(Math.max(gamma, 3));
        worst = Math.max(worst, share);
        expect(share, JSON.stringify([criterion, [...x]])).toBeLessThanOrEqual(2);
      }
    }
    expect(worst).toBeGreaterThan(0);
  });

  it('makes those of an element cancel', () => {
    for (let k = 0; k < 60; k++) {
      const gamma = [0, 0.5, 2, 1.7][k % 4] as number;
      const options = { alpha: [0.2, 0.7], posWeight: [3, 0.5], gamma, numClasses: 2 };
      const labelSmoothing = k % 2 === 0 ? 0 : 0.1;
      const criterion = new SigmoidFocalLoss({ ...options, labelSmoothing, reduction: 'sum' });
      const x = draws(dtype, 6, 0.7);
      const eta = posterior(x, criterion);
      const [no, yes] = [0, 1].map(
        (y) =>
          criterion.valueAndGrad(
            x,
            x.map(() => y),
          ).grad,
      );
      eta.forEach((p, j) => {
        if (p === 0 || p === 1) return;
        const [ofNo, ofYes] = [no?.[j] as number, yes?.[j] as number];
        const size = p * (Math.abs(ofNo) + Math.abs(ofYes));
        const rest = Math.abs((1 - p) * ofNo + p * ofYes);
        expect(rest).toBeLessThanOrEqual(2 * dtype.bound(gamma) * size);
      });
    }
  });

  // Powers go through logarithms in float64, of which the rounding grows with their size.
  const ofLogarithms = (gamma: number, p: number) =>
    dtype.bound(gamma) + 1e-15 * Math.abs(Math.log(p || 1));

  // The error of a difference of nearly equal numbers is relative to these.
  it('is exact within the bound of the losses for the asymmetric loss, just above the margin relative to p / (p - margin)', () => {
    const accuracy = new Accuracy(dtype);
    let entries = 0;
    for (const { logits, posterior: exact, scales, priors, ...given } of ofAsymmetric) {
      const { gammaPositive, gammaNegative, margin } = given;
      const criterion = new AsymmetricLoss({ gammaPositive, gammaNegative, margin });
      const got = posterior(dtype.array(logits), criterion, { priors });
      exact.forEach((p, i) => {
        const where = `${JSON.stringify(given)}, logit ${logits[i]}`;
        const bound = ofLogarithms(Math.max(gammaPositive, gammaNegative), p);
        accuracy.add(where, got[i] as number, p, bound, scales[i] as number);
        entries++;
      });
    }
    accuracy.report('posterior of the asymmetric loss', entries);
  });

  it('is what the definition of the asymmetric loss says, within that bound', () => {
    const accuracy = new Accuracy(dtype);
    let entries = 0;
    for (let k = 0; k < 400; k++) {
      const options = {
        gammaPositive: 4 * random() * (k % 3 && 1),
        gammaNegative: 6 * random() * (k % 4 && 1),
        margin: ([0, 0.05, 0.4, 0.9][Math.floor(random() * 4)] as number) * random(),
      };
      const x = draws(dtype, 3, [0.1, 0.7, 3][k % 3]);
      const got = posterior(x, new AsymmetricLoss(options));
      x.forEach((logit: number, i: number) => {
        const { p, scale, isAtMargin } = asymmetricPosterior(logit, options);
        if (isAtMargin) return;
        const where = `${JSON.stringify(options)}, logit ${logit}`;
        const bound = ofLogarithms(Math.max(options.gammaPositive, options.gammaNegative), p);
        // Oracle and result may have half of it each.
        accuracy.add(where, got[i] as number, p, 2 * bound, scale);
        entries++;
      });
    }
    accuracy.report('posterior of the asymmetric loss, any options', entries);
  });

  it('makes those of an element of the asymmetric loss cancel', () => {
    for (let k = 0; k < 80; k++) {
      const gammas = { gammaPositive: [0, 1, 2.5][k % 3], gammaNegative: [0, 4, 1.5, 200][k % 4] };
      const margin = [0, 0.05, 0.4][Math.floor(random() * 3)] as number;
      const criterion = new AsymmetricLoss({ ...gammas, margin, reduction: 'sum' });
      const x = draws(dtype, 5, 0.7);
      const eta = posterior(x, criterion);
      const [no, yes] = [0, 1].map(
        (y) =>
          criterion.valueAndGrad(
            Float64Array.from(x),
            Float64Array.from(x, () => y),
          ).grad,
      );
      eta.forEach((p, j) => {
        const [ofNo, ofYes] = [no?.[j] as number, yes?.[j] as number];
        const sigma = 1 / (1 + Math.exp(-(x[j] as number)));
        if (sigma <= margin) expect(p).toBe(0);
        else if (p > 1e-30) {
          const slack = (dtype.bound(4) * sigma) / (sigma - margin);
          const size = p * (Math.abs(ofNo) + Math.abs(ofYes));
          const rest = Math.abs((1 - p) * ofNo + p * ofYes);
          expect(rest / size).toBeLessThanOrEqual(100 * slack);
        }
      });
    }
    const ends = dtype.array([-Infinity, Infinity, NaN, -1e30, 1e30, -700, 700]);
    for (const gammaNegative of [0, 4]) {
      const got = posterior(ends, new AsymmetricLoss({ gammaNegative }));
      expect([...got]).toEqual([0, NaN, NaN, 0, 1, 0, 1]);
    }
  });

  it('is softmax for the cross-entropy, and the cross-entropy is any focal loss with gamma 0', () => {
    for (const classes of [2, 3, 7, 100]) {
      const x = draws(dtype, 9 * classes);
      const p = softmax(x, classes);
      for (const criterion of [
        new CrossEntropyLoss(),
        new FocalLoss({ alpha: null, gamma: 0 }),
        new PolyFocalLoss({ alpha: null, gamma: 0, epsilon: 0, focusOn: 'class' }),
      ]) {
        const eta = posterior(x, criterion, { numClasses: classes });
        eta.forEach((value, k) => {
          expect(Math.abs(value - (p[k] as number))).toBeLessThanOrEqual(
            2 * dtype.bound(0) * (p[k] as number),
          );
        });
      }
    }
  });

  it('takes any gap, masked classes and rows without probabilities', () => {
    const gaps = [0, 30, 80, 700, 1e4, 1e30];
    for (const criterion of [
      plain(),
      new FocalLoss({ gamma: 0.3 }),
      new FocalLoss({ labelSmoothing: 0.1 }),
      new FocalLoss({ labelSmoothing: 0.1, focusOn: 'target' }),
      new FocalLoss({ labelSmoothing: 0.1, focusOn: 'class' }),
      new FocalLoss({ gamma: [2, 0.5, 3] }),
      new PolyFocalLoss(),
      new CrossEntropyLoss({ weight: [1, 2, 3] }),
    ]) {
      for (const gap of gaps) {
        const eta = posterior(dtype.array([0, gap, -gap]), criterion, { numClasses: 3 });
        const [first, second, third] = eta as ArrayLike<number> as [number, number, number];
        expect(Math.abs(first + second + third - 1)).toBeLessThanOrEqual(1e-6);
        if (gap > 1000) expect([...eta]).toEqual([0, 1, 0]);
      }
      const masked = posterior(dtype.array([1, 2, -Infinity]), criterion, { numClasses: 3 });
      expect(masked[2]).toBe(0);
      expect(masked[1]).toBeGreaterThan(0);
      const rows = dtype.array([NaN, 0, 0, 0, Infinity, 0, ...Array(3).fill(-Infinity), 0, 1, 2]);
      const eta = posterior(rows, criterion, { numClasses: 3 });
      for (let k = 0; k < 9; k++) expect(eta[k]).toBeNaN();
      for (let k = 9; k < 12; k++) expect(eta[k]).not.toBeNaN();
    }
    // The odds of two classes are e ** (gamma + 1) of those of softmax where pt is near 1.
    const far = posterior(dtype.array([0, 20]), plain(), { numClasses: 2 });
    expect((far[0] as number) / (3 * Math.exp(-60)) - 1).toBeCloseTo(0, 6);
    const elements = dtype.array([-Infinity, Infinity, NaN, -1e30, 1e30, -700, 700, 0]);
    const yes = posterior(elements, new SigmoidFocalLoss({ alpha: null }));
    expect([...yes]).toEqual([0, NaN, NaN, 0, 1, 0, 1, 0.5]);
  });

  it('does not depend on the rows beside one, nor on where they lie', () => {
    for (const [rows, classes] of [
      [9, 2],
      [5, 3],
      [5000, 3],
      [7, 1500],
    ] as const) {
      const x = draws(dtype, rows * classes);
      for (const criterion of [plain(), new FocalLoss({ labelSmoothing: 0.1 })]) {
        const all = posterior(x, criterion, { numClasses: classes });
        for (const row of [0, rows - 1, rows >> 1]) {
          const part = (array: FloatArray) => array.slice(row * classes, (row + 1) * classes);
          expectSameBits(
            posterior(part(x), criterion, { numClasses: classes }),
            part(all) as typeof all,
            `row ${row} of ${rows}`,
          );
        }
      }
    }
  });
});

it('takes half precision, tensors, rows and resident arrays, and fills a buffer', () => {
  const criterion = plain();
  const x = Float32Array.of(0, 1, 2, 2, 1, 0);
  const expected = posterior(x, criterion, { numClasses: 3 });
  expectSameBits(posterior({ data: x, dims: [2, 3] }, criterion), expected, 'tensor');
  const wide = posterior([...x].slice(0, 3), criterion, { numClasses: 3 });
  expect(wide).toBeInstanceOf(Float64Array);
  expectSameBits(posterior([[0, 1, 2]], criterion), wide, 'rows');
  const out = new Float32Array(6);
  expect(posterior(x, criterion, { numClasses: 3, out })).toBe(out);
  expectSameBits(out, expected, 'out');
  const resident = allocate(2, 3);
  resident.logits.set(x);
  expectSameBits(posterior(resident.logits, criterion, { numClasses: 3 }), expected, 'resident');
  const { Float16Array } = globalThis as unknown as { Float16Array?: Float32ArrayConstructor };
  if (Float16Array !== undefined) {
    const half = posterior(Float16Array.from(x), criterion, { numClasses: 3 });
    expect(half).toBeInstanceOf(Float16Array);
    expectSameBits(half, Float16Array.from(expected), 'half');
  }
  expect(posterior(new Float32Array(0), criterion, { numClasses: 3 })).toHaveLength(0);
});

it('takes classes that come first, and criteria of any entry', async () => {
  const wasm = readFileSync(new URL(import.meta.resolve('focal-loss/focal-loss.wasm')));
  await slim.init(wasm);
  const rows = Float64Array.of(0, 1, 2, 3, 4, 2, -1, 0, 1, 5, 5, 5);
  // Two samples of two positions, class by class.
  const first = Float64Array.of(0, 3, 1, 4, 2, 2, -1, 5, 0, 5, 1, 5);
  const criterion = new slim.FocalLoss({ layout: 'channels-first', labelSmoothing: 0.1 });
  const expected = posterior(rows, new FocalLoss({ labelSmoothing: 0.1 }), { numClasses: 3 });
  const got = posterior(first, criterion, { numClasses: 3, spatialSize: 2 });
  const tensor = posterior({ data: first, dims: [2, 3, 2] }, criterion);
  expectSameBits(tensor, got, 'tensor');
  for (let sample = 0; sample < 2; sample++)
    for (let position = 0; position < 2; position++)
      for (let j = 0; j < 3; j++)
        expect(got[(sample * 3 + j) * 2 + position]).toBe(
          expected[(sample * 2 + position) * 3 + j],
        );
});

it('reads the options of a loss in an object of one’s own anew for each call', () => {
  const logits = Float64Array.of(0, 1);
  const loose = { ...new FocalLoss({ alpha: null }), gamma: 2 };
  for (const gamma of [2, 0]) {
    loose.gamma = gamma;
    const criterion = new FocalLoss({ alpha: null, gamma });
    const expected = posterior(logits, criterion, { numClasses: 2 });
    expectSameBits(posterior(logits, loose, { numClasses: 2 }), expected, 'an object of one’s own');
    expectSameBits(posterior(logits, criterion, { numClasses: 2 }), expected, 'the loss');
  }
});

it('corrects for class shares that are others than at training', () => {
  const x = Float64Array.of(0, 1, -1, 0.3, 2, -0.4);
  const priors = { training: [500, 500, 250], deployment: Float32Array.of(0.9, 0.05, 0.05) };
  const ratios = priors.training.map((share, j) => (priors.deployment[j] as number) / share);
  for (const criterion of [
    plain(),
    new FocalLoss({ alpha: [1, 2, 3], labelSmoothing: 0.05 }),
    new CrossEntropyLoss({ weight: [1, 2, 3], labelSmoothing: 0.05 }),
    new PolyFocalLoss({ gamma: [1, 2, 3] }),
  ]) {
    const before = posterior(x, criterion, { numClasses: 3 });
    const after = posterior(x, criterion, { numClasses: 3, priors });
    for (let row = 0; row < 2; row++) {
      const weighed = ratios.map((ratio, j) => ratio * (before[row * 3 + j] as number));
      const sum = weighed.reduce((a, b) => a + b);
      weighed.forEach((w, j) => {
        expect(after[row * 3 + j]).toBeCloseTo(w / sum, 14);
      });
    }
  }
  const pair = posterior(Float64Array.of(0, 0), plain(), {
    numClasses: 2,
    priors: { training: 0.5, deployment: 0.1 },
  });
  expect(pair[1]).toBeCloseTo(0.1, 15);
  const sigmoid = new SigmoidFocalLoss({ alpha: null });
  const columns = { training: [0.5, 0.5], deployment: [0.1, 0.9] };
  const each = posterior(new Float64Array(4), sigmoid, { priors: columns });
  [0.1, 0.9, 0.1, 0.9].forEach((share, k) => {
    expect(each[k]).toBeCloseTo(share, 15);
  });
  const one = { training: 0.5, deployment: 0.2 };
  expect(posterior(Float32Array.of(0), sigmoid, { priors: one })[0]).toBeCloseTo(0.2, 6);
});

describe('errors', () => {
  const x = Float64Array.of(0, 1);
  const call = (criterion: unknown, options: object = { numClasses: 2 }) =>
    (posterior as (...args: unknown[]) => unknown)(x, criterion, options);
  it.each<[string, ErrorConstructor, string, () => unknown]>([
    [
      'no criterion',
      TypeError,
      'criterion must be a loss of this package, got an object',
      () => call({}),
    ],
    [
      'no classes',
      TypeError,
      'numClasses must be given where there are no targets',
      () => call(plain(), {}),
    ],
    [
      'all smoothed',
      RangeError,
      'criterion.labelSmoothing must be below 1, got 1',
      () => call(plain().with({ labelSmoothing: 1 })),
    ],
    [
      'alpha 1',
      RangeError,
      'criterion.alpha must be above 0 and below 1, got 1',
      () => call(new FocalLoss({ alpha: 1 })),
    ],
    [
      'alpha 0',
      RangeError,
      'criterion.alpha[1] must be above 0, got 0',
      () => call(new FocalLoss({ alpha: [1, 0] })),
    ],
    [
      'weight 0',
      RangeError,
      'criterion.weight[0] must be above 0, got 0',
      () => call(new CrossEntropyLoss({ weight: [0, 1] })),
    ],
    [
      'posWeight 0',
      RangeError,
      'criterion.posWeight must be above 0, got 0',
      () => call(new SigmoidFocalLoss({ posWeight: 0 })),
    ],
    [
      'alpha of yes',
      RangeError,
      'criterion.alpha must be above 0 and below 1, got 0',
      () => call(new SigmoidFocalLoss({ alpha: 0 })),
    ],
    [
      'epsilon',
      RangeError,
      'criterion.epsilon must be above -1, got -1',
      () => call(new PolyFocalLoss({ epsilon: -1 })),
    ],
    [
      'epsilon under smoothing',
      RangeError,
      'criterion.epsilon must be above labelSmoothing - 1, got -0.8',
      () => call(new PolyFocalLoss({ epsilon: -0.8, labelSmoothing: 0.3, focusOn: 'target' })),
    ],
    [
      'weights of others',
      RangeError,
      'alpha must have one entry per class, 2, got 3',
      () => call(new FocalLoss({ alpha: [1, 2, 3] })),
    ],
    [
      'an unknown option',
      TypeError,
      'unknown option "class"; known are numClasses, spatialSize, priors, out',
      () => call(plain(), { class: 2 }),
    ],
    [
      'shares of 0',
      RangeError,
      'priors.training[1] must be finite and above 0, got 0',
      () => call(plain(), { priors: { training: [1, 0], deployment: [1, 1] } }),
    ],
    [
      'too few shares',
      RangeError,
      'priors.deployment must have one entry per class, 2, got 1',
      () => call(plain(), { priors: { training: [1, 1], deployment: [1] } }),
    ],
    [
      'a share of 1',
      RangeError,
      'priors.training must be above 0 and below 1, got 1',
      () => call(plain(), { numClasses: 2, priors: { training: 1, deployment: 0.5 } }),
    ],
    [
      'a missing share',
      TypeError,
      'priors.deployment must be a number, or an array with one number per class, got undefined',
      () => call(plain(), { priors: { training: [1, 1] } }),
    ],
    [
      'no object',
      TypeError,
      'priors must be an object with training and deployment, got 3',
      () => call(plain(), { numClasses: 2, priors: 3 }),
    ],
    [
      'out',
      TypeError,
      'out must be a Float64Array like the logits, got a Float32Array',
      () => call(plain(), { numClasses: 2, out: new Float32Array(2) }),
    ],
    [
      'out is in',
      RangeError,
      'out must not share memory with logits',
      () => call(plain(), { numClasses: 2, out: x }),
    ],
    [
      'a third',
      RangeError,
      'logits.length must be a multiple of numClasses, 3, got 2',
      () => call(plain(), { numClasses: 3 }),
    ],
  ])('%s', (_, type, message, fails) => {
    expectFailure(fails, type, message);
    // The module works on.
    expect(posterior(x, plain(), { numClasses: 2 })[1]).toBeCloseTo(0.93594041, 8);
  });
});
