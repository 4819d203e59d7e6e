import { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';

// The tests that test/focal/options.test.ts has of FocalLoss, of the others.

const shared = { reduction: 'mean', normalizer: undefined, ignoreIndex: undefined, numClasses: undefined };

const CASES = [
  {
    name: 'CrossEntropyLoss',
    Loss: CrossEntropyLoss,
    defaults: { weight: null, labelSmoothing: 0, layout: 'channels-last', ...shared },
    others: { weight: [0.5, 1.5], labelSmoothing: 0.1, ignoreIndex: 7, normalizer: 3, numClasses: 2 },
  },
  {
    name: 'SigmoidFocalLoss',
    Loss: SigmoidFocalLoss,
    defaults: { alpha: 0.25, gamma: 2, posWeight: 1, labelSmoothing: 0, ...shared },
    others: { alpha: [0.5, 0.75], posWeight: [1, 3], gamma: 1, ignoreIndex: 7, normalizer: 3, numClasses: 2 },
  },
  {
    name: 'FocalLoss',
    Loss: FocalLoss,
    defaults: {
      alpha: 0.25,
      gamma: 2,
      focusOn: 'smoothed',
      labelSmoothing: 0,
      layout: 'channels-last',
      ...shared,
    },
    others: {
      alpha: [0.5, 0.75],
      gamma: [1, 3],
      labelSmoothing: 0.1,
      ignoreIndex: 7,
      focusOn: 'target',
      numClasses: 2,
    },
  },
];

const logits = new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]);

describe.each(CASES)('$name', ({ name, Loss, defaults, others }) => {
  const make = (options?: object) => new (Loss as typeof FocalLoss)(options);
  const targets = new Int32Array(name === 'SigmoidFocalLoss' ? [0, 1, 1, 0, 0, 1] : [0, 1, 1]);

  it('has the documented defaults', () => {
    expect({ ...make() }).toEqual(defaults);
    expect(Object.keys(make())).toEqual(Object.keys(defaults));
    expect({ ...make(Object.fromEntries(Object.keys(defaults).map((key) => [key, undefined]))) }).toEqual(defaults);
  });

  it('is its options, read-only, and nothing else', () => {
    const criterion = make(others);
    expect({ ...criterion }).toEqual({ ...defaults, ...others });
    for (const key of Object.keys(defaults)) expect(() => Object.assign(criterion, { [key]: 1 })).toThrow(TypeError);
    for (const again of [make(JSON.parse(JSON.stringify(criterion))), make(criterion), criterion.with({})]) {
      expect({ ...again }).toEqual({ ...criterion });
      expect(again.forward(logits, targets)).toBe(criterion.forward(logits, targets));
    }
  });

  it('keeps copies of arrays, frozen', () => {
    const criterion = make(others) as object as Record<string, unknown>;
    for (const [key, value] of Object.entries(others)) {
      if (!Array.isArray(value)) continue;
      expect(criterion[key]).not.toBe(value);
      expect(Object.isFrozen(criterion[key])).toBe(true);
    }
  });

  it('with changes what it is given', () => {
    const criterion = make(others);
    const changed = criterion.with({ labelSmoothing: 0.25, reduction: 'sum' });
    expect(changed).toBeInstanceOf(Loss);
    expect({ ...changed }).toEqual({ ...criterion, labelSmoothing: 0.25, reduction: 'sum' });
    expect({ ...criterion }).toEqual({ ...defaults, ...others });
  });

  it('has the name of its class', () => {
    expect(Loss.name).toBe(name);
  });

  it('takes numClasses and normalizer of the call before its own', () => {
    const criterion = make({ numClasses: 4, normalizer: 5 });
    expect(() => criterion.forward(logits, targets)).toThrow(RangeError);
    const expected = make({ reduction: 'sum' }).forward(logits, targets);
    expect(criterion.forward(logits, targets, { numClasses: 2 })).toBe(expected / 5);
    expect(criterion.forward(logits, targets, { numClasses: 2, normalizer: 2 })).toBe(expected / 2);
  });
});
