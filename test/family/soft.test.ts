import { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { expectSameBits } from '../support/bits.js';
import { dtypes } from '../support/dtypes.js';
import { oneHot } from '../support/family-oracle.js';

const CLASSES = [2, 3, 4, 7, 17, 70];

const gammas = [0, 0.5, 1, 2, 2.7, 5];

describe.each(dtypes)('$name', (dtype) => {
  const options = gammas.flatMap((gamma) =>
    (['smoothed', 'class'] as const).flatMap((focusOn) =>
      [0, 0.1, 1].map((labelSmoothing) => ({ gamma, focusOn, labelSmoothing })),
    ),
  );

  it.each(options)('one-hot probabilities are the class they are of, bit for bit, %o', (given) => {
    for (const classes of CLASSES) {
      const { logits, targets } = randomBatch(dtype, 9, classes, classes, 12);
      if (given.labelSmoothing === 0) logits[(targets[0] + 1) % classes] = -Infinity;
      const soft = dtype.array(Array.from(targets).flatMap((target) => oneHot(target, classes)));
      const weights = Array.from({ length: classes }, (_, j) => ((j * 7) % 5) / 3);
      for (const alpha of [null, 0.3, 0, 1, weights]) {
        const criterion = new FocalLoss({
          ...given,
          alpha,
          reduction: 'none',
          numClasses: classes,
        });
        const hard = criterion.valueAndGrad(logits, targets);
        const { value, grad } = criterion.valueAndGrad(logits, soft);
        expectSameBits(value, hard.value, `C ${classes}, alpha ${alpha}`);
        expectSameBits(grad, hard.grad, `C ${classes}, alpha ${alpha}`);
        if (given.labelSmoothing === 0)
          expect([...value, ...grad].every(Number.isFinite)).toBe(true);
      }
    }
  });

  it.each([0, 0.1, 1])(
    'one-hot probabilities are the class they are of, cross-entropy, smoothing %d',
    (labelSmoothing) => {
      for (const classes of CLASSES) {
        const { logits, targets } = randomBatch(dtype, 9, classes, classes, 12);
        if (labelSmoothing === 0) logits[(targets[0] + 1) % classes] = -Infinity;
        const soft = dtype.array(Array.from(targets).flatMap((target) => oneHot(target, classes)));
        const weight = Array.from({ length: classes }, (_, j) => ((j * 7) % 5) / 3);
        for (const given of [null, weight]) {
          const criterion = new CrossEntropyLoss({
            labelSmoothing,
            weight: given,
            reduction: 'none',
            numClasses: classes,
          });
          const hard = criterion.valueAndGrad(logits, targets);
          const { value, grad } = criterion.valueAndGrad(logits, soft);
          expectSameBits(value, hard.value, `C ${classes}, ${given}`);
          expectSameBits(grad, hard.grad, `C ${classes}, ${given}`);
          if (labelSmoothing === 0) expect([...value, ...grad].every(Number.isFinite)).toBe(true);
        }
      }
    },
  );

  it('without smoothing every focus is the same for class indices', () => {
    for (const gamma of gammas) {
      for (const classes of CLASSES) {
        const { logits, targets } = randomBatch(dtype, 9, classes, classes, 12);
        const criterion = new FocalLoss({ gamma, reduction: 'none' });
        const expected = criterion.valueAndGrad(logits, targets);
        for (const focusOn of ['target', 'class'] as const) {
          const { value, grad } = criterion.with({ focusOn }).valueAndGrad(logits, targets);
          expectSameBits(value, expected.value, focusOn);
          expectSameBits(grad, expected.grad, focusOn);
        }
      }
    }
  });

  it('gamma 0 is the cross-entropy', () => {
    for (const labelSmoothing of [0, 0.1]) {
      for (const classes of CLASSES) {
        const { logits, targets } = randomBatch(dtype, 9, classes, classes, 40);
        const focal = new FocalLoss({ gamma: 0, alpha: null, labelSmoothing }).valueAndGrad(
          logits,
          targets,
        );
        const plain = new CrossEntropyLoss({ labelSmoothing }).valueAndGrad(logits, targets);
        expect(Math.abs(focal.value - plain.value)).toBeLessThanOrEqual(
          dtype.bound(0) * plain.value,
        );
        plain.grad.forEach((entry, i) => {
          expect(Math.abs(focal.grad[i] - entry)).toBeLessThanOrEqual(
            2 * dtype.bound(0) * (labelSmoothing + Math.abs(entry)),
          );
        });
      }
    }
  });

  it('a gamma for each class is that of the target’s class', () => {
    for (const labelSmoothing of [0, 0.1]) {
      const { logits, targets } = randomBatch(dtype, 30, 5, 8);
      const gamma = [0, 0.5, 1, 2, 3.3];
      const criterion = new FocalLoss({ gamma, labelSmoothing, reduction: 'none' });
      const { value, grad } = criterion.valueAndGrad(logits, targets);
      gamma.forEach((one, target) => {
        const alone = criterion.with({ gamma: one }).valueAndGrad(logits, targets);
        for (let i = 0; i < 30; i++) {
          if (targets[i] !== target) continue;
          const tolerance = 2 * dtype.bound(one);
          expect(Math.abs(value[i] - alone.value[i])).toBeLessThanOrEqual(
            tolerance * alone.value[i],
          );
          for (let k = 5 * i; k < 5 * i + 5; k++) {
            expect(Math.abs(grad[k] - alone.grad[k])).toBeLessThanOrEqual(
              tolerance * Math.abs(grad[5 * i + target]),
            );
          }
        }
      });
    }
  });

  it('probabilities may be of any kind of float array, within 1e-3 of 1', () => {
    const { logits } = randomBatch(dtype, 2, 3, 4);
    for (const criterion of [
      new FocalLoss({ numClasses: 3 }),
      new CrossEntropyLoss({ numClasses: 3 }),
    ]) {
      const soft = [0.25, 0.5, 0.25, 1, 0, 0];
      const expected = criterion.valueAndGrad(logits, Float32Array.from(soft));
      expect(criterion.valueAndGrad(logits, Float64Array.from(soft))).toEqual(expected);
      const off = Float32Array.of(0.2501, 0.5001, 0.2501, 0.9995, 0, 0);
      expect(Math.abs(criterion.forward(logits, off) - expected.value)).toBeLessThanOrEqual(
        2e-3 * expected.value,
      );
    }
  });

  it('sigmoid targets may be of any kind of array', () => {
    const { logits } = randomBatch(dtype, 50, 1, 4);
    const bits: number[] = Array.from(logits, (_, i) => (i % 3 ? 1 : 0));
    const criterion = new SigmoidFocalLoss();
    const expected = criterion.valueAndGrad(logits, dtype.array(bits));
    for (const Kind of [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
    ]) {
      expect(criterion.valueAndGrad(logits, Kind.from(bits))).toEqual(expected);
    }
    for (const Kind of [BigInt64Array, BigUint64Array]) {
      expect(criterion.valueAndGrad(logits, Kind.from(bits.map(BigInt)))).toEqual(expected);
    }
    const marked = bits.with(7, -1);
    const ignoring = criterion.with({ ignoreIndex: -1 });
    expect(ignoring.valueAndGrad(logits, BigInt64Array.from(marked.map(BigInt)))).toEqual(
      ignoring.valueAndGrad(logits, dtype.array(marked)),
    );
  });
});
