import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';

const logits = new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]);
const targets = new Int32Array([0, 1, 1]);

describe('options', () => {
  const defaults = {
    alpha: 0.25,
    gamma: 2,
    focusOn: 'smoothed',
    labelSmoothing: 0,
    layout: 'channels-last',
    reduction: 'mean',
    normalizer: undefined,
    ignoreIndex: undefined,
    numClasses: undefined,
  };

  it('have the documented defaults', () => {
    expect({ ...new FocalLoss() }).toEqual(defaults);
    expect({ ...new FocalLoss({}) }).toEqual(defaults);
  });

  it('that are undefined are left out', () => {
    const undefineds = Object.fromEntries(Object.keys(defaults).map((name) => [name, undefined]));
    expect({ ...new FocalLoss(undefineds) }).toEqual(defaults);
  });

  it('are read-only properties', () => {
    const criterion = new FocalLoss({ gamma: 3 });
    for (const name of Object.keys(defaults)) {
      expect(() => Object.assign(criterion, { [name]: 1 })).toThrow(TypeError);
    }
    expect({ ...criterion }).toEqual({ ...defaults, gamma: 3 });
  });

  it('are all there is to a criterion', () => {
    const criterion = new FocalLoss({ alpha: [0.5, 1.5], labelSmoothing: 0.1, reduction: 'sum' });
    const again = new FocalLoss(JSON.parse(JSON.stringify(criterion)));
    expect({ ...again }).toEqual({ ...criterion });
    expect(again.forward(logits, targets)).toBe(criterion.forward(logits, targets));
    expect(new FocalLoss(criterion).forward(logits, targets)).toBe(
      criterion.forward(logits, targets),
    );
  });

  it('alpha is copied, and the copy frozen', () => {
    for (const alpha of [[0.5, 1.5], Float32Array.of(0.5, 1.5), { length: 2, 0: 0.5, 1: 1.5 }]) {
      const criterion = new FocalLoss({ alpha });
      const before = criterion.forward(logits, targets);
      (alpha as number[])[1] = 100;
      expect(criterion.alpha).toEqual([0.5, 1.5]);
      expect(Object.isFrozen(criterion.alpha)).toBe(true);
      expect(criterion.forward(logits, targets)).toBe(before);
    }
  });

  it('numClasses of the call counts before that of the criterion', () => {
    const criterion = new FocalLoss({ numClasses: 3 });
    expect(() => criterion.forward(logits, targets)).toThrow(RangeError);
    const expected = new FocalLoss().forward(logits, targets);
    expect(criterion.forward(logits, targets, { numClasses: 2 })).toBe(expected);
    expect(criterion.with({ numClasses: 2 }).forward(logits, targets)).toBe(expected);
  });

  it('can be extended by a subclass', () => {
    class Counting extends FocalLoss {
      calls = 0;
      override forward(...call: Parameters<FocalLoss['forward']>): number {
        this.calls++;
        return super.forward(...call);
      }
    }
    const criterion = new Counting({ gamma: 1 });
    expect(criterion.forward(logits, targets)).toBe(
      new FocalLoss({ gamma: 1 }).forward(logits, targets),
    );
    expect(criterion.calls).toBe(1);
  });
});

describe('alpha', () => {
  const value = (alpha: number | number[] | null, target: number) =>
    new FocalLoss({ alpha }).forward(new Float64Array([0.5, -1, 2]), new Int32Array([target]));

  it('as a number weighs class 1, and all others by what is left', () => {
    for (const target of [0, 1, 2]) {
      expect(value(0.25, target)).toBe(value([0.75, 0.25, 0.75], target));
      expect(value(0.5, target)).toBe(0.5 * value(null, target));
    }
  });

  it('null weighs every class 1', () => {
    for (const target of [0, 1, 2]) expect(value(null, target)).toBe(value([1, 1, 1], target));
  });
});

describe('with', () => {
  it('changes what it is given, and nothing else', () => {
    const criterion = new FocalLoss({
      alpha: [1, 2],
      gamma: 1,
      reduction: 'sum',
      labelSmoothing: 0.1,
      numClasses: 2,
    });
    const changed = criterion.with({ gamma: 3, labelSmoothing: undefined });
    expect(changed).toBeInstanceOf(FocalLoss);
    expect({ ...changed }).toEqual({ ...criterion, gamma: 3 });
    expect(criterion.gamma).toBe(1);
    expect(changed.forward(logits, targets)).toBe(
      new FocalLoss({ alpha: [1, 2], gamma: 3, reduction: 'sum', labelSmoothing: 0.1 }).forward(
        logits,
        targets,
      ),
    );
  });

  it('can take weights away', () => {
    expect(new FocalLoss({ alpha: [1, 2] }).with({ alpha: null }).alpha).toBe(null);
  });

  it('checks as the constructor does', () => {
    const criterion = new FocalLoss();
    expect(() => criterion.with({ gamma: -1 })).toThrow(RangeError);
    // @ts-expect-error: no such option
    expect(() => criterion.with({ gama: 1 })).toThrow(TypeError);
  });

  it('has the name of its class', () => {
    expect(FocalLoss.name).toBe('FocalLoss');
  });
});
