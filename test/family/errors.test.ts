import { type Criterion, CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { LOSSES } from '../losses/index.js';
import { expectFailure } from '../support/failure.js';

// Every row of the table of errors, for every loss. What all have in common is tested with
// FocalLoss in test/focal.

type Case = [string, unknown, ErrorConstructor, string];

const COMMON: Case[] = [
  [
    'reduction',
    { reduction: 'avg' },
    TypeError,
    "reduction must be 'mean', 'sum' or 'none', got \"avg\"",
  ],
  [
    'reduction',
    { reduction: null },
    TypeError,
    "reduction must be 'mean', 'sum' or 'none', got null",
  ],
  [
    'labelSmoothing',
    { labelSmoothing: 1.5 },
    RangeError,
    'labelSmoothing must be in [0, 1], got 1.5',
  ],
  [
    'labelSmoothing',
    { labelSmoothing: NaN },
    RangeError,
    'labelSmoothing must be in [0, 1], got NaN',
  ],
  [
    'labelSmoothing',
    { labelSmoothing: '0' },
    TypeError,
    'labelSmoothing must be a number, got "0"',
  ],
  ['normalizer', { normalizer: 0 }, RangeError, 'normalizer must be finite and above 0, got 0'],
  ['normalizer', { normalizer: -1 }, RangeError, 'normalizer must be finite and above 0, got -1'],
  ['normalizer', { normalizer: NaN }, RangeError, 'normalizer must be finite and above 0, got NaN'],
  [
    'normalizer',
    { normalizer: Infinity },
    RangeError,
    'normalizer must be finite and above 0, got Infinity',
  ],
  ['normalizer', { normalizer: '3' }, TypeError, 'normalizer must be a number, got "3"'],
  ['normalizer', { normalizer: null }, TypeError, 'normalizer must be a number, got null'],
  [
    'ignoreIndex',
    { ignoreIndex: 0.5 },
    RangeError,
    'ignoreIndex must be an integer in [-2147483647, 2147483647], got 0.5',
  ],
  [
    'ignoreIndex',
    { ignoreIndex: -(2 ** 31) },
    RangeError,
    'ignoreIndex must be an integer in [-2147483647, 2147483647], got -2147483648',
  ],
  [
    'ignoreIndex',
    { ignoreIndex: NaN },
    RangeError,
    'ignoreIndex must be an integer in [-2147483647, 2147483647], got NaN',
  ],
  ['ignoreIndex', { ignoreIndex: -1n }, TypeError, 'ignoreIndex must be a number, got -1'],
  [
    'numClasses',
    { numClasses: 1.5 },
    RangeError,
    'numClasses must be an integer in [1, 2147483647], got 1.5',
  ],
  ['numClasses', { numClasses: '2' }, TypeError, 'numClasses must be a number, got "2"'],
  ['no object', 1, TypeError, 'options must be an object, got 1'],
  ['null', null, TypeError, 'options must be an object, got null'],
];

const SOFTMAX: Case[] = [
  [
    'layout',
    { layout: 'NCHW' },
    TypeError,
    "layout must be 'channels-last' or 'channels-first', got \"NCHW\"",
  ],
  [
    'numClasses',
    { numClasses: 1 },
    RangeError,
    'numClasses must be an integer in [2, 2147483647], got 1',
  ],
];

describe.each(LOSSES)('$name', ({ Loss, isSigmoid, defaults, refused }) => {
  const all = isSigmoid
    ? COMMON
    : [...SOFTMAX, ...COMMON.filter(([, , , message]) => !message.includes('[1, 2147'))];
  const shared = all.filter(([name]) => name !== 'labelSmoothing' || name in defaults);

  it.each([...refused, ...shared])('rejects as an option: %s, %o', (_, given, kind, message) => {
    expectFailure(() => new Loss(given as object), kind, message);
    expectFailure(() => new Loss().with(given as object), kind, message);
  });
});

const logits = new Float32Array([1, 2, 3, 4, 5, 6]);
const indices = new Int32Array([0, 1, 1]);
const soft = new Float32Array([0.5, 0.5, 1, 0, 0.25, 0.75]);
const bits = new Uint8Array([0, 1, 1, 0, 0, 1]);

/** Calls of a criterion: targets and options, the error they lead to, and its message. */
type Call = [string, Criterion, unknown, unknown, ErrorConstructor, string];

const focal = new FocalLoss({ numClasses: 2 });
const crossEntropy = new CrossEntropyLoss({ numClasses: 2 });
const sigmoid = new SigmoidFocalLoss();

function withNone(criterion: Criterion): Criterion {
  return (criterion as FocalLoss).with({ reduction: 'none' });
}

const PROBABILITY = (row: number, j: number) =>
  `targets: the probability of class ${j} in row ${row}`;

const softmaxCalls = [focal, crossEntropy].flatMap((criterion): Call[] => [
  [
    'a sum that is not 1',
    criterion,
    soft.with(3, 0.25),
    {},
    RangeError,
    'targets: the probabilities of row 1 must add up to 1, within 0.001, got 1.25',
  ],
  [
    'a sum of 0',
    criterion,
    soft.with(2, 0),
    {},
    RangeError,
    'targets: the probabilities of row 1 must add up to 1, within 0.001, got 0',
  ],
  [
    'a negative one',
    criterion,
    soft.with(4, -0.25),
    {},
    RangeError,
    `${PROBABILITY(2, 0)} must be finite and not negative, got -0.25`,
  ],
  [
    'NaN',
    criterion,
    soft.with(5, NaN),
    {},
    RangeError,
    `${PROBABILITY(2, 1)} must be finite and not negative, got NaN`,
  ],
  [
    'Infinity',
    criterion,
    soft.with(0, Infinity),
    {},
    RangeError,
    `${PROBABILITY(0, 0)} must be finite and not negative, got Infinity`,
  ],
  [
    'as many as rows',
    criterion,
    soft.slice(0, 3),
    {},
    RangeError,
    `targets[0] must be an integer, got ${soft[0]}: class indices are integers, as Int32Array.from(...) makes them, and probabilities are one per logit`,
  ],
  [
    'too many',
    criterion,
    new Float32Array(12),
    {},
    RangeError,
    'targets.length must be logits.length, 6, got 12',
  ],
  [
    'rows of another length',
    criterion,
    soft,
    { numClasses: 4 },
    RangeError,
    'logits.length must be a multiple of numClasses, 4, got 6',
  ],
  [
    'no numClasses',
    (criterion.constructor as typeof FocalLoss).name === 'FocalLoss'
      ? new FocalLoss()
      : new CrossEntropyLoss(),
    soft,
    {},
    TypeError,
    'numClasses must be given where targets are probabilities',
  ],
  [
    'with ignoreIndex',
    (criterion as FocalLoss).with({ ignoreIndex: -1 }),
    soft,
    {},
    TypeError,
    'targets must be class indices where ignoreIndex is given, got a Float32Array',
  ],
  [
    'no class',
    criterion,
    indices.with(1, 2),
    {},
    RangeError,
    'targets[1] must be a class in [0, 2), got 2',
  ],
  [
    'no class, and not ignored',
    (criterion as FocalLoss).with({ ignoreIndex: -1 }),
    Int32Array.of(-1, 0, -2),
    {},
    RangeError,
    'targets[2] must be a class in [0, 2) or ignoreIndex, -1, got -2',
  ],
  [
    'what wraps around to the ignored index',
    (criterion as FocalLoss).with({ ignoreIndex: -1 }),
    Uint32Array.of(0, 4294967295, 0),
    {},
    RangeError,
    'targets[1] must be a class in [0, 2) or ignoreIndex, -1, got 4294967295',
  ],
  [
    'what wraps around to the ignored index, in 64 bits',
    (criterion as FocalLoss).with({ ignoreIndex: -1 }),
    BigUint64Array.of(0n, 2n ** 64n - 1n, 0n),
    {},
    RangeError,
    'targets[1] must be a class in [0, 2) or ignoreIndex, -1, got 18446744073709551615',
  ],
  [
    'the ignored index in the low half of 64 bits',
    (criterion as FocalLoss).with({ ignoreIndex: 255 }),
    BigInt64Array.of(255n, 2n ** 32n + 255n, 0n),
    {},
    RangeError,
    'targets[1] must be a class in [0, 2) or ignoreIndex, 255, got 4294967551',
  ],
  [
    'spatialSize for classes that come last',
    criterion,
    indices,
    { spatialSize: 3 },
    TypeError,
    "spatialSize is for layout 'channels-first' alone",
  ],
  [
    'spatialSize that does not divide',
    (criterion as FocalLoss).with({ layout: 'channels-first' }),
    indices,
    { spatialSize: 2 },
    RangeError,
    'the number of rows must be a multiple of spatialSize, 2, got 3',
  ],
  [
    'spatialSize 0',
    (criterion as FocalLoss).with({ layout: 'channels-first' }),
    indices,
    { spatialSize: 0 },
    RangeError,
    'spatialSize must be an integer in [1, 9007199254740991], got 0',
  ],
  [
    'no numClasses, channels first',
    criterion instanceof FocalLoss
      ? new FocalLoss({ layout: 'channels-first' })
      : new CrossEntropyLoss({ layout: 'channels-first' }),
    indices,
    {},
    TypeError,
    "numClasses must be given for layout 'channels-first'",
  ],
]);

const calls: Call[] = [
  ...softmaxCalls,
  [
    'probabilities for the focus on the target',
    focal.with({ focusOn: 'target' }),
    soft,
    {},
    TypeError,
    "targets must be class indices for focusOn 'target', got a Float32Array",
  ],
  [
    'probabilities for a gamma per class',
    focal.with({ gamma: [1, 2] }),
    soft,
    {},
    TypeError,
    'targets must be class indices where gamma is an array, got a Float32Array',
  ],
  [
    'a gamma per class of others',
    focal.with({ gamma: [1, 2, 3] }),
    indices,
    {},
    RangeError,
    'gamma must have one entry per class, 2, got 3',
  ],
  [
    'weights of other classes',
    crossEntropy.with({ weight: [1, 2, 3] }),
    indices,
    {},
    RangeError,
    'weight must have one entry per class, 2, got 3',
  ],
  [
    'targets of other lengths',
    sigmoid,
    bits.slice(0, 3),
    {},
    RangeError,
    'targets.length must be logits.length, 6, got 3',
  ],
  [
    'a target above 1',
    sigmoid,
    bits.with(4, 2),
    {},
    RangeError,
    'targets[4] must be in [0, 1], got 2',
  ],
  [
    'a negative target',
    sigmoid,
    soft.with(1, -0.5),
    {},
    RangeError,
    'targets[1] must be in [0, 1], got -0.5',
  ],
  ['NaN', sigmoid, soft.with(5, NaN), {}, RangeError, 'targets[5] must be in [0, 1], got NaN'],
  [
    'not ignored',
    sigmoid.with({ ignoreIndex: 255 }),
    bits.with(0, 255).with(2, 254),
    {},
    RangeError,
    'targets[2] must be in [0, 1] or ignoreIndex, 255, got 254',
  ],
  [
    '64 bits',
    sigmoid.with({ ignoreIndex: -1 }),
    BigUint64Array.of(0n, 1n, 2n ** 64n - 1n, 0n, 0n, 0n),
    {},
    RangeError,
    'targets[2] must be in [0, 1] or ignoreIndex, -1, got 18446744073709551615',
  ],
  [
    'no targets',
    sigmoid,
    undefined,
    {},
    TypeError,
    'targets must be a float array or an integer typed array, got undefined',
  ],
  [
    'a list with a gap',
    sigmoid,
    [0, 1, 1, null],
    {},
    TypeError,
    'targets[3] must be a number or a boolean, got null',
  ],
  [
    'a set',
    sigmoid,
    new Set([0, 1]),
    {},
    TypeError,
    'targets must be a float array or an integer typed array, got an object',
  ],
  [
    'rows of another length',
    sigmoid,
    bits,
    { numClasses: 4 },
    RangeError,
    'logits.length must be a multiple of numClasses, 4, got 6',
  ],
  [
    'alpha per class without numClasses',
    sigmoid.with({ alpha: [0.5, 0.5] }),
    bits,
    {},
    TypeError,
    'numClasses must be given where alpha is an array',
  ],
  [
    'posWeight per class without numClasses',
    sigmoid.with({ posWeight: [0.5, 0.5] }),
    bits,
    {},
    TypeError,
    'numClasses must be given where posWeight is an array',
  ],
  [
    'alpha of other classes',
    sigmoid.with({ alpha: [0.5, 0.5], numClasses: 3 }),
    bits,
    {},
    RangeError,
    'alpha must have one entry per class, 3, got 2',
  ],
  [
    'posWeight of other classes',
    sigmoid.with({ posWeight: [1, 1, 1] }),
    bits,
    { numClasses: 2 },
    RangeError,
    'posWeight must have one entry per class, 2, got 3',
  ],
  [
    'spatialSize',
    sigmoid,
    bits,
    { spatialSize: 2 },
    TypeError,
    "spatialSize is for layout 'channels-first' alone",
  ],
  [
    'sampleWeights of another length',
    sigmoid,
    bits,
    { sampleWeights: new Float32Array(3) },
    RangeError,
    'sampleWeights must have one entry per logit, 6, got 3',
  ],
  [
    'sampleWeights of another length, with numClasses',
    sigmoid,
    bits,
    { sampleWeights: new Float32Array(2), numClasses: 2 },
    RangeError,
    'sampleWeights must have one entry per logit, 6, or one per row of numClasses, 3, got 2',
  ],
];

describe('a call rejects', () => {
  it.each(calls)('%s, %o', (_, criterion, targets, options, kind, message) => {
    const grad = new Float32Array(6).fill(9);
    const given = targets as Int32Array;
    expectFailure(() => criterion.forward(logits, given, options as object), kind, message);
    expectFailure(() => criterion.backward(logits, given, options as object), kind, message);
    expectFailure(
      () => criterion.valueAndGrad(logits, given, { ...(options as object), grad }),
      kind,
      message,
    );
    expect(grad).toEqual(new Float32Array(6).fill(9));
  });
});

describe.each([
  ['FocalLoss', focal, indices, 3],
  ['CrossEntropyLoss', crossEntropy, indices, 3],
  ['SigmoidFocalLoss', sigmoid, bits, 6],
] as [string, Criterion, Int32Array, number][])('%s', (name, criterion, targets, values) => {
  const weights = new Float32Array(values).fill(1);
  const buffer = new Float32Array(32);
  const shared = buffer.subarray(0, 6);
  const LOGITS = 'logits must be a Float32Array, Float64Array or Float16Array';
  const per = name === 'SigmoidFocalLoss' ? 'logit' : 'row';
  const cases: Case[] = [
    [
      'weights that are no array',
      { sampleWeights: 2 },
      TypeError,
      'sampleWeights must be a float array with one weight per row, got 2',
    ],
    [
      'weights in a list that is too long',
      { sampleWeights: Array(values + 1).fill(1) },
      RangeError,
      `sampleWeights must have one entry per ${per}, ${values}, got ${values + 1}`,
    ],
    [
      'weights in a list of texts',
      { sampleWeights: ['1', '1', '1'] },
      TypeError,
      'sampleWeights[0] must be a number, got "1"',
    ],
    [
      'weights in a list that are negative',
      { sampleWeights: Array(values).fill(-1) },
      RangeError,
      'sampleWeights[0] must be finite and not negative, got -1',
    ],
    [
      'weights in a set',
      { sampleWeights: new Set([1, 1, 1]) },
      TypeError,
      'sampleWeights must be a float array with one weight per row, got an object',
    ],
    [
      'integer weights',
      { sampleWeights: new Uint8Array(values) },
      TypeError,
      'sampleWeights must be a float array with one weight per row, got a Uint8Array',
    ],
    [
      'one weight for all',
      { sampleWeights: new Float32Array(1) },
      RangeError,
      `sampleWeights must have one entry per ${per}, ${values}, got 1`,
    ],
    [
      'too many weights',
      { sampleWeights: new Float32Array(values + 1) },
      RangeError,
      `sampleWeights must have one entry per ${per}, ${values}, got ${values + 1}`,
    ],
    ...[-1, NaN, Infinity].map(
      (weight): Case => [
        `a weight of ${weight}`,
        { sampleWeights: weights.with(values - 1, weight) },
        RangeError,
        `sampleWeights[${values - 1}] must be finite and not negative, got ${weight}`,
      ],
    ),
    ['normalizer 0', { normalizer: 0 }, RangeError, 'normalizer must be finite and above 0, got 0'],
    [
      'normalizer NaN',
      { normalizer: NaN },
      RangeError,
      'normalizer must be finite and above 0, got NaN',
    ],
    ['normalizer null', { normalizer: null }, TypeError, 'normalizer must be a number, got null'],
    ['an unknown name', { ignoreIndex: 2 }, TypeError, 'unknown option "ignoreIndex"; known are '],
  ];

  it.each(cases)('rejects of a call: %s', (_, options, kind, message) => {
    const known = (names: string) => (message.endsWith('known are ') ? message + names : message);
    const rows = 'numClasses, normalizer, sampleWeights, spatialSize';
    expectFailure(() => criterion.forward(logits, targets, options as object), kind, known(rows));
    expectFailure(
      () => criterion.backward(logits, targets, options as object),
      kind,
      known(`grad, gradOutput, ${rows}`),
    );
  });

  it('rejects gradOutput that is not for the reduction', () => {
    for (const reduction of ['mean', 'sum'] as const) {
      expectFailure(
        () =>
          (criterion as FocalLoss)
            .with({ reduction })
            .backward(logits, targets, { gradOutput: weights as never }),
        TypeError,
        "gradOutput must be a number, unless reduction is 'none', got a Float32Array",
      );
    }
    const none = withNone(criterion);
    const wrong: [unknown, ErrorConstructor, string][] = [
      [
        Array(values + 1).fill(1),
        RangeError,
        `gradOutput must have one entry per row, ${values}, got ${values + 1}`,
      ],
      [[1, '1', 1], TypeError, 'gradOutput[1] must be a number, got "1"'],
      ['1', TypeError, 'gradOutput must be a number, or a float array with one per row, got "1"'],
      [
        new Uint8Array(values),
        TypeError,
        'gradOutput must be a number, or a float array with one per row, got a Uint8Array',
      ],
      [new Float32Array(1), RangeError, `gradOutput must have one entry per row, ${values}, got 1`],
      [new Float32Array(7), RangeError, `gradOutput must have one entry per row, ${values}, got 7`],
    ];
    for (const [gradOutput, kind, message] of wrong) {
      expectFailure(
        () => none.backward(logits, targets, { gradOutput: gradOutput as number }),
        kind,
        message,
      );
    }
  });

  it('rejects a buffer of another kind or length, and one that overlaps any other array', () => {
    const none = withNone(criterion);
    const whole = new Float32Array(buffer.buffer, 0, values);
    const wrong: [object, ErrorConstructor, string][] = [
      [
        { grad: new Float64Array(6) },
        TypeError,
        'grad must be a Float32Array like the logits, got a Float64Array',
      ],
      [{ grad: new Float32Array(5) }, RangeError, 'grad.length must be logits.length, 6, got 5'],
      [{ grad: logits }, RangeError, 'grad must not share memory with logits'],
      [
        { grad: shared, sampleWeights: whole },
        RangeError,
        'grad must not share memory with sampleWeights',
      ],
      [
        { grad: shared, gradOutput: whole },
        RangeError,
        'grad must not share memory with gradOutput',
      ],
    ];
    for (const [options, kind, message] of wrong) {
      expectFailure(() => none.valueAndGrad(logits, targets, options), kind, message);
      expect(buffer).toEqual(new Float32Array(32));
    }
  });

  it('rejects logits that are none, and memory that is gone', () => {
    for (const wrong of [undefined, new Set([1, 2]), new Int32Array(6)]) {
      const got =
        wrong === undefined ? 'undefined' : wrong instanceof Set ? 'an object' : 'an Int32Array';
      expectFailure(
        () => criterion.forward(wrong as never, targets),
        TypeError,
        `${LOGITS}, got ${got}`,
      );
    }
    const detach = <A extends ArrayBufferView>(array: A): A => {
      structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
      return array;
    };
    const gone = (what: string) =>
      `${what}: its buffer is detached, or has shrunk so that the array lies outside`;
    const none = withNone(criterion);
    expectFailure(() => none.forward(detach(logits.slice()), targets), TypeError, gone('logits'));
    expectFailure(() => none.forward(logits, detach(targets.slice())), TypeError, gone('targets'));
    const sampleWeights = detach(weights.slice());
    expectFailure(
      () => none.forward(logits, targets, { sampleWeights }),
      TypeError,
      gone('sampleWeights'),
    );
    const gradOutput = detach(weights.slice());
    expectFailure(
      () => none.backward(logits, targets, { gradOutput }),
      TypeError,
      gone('gradOutput'),
    );
    const grad = detach(new Float32Array(6));
    expectFailure(() => none.backward(logits, targets, { grad }), TypeError, gone('grad'));
  });
});

describe('second derivatives reject', () => {
  it.each([
    [
      'kind',
      { kind: 'diagonal' },
      TypeError,
      "kind must be 'exact' or 'gauss-newton', got \"diagonal\"",
    ],
    [
      'a name',
      { grad: new Float32Array(6) },
      TypeError,
      'unknown option "grad"; known are kind, out, numClasses, normalizer, sampleWeights, spatialSize',
    ],
    ['null', null, TypeError, 'options must be an object, got null'],
    [
      'out of another kind',
      { out: new Float64Array(6) },
      TypeError,
      'out must be a Float32Array like the logits, got a Float64Array',
    ],
    [
      'out of another length',
      { out: new Float32Array(3) },
      RangeError,
      'out.length must be logits.length, 6, got 3',
    ],
    ['the logits as out', { out: logits }, RangeError, 'out must not share memory with logits'],
  ] as Case[])('%s', (_, options, kind, message) => {
    const before = logits.slice();
    expectFailure(() => focal.hessianDiag(logits, indices, options as object), kind, message);
    expect(logits).toEqual(before);
  });

  it('probabilities', () => {
    const given = soft as never;
    expectFailure(
      () => focal.hessianDiag(logits, given),
      TypeError,
      'targets must be class indices for hessianDiag, got a Float32Array',
    );
    expectFailure(
      () => focal.gammaGrad(logits, given),
      TypeError,
      'targets must be class indices for gammaGrad, got a Float32Array',
    );
  });

  it('a focus that they do not have', () => {
    const each = focal.with({ focusOn: 'class' });
    expectFailure(
      () => each.hessianDiag(logits, indices),
      TypeError,
      "hessianDiag does not exist for focusOn 'class'",
    );
    expectFailure(
      () => each.gammaGrad(logits, indices),
      TypeError,
      "gammaGrad does not exist for focusOn 'class'",
    );
    expectFailure(
      () => focal.with({ focusOn: 'target', labelSmoothing: 0.1 }).hessianDiag(logits, indices),
      TypeError,
      "hessianDiag does not exist for focusOn 'target' with labelSmoothing",
    );
  });
});

describe('a target in the last of many pieces that is none', () => {
  const rows = 50_001;
  const batch = new Float32Array(2 * rows);

  it.each([
    [
      'FocalLoss',
      focal,
      new Int32Array(rows).fill(-7, rows - 1),
      `targets[${rows - 1}] must be a class in [0, 2), got -7`,
    ],
    [
      'FocalLoss with probabilities',
      focal,
      new Float32Array(2 * rows).fill(0.5, 0, 2 * rows - 1),
      `targets: the probabilities of row ${rows - 1} must add up to 1, within 0.001, got 0.5`,
    ],
    [
      'CrossEntropyLoss',
      crossEntropy.with({ weight: [1, 2] }),
      new Uint8Array(rows).fill(9, rows - 1),
      `targets[${rows - 1}] must be a class in [0, 2), got 9`,
    ],
    [
      'SigmoidFocalLoss',
      sigmoid,
      new Uint8Array(2 * rows).fill(2, 2 * rows - 1),
      `targets[${2 * rows - 1}] must be in [0, 1], got 2`,
    ],
  ] as [string, Criterion, Int32Array, string][])(
    'is found before anything is written, %s',
    (_, criterion, targets, message) => {
      const grad = new Float32Array(2 * rows).fill(9);
      expectFailure(() => criterion.valueAndGrad(batch, targets, { grad }), RangeError, message);
      expect(grad.every((x) => x === 9)).toBe(true);
      expectFailure(() => criterion.valueAndGrad(batch, targets), RangeError, message);
    },
  );
});
