import { classificationReport, SigmoidFocalLoss } from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { float64 } from '../support/dtypes.js';
import { expectFailure } from '../support/failure.js';

const { logits } = randomBatch(float64, 20, 2, 51, 3);
const targets = Uint8Array.from(logits, (x, k) => (x + Math.sin(k) > 0 ? 1 : 0));
/** The same as two classes. */
const pairs = Float64Array.from({ length: 80 }, (_, k) => (k % 2 === 1 ? logits[(k - 1) / 2] : 0));

describe('one logit per row', () => {
  const expected = classificationReport(pairs, targets);

  it('is as two classes, of which the first has the logit 0', () => {
    const { logLoss, ...rest } = classificationReport(logits, targets);
    const { logLoss: ofPairs, ...others } = expected;
    expect(rest).toEqual(others);
    expect(logLoss).toBeCloseTo(ofPairs, 14);
    const meanLoss = new SigmoidFocalLoss({ alpha: null, gamma: 0 }).forward(logits, targets);
    expect(logLoss).toBeCloseTo(meanLoss, 14);
    expect(classificationReport(logits, targets, { numClasses: 1 })).toEqual(
      classificationReport(logits, targets),
    );
  });

  it('may have targets in between, which numClasses makes known', () => {
    const soft = Float64Array.from(targets, (y, k) => (k % 3 === 0 ? 0.5 + (y - 0.5) / 2 : y));
    const asPairs = Float64Array.from({ length: 80 }, (_, k) => {
      const y = soft[Math.floor(k / 2)];
      return k % 2 === 1 ? y : 1 - y;
    });
    const { logLoss, brier, accuracy } = classificationReport(logits, soft, { numClasses: 1 });
    const ofPairs = classificationReport(pairs, asPairs, { numClasses: 2 });
    expect([brier, accuracy]).toEqual([ofPairs.brier, ofPairs.accuracy]);
    expect(logLoss).toBeCloseTo(ofPairs.logLoss, 14);
  });

  it('may have rows that do not count', () => {
    const some = Int8Array.from(targets, (y, k) => (k % 4 === 0 ? -1 : y));
    const kept = [...targets.keys()].filter((k) => k % 4 !== 0);
    const report = classificationReport(logits, some, { ignoreIndex: -1 });
    expect(report).toEqual(
      classificationReport(
        Float64Array.from(kept, (k) => logits[k]),
        Uint8Array.from(kept, (k) => targets[k]),
      ),
    );
  });

  it('may be none', () => {
    expect(
      classificationReport(new Float32Array(0), new Uint8Array(0), { numClasses: 1 }),
    ).toMatchObject({
      rows: 0,
      numClasses: 2,
      accuracy: NaN,
    });
  });
});

it.each<[() => unknown, ErrorConstructor, string]>([
  [
    () => classificationReport(logits, new Uint8Array(40).fill(2, 3)),
    RangeError,
    'targets[3] must be in [0, 1], got 2',
  ],
  [
    () => classificationReport(new Float32Array(0), new Uint8Array(0), { numClasses: 400_000_000 }),
    RangeError,
    'numClasses must be at most 65536 where there are no rows, got 400000000',
  ],
])('refuses what it cannot make sense of %#', expectFailure);
