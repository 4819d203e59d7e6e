import { FocalLoss } from 'focal-loss';
import { describe, it } from 'vitest';
import { expectFailure } from '../support/failure.js';

const KNOWN =
  'known are alpha, gamma, focusOn, labelSmoothing, layout, reduction, normalizer, ignoreIndex, numClasses';
const GAMMA = 'gamma must be a number, or an array with one number per class';
const ALPHA = 'alpha must be a number, an array with one number per class, or null';

/** Options, the error they lead to, and its message. */
const cases: [unknown, ErrorConstructor, string][] = [
  [null, TypeError, 'options must be an object, got null'],
  [2, TypeError, 'options must be an object, got 2'],
  ['mean', TypeError, 'options must be an object, got "mean"'],
  [() => 1, TypeError, 'options must be an object, got a function'],
  [{ gama: 2 }, TypeError, `unknown option "gama"; ${KNOWN}`],
  [{ gamma: 2, label_smoothing: 0.1 }, TypeError, `unknown option "label_smoothing"; ${KNOWN}`],
  [[0.25], TypeError, `unknown option "0"; ${KNOWN}`],

  [{ reduction: 'avg' }, TypeError, "reduction must be 'mean', 'sum' or 'none', got \"avg\""],
  [{ reduction: null }, TypeError, "reduction must be 'mean', 'sum' or 'none', got null"],
  [{ reduction: ['mean'] }, TypeError, "reduction must be 'mean', 'sum' or 'none', got an Array"],

  [{ gamma: -0.5 }, RangeError, 'gamma must be finite and not negative, got -0.5'],
  [{ gamma: NaN }, RangeError, 'gamma must be finite and not negative, got NaN'],
  [{ gamma: Infinity }, RangeError, 'gamma must be finite and not negative, got Infinity'],
  [{ gamma: '2' }, TypeError, `${GAMMA}, got "2"`],
  [{ gamma: null }, TypeError, `${GAMMA}, got null`],
  [{ gamma: 2n }, TypeError, `${GAMMA}, got 2`],
  [{ gamma: [1] }, RangeError, 'gamma must have 2 to 16777216 entries, got 1'],
  [{ gamma: [1, -2] }, RangeError, 'gamma[1] must be finite and not negative, got -2'],
  [{ gamma: [NaN, 2] }, RangeError, 'gamma[0] must be finite and not negative, got NaN'],
  [{ gamma: [1, '2'] }, TypeError, 'gamma[1] must be a number, got "2"'],

  [{ labelSmoothing: -0.1 }, RangeError, 'labelSmoothing must be in [0, 1], got -0.1'],
  [{ labelSmoothing: 1.1 }, RangeError, 'labelSmoothing must be in [0, 1], got 1.1'],
  [{ labelSmoothing: NaN }, RangeError, 'labelSmoothing must be in [0, 1], got NaN'],
  [{ labelSmoothing: true }, TypeError, 'labelSmoothing must be a number, got true'],

  [{ alpha: -0.1 }, RangeError, 'alpha must be in [0, 1], got -0.1'],
  [{ alpha: 1.5 }, RangeError, 'alpha must be in [0, 1], got 1.5'],
  [{ alpha: NaN }, RangeError, 'alpha must be in [0, 1], got NaN'],
  [{ alpha: '0.25' }, TypeError, `${ALPHA}, got "0.25"`],
  [{ alpha: true }, TypeError, `${ALPHA}, got true`],
  [{ alpha: {} }, TypeError, `${ALPHA}, got an object`],
  [{ alpha: new Set([1, 2]) }, TypeError, `${ALPHA}, got an object`],
  [{ alpha: { length: '2' } }, TypeError, `${ALPHA}, got an object`],
  [{ alpha: [] }, RangeError, 'alpha must have 2 to 16777216 entries, got 0'],
  [{ alpha: [1] }, RangeError, 'alpha must have 2 to 16777216 entries, got 1'],
  [{ alpha: { length: NaN } }, RangeError, 'alpha must have 2 to 16777216 entries, got NaN'],
  [{ alpha: [1, -1] }, RangeError, 'alpha[1] must be finite and not negative, got -1'],
  [
    { alpha: [1, 2, Infinity] },
    RangeError,
    'alpha[2] must be finite and not negative, got Infinity',
  ],
  [
    { alpha: Float32Array.of(NaN, 2) },
    RangeError,
    'alpha[0] must be finite and not negative, got NaN',
  ],
  [{ alpha: [1, '2'] }, TypeError, 'alpha[1] must be a number, got "2"'],
  [{ alpha: [1, undefined] }, TypeError, 'alpha[1] must be a number, got undefined'],
  [{ alpha: { length: 1e7, 0: 1 } }, TypeError, 'alpha[1] must be a number, got undefined'],
  [{ alpha: BigInt64Array.of(1n, 2n) }, TypeError, 'alpha[0] must be a number, got 1'],

  [{ numClasses: 1 }, RangeError, 'numClasses must be an integer in [2, 2147483647], got 1'],
  [{ numClasses: 2.5 }, RangeError, 'numClasses must be an integer in [2, 2147483647], got 2.5'],
  [
    { numClasses: 2 ** 32 + 2 },
    RangeError,
    'numClasses must be an integer in [2, 2147483647], got 4294967298',
  ],
  [{ numClasses: NaN }, RangeError, 'numClasses must be an integer in [2, 2147483647], got NaN'],
  [{ numClasses: '2' }, TypeError, 'numClasses must be a number, got "2"'],
  [{ numClasses: null }, TypeError, 'numClasses must be a number, got null'],
];

describe('the constructor and `with` reject', () => {
  it.each(cases)('%o', (options, kind, message) => {
    expectFailure(() => new FocalLoss(options as object), kind, message);
    expectFailure(() => new FocalLoss().with(options as object), kind, message);
  });

  it('more weights than there can be, without reading them: the engine would run out of memory, and end the process', () => {
    const longest = new Proxy(
      {},
      { get: (_, name) => (name === 'length' ? 2 ** 31 - 1 : 1) },
    ) as number[];
    const tooLong = (length: number) => `alpha must have 2 to 16777216 entries, got ${length}`;
    expectFailure(() => new FocalLoss({ alpha: longest }), RangeError, tooLong(2147483647));
    const long = new Uint8Array(2 ** 24 + 1);
    expectFailure(() => new FocalLoss({ alpha: long }), RangeError, tooLong(16777217));
  });
});

describe('an option that throws', () => {
  it('lets its own error through', () => {
    class Own extends Error {}
    const options = {
      get gamma(): number {
        throw new Own('from the getter');
      },
    };
    expectFailure(() => new FocalLoss(options), Own as ErrorConstructor, 'from the getter');
  });
});
