// The promises of the types. Nothing here runs: `tsc -p tsconfig.json` checks it, and an expected
// error that is none fails.

import {
  type Allocation,
  allocate,
  type Criterion,
  CrossEntropyLoss,
  type FloatArray,
  FocalLoss,
  type FocalLossOptions,
  type Reduction,
  SigmoidFocalLoss,
} from 'focal-loss';
import {
  classBalance,
  classificationReport,
  diagnose,
  predict,
  softmax,
} from 'focal-loss/analysis';
import { parse } from 'npyjs';
import { type InferenceSession, Tensor } from 'onnxruntime-common';
import { expectTypeOf } from 'vitest';

const single = new Float32Array(4);
const double = new Float64Array(4);
const targets = new Int32Array(2);

// The reduction decides what the value is.
expectTypeOf(new FocalLoss().forward(single, targets)).toEqualTypeOf<number>();
expectTypeOf(new FocalLoss({ gamma: 1 }).forward(single, targets)).toEqualTypeOf<number>();
expectTypeOf(new FocalLoss({ reduction: 'sum' }).forward(single, targets)).toEqualTypeOf<number>();
const perRow = new FocalLoss({ reduction: 'none' });
expectTypeOf(perRow.forward(single, targets)).toEqualTypeOf<Float32Array<ArrayBuffer>>();
expectTypeOf(perRow.forward(double, targets)).toEqualTypeOf<Float64Array<ArrayBuffer>>();
expectTypeOf(perRow.valueAndGrad(double, targets).value).toEqualTypeOf<Float64Array<ArrayBuffer>>();
expectTypeOf(perRow.reduction).toEqualTypeOf<'none'>();
declare const someReduction: Reduction;
expectTypeOf(new FocalLoss({ reduction: someReduction }).forward(single, targets)).toEqualTypeOf<
  number | Float32Array<ArrayBuffer>
>();

// `with` keeps it, or changes it.
expectTypeOf(perRow.with({ gamma: 3 })).toEqualTypeOf<FocalLoss<'none'>>();
expectTypeOf(perRow.with({ reduction: 'mean' }).forward(single, targets)).toEqualTypeOf<number>();

// The gradient is of the kind of the logits, or the buffer itself.
expectTypeOf(new FocalLoss().backward(single, targets)).toEqualTypeOf<Float32Array<ArrayBuffer>>();
expectTypeOf(new FocalLoss().valueAndGrad(double, targets).grad).toEqualTypeOf<
  Float64Array<ArrayBuffer>
>();
declare const either: FloatArray;
expectTypeOf(new FocalLoss().backward(either, targets)).toEqualTypeOf<
  Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Float16Array<ArrayBuffer>
>();
const shared = new Float32Array(new SharedArrayBuffer(16));
expectTypeOf(new FocalLoss().backward(single, targets, { grad: shared })).toEqualTypeOf<
  Float32Array<SharedArrayBuffer>
>();
expectTypeOf(new FocalLoss().backward(single, targets, { gradOutput: 2 })).toEqualTypeOf<
  Float32Array<ArrayBuffer>
>();

// Resident arrays are of the kind that is asked for, and can be disposed of.
expectTypeOf(allocate(2, 3)).toEqualTypeOf<Allocation<Float32Array<ArrayBuffer>>>();
expectTypeOf(allocate(2, 3, 'float32').grad).toEqualTypeOf<Float32Array<ArrayBuffer>>();
expectTypeOf(allocate(2, 3, 'float64').logits).toEqualTypeOf<Float64Array<ArrayBuffer>>();
expectTypeOf(allocate(2, 3).targets).toEqualTypeOf<Int32Array<ArrayBuffer>>();
expectTypeOf(allocate(2, 3)).toExtend<Disposable>();
const resident = allocate(2, 3, 'float64');
expectTypeOf(
  new FocalLoss().valueAndGrad(resident.logits, resident.targets, { grad: resident.grad }).grad,
).toEqualTypeOf<Float64Array<ArrayBuffer>>();

// Options may be undefined, and alpha anything that holds numbers.
new FocalLoss({ alpha: undefined, gamma: undefined, reduction: undefined, numClasses: undefined });
new FocalLoss({ alpha: [1, 2] });
new FocalLoss({ alpha: Float32Array.of(1, 2) });
new FocalLoss({ alpha: null });
expectTypeOf<FocalLossOptions>().toHaveProperty('labelSmoothing');
for (const kind of [
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
]) {
  new FocalLoss().forward(single, new kind(2));
}
new FocalLoss().forward(single, new BigInt64Array(2));
new FocalLoss().forward(single, new BigUint64Array(2));

// The other losses give the same.
for (const criterion of [
  new CrossEntropyLoss({ weight: [1, 2] }),
  new SigmoidFocalLoss({ posWeight: 2 }),
]) {
  expectTypeOf(criterion.forward(single, targets)).toEqualTypeOf<number>();
  expectTypeOf(criterion.backward(double, targets)).toEqualTypeOf<Float64Array<ArrayBuffer>>();
  expectTypeOf(criterion.valueAndGrad(single, targets).value).toEqualTypeOf<number>();
  expectTypeOf(criterion).toExtend<Criterion<'mean'>>();
}
expectTypeOf(new CrossEntropyLoss().with({ reduction: 'none' })).toEqualTypeOf<
  CrossEntropyLoss<'none'>
>();
expectTypeOf(new SigmoidFocalLoss().with({ reduction: 'none' })).toEqualTypeOf<
  SigmoidFocalLoss<'none'>
>();
expectTypeOf(new SigmoidFocalLoss({ reduction: 'none' }).forward(double, single)).toEqualTypeOf<
  Float64Array<ArrayBuffer>
>();
expectTypeOf(new FocalLoss().forward(new Float16Array(4), targets)).toEqualTypeOf<number>();
expectTypeOf(perRow.forward(new Float16Array(4), targets)).toEqualTypeOf<
  Float16Array<ArrayBuffer>
>();

// Second derivatives have the shapes of the gradient and the value.
expectTypeOf(perRow.hessianDiag(double, targets)).toEqualTypeOf<Float64Array<ArrayBuffer>>();
expectTypeOf(
  perRow.hessianDiag(single, targets, { kind: 'gauss-newton', out: shared }),
).toEqualTypeOf<Float32Array<SharedArrayBuffer>>();
expectTypeOf(perRow.gammaGrad(double, targets)).toEqualTypeOf<Float64Array<ArrayBuffer>>();
expectTypeOf(new FocalLoss().gammaGrad(double, targets)).toEqualTypeOf<number>();

// Options of the family, and of its calls.
new FocalLoss({
  gamma: [1, 2],
  focusOn: 'target',
  layout: 'channels-first',
  ignoreIndex: -1,
  normalizer: 3,
});
new SigmoidFocalLoss({ alpha: [0.5, 0.5], posWeight: Float32Array.of(1, 2), numClasses: 2 });
new FocalLoss().forward(single, double, {
  sampleWeights: double,
  normalizer: 2,
  spatialSize: 1,
  numClasses: 2,
});
perRow.backward(single, targets, { gradOutput: single });
perRow.backward(single, targets, { gradOutput: 2 });

// Wrong code does not compile.
// @ts-expect-error: no such option
new FocalLoss({ gama: 2 });
// @ts-expect-error: no such reduction
new FocalLoss({ reduction: 'avg' });
// @ts-expect-error: not a number
new FocalLoss({ gamma: '2' });
// @ts-expect-error: no such option
perRow.with({ label_smoothing: 0.1 });
// @ts-expect-error: read-only
perRow.gamma = 3;
// @ts-expect-error: read-only
(perRow.alpha as readonly number[])[0] = 3;
// @ts-expect-error: integers are no logits
perRow.forward(targets, targets);
// @ts-expect-error: no targets
perRow.forward(single);
// @ts-expect-error: an option of the gradient
perRow.forward(single, targets, { gradOutput: 1 });
// @ts-expect-error: an option of the criterion
perRow.backward(single, targets, { gamma: 1 });
// @ts-expect-error: a buffer of another kind
perRow.backward(single, targets, { grad: double });
// @ts-expect-error: one per row where there is one value
new FocalLoss().backward(single, targets, { gradOutput: single });
// @ts-expect-error: probabilities
perRow.hessianDiag(single, single);
// @ts-expect-error: probabilities
perRow.gammaGrad(single, single);
// @ts-expect-error: no such kind
perRow.hessianDiag(single, targets, { kind: 'diagonal' });
// @ts-expect-error: a buffer of another kind
perRow.hessianDiag(single, targets, { out: double });
// @ts-expect-error: an option of the focal loss
new CrossEntropyLoss({ gamma: 2 });
// @ts-expect-error: it has no layout
new SigmoidFocalLoss({ layout: 'channels-first' });
// @ts-expect-error: one gamma
new SigmoidFocalLoss({ gamma: [1, 2] });
// @ts-expect-error: it is the base of others
new Criterion({}, {});
// @ts-expect-error: no such kind
allocate(2, 3, 'float16');
// @ts-expect-error: read-only
resident.logits = double;
// @ts-expect-error: no such focus
new FocalLoss({ focusOn: 'pt' });

// Plain arrays are float64; targets may be integers, booleans, or rows of probabilities.
const rows = [
  [2.5, -1],
  [0.5, 0.5],
];
for (const labels of [[0, 1], [0n, 1n], [false, true], rows, targets, single])
  new FocalLoss().forward(rows, labels);
expectTypeOf(new FocalLoss().forward(rows, [0, 1])).toEqualTypeOf<number>();
expectTypeOf(perRow.forward(rows, [0, 1])).toEqualTypeOf<Float64Array<ArrayBuffer>>();
expectTypeOf(perRow.forward([2.5, -1], [0])).toEqualTypeOf<Float64Array<ArrayBuffer>>();
expectTypeOf(new FocalLoss().backward(rows, [0, 1])).toEqualTypeOf<Float64Array<ArrayBuffer>>();
expectTypeOf(new FocalLoss().backward(single, [0, 1])).toEqualTypeOf<Float32Array<ArrayBuffer>>();
expectTypeOf(new FocalLoss().valueAndGrad(rows, rows).grad).toEqualTypeOf<
  Float64Array<ArrayBuffer>
>();
expectTypeOf(perRow.hessianDiag(rows, [0, 1])).toEqualTypeOf<Float64Array<ArrayBuffer>>();
expectTypeOf(perRow.gammaGrad(rows, [0, 1])).toEqualTypeOf<Float64Array<ArrayBuffer>>();
const frozen = [[1, 2] as const, [3, 4] as const] as const;
expectTypeOf(new FocalLoss().backward(frozen, [0, 1] as const)).toEqualTypeOf<
  Float64Array<ArrayBuffer>
>();
expectTypeOf(new FocalLoss().backward([single, single], [0, 1])).toEqualTypeOf<
  Float64Array<ArrayBuffer>
>();
expectTypeOf(new FocalLoss().backward(rows, [0, 1], { grad: double })).toExtend<Float64Array>();
perRow.backward(rows, [0, 1], { sampleWeights: [1, 2], gradOutput: [1, 2] });
// @ts-expect-error: a buffer of another kind
perRow.backward(rows, [0, 1], { grad: single });
// @ts-expect-error: texts
perRow.forward([['1', '2']], [0]);
// @ts-expect-error: texts are no class indices
perRow.forward(rows, ['cat', 'dog']);
// @ts-expect-error: nothing may be missing
perRow.forward(rows, [0, null]);
// @ts-expect-error: booleans are no logits
perRow.forward([[true, false]], [0]);
// @ts-expect-error: one per row where there is one value
new FocalLoss().backward(rows, [0, 1], { gradOutput: [1, 2] });

// Tensors are of the kind of their data, as far as their type says it.
expectTypeOf(perRow.forward({ data: single, dims: [2, 2] }, targets)).toEqualTypeOf<
  Float32Array<ArrayBuffer>
>();
expectTypeOf(perRow.forward({ data: [1, 2], shape: [1, 2] }, [0])).toEqualTypeOf<
  Float64Array<ArrayBuffer>
>();
expectTypeOf(
  perRow.forward({ data: single as ArrayBufferView, shape: [2, 2] }, targets),
).toEqualTypeOf<
  Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Float16Array<ArrayBuffer>
>();
expectTypeOf(
  perRow.forward({ data: single as Float32Array | Int32Array, dims: [2, 2] }, targets),
).toEqualTypeOf<Float32Array<ArrayBuffer>>();
// @ts-expect-error: no shape
perRow.forward({ data: single }, targets);
// @ts-expect-error: data that have to be waited for
perRow.forward({ data: async () => single, shape: [2, 2] }, targets);

// A function of any kind of logits stays one.
function lossOf<A extends FloatArray>(logits: A): number {
  return new FocalLoss().forward(logits, [0]);
}
expectTypeOf(lossOf(single)).toEqualTypeOf<number>();

// A reduction that is not 'mean' is one that the options say.
// @ts-expect-error: it is 'mean'
export const unsaid: FocalLossOptions<'none'> = { gamma: 3 };
const none: FocalLossOptions<'none'> = { gamma: 3, reduction: 'none' };
expectTypeOf(new FocalLoss(none)).toEqualTypeOf<FocalLoss<'none'>>();
// @ts-expect-error: it is 'mean'
new FocalLoss<'none'>({ gamma: 3 });
// @ts-expect-error: it is 'mean'
export const wrongToo: FocalLoss<'none'> = new FocalLoss({ gamma: 3 });
declare const maybe: { reduction?: 'none'; gamma: number };
// @ts-expect-error: it may be 'mean'
new FocalLoss<'none'>(maybe);
declare const any: FocalLossOptions;
expectTypeOf(new FocalLoss(any)).toEqualTypeOf<FocalLoss<Reduction>>();
expectTypeOf(new FocalLoss()).toEqualTypeOf<FocalLoss<'mean'>>();
expectTypeOf(new FocalLoss({})).toEqualTypeOf<FocalLoss<'mean'>>();
// @ts-expect-error: it is 'mean'
new CrossEntropyLoss<'sum'>({});
export function make<R extends Reduction>(options: FocalLossOptions<R>): FocalLoss<R> {
  return new FocalLoss(options);
}
expectTypeOf(make({ reduction: 'sum' })).toEqualTypeOf<FocalLoss<'sum'>>();

// `with` keeps what is left out, also where it may be.
expectTypeOf(perRow.with({})).toEqualTypeOf<FocalLoss<'none'>>();
expectTypeOf(perRow.with({ reduction: undefined })).toEqualTypeOf<FocalLoss<'none'>>();
expectTypeOf(new FocalLoss().with({ reduction: undefined, gamma: 1 })).toEqualTypeOf<
  FocalLoss<'mean'>
>();
expectTypeOf(new FocalLoss().with(none)).toEqualTypeOf<FocalLoss<'none'>>();
expectTypeOf(new FocalLoss().with(any)).toEqualTypeOf<FocalLoss<Reduction>>();
declare const either2: { reduction?: 'none' | undefined };
expectTypeOf(new FocalLoss().with(either2)).toEqualTypeOf<FocalLoss<'mean' | 'none'>>();
expectTypeOf(
  new CrossEntropyLoss({ reduction: 'sum' }).with({ reduction: undefined }),
).toEqualTypeOf<CrossEntropyLoss<'sum'>>();
expectTypeOf(
  new SigmoidFocalLoss({ reduction: 'sum' }).with({ reduction: undefined }),
).toEqualTypeOf<SigmoidFocalLoss<'sum'>>();
// @ts-expect-error: no such option, beside one that is
perRow.with({ gamma: 3, label_smoothing: 0.1 });
// @ts-expect-error: what is kept is 'mean'
export const kept: FocalLoss<'none'> = new FocalLoss().with({ gamma: 3 });

// The results of other libraries are taken as they are.
declare const session: InferenceSession;
export async function fromOnnx(feeds: Record<string, Tensor>, onnx: Tensor) {
  const { logits, labels } = await session.run(feeds);
  expectTypeOf(new FocalLoss().forward(logits, labels)).toEqualTypeOf<number>();
  expectTypeOf(new FocalLoss().backward(logits, onnx)).toEqualTypeOf<
    Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>
  >();
  new FocalLoss().hessianDiag(
    new Tensor('float32', [1, 2], [1, 2]),
    new Tensor('int64', [0n], [1]),
  );
  softmax(logits);
  classBalance(labels);
  diagnose(logits, labels, new FocalLoss());
}
export function fromNpy(bytes: ArrayBuffer) {
  const { data, shape } = parse(bytes);
  new FocalLoss().forward(parse(bytes), parse(bytes));
  new FocalLoss().forward({ data, shape }, targets);
  classificationReport(parse(bytes), parse(bytes));
}
// As transformers.js 4.3 declares it, of which the package takes half a gigabyte.
declare const ofTransformers: {
  get data(): Float32Array | BigInt64Array | unknown[];
  set dims(to: number[]);
  get dims(): number[];
};
new FocalLoss().forward(ofTransformers, targets);
new FocalLoss().forward(single, ofTransformers);
predict(ofTransformers);
