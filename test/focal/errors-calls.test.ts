import { type FloatArray, FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../support/failure.js';

const logits = new Float32Array([1, 2, 3, 4, 5, 6]);
const targets = new Int32Array([0, 1, 1]);
const criterion = new FocalLoss();

const LOGITS = 'logits must be a Float32Array, Float64Array or Float16Array';
const TARGETS =
  'targets must be an integer typed array of class indices, such as an Int32Array, or a float array of probabilities';
const GRAD_OUTPUT = "gradOutput must be a number, unless reduction is 'none'";
const KNOWN = 'known are grad, gradOutput, numClasses, normalizer, sampleWeights, spatialSize';

/** Logits and targets, the error they lead to, and its message. */
const batches: [string, unknown, unknown, ErrorConstructor, string][] = [
  ['no logits', undefined, targets, TypeError, `${LOGITS}, got undefined`],
  ['null', null, targets, TypeError, `${LOGITS}, got null`],
  [
    'an array of texts',
    ['1', 2, 3, 4, 5, 6],
    targets,
    TypeError,
    'logits[0] must be a number, got "1"',
  ],
  [
    'rows of arrays',
    [[1, 2]],
    targets,
    RangeError,
    'logits must have 3 rows (targets.length) of 2 classes (numClasses), 6 entries in all, got 2',
  ],
  ['integer logits', new Int32Array(6), targets, TypeError, `${LOGITS}, got an Int32Array`],
  ['bytes', new Uint8Array(6), targets, TypeError, `${LOGITS}, got a Uint8Array`],
  ['a buffer', new ArrayBuffer(24), targets, TypeError, `${LOGITS}, got an object`],
  ['a DataView', new DataView(new ArrayBuffer(24)), targets, TypeError, `${LOGITS}, got an object`],
  ['a string', 'logits', targets, TypeError, `${LOGITS}, got "logits"`],
  ['a symbol', Symbol('x'), targets, TypeError, `${LOGITS}, got Symbol(x)`],
  ['a proxy of logits', new Proxy(logits, {}), targets, TypeError, `${LOGITS}, got an object`],
  [
    'a look-alike',
    Object.create(Float32Array.prototype),
    targets,
    TypeError,
    `${LOGITS}, got an object`,
  ],
  ['no targets', logits, undefined, TypeError, `${TARGETS}, got undefined`],
  [
    'an array of texts as targets',
    logits,
    ['a', 1, 1],
    TypeError,
    'targets[0] must be a number or a boolean, got "a"',
  ],
  ['a set of targets', logits, new Set([0, 1]), TypeError, `${TARGETS}, got an object`],
  ['a proxy of targets', logits, new Proxy(targets, {}), TypeError, `${TARGETS}, got an object`],
  [
    'lengths that do not divide',
    new Float32Array(7),
    targets,
    RangeError,
    'logits.length must be a multiple of targets.length, 3, got 7',
  ],
  [
    'one class',
    new Float32Array(3),
    targets,
    RangeError,
    'the number of classes, logits.length / targets.length, must be in [2, 2147483647], got 1',
  ],
  [
    'no logits for the targets',
    new Float32Array(0),
    targets,
    RangeError,
    'the number of classes, logits.length / targets.length, must be in [2, 2147483647], got 0',
  ],
  [
    'fewer logits than targets',
    new Float32Array(2),
    targets,
    RangeError,
    'logits.length must be a multiple of targets.length, 3, got 2',
  ],
  [
    'no rows',
    logits,
    new Int32Array(0),
    RangeError,
    'targets has no rows, but logits has 6 entries',
  ],
];

/** Options of a call, the error they lead to, and its message. */
const calls: [string, unknown, ErrorConstructor, string][] = [
  ['null', null, TypeError, 'options must be an object, got null'],
  [
    'a large buffer by itself',
    new Float32Array(2 ** 28),
    TypeError,
    'options must be an object, got a Float32Array',
  ],
  [
    'a buffer by itself',
    new Float32Array(6),
    TypeError,
    'options must be an object, got a Float32Array',
  ],
  ['a wrong name', { gard: logits }, TypeError, `unknown option "gard"; ${KNOWN}`],
  ['an option of the criterion', { gamma: 1 }, TypeError, `unknown option "gamma"; ${KNOWN}`],
  ['a text as gradOutput', { gradOutput: '1' }, TypeError, `${GRAD_OUTPUT}, got "1"`],
  ['null as gradOutput', { gradOutput: null }, TypeError, `${GRAD_OUTPUT}, got null`],
  ['an array as gradOutput', { gradOutput: [1, 1, 1] }, TypeError, `${GRAD_OUTPUT}, got an Array`],
  [
    'numClasses 1',
    { numClasses: 1 },
    RangeError,
    'numClasses must be an integer in [2, 2147483647], got 1',
  ],
  ['numClasses null', { numClasses: null }, TypeError, 'numClasses must be a number, got null'],
  [
    'numClasses that does not match',
    { numClasses: 3 },
    RangeError,
    'logits must have 3 rows (targets.length) of 3 classes (numClasses), 9 entries in all, got 6',
  ],
  [
    'an array as grad',
    { grad: [0, 0, 0, 0, 0, 0] },
    TypeError,
    'grad must be a Float32Array like the logits, got an Array',
  ],
  [
    'null as grad',
    { grad: null },
    TypeError,
    'grad must be a Float32Array like the logits, got null',
  ],
  [
    'grad of another kind',
    { grad: new Float64Array(6) },
    TypeError,
    'grad must be a Float32Array like the logits, got a Float64Array',
  ],
  [
    'a proxy as grad',
    { grad: new Proxy(new Float32Array(6), {}) },
    TypeError,
    'grad must be a Float32Array like the logits, got an object',
  ],
  [
    'a short grad',
    { grad: new Float32Array(5) },
    RangeError,
    'grad.length must be logits.length, 6, got 5',
  ],
  [
    'a long grad',
    { grad: new Float32Array(7) },
    RangeError,
    'grad.length must be logits.length, 6, got 7',
  ],
  [
    'an empty grad',
    { grad: new Float32Array(0) },
    RangeError,
    'grad.length must be logits.length, 6, got 0',
  ],
  ['the logits as grad', { grad: logits }, RangeError, 'grad must not share memory with logits'],
];

describe('a call rejects', () => {
  it.each(batches)('%s', (_, badLogits, badTargets, kind, message) => {
    const batch = [badLogits as Float32Array, badTargets as Int32Array] as const;
    const grad = new Float32Array(6).fill(9);
    expectFailure(() => criterion.forward(...batch), kind, message);
    expectFailure(() => criterion.backward(...batch), kind, message);
    expectFailure(() => criterion.valueAndGrad(...batch, { grad }), kind, message);
    expect(grad).toEqual(new Float32Array(6).fill(9));
  });

  it.each(calls)('%s in its options', (_, options, kind, message) => {
    const buffer = (options as { grad?: unknown } | null)?.grad;
    const before = ArrayBuffer.isView(buffer) ? (buffer as FloatArray).slice() : undefined;
    expectFailure(() => criterion.backward(logits, targets, options as object), kind, message);
    expectFailure(() => criterion.valueAndGrad(logits, targets, options as object), kind, message);
    if (before !== undefined) expect(buffer).toEqual(before);
  });

  it('options of the gradient where there is none', () => {
    for (const options of [{ grad: new Float32Array(6) }, { gradOutput: 1 }]) {
      const [name] = Object.keys(options);
      const message = `unknown option "${name}"; known are numClasses, normalizer, sampleWeights, spatialSize`;
      expectFailure(
        () => criterion.forward(logits, targets, options as object),
        TypeError,
        message,
      );
    }
  });

  it('weights for another number of classes', () => {
    const weighted = new FocalLoss({ alpha: [1, 2, 3] });
    const grad = new Float32Array(6).fill(9);
    const message = 'alpha must have one entry per class, 2, got 3';
    expectFailure(() => weighted.forward(logits, targets), RangeError, message);
    expectFailure(() => weighted.valueAndGrad(logits, targets, { grad }), RangeError, message);
    expectFailure(
      () => weighted.forward(new Float32Array(0), new Int8Array(0), { numClasses: 2 }),
      RangeError,
      message,
    );
    expect(grad).toEqual(new Float32Array(6).fill(9));
  });

  it('names that only a prototype has are no options', () => {
    const options = Object.create({ inherited: 1 });
    expect(criterion.forward(logits, targets, options)).toBe(criterion.forward(logits, targets));
  });
});
