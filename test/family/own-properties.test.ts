import {
  CrossEntropyLoss,
  FocalLoss,
  type FocalLossParameters,
  SigmoidFocalLoss,
} from 'focal-loss';
import * as analysis from 'focal-loss/analysis';
import { afterEach, describe, expect, it } from 'vitest';

const logits = new Float64Array([2.5, -1, 0.5, 0.5]);
const targets = new Uint8Array([0, 1]);
const tensor = { data: logits, dims: [2, 2] };

/**
 * The properties that a program may have added to every object, and options would take for theirs.
 */
const ADDED: Record<string, unknown> = {
  ...{
    alpha: 0.9,
    gamma: 7,
    focusOn: 'class',
    labelSmoothing: 0.5,
    layout: 'channels-first',
    posWeight: 3,
  },
  ...{
    reduction: 'sum',
    normalizer: 1000,
    ignoreIndex: 1,
    numClasses: 4,
    weight: [1, 2],
    spatialSize: 1,
  },
  ...{
    grad: new Float64Array(4),
    out: new Float64Array(4),
    gradOutput: 5,
    sampleWeights: [3, 3],
    kind: 'gauss-newton',
  },
  ...{
    data: new Float64Array(4),
    dims: [4, 1],
    shape: [1, 4],
    classes: new Int32Array(2),
    confidence: logits,
  },
  ...{
    bins: 3,
    zeroDivision: 1,
    auc: false,
    confusion: false,
    overconfidence: 0.1,
    beta: 0.5,
    until: 3,
  },
  ...{ criterion: new FocalLoss(), logits, metric: () => 1, from: 0.3, to: 0.4, points: 3 },
};

afterEach(() => {
  for (const name of Object.keys(ADDED)) Reflect.deleteProperty(Object.prototype, name);
});

/** Results as text, in which every number shows. */
const text = (value: unknown) =>
  JSON.stringify(value, (_, entry) =>
    ArrayBuffer.isView(entry) ? Array.from(entry as Float64Array) : entry,
  );

const criteria = () => [new FocalLoss(), new CrossEntropyLoss(), new SigmoidFocalLoss()];
const focal = new FocalLoss();
const sigmoid = new SigmoidFocalLoss();
const bits = Uint8Array.of(0, 1, 1, 0);
const crossEntropy = new CrossEntropyLoss();
const one = new FocalLoss({ gamma: 3 });

const calls: [string, () => unknown][] = [
  ['constructors', () => criteria().map((criterion) => Object.entries(criterion))],
  ['with', () => Object.entries(one.with({ alpha: 0.5 }))],
  [
    'valueAndGrad',
    () => [focal.valueAndGrad(logits, targets), focal.valueAndGrad(logits, targets, {})],
  ],
  [
    'forward',
    () => [
      focal.forward(logits, targets),
      crossEntropy.forward(logits, targets),
      sigmoid.forward(logits, bits),
    ],
  ],
  ['an option', () => focal.backward(logits, targets, { gradOutput: 2 })],
  ['hessianDiag', () => focal.hessianDiag(logits, targets, {})],
  ['a tensor by its dims', () => focal.valueAndGrad(tensor, targets)],
  [
    'plain arrays',
    () =>
      focal.valueAndGrad(
        [
          [2.5, -1],
          [0.5, 0.5],
        ],
        [0, 1],
      ),
  ],
  [
    'softmax',
    () => [
      analysis.softmax(tensor),
      analysis.softmax(logits, 2, {}),
      analysis.logSoftmax(logits, 2),
    ],
  ],
  ['predict', () => analysis.predict(logits, 2)],
  ['classBalance', () => analysis.classBalance(targets)],
  [
    'diagnose',
    () =>
      [focal, crossEntropy].map((criterion) => analysis.diagnose(logits, targets, criterion, {})),
  ],
  ['classificationReport', () => analysis.classificationReport(logits, targets, {})],
  ['compareLosses', () => analysis.compareLosses(logits, targets, { focal, crossEntropy })],
  ['sweep', () => analysis.sweep(logits, targets, {})],
  ['lossCurve', () => analysis.lossCurve({})],
  [
    'rocCurve',
    () => [
      analysis.rocCurve(logits, targets, {}),
      analysis.precisionRecallCurve(logits, targets, {}),
    ],
  ],
  [
    'calibrationCurve',
    () => [
      analysis.calibrationCurve(logits, targets, {}),
      analysis.decisionCurve(logits, targets, {}),
    ],
  ],
  ['compareModels', () => analysis.compareModels(logits, logits, targets, { repeats: 2 })],
  [
    'ReportMeter',
    () => {
      const meter = new analysis.ReportMeter({}).update(logits, targets);
      return analysis.ReportMeter.fromJSON(JSON.parse(JSON.stringify(meter)))
        .merge(meter)
        .result();
    },
  ],
  ['chooseThreshold', () => analysis.chooseThreshold(logits, targets, {})],
  ['fitCalibration', () => analysis.fitCalibration(logits, targets, {}).apply(logits, {})],
  ['stages', () => Object.entries(analysis.stages([{ gamma: 1 }])(9))],
  ['a sigmoid in diagnose', () => analysis.diagnose(logits, bits, sigmoid)],
  [
    'a sigmoid in a report',
    () => analysis.classificationReport(logits, bits, { criterion: sigmoid }),
  ],
  [
    'a criterion in a report',
    () => analysis.classificationReport(logits, targets, { criterion: focal }),
  ],
  ['a report of one column', () => analysis.classificationReport(logits, bits)],
  ['a sigmoid in compareLosses', () => analysis.compareLosses(logits, bits, { sigmoid })],
  ['a sigmoid in sweep', () => analysis.sweep(logits, bits, { criterion: sigmoid })],
  ['labels', () => [analysis.multiLabelBalance(bits, 2), analysis.classIndices(['a', 'b', 'a'])]],
  [
    'LossMeter',
    () =>
      [focal, crossEntropy].map((criterion) =>
        new analysis.LossMeter(criterion).update(logits, targets),
      ),
  ],
  ['LossMeter of a sigmoid', () => new analysis.LossMeter(sigmoid).update(logits, bits).result()],
  [
    'LossMeter as JSON',
    () => {
      const meter = new analysis.LossMeter(crossEntropy).update(logits, targets);
      return analysis.LossMeter.fromJSON(JSON.parse(JSON.stringify(meter))).merge(meter);
    },
  ],
];

describe('what is added to all objects is no option', () => {
  it.each(calls)('%s', (_, call) => {
    const expected = text(call());
    for (const enumerable of [true, false]) {
      for (const [name, value] of Object.entries(ADDED)) {
        Object.defineProperty(Object.prototype, name, {
          value,
          enumerable,
          configurable: true,
          writable: true,
        });
        const given = text(call());
        Reflect.deleteProperty(Object.prototype, name);
        expect(given, name).toBe(expected);
      }
    }
  });
});

describe('what a class has is', () => {
  class Settings {
    get gamma() {
      return 3;
    }
  }
  class More extends Settings {
    readonly alpha = 0.5;
  }
  class Call {
    get gradOutput() {
      return 2;
    }
  }
  class Tensor {
    readonly #data = logits;
    get data() {
      return this.#data;
    }
    get dims() {
      return [2, 2];
    }
  }

  it('of a criterion, a call and a tensor', () => {
    expect(new FocalLoss(new More() as FocalLossParameters)).toMatchObject({
      gamma: 3,
      alpha: 0.5,
    });
    expect(one.with(new Settings())).toMatchObject({ gamma: 3 });
    expect(new FocalLoss(Object.create({ gamma: 5 }) as object)).toMatchObject({ gamma: 5 });
    expect(focal.backward(logits, targets, new Call())).toEqual(
      focal.backward(logits, targets, { gradOutput: 2 }),
    );
    expect(focal.forward(new Tensor(), targets)).toBe(focal.forward(logits, targets));
    expect(analysis.lossCurve(new Settings())).toEqual(analysis.lossCurve({ gamma: 3 }));
  });

  it('also where all objects have it', () => {
    Object.defineProperty(Object.prototype, 'gradOutput', { value: 7, configurable: true });
    expect(focal.backward(logits, targets, new Call())).toEqual(
      focal.backward(logits, targets, { gradOutput: 2 }),
    );
    expect(focal.backward(logits, targets, {})).toEqual(
      focal.backward(logits, targets, { gradOutput: 1 }),
    );
  });
});
