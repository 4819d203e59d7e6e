import type { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { LOSSES } from '../losses/index.js';

// The tests that test/focal/options.test.ts has of FocalLoss, of the others.

const shared = {
  reduction: 'mean',
  normalizer: undefined,
  ignoreIndex: undefined,
  numClasses: undefined,
};

const logits = new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]);

describe.each(LOSSES)('$name', ({ name, Loss, isSigmoid, others, ...loss }) => {
  const defaults = { ...loss.defaults, ...shared };
  const make = (options?: object) => new (Loss as unknown as typeof FocalLoss)(options);
  const targets = new Int32Array(isSigmoid ? [0, 1, 1, 0, 0, 1] : [0, 1, 1]);

  it('has the documented defaults', () => {
    expect({ ...make() }).toEqual(defaults);
    expect(Object.keys(make())).toEqual(Object.keys(defaults));
    expect({
      ...make(Object.fromEntries(Object.keys(defaults).map((key) => [key, undefined]))),
    }).toEqual(defaults);
  });

  it('is its options, read-only, and nothing else', () => {
    const criterion = make(others);
    expect({ ...criterion }).toEqual({ ...defaults, ...others });
    for (const key of Object.keys(defaults))
      expect(() => Object.assign(criterion, { [key]: 1 })).toThrow(TypeError);
    for (const again of [
      make(JSON.parse(JSON.stringify(criterion))),
      make(criterion),
      criterion.with({}),
    ]) {
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
    const changed = criterion.with({ normalizer: 5, reduction: 'sum' });
    expect(changed).toBeInstanceOf(Loss);
    expect({ ...changed }).toEqual({ ...criterion, normalizer: 5, reduction: 'sum' });
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
