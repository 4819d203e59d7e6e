import * as main from 'focal-loss';
import * as analysis from 'focal-loss/analysis';
import * as slim from 'focal-loss/slim';
import { focalLoss } from 'focal-loss/tfjs';
import { describe, expect, it } from 'vitest';

// An error quotes what it was given, but not a hundred million characters of it.

const LONG = 1_000_000;
const text = 'x'.repeat(LONG);
const quotes = '"'.repeat(LONG);

/** Values whose text is long. */
const VALUES: Record<string, unknown> = {
  text,
  quotes,
  'a symbol': Symbol(text),
  'a BigInt': 10n ** 1000n,
  'an array': [text],
  'a nested array': [[[text]]],
  'an object': { [text]: text, toString: () => text, toJSON: () => text },
  'a function': Object.assign(() => text, { toString: () => text }),
  'an object of a class': new (class {
    readonly [Symbol.toStringTag] = text;
  })(),
  'an error': new Error(text),
};

const logits = Float64Array.of(2.5, -1, 0.5, 0.5);
const targets = Uint8Array.of(0, 1);
const { FocalLoss, CrossEntropyLoss, SigmoidFocalLoss, PolyFocalLoss, allocate } = main;
const focal = new FocalLoss({ reduction: 'none' });
const any = (value: unknown) => value as never;

const OPTIONS = [
  ...['alpha', 'gamma', 'labelSmoothing', 'reduction', 'layout', 'focusOn', 'epsilon', 'weight'],
  ...['ignoreIndex', 'numClasses', 'normalizer', 'posWeight'],
];
const CALL = ['grad', 'gradOutput', 'sampleWeights', 'numClasses', 'spatialSize'];

/** The analysis' options, of all its functions. */
const ANALYSIS = [
  ...['bins', 'zeroDivision', 'auc', 'confusion', 'averageOver', 'beta', 'topK', 'classNames'],
  ...['criterion', 'positive', 'by', 'costs', 'atLeast', 'thresholds', 'method', 'repeats', 'seed'],
  ...['alpha', 'gamma', 'labelSmoothing', 'metric', 'intervals', 'layout', 'ignoreIndex', 'points'],
  ...['from', 'to', 'until', 'classes', 'signal', 'onProgress', 'numClasses', 'sampleWeights'],
];

const ofTwo = [
  ...['classificationReport', 'sweep', 'rocCurve', 'precisionRecallCurve', 'calibrationCurve'],
  ...['decisionCurve', 'chooseThreshold', 'fitCalibration', 'sweepAsync'],
  'classificationReportAsync',
] as const;

type Named = Record<string, (...given: unknown[]) => unknown>;
const functions = analysis as unknown as Named;

/** Calls that take a value in every place there is. */
const CALLS: [string, (value: unknown) => unknown][] = [
  ...[FocalLoss, CrossEntropyLoss, SigmoidFocalLoss, PolyFocalLoss].flatMap((Loss) => [
    [Loss.name, (value: unknown) => new Loss(any(value))] as [string, (value: unknown) => unknown],
    ...[...OPTIONS, text].map(
      (name) =>
        [`${Loss.name}, ${name.slice(0, 20)}`, (value: unknown) => new Loss({ [name]: value })] as [
          string,
          (value: unknown) => unknown,
        ],
    ),
  ]),
  ...[...CALL, text].map(
    (name) =>
      [
        `a call, ${name.slice(0, 20)}`,
        (value: unknown) => focal.valueAndGrad(logits, targets, { [name]: value } as object),
      ] as [string, (value: unknown) => unknown],
  ),
  ['an entry of alpha', (value) => new FocalLoss({ alpha: any([1, value]) })],
  ['logits', (value) => focal.forward(any(value), targets)],
  ['targets', (value) => focal.forward(logits, any(value))],
  ['an entry of the logits', (value) => focal.forward(any([[1, value]]), [0])],
  ['an entry of the targets', (value) => focal.forward([[1, 2]], any([value]))],
  ['data', (value) => focal.forward(any({ data: value, dims: [2, 2] }), targets)],
  ['dims', (value) => focal.forward(any({ data: logits, dims: value }), targets)],
  ['a dim', (value) => focal.forward(any({ data: logits, dims: [2, value] }), targets)],
  ['kind', (value) => focal.hessianDiag(logits, targets, { kind: any(value) })],
  ['rows', (value) => allocate(any(value), 2)],
  ['dtype', (value) => allocate(1, 2, any(value))],
  ['implementation', (value) => focalLoss({ implementation: any(value) })],
  ...ofTwo.flatMap((name) =>
    [...ANALYSIS, text].map(
      (option) =>
        [
          `${name}, ${option.slice(0, 20)}`,
          (value: unknown) => functions[name]?.(logits, targets, { [option]: value }),
        ] as [string, (value: unknown) => unknown],
    ),
  ),
  ['ReportMeter', (value) => new analysis.ReportMeter({ classNames: any([value, 'b']) })],
  ['LossMeter', (value) => new analysis.LossMeter(any(value))],
  ['LossMeter, merge', (value) => new analysis.LossMeter(focal).merge(any(value))],
  ['LossMeter.fromJSON', (value) => analysis.LossMeter.fromJSON(any(value))],
  ['ReportMeter.fromJSON', (value) => analysis.ReportMeter.fromJSON(any(value))],
  ['Calibrator.fromJSON', (value) => analysis.Calibrator.fromJSON(any(value))],
  [
    'a state',
    (value) =>
      analysis.LossMeter.fromJSON({ ...new analysis.LossMeter(focal).toJSON(), loss: any(value) }),
  ],
  ['diagnose', (value) => analysis.diagnose(logits, targets, any(value))],
  ['compareLosses', (value) => analysis.compareLosses(logits, targets, any({ [text]: value }))],
  ['compareModels', (value) => analysis.compareModels(logits, any(value), targets)],
  ['stages', (value) => analysis.stages(any([value]))],
  ['a stage', (value) => analysis.stages(any([{ gamma: value }]))],
  ['classIndices', (value) => analysis.classIndices([value], { classes: ['a', 'b'] })],
  [
    'classIndices, classes',
    (value) => analysis.classIndices(['a'], { classes: any([value, value]) }),
  ],
  ['classBalance', (value) => analysis.classBalance(any(value))],
  ['softmax', (value) => analysis.softmax(logits, any(value))],
  ['init', (value) => slim.init(any(value))],
];

/** The errors that a call throws, or its promise is rejected with. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('an error quotes some hundred characters of', () => {
  it.each(Object.entries(VALUES))('%s', async (_, value) => {
    let errors = 0;
    for (const [name, call] of CALLS) {
      const error = await errorOf(() => call(value));
      if (error === undefined) continue;
      errors++;
      // Escaped quotes take two.
      expect(String((error as Error).message).length, name).toBeLessThan(700);
    }
    expect(errors).toBeGreaterThan(CALLS.length / 2);
  });

  it('all of a text of a hundred', () => {
    const hundred = 'y'.repeat(100);
    expect(() => new FocalLoss({ gamma: any(hundred) })).toThrow(`got "${hundred}"`);
    expect(() => new FocalLoss({ gamma: any(`${hundred}z`) })).toThrow(`got "${hundred}…"`);
  });
});
