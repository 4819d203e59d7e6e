import { diagnose, FocalLoss, LossMeter, PolyFocalLoss, sweep } from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { dtypes } from '../support/dtypes.js';

const { logits, targets } = randomBatch(dtypes[1], 60, 3, 5);
const smoothed = { numClasses: 3, labelSmoothing: 0.1 };

describe('PolyFocalLoss', () => {
  it('has as its floor the loss of the best logits', () => {
    const best = Float64Array.from([14 / 15, 1 / 30, 1 / 30], Math.log);
    for (const options of [{ epsilon: 2 }, { epsilon: 1, gamma: 0, alpha: null }, { epsilon: 0 }]) {
      const criterion = new PolyFocalLoss({ ...smoothed, ...options });
      const { floor, loss } = diagnose(best, Uint8Array.of(0), criterion);
      expect(floor).toBeCloseTo(criterion.forward(best, Uint8Array.of(0)), 14);
      expect(loss.mean).toBeGreaterThanOrEqual(floor - 1e-15);
    }
    const { floor } = diagnose(best, Uint8Array.of(0), new FocalLoss(smoothed));
    expect(diagnose(best, Uint8Array.of(0), new PolyFocalLoss(smoothed)).floor).toBeGreaterThan(
      floor,
    );
  });

  it('has no floor where there is no formula for it', () => {
    const onTarget = new PolyFocalLoss({ ...smoothed, gamma: 0, focusOn: 'target' });
    for (const criterion of [new PolyFocalLoss({ epsilon: -1, numClasses: 3 }), onTarget]) {
      expect(diagnose(logits, targets, criterion).floor).toBeNaN();
    }
  });

  it('is metered, by its own name', () => {
    const criterion = new PolyFocalLoss({ epsilon: 3, numClasses: 3 });
    const meter = new LossMeter(criterion);
    meter.update(logits, targets);
    expect(meter.result().mean).toBeCloseTo(criterion.forward(logits, targets), 12);
    expect(JSON.stringify(meter)).toContain('PolyFocalLoss');
    expect(LossMeter.fromJSON(JSON.parse(JSON.stringify(meter))).result()).toEqual(meter.result());
  });

  it('is not swept', () => {
    const criterion = new PolyFocalLoss() as unknown as FocalLoss;
    expect(() => sweep(logits, targets, { criterion })).toThrow(
      'criterion must be a FocalLoss or a SigmoidFocalLoss, got a PolyFocalLoss',
    );
  });
});
