import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import * as main from 'focal-loss';
import * as analysis from 'focal-loss/analysis';
import * as slim from 'focal-loss/slim';
import { crossEntropy, focalLoss, sigmoidFocalLoss } from 'focal-loss/tfjs';
import { describe, expect, it } from 'vitest';
import { type AnyLoss, LOSSES } from '../losses/index.js';
import { generator } from '../support/random.js';
import { sampled } from '../support/sample.js';
import { useBackend } from '../tfjs/backends.js';
import { bitsOf } from './interrupted-calls.js';

// Options, tensors and lists can have getters, and these can call this package: before a call
// begins, everything of it has to have been read.

type Watch = <T>(value: T) => T;

/** Copies of objects and lists in which every property is read through a getter that intrudes. */
function watching(intrude: () => void): { watch: Watch; reads: () => number } {
  let reads = 0;
  let isInside = false;
  const copyOf = (value: unknown): unknown => {
    const isPlain = Array.isArray(value) || Object.getPrototypeOf(value ?? 0) === Object.prototype;
    if (!isPlain) return value;
    const copy: object = Array.isArray(value) ? [] : {};
    for (const [name, entry] of Object.entries(value as object)) {
      const inner = copyOf(entry);
      const get = () => {
        reads++;
        if (!isInside) {
          isInside = true;
          intrude();
          isInside = false;
        }
        return inner;
      };
      Object.defineProperty(copy, name, { get, enumerable: true });
    }
    return copy;
  };
  return { watch: (value) => copyOf(value) as typeof value, reads: () => reads };
}

const random = generator(20_261_127);
const ROWS = 7;
const CLASSES = 3;
const logits = Float32Array.from({ length: ROWS * CLASSES }, () => 6 * random() - 3);
const targets = Uint8Array.from({ length: ROWS }, (_, i) => i % CLASSES);
const soft = new Float32Array(ROWS * CLASSES).fill(1 / CLASSES);
const yes = logits.map((x) => Number(x > 0));
const rowWeights = Float32Array.from({ length: ROWS }, random);
const x = { data: logits, dims: [ROWS, CLASSES] };
const indices = { data: targets, dims: [ROWS] };
const q = { data: soft, dims: [ROWS, CLASSES] };
const alpha = [0.2, 0.3, 0.5];
const options = { sampleWeights: rowWeights, numClasses: CLASSES };

/** Calls of every form of every loss that read all that they are given through `watch`. */
function formCalls(entry: typeof analysis, watch: Watch): Record<string, () => unknown> {
  const calls: Record<string, () => unknown> = {};
  for (const { name, isSigmoid, forms } of LOSSES) {
    const Loss = (entry as unknown as Record<string, AnyLoss>)[name] as AnyLoss;
    for (const { name: form, options, isSoft } of forms(alpha)) {
      const suitable = isSigmoid ? { data: yes, dims: [ROWS, CLASSES] } : isSoft ? q : indices;
      calls[form] = () =>
        new Loss(watch(options)).valueAndGrad(
          watch(x),
          watch(suitable),
          watch({ numClasses: CLASSES }),
        );
    }
  }
  return calls;
}

/** Calls that read all that they are given through `watch`. */
function lossCalls(entry: typeof analysis, watch: Watch) {
  const { FocalLoss, CrossEntropyLoss, SigmoidFocalLoss } = entry;
  const focal = new FocalLoss(watch({ alpha, gamma: 1.5 }));
  const perRow = new FocalLoss(watch({ reduction: 'none' as const, labelSmoothing: 0.1 }));
  const plain = new FocalLoss(watch({ alpha: 0.25 }));
  const entropy = new CrossEntropyLoss(watch({ weight: alpha, ignoreIndex: 1 }));
  const sigmoid = new SigmoidFocalLoss(watch({ posWeight: alpha, alpha: 0.3 }));
  const upstream = () =>
    watch({ ...options, gradOutput: rowWeights, grad: new Float32Array(logits.length) });
  return {
    forward: () => focal.forward(watch(x), watch(indices), watch(options)),
    'forward, soft': () => plain.forward(watch(x), watch(q), watch(options)),
    backward: () => entropy.backward(watch(x), watch(indices), watch(options)),
    valueAndGrad: () => perRow.valueAndGrad(watch(x), watch(indices), upstream()),
    'valueAndGrad, sigmoid': () =>
      sigmoid.valueAndGrad(
        watch(x),
        watch({ data: yes, dims: [ROWS, CLASSES] }),
        watch({ numClasses: 3 }),
      ),
    with: () => focal.with(watch({ gamma: [1, 2, 3] })).forward(watch(x), watch(indices)),
    hessianDiag: () =>
      plain.hessianDiag(watch(x), watch(indices), watch({ kind: 'gauss-newton' as const })),
    gammaGrad: () => plain.gammaGrad(watch(x), watch(indices), watch(options)),
    ...formCalls(entry, watch),
  };
}

/** The same of the functions of the analysis. */
function analysisCalls(watch: Watch) {
  const { FocalLoss, CrossEntropyLoss, LossMeter } = analysis;
  const focal = new FocalLoss({ alpha });
  const weighted = new CrossEntropyLoss({ weight: alpha });
  const axes = {
    alpha: [0.25, alpha, null],
    gamma: [0, 2],
    labelSmoothing: [0, 0.1],
    sampleWeights: rowWeights,
  };
  const calibrator = analysis.fitCalibration(logits, targets, { method: 'isotonic' });
  const state = new LossMeter(weighted).update(logits, targets).toJSON();
  return {
    softmax: () =>
      analysis.softmax(watch(x), undefined, watch({ out: new Float32Array(logits.length) })),
    logSoftmax: () => analysis.logSoftmax(watch(x), undefined, watch({})),
    predict: () => analysis.predict(watch(x), undefined, watch({ classes: new Int32Array(ROWS) })),
    posterior: () =>
      analysis.posterior(
        watch(x),
        watch({ ...focal }),
        watch({ priors: { training: alpha, deployment: [0.5, 0.3, 0.2] } }),
      ),
    sweep: () => analysis.sweep(watch(x), watch(indices), watch(axes)),
    'sweep, soft': () => analysis.sweep(watch(x), watch(q), watch({ gamma: [1, 3] })),
    update: () => new LossMeter(weighted).update(watch(x), watch(indices), watch(options)).result(),
    'update, soft': () => new LossMeter(focal).update(watch(x), watch(q), watch({})).result(),
    merge: () =>
      new LossMeter(weighted)
        .update(watch(x), watch(indices))
        .merge(LossMeter.fromJSON(watch(state)))
        .toJSON(),
    classBalance: () => analysis.classBalance(watch(indices), CLASSES, watch({ beta: 0.9 })),
    multiLabelBalance: () =>
      analysis.multiLabelBalance(watch({ data: yes, dims: [ROWS, CLASSES] }), CLASSES, watch({})),
    probabilitiesToLogits: () => analysis.probabilitiesToLogits(watch(q)),
    classIndices: () =>
      analysis.classIndices(watch(['a', 'b', 'a']), watch({ classes: ['b', 'a'] })),
    classificationReport: () =>
      analysis.classificationReport(watch(x), watch(indices), watch({ bins: 5 })),
    diagnose: () =>
      analysis.diagnose(watch(x), watch(indices), focal, watch({ overconfidence: 0.5 })),
    compareLosses: () =>
      analysis.compareLosses(watch(x), watch(indices), watch({ a: focal, b: weighted }), watch({})),
    lossCurve: () => analysis.lossCurve(watch({ alpha: 0.3, points: 4 })),
    fitCalibration: () =>
      analysis
        .fitCalibration(watch(x), watch(indices), watch({ bins: 5, criterion: { ...focal } }))
        .apply(watch(x), watch({})),
    'classificationReport, intervals': () =>
      analysis.classificationReport(
        watch(x),
        watch(indices),
        watch({ intervals: { repeats: 2, seed: 3 } }),
      ),
    compareModels: () =>
      analysis.compareModels(watch(x), watch(x), watch(indices), watch({ repeats: 2 })),
    ReportMeter: () =>
      new analysis.ReportMeter(watch({ bins: 4, classNames: ['a', 'b', 'c'] }))
        .update(watch(x), watch(indices))
        .result(),
    'ReportMeter of labels': () =>
      new analysis.ReportMeter(
        watch({ bins: 4, criterion: new analysis.SigmoidFocalLoss({ numClasses: CLASSES }) }),
      )
        .update(watch(x), watch(yes))
        .result(),
    rocCurve: () => analysis.rocCurve(watch(x), watch(indices), watch({ positive: 1 })),
    precisionRecallCurve: () =>
      analysis.precisionRecallCurve(watch(x), watch(indices), watch({ positive: 1 })),
    calibrationCurve: () =>
      analysis.calibrationCurve(watch(x), watch(indices), watch({ positive: 1, bins: 4 })),
    decisionCurve: () =>
      analysis.decisionCurve(watch(x), watch(indices), watch({ positive: 1, thresholds: [0.5] })),
    chooseThreshold: () =>
      analysis.chooseThreshold(
        watch(x),
        watch(indices),
        watch({
          positive: 1,
          costs: { falsePositive: 1, falseNegative: 1 },
          atLeast: { recall: 0.1 },
        }),
      ),
    Calibrator: () => analysis.Calibrator.fromJSON(watch(calibrator.toJSON())).apply(watch(x)),
    stages: () => analysis.stages(watch([{ until: 2, gamma: 0 }, { gamma: 1 }]), focal)(1),
  };
}

/** The same of the losses for TensorFlow.js, whose tensors have no getters of the caller's. */
function tensorCalls(watch: Watch): Record<string, () => unknown> {
  const x = tf.tensor(logits, [ROWS, CLASSES]);
  const indices = tf.tensor1d(targets, 'int32');
  const labels = tf.tensor(yes, [ROWS, CLASSES]);
  return {
    focalLoss: () => focalLoss(watch({ alpha, gamma: 1.5 }))(indices, x).dataSync(),
    crossEntropy: () =>
      crossEntropy(watch({ weight: alpha, ignoreIndex: 1 }))(indices, x).dataSync(),
    sigmoidFocalLoss: () =>
      sigmoidFocalLoss(watch({ posWeight: alpha, alpha: 0.3 }))(labels, x).dataSync(),
  };
}

await useBackend('cpu');
await slim.init(readFileSync(new URL(import.meta.resolve('focal-loss/focal-loss.wasm'))));

const asGiven: Watch = (value) => value;

describe.each([
  {
    entry: 'focal-loss',
    callsWith: (watch: Watch) => lossCalls(main as unknown as typeof analysis, watch),
  },
  {
    entry: 'focal-loss/slim',
    callsWith: (watch: Watch) => lossCalls(slim as unknown as typeof analysis, watch),
  },
  { entry: 'focal-loss/tfjs', callsWith: tensorCalls },
  {
    entry: 'focal-loss/analysis',
    callsWith: (watch: Watch) => ({ ...lossCalls(analysis, watch), ...analysisCalls(watch) }),
  },
])('$entry', ({ callsWith }) => {
  const plain: Record<string, () => unknown> = callsWith(asGiven);
  const intruders = Object.values(plain);

  it.each(sampled(Object.keys(plain)))(
    '%s gives the same where what it reads calls everything else',
    (name) => {
      const expected = bitsOf(plain[name]?.());
      // Memory may grow in the middle, and stay.
      const held: { dispose(): void }[] = [];
      const { watch, reads } = watching(() => {
        for (const intruder of intruders) intruder();
        held.push(main.allocate(50, 4), analysis.allocate(50, 4), slim.allocate(50, 4));
      });
      const watched: Record<string, () => unknown> = callsWith(watch);
      const before = reads();
      expect(bitsOf(watched[name]?.())).toBe(expected);
      expect(reads()).toBeGreaterThan(before);
      for (const batch of held) batch.dispose();
    },
  );
});

it('a meter that is updated while another, or itself, is updated counts every batch once', () => {
  const { FocalLoss, LossMeter } = analysis;
  const make = () => new LossMeter(new FocalLoss());
  const [outer, other] = [make(), make()];
  const tensor = {
    dims: [ROWS, CLASSES],
    get data() {
      outer.update(logits.subarray(0, 2 * CLASSES), targets.subarray(0, 2));
      other.update(logits.subarray(0, 4 * CLASSES), targets.subarray(0, 4));
      return logits;
    },
  };
  outer.update(tensor, targets);
  const expected = make()
    .update(logits.subarray(0, 2 * CLASSES), targets.subarray(0, 2))
    .update(logits, targets);
  expect(outer.result()).toEqual(expected.result());
  expect(other.result()).toEqual(
    make()
      .update(logits.subarray(0, 4 * CLASSES), targets.subarray(0, 4))
      .result(),
  );
});
