import { describe, expect, it } from 'vitest';
import { formatState, INITIAL_STATE, parseState, SETTINGS, settle } from '../../examples/playground/src/state.js';

describe('the state of the playground in the address', () => {
  it('is nothing where nothing is set', () => {
    expect(formatState(INITIAL_STATE)).toBe('');
    expect(parseState('')).toEqual(INITIAL_STATE);
    expect(parseState('#')).toEqual(INITIAL_STATE);
  });

  it('holds what is not as at first, and can be read again', () => {
    const state = { ...INITIAL_STATE, alpha: 0.3, gamma: 4.5, seed: 77, classes: 10 };
    expect(formatState(state)).toBe('#alpha=0.3&gamma=4.5&seed=77&classes=10');
    expect(parseState(formatState(state))).toEqual(state);
  });

  it('can be read again at every step of every slider', () => {
    for (const name of ['alpha', 'gamma', 'smoothing'] as const) {
      const { min, max, step } = SETTINGS[name];
      for (let i = 0; min + i * step <= max + step / 2; i++) {
        const state = { ...INITIAL_STATE, [name]: settle(name, min + i * step) };
        expect(parseState(formatState(state))).toEqual(state);
      }
    }
  });

  it.each([
    ['#gamma=99', { gamma: 5 }],
    ['#gamma=-1', { gamma: 0 }],
    ['#gamma=1.234', { gamma: 1.2 }],
    ['#alpha=0.30000000000000004', { alpha: 0.3 }],
    ['#alpha=', {}],
    ['#alpha=none', {}],
    ['#alpha=Infinity', {}],
    ['#rows=33', {}],
    ['#rows=32', { rows: 32 }],
    ['#somewhere&else=1&seed=3', { seed: 3 }],
  ])('makes the best of %s', (hash, expected) => {
    expect(parseState(hash)).toEqual({ ...INITIAL_STATE, ...expected });
  });
});
