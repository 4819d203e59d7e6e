// Every public function, called over and over, and a battery of calls that must go on giving the
// same bits.

import { inspect } from 'node:util';
import type * as Analysis from 'focal-loss/analysis';
import { type AnyLoss, LOSSES } from '../losses/index.js';
import { generator } from '../support/random.js';

/** The exports that `focal-loss`, `focal-loss/slim` and `focal-loss/analysis` have in common. */
type Losses = Pick<
  typeof Analysis,
  'allocate' | 'CrossEntropyLoss' | 'FocalLoss' | 'SigmoidFocalLoss'
>;

type Calls = Record<string, () => unknown>;

/** A batch of a random shape, and all that can go with it. */
function makeBatch(seed: number) {
  const random = generator(seed);
  const rows = 1 + Math.floor(40 * random());
  const classes = 2 + Math.floor(8 * random());
  const logits = Float32Array.from({ length: rows * classes }, () => 8 * random() - 4);
  const soft = new Float32Array(rows * classes).fill(1 / classes);
  return {
    rows,
    classes,
    logits,
    wide: Float64Array.from(logits),
    targets: Uint8Array.from({ length: rows }, () => Math.floor(classes * random())),
    soft,
    yes: logits.map((x) => Number(x > 1)),
    weights: Float32Array.from({ length: rows }, random),
    alpha: Array.from({ length: classes }, random),
  };
}

/** Calls of every form of every loss, and what they return. */
function formCalls(entry: Losses, seed: number): Calls {
  const { classes, logits, targets, soft, yes, alpha } = makeBatch(seed);
  const calls: Calls = {};
  for (const { name, isSigmoid, forms } of LOSSES) {
    const Loss = (entry as unknown as Record<string, AnyLoss>)[name] as AnyLoss;
    for (const { name: form, options, isSoft } of forms(alpha)) {
      const given = { ...options, numClasses: classes };
      const criterion = new Loss(given);
      const suitable = isSigmoid ? yes : isSoft ? soft : targets;
      calls[`new ${name}, ${form}`] = () => new Loss(given).forward(logits, suitable);
      calls[`valueAndGrad, ${form}`] = () => criterion.valueAndGrad(logits, suitable);
    }
  }
  return calls;
}

/** Calls of all losses, and what they return. */
function lossCalls(entry: Losses, seed: number): Calls {
  const { FocalLoss, CrossEntropyLoss, SigmoidFocalLoss } = entry;
  const { classes, logits, wide, targets, soft, yes, weights, alpha } = makeBatch(seed);
  const numClasses = classes;
  const grad = new Float32Array(logits.length);
  const focal = new FocalLoss({ alpha, gamma: 2.5 });
  const smooth = new FocalLoss({ numClasses, labelSmoothing: 0.1, reduction: 'none' });
  const each = new FocalLoss({ numClasses, focusOn: 'class' });
  const first = new CrossEntropyLoss({
    numClasses,
    layout: 'channels-first',
    weight: alpha,
    ignoreIndex: 1,
  });
  const sigmoid = new SigmoidFocalLoss({
    numClasses,
    alpha: 0.3,
    posWeight: alpha,
    ignoreIndex: 0,
  });
  const options = { grad, sampleWeights: weights, gradOutput: 0.5 };
  return {
    'new FocalLoss': () => new FocalLoss({ alpha, gamma: alpha, layout: 'channels-first' }),
    with: () => focal.with({ reduction: 'sum' }).forward(logits, targets),
    forward: () => focal.forward(wide, targets),
    backward: () => focal.backward(wide, targets),
    valueAndGrad: () => [focal.valueAndGrad(logits, targets, options).value, grad.slice()],
    'valueAndGrad, float64': () => focal.valueAndGrad(wide, targets),
    'valueAndGrad, per row': () => smooth.valueAndGrad(logits, targets, { gradOutput: weights }),
    'valueAndGrad, soft': () => smooth.valueAndGrad(logits, soft),
    'valueAndGrad, each class': () => each.valueAndGrad(wide, targets),
    'valueAndGrad, tensors': () =>
      focal.valueAndGrad({ data: logits, dims: [targets.length, classes] }, targets),
    'valueAndGrad, channels first': () => first.valueAndGrad(logits, targets),
    'valueAndGrad, sigmoid': () => sigmoid.valueAndGrad(logits, yes, { grad }),
    hessianDiag: () => focal.hessianDiag(logits, targets),
    gammaGrad: () => focal.gammaGrad(wide, targets),
    ...formCalls(entry, seed),
  };
}

/** Numbers in [0, 1) as numbers above 0. */
const above = (numbers: readonly number[]) => numbers.map((x) => x + 0.5);

/** Priors from as many numbers as there are classes. */
const odds = (numbers: readonly number[]) => ({
  training: above(numbers),
  deployment: above(numbers.toReversed()),
});

/** Calls of all functions of the analysis. */
function analysisCalls(entry: typeof Analysis, seed: number): Calls {
  const { FocalLoss, CrossEntropyLoss, LossMeter } = entry;
  const { classes, logits, wide, targets, soft, alpha, yes } = makeBatch(seed);
  const numClasses = classes;
  const focal = new FocalLoss({ alpha });
  const weighted = new CrossEntropyLoss({ weight: alpha });
  const seen = new LossMeter(focal).update(wide, targets);
  return {
    softmax: () => entry.softmax(logits, numClasses),
    logSoftmax: () => entry.logSoftmax(wide, numClasses),
    predict: () => entry.predict(logits, numClasses),
    posterior: () =>
      entry.posterior(logits, new FocalLoss({ alpha: above(alpha), labelSmoothing: 0.1 }), {
        priors: odds(alpha),
      }),
    'posterior, sigmoid': () =>
      entry.posterior(wide, new entry.SigmoidFocalLoss({ numClasses, posWeight: above(alpha) })),
    sweep: () =>
      entry.sweep(logits, targets, {
        alpha: [0.25, alpha, null],
        gamma: [0, 2],
        labelSmoothing: [0, 0.1],
      }),
    'sweep, soft': () => entry.sweep(wide, soft, { numClasses, metric: ({ loss }) => loss }),
    'update, result': () =>
      new LossMeter(weighted).update(logits, targets).update(logits, targets).result(),
    merge: () => new LossMeter(focal).merge(seen).merge(seen).toJSON(),
    fromJSON: () => LossMeter.fromJSON(seen.toJSON()).result(),
    classBalance: () => entry.classBalance(targets, numClasses),
    classIndices: () => entry.classIndices(Array.from(targets, (target) => `class ${target}`)),
    classificationReport: () => entry.classificationReport(logits, targets, { numClasses }),
    multiLabelBalance: () => entry.multiLabelBalance(yes, numClasses),
    'probabilitiesToLogits, diagnose': () =>
      entry.diagnose(entry.probabilitiesToLogits(soft, numClasses), targets, focal),
    diagnose: () => entry.diagnose(logits, targets, focal),
    'diagnose, sigmoid': () =>
      entry.diagnose(logits, yes, new entry.SigmoidFocalLoss({ numClasses })),
    compareLosses: () => entry.compareLosses(logits, targets, { a: focal, b: weighted }),
    lossCurve: () => entry.lossCurve({ points: 5 }),
    ...decisionCalls(entry, seed),
    ...asyncCalls(entry, seed),
    ...poolAnalysisCalls(entry, seed),
    stages: () => entry.stages([{ until: 2, gamma: 0 }, { gamma: 1 }], focal)(1),
  };
}

/** Throws where a promise is rejected already, with the reason: its work has not begun. */
function begun(promise: Promise<unknown>): void {
  promise.catch((reason) => {
    // Any other reason fails the run, as a rejection that nobody handles.
    if (!(reason instanceof RangeError && /call stack/.test(reason.message))) throw reason;
  });
  const seen = inspect(promise);
  if (!/^Promise \{\s*<rejected>/.test(seen)) return;
  // So near the end of the stack, Node may see nothing of an error.
  throw new RangeError(seen === 'Promise { <rejected> {} }' ? 'out of the call stack' : seen);
}

/** Calls of the functions that work in turns, of which the first turn is at once. */
function asyncCalls(entry: typeof Analysis, seed: number): Calls {
  const { logits, wide, targets } = makeBatch(seed);
  const focal = new entry.FocalLoss();
  return {
    sweepAsync: () => begun(entry.sweepAsync(wide, targets, { gamma: [0, 2] })),
    classificationReportAsync: () => begun(entry.classificationReportAsync(logits, targets)),
    diagnoseAsync: () => begun(entry.diagnoseAsync(wide, targets, focal)),
    compareLossesAsync: () => begun(entry.compareLossesAsync(logits, targets, { focal })),
  };
}

/** A pool of which this thread does the work: what goes there, and what comes back. */
function poolHere(entry: typeof Analysis): Analysis.AnyPool {
  const { tasks } = entry.poolAnalysis as unknown as { tasks: Record<string, Work> };
  const runTask = async ({ job, task, take }: Sharded) => {
    take(tasks[task.name]?.(job, 0, job.rows, task.data, () => false));
    return true;
  };
  const pool = { size: 1, isShared: true, close: async () => {} };
  return Object.assign(pool, { [Symbol.for('focal-loss.runTask')]: runTask });
}

type Work = (job: object, start: number, end: number, data: unknown, stop: () => false) => unknown;

interface Sharded {
  readonly job: { readonly rows: number };
  readonly task: { readonly name: string; readonly data: unknown };
  take(result: unknown): void;
}

/** Calls of what pools have workers do. */
function poolAnalysisCalls(entry: typeof Analysis, seed: number): Calls {
  const { classes, logits, wide, targets, yes } = makeBatch(seed);
  const pool = poolHere(entry);
  const grid = { alpha: [0.25, null], gamma: [0, 1.5] };
  const labels = new entry.SigmoidFocalLoss({ numClasses: classes });
  return {
    'poolAnalysis, sweepAsync': () => begun(entry.sweepAsync(logits, targets, { ...grid, pool })),
    'poolAnalysis, LossMeter': () =>
      begun(new entry.LossMeter(new entry.FocalLoss()).update(wide, targets, { pool })),
    'poolAnalysis, ReportMeter': () =>
      begun(new entry.ReportMeter().update(wide, targets, { pool })),
    'poolAnalysis, ReportMeter of labels': () =>
      begun(new entry.ReportMeter({ criterion: labels }).update(logits, yes, { pool })),
  };
}

/** Calls of the functions that lead from logits to decisions. */
function decisionCalls(entry: typeof Analysis, seed: number): Calls {
  const { classes, logits, wide, targets, yes } = makeBatch(seed);
  return {
    ...Object.fromEntries(
      (['temperature', 'platt', 'isotonic'] as const).map((method) => [
        `fitCalibration, ${method}`,
        () => entry.fitCalibration(logits, targets, { method }),
      ]),
    ),
    'fitCalibration, criterion': () =>
      entry.fitCalibration(logits, targets, {
        method: 'platt',
        criterion: new entry.FocalLoss({ labelSmoothing: 0.1 }),
      }),
    'fitCalibration and compareModels, labels': () => {
      const criterion = new entry.SigmoidFocalLoss({ numClasses: classes, labelSmoothing: 0.1 });
      const { parameters } = entry.fitCalibration(logits, yes, { criterion });
      return [
        parameters,
        entry.compareModels(logits, wide.map(Math.abs), yes, { criterion, repeats: 2 }),
      ];
    },
    'classificationReport, intervals': () =>
      entry.classificationReport(logits, targets, {
        numClasses: classes,
        intervals: { repeats: 2 },
      }),
    compareModels: () =>
      entry.compareModels(logits, wide.map(Math.abs), targets, { numClasses: classes, repeats: 2 }),
    'compareModels, criterion': () =>
      entry.compareModels(logits, wide.map(Math.abs), targets, {
        numClasses: classes,
        repeats: 2,
        criterion: [new entry.FocalLoss({ labelSmoothing: 0.1 }), undefined],
      }),
    ReportMeter: () => {
      const meter = new entry.ReportMeter({ numClasses: classes })
        .update(logits, targets)
        .update(wide, targets);
      const criterion = new entry.SigmoidFocalLoss({ numClasses: classes });
      const ofLabels = new entry.ReportMeter({ criterion }).update(logits, yes);
      return [meter, ofLabels].map((one) =>
        entry.ReportMeter.fromJSON(one.toJSON()).merge(one).result(),
      );
    },
    rocCurve: () => entry.rocCurve(logits, targets, { positive: 'each' }),
    precisionRecallCurve: () => entry.precisionRecallCurve(wide, targets, { positive: 'each' }),
    calibrationCurve: () => entry.calibrationCurve(logits, targets, { positive: 0 }),
    decisionCurve: () => entry.decisionCurve(logits, targets, { positive: 1 }),
    chooseThreshold: () =>
      entry.chooseThreshold(wide, targets, {
        positive: 0,
        by: 'cost',
        costs: { falsePositive: 1, falseNegative: 2 },
      }),
    'Calibrator, apply': () => {
      const { parameters, ...state } = entry
        .fitCalibration(wide, targets, { method: 'platt' })
        .toJSON();
      const back = entry.Calibrator.fromJSON({ ...state, parameters });
      return [back.apply(wide), back.apply(wide, { layout: 'channels-first' })];
    },
  };
}

/** The content of a result, down to the bits. */
export function bitsOf(value: unknown): string {
  return JSON.stringify(value, (_, entry: unknown) => {
    if (typeof entry === 'number' && !Number.isInteger(entry))
      return Buffer.from(Float64Array.of(entry).buffer).toString('hex');
    if (typeof entry === 'number') return Object.is(entry, -0) ? '-0' : entry;
    return ArrayBuffer.isView(entry) ? [entry.constructor.name, ...(entry as Float32Array)] : entry;
  });
}

/** A call of the battery. */
interface BatteryMember {
  readonly name: string;
  readonly call: () => unknown;
  readonly expected: string;
}

function memberOf(name: string, call: () => unknown): BatteryMember {
  return { name, call, expected: bitsOf(call()) };
}

export interface Harness {
  /** Every public function, by its name. */
  readonly calls: Calls;
  /** Throws where something is no longer what it was. */
  check(): void;
  /** The size of the module's memory. */
  size(): number;
}

/** The calls of an entry, of random shapes, and a battery that covers all of them. */
export function harnessOf(entry: Losses | typeof Analysis, seed: number): Harness {
  const all = (n: number) => ({
    ...lossCalls(entry, n),
    ...('LossMeter' in entry ? analysisCalls(entry, n) : {}),
  });
  // An allocation that is alive all along must keep its contents, and the module must work on it
  // where it is.
  const resident = entry.allocate(6, 3);
  const criterion = new entry.FocalLoss({ reduction: 'none' });
  resident.logits.set(Float32Array.from({ length: 18 }, (_, i) => Math.sin(i)));
  resident.targets.set([0, 1, 2, 2, 1, 0]);
  const inPlace = () => [
    ...resident.logits,
    ...resident.targets,
    ...criterion.forward(resident.logits, resident.targets),
    ...criterion.backward(resident.logits, resident.targets, { grad: resident.grad }),
  ];
  const battery = Object.entries(all(seed + 1)).map(([name, call]) => memberOf(name, call));
  const inPlaceMember = memberOf('in place', inPlace);

  let latest: Analysis.Allocation<Float32Array<ArrayBuffer>> | undefined;
  const allocateAndDispose = () => {
    latest = entry.allocate(3, 4);
    latest.logits.fill(7);
    latest.dispose();
  };
  const allocateOnly = () => {
    latest?.dispose();
    latest = entry.allocate(40, 5);
  };
  const steady = 'LossMeter' in entry ? steadyMeter(entry, seed) : undefined;
  let turn = 0;
  return {
    calls: {
      ...all(seed),
      'allocate, dispose': allocateAndDispose,
      allocate: allocateOnly,
      'logits, targets, grad': () => [resident.logits, resident.targets, resident.grad],
      'in place': inPlace,
      ...steady?.calls,
    },
    check() {
      // Twice: what is disposed of already must not take another's memory with it.
      latest?.dispose();
      latest?.dispose();
      steady?.check();
      // A part of the battery each time, but always what lies in the module's memory.
      for (const member of [inPlaceMember, battery[turn++ % battery.length]]) {
        const { name, call, expected } = member as BatteryMember;
        const actual = bitsOf(call());
        if (actual !== expected) throw new Error(`${name} gives ${actual}, not ${expected}`);
      }
    },
    size() {
      latest?.dispose();
      return resident.logits.buffer.byteLength;
    },
  };
}

/** A meter that is interrupted time and again: a batch is in it as a whole, or not at all. */
function steadyMeter({ CrossEntropyLoss, LossMeter }: typeof Analysis, seed: number) {
  const { logits, targets, alpha } = makeBatch(seed + 2);
  const meter = new LossMeter(new CrossEntropyLoss({ weight: alpha }));
  const { rows, mean } = new LossMeter(new CrossEntropyLoss({ weight: alpha }))
    .update(logits, targets)
    .result();
  return {
    calls: { 'update of one meter': () => meter.update(logits, targets) },
    check() {
      const found = meter.result();
      const isWhole =
        found.rows % rows === 0 && (found.rows === 0 || Math.abs(found.mean / mean - 1) < 1e-14);
      if (!isWhole)
        throw new Error(`a meter of ${rows} rows with mean ${mean} has ${JSON.stringify(found)}`);
    },
  };
}
