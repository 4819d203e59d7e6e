import { describe, expect, it } from 'vitest';
import { codeOf } from '../../examples/playground/src/code.js';
import { inkOn, luminanceOf } from '../../examples/playground/src/ink.js';
import {
  formatState,
  INITIAL_STATE,
  parseState,
  SETTINGS,
  settle,
} from '../../examples/playground/src/state.js';
import { count, list } from '../../examples/playground/src/text.js';

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

it('the code is that of the loss that is set', () => {
  const lines = (settings: object) => codeOf({ ...INITIAL_STATE, ...settings }).split('\n');
  expect(lines({})).toEqual([
    "import { FocalLoss } from 'focal-loss';",
    '',
    'const criterion = new FocalLoss({ alpha: 0.75, gamma: 2 });',
  ]);
  expect(lines({ alpha: 0, gamma: 0.5, smoothing: 0.05 })[2]).toBe(
    'const criterion = new FocalLoss({ alpha: 0, gamma: 0.5, labelSmoothing: 0.05 });',
  );
});

it('one is singular', () => {
  expect([0, 1, 2, 1234].map((n) => count(n, 'row'))).toEqual([
    '0 rows',
    '1 row',
    '2 rows',
    '1,234 rows',
  ]);
  expect([1, 2].map((n) => count(n, 'class', 'classes'))).toEqual(['1 class', '2 classes']);
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(list)).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
});

it('ink can be read on every colour', () => {
  const contrast = (a: string, b: string) => {
    const [low, high] = [luminanceOf(a), luminanceOf(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const ink = { black: 'rgb(0, 0, 0)', white: '#ffffff' };
  expect(contrast(ink.black, ink.white)).toBeCloseTo(21, 10);
  let least = Infinity;
  for (let red = 0; red < 256; red += 5) {
    for (let green = 0; green < 256; green += 5) {
      for (let blue = 0; blue < 256; blue += 15) {
        const color = `rgb(${red}, ${green}, ${blue})`;
        least = Math.min(least, contrast(color, ink[inkOn(color)]));
      }
    }
  }
  expect(least).toBeGreaterThan(4.5);
  expect(inkOn('#081d58')).toBe('white');
  expect(inkOn('#ffffd9')).toBe('black');
});
