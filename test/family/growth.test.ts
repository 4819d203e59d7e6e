import { execFileSync } from 'node:child_process';
import { FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { type Dtype, dtypes } from '../support/dtypes.js';
import { family, randomProbabilities } from '../support/family.js';

// The tests that test/focal/growth.test.ts has of class indices, of all that needs more memory. It
// comes first in its file, because it needs a module that has not grown yet.

/**
 * A call of every loss, with all there can be of per row, and what it returned when the module was
 * new.
 */
function smallCalls(dtype: Dtype) {
  const { logits } = randomBatch(dtype, 6, 3, 60);
  return family(dtype, 6, 3).map(({ ignoring, spoilt, width }) => {
    const weights = randomBatch(dtype, (6 * 3) / width, 1, 61).logits;
    const sampleWeights = weights.map((x) => Math.abs(x));
    const call = () =>
      ignoring.valueAndGrad(logits, spoilt, { sampleWeights, gradOutput: weights });
    return { call, expected: call() };
  });
}

it('gives the same results while rows get longer', () => {
  const calls = dtypes.flatMap(smallCalls);
  for (let classes = 900; classes < 60_000; classes = Math.ceil(classes * 1.3)) {
    for (const dtype of dtypes) {
      const { logits, targets } = randomBatch(dtype, 2, classes, 62);
      const numClasses = classes;
      const soft = randomProbabilities(dtype, 2, classes, 63);
      new FocalLoss({ numClasses }).forward(logits, soft);
      for (const { call, expected } of calls) expect(call()).toEqual(expected);
      new FocalLoss({ numClasses, layout: 'channels-first' }).backward(logits, targets);
      for (const { call, expected } of calls) expect(call()).toEqual(expected);
      const posWeight = Array(classes).fill(2);
      new SigmoidFocalLoss({ numClasses, posWeight }).backward(logits, soft);
      for (const { call, expected } of calls) expect(call()).toEqual(expected);
    }
  }
});

it('memory that cannot be had is a RangeError, and the module works on', () => {
  const script = `
    import { FocalLoss, SigmoidFocalLoss } from 'focal-loss';
    const small = () => new FocalLoss().forward(new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]), new Int32Array([0, 1, 1]));
    const before = small();
    const numClasses = 2e5;
    const logits = new Float32Array(numClasses);
    const soft = new Float32Array(numClasses).fill(1 / numClasses);
    const calls = [
      [new FocalLoss({ numClasses }), soft],
      [new FocalLoss({ numClasses, layout: 'channels-first' }), new Uint8Array(1)],
      [new SigmoidFocalLoss({ numClasses, posWeight: Array(numClasses).fill(1) }), soft],
    ];
    const results = [];
    for (const [criterion, targets] of calls) {
      const grad = new Float32Array(numClasses).fill(9);
      try {
        criterion.valueAndGrad(logits, targets, { grad });
      } catch (error) {
        results.push(error.name + ': ' + error.message, grad.every((x) => x === 9), small() === before);
      }
    }
    console.log(JSON.stringify(results));
  `;
  // 80 pages are 5 MiB. Four rows take 3.2 MB, and as much for the probabilities or the stage.
  const output = execFileSync(
    process.execPath,
    ['--wasm-max-mem-pages=80', '--input-type=module', '--eval', script],
    {
      encoding: 'utf8',
      cwd: new URL('../..', import.meta.url),
    },
  );
  const each = ['RangeError: not enough memory for rows of 200000 classes', true, true];
  expect(JSON.parse(output)).toEqual([...each, ...each, ...each]);
});
