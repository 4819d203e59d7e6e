// A call from its arguments to its result: everything is checked, then everything is computed.

import { readOptions } from '../arrays/own.js';
import { arrayLike, bufferOf, lengthOf, type NumberArray } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import { GAMMA_GRAD, GAUSS_NEWTON, HESSIAN, STAGE } from '../module/flags.js';
import { enter, leave } from '../module/gate.js';
import { addressOf, BufferLookup, epoch, isMemory } from '../module/memory.js';
import { loadNumbers, someLeaveFloat32, TILE_ROWS, tileOf, totals } from '../module/tile.js';
import { Batch, type Formula } from './batch.js';
import {
  checkAddress,
  checkAllocated,
  checkApart,
  checkBuffer,
  checkGiven,
  checkGradOutput,
  checkIndices,
  checkLength,
  checkLogits,
  checkNormalizer,
  checkNumClasses,
  checkOptionNames,
  checkPerElement,
  checkPerRow,
  checkPlane,
  checkSameShape,
  checkSampleWeights,
  checkShape,
  checkTargets,
  checkWeights,
  isFloats,
} from './checks.js';
import {
  FORWARD_OPTIONS,
  GRADIENT_OPTIONS,
  type GradientOptions,
  HESSIAN_OPTIONS,
  type HessianOptions,
} from './options.js';
import { countRows, floatsOf, integersOf } from './plain-arrays.js';
import { classIndices, elements, probabilities } from './target-forms.js';
import { type Logits, type Targets, unpack } from './tensor-like.js';

/** What a method of a criterion asks for. */
export interface Method {
  /** The names of its options. */
  readonly options: readonly string[];
  /** What it tells the kernel. */
  readonly flags: number;
  readonly wantsValue: boolean;
  /** Whether it wants a result of the shape of the logits. */
  readonly wantsGrad: boolean;
  /** The name of the option that says where that goes. */
  readonly buffer: 'grad' | 'out';
  /** What keeps the targets from being probabilities, if something does. */
  readonly indicesOnly: string | undefined;
  /** Takes what else the kernel has left in the module, once it has run over all rows, of which there is one or more. */
  readonly collect: ((batch: Batch) => void) | undefined;
}

const plain = { flags: 0, buffer: 'grad', indicesOnly: undefined, collect: undefined } as const;

export const FORWARD: Method = { ...plain, options: FORWARD_OPTIONS, wantsValue: true, wantsGrad: false };
export const BACKWARD: Method = { ...plain, options: GRADIENT_OPTIONS, wantsValue: false, wantsGrad: true };
export const VALUE_AND_GRAD: Method = { ...plain, options: GRADIENT_OPTIONS, wantsValue: true, wantsGrad: true };
export const HESSIAN_DIAG: Method = {
  options: HESSIAN_OPTIONS,
  flags: HESSIAN,
  wantsValue: false,
  wantsGrad: true,
  buffer: 'out',
  indicesOnly: 'for hessianDiag',
  collect: undefined,
};
export const GAUSS_NEWTON_DIAG: Method = { ...HESSIAN_DIAG, flags: HESSIAN | GAUSS_NEWTON };
export const GAMMA_GRADIENT: Method = { ...FORWARD, flags: GAMMA_GRAD, indicesOnly: 'for gammaGrad' };

/** What {@link evaluate} returns. What was not asked for is not there. */
export interface Result {
  value: FloatArray | number | undefined;
  grad: FloatArray | undefined;
}

/** The options of all methods. */
type CallOptions = GradientOptions & Pick<HessianOptions, 'out'>;

const NO_OPTIONS: CallOptions = {};

/** One object serves all calls, so that a call need not make one. */
const batch = new Batch();

const buffersOfLogits = new BufferLookup();
const buffersOfTargets = new BufferLookup();
const buffersOfResults = new BufferLookup();

/** What every object inherits. */
const ROOT: CallOptions = Object.prototype;

/** Whether something has added a property to all objects that would pass for an option. */
function isAdded(): boolean {
  return !(
    ROOT.grad === undefined &&
    ROOT.out === undefined &&
    ROOT.gradOutput === undefined &&
    ROOT.normalizer === undefined &&
    ROOT.sampleWeights === undefined &&
    ROOT.numClasses === undefined &&
    ROOT.spatialSize === undefined
  );
}

/** All methods of all criteria. */
export function evaluate(
  formula: Formula,
  method: Method,
  givenLogits: Logits,
  givenTargets: Targets,
  options: CallOptions = NO_OPTIONS,
): Result {
  checkOptionNames(options, method.options);
  // Reading options can run code of the caller's. Before the module is entered all of it has run, so what is checked stays true.
  const given = isAdded() ? readOptions(options, method.options) : options;
  const buffer = method.buffer === 'grad' ? given.grad : given.out;
  const { gradOutput = 1, normalizer = formula.normalizer } = given;
  const sampleWeights = given.sampleWeights === undefined ? undefined : floatsOf('sampleWeights', given.sampleWeights);
  let { numClasses = formula.numClasses, spatialSize } = given;
  let logits = givenLogits as FloatArray;
  let targets = givenTargets as NumberArray;
  if (!(ArrayBuffer.isView(logits) && ArrayBuffer.isView(targets))) {
    ({ logits, targets, numClasses, spatialSize } = unpack(formula, logits, targets, numClasses, spatialSize));
  }
  checkNumClasses(numClasses, formula.columns === 0 ? 2 : 1);
  checkNormalizer(normalizer);
  const scales = typeof gradOutput === 'number' ? undefined : scalesOf(formula, gradOutput);
  enter();
  try {
    fill(formula, method, logits, targets, numClasses, spatialSize);
    if (sampleWeights !== undefined) addWeights(formula, sampleWeights, numClasses);
    if (scales !== undefined) addScales(scales);
    if (buffer !== undefined) checkResult(method.buffer, buffer);
    const result = compute(formula, method, typeof gradOutput === 'number' ? gradOutput : 1, normalizer, buffer);
    leave();
    return result;
  } finally {
    batch.clear();
  }
}

// What is seldom asked for has functions of its own: engines inline only so much code into a call.

/** The upstream gradients of the rows. */
function scalesOf({ reduction }: Formula, gradOutput: FloatArray | readonly number[]): FloatArray {
  checkGradOutput(gradOutput, reduction === 'none');
  return floatsOf('gradOutput', gradOutput);
}

/** Checks logits and targets, and makes them the batch. */
function fill(
  formula: Formula,
  method: Method,
  logits: FloatArray,
  targets: NumberArray,
  numClasses: number | undefined,
  spatialSize: number | undefined,
): void {
  const elementwise = formula.columns !== 0;
  const kind = checkLogits(logits);
  const targetsKind = checkTargets(targets, elementwise);
  const size = checkLength('logits', logits);
  const entries = checkLength('targets', targets);
  if (formula.channelsFirst) checkGiven(numClasses, "for layout 'channels-first'");
  batch.targets = targets;
  batch.targetsKind = targetsKind;
  if (elementwise) {
    checkSameShape(size, entries, numClasses);
    batch.reader = elements;
    batch.rows = size;
    batch.width = 1;
  } else if (isFloats(targetsKind)) {
    fillFloats(targets as FloatArray, method.indicesOnly ?? formula.indicesOnly, size, numClasses);
  } else {
    batch.reader = classIndices;
    batch.width = checkShape(size, entries, numClasses);
    batch.rows = entries;
  }
  if (formula.isPerClass) formula.checkClasses(elementwise ? (numClasses ?? 0) : batch.width);
  batch.plane = checkPlane(formula.channelsFirst, spatialSize, batch.rows);
  const tile = tileOf(formula.isWide ? 'Float64Array' : kind);
  batch.tile = tile;
  batch.logits = logits;
  batch.logitsKind = kind;
  batch.weights = undefined;
  batch.scales = undefined;
  // What has the classes first, or other bits, the kernels cannot take where it is.
  const inPlace = batch.plane === 0 ? tile.kind : undefined;
  batch.logitsAddress = kind === inPlace ? checkAddress('logits', logits, buffersOfLogits) : 0;
  const targetsInPlace = batch.reader === classIndices ? 'Int32Array' : inPlace;
  batch.targetsAddress = targetsKind === targetsInPlace ? checkAddress('targets', targets, buffersOfTargets) : 0;
  batch.gradAddress = 0;
  batch.ignoreIndex = formula.ignoreIndex;
}

/** Takes floats for probabilities or, where there are as many as rows, for class indices. */
function fillFloats(
  targets: FloatArray,
  indicesOnly: string | undefined,
  size: number,
  numClasses: number | undefined,
): void {
  const entries = lengthOf(targets);
  if (countRows(size, entries, numClasses)) {
    batch.reader = classIndices;
    batch.width = checkShape(size, entries, numClasses);
    batch.rows = entries;
    batch.targets = integersOf('targets', targets);
    batch.targetsKind = 'Int32Array';
  } else {
    checkIndices(targets, indicesOnly);
    batch.reader = probabilities;
    batch.width = checkGiven(numClasses, 'where targets are probabilities');
    batch.rows = checkSameShape(size, entries, numClasses);
  }
}

function addWeights(formula: Formula, sampleWeights: FloatArray, numClasses = 1): void {
  const { rows } = batch;
  checkSampleWeights(sampleWeights);
  if (formula.columns !== 0) {
    batch.span = checkPerElement('sampleWeights', sampleWeights, rows, rows / numClasses);
  } else {
    checkPerRow('sampleWeights', sampleWeights, rows);
    batch.span = 1;
  }
  checkWeights(sampleWeights);
  batch.weights = sampleWeights;
  widenFor(sampleWeights);
}

/** Has what leaves float32 be computed in float64. */
function widenFor(factors: FloatArray): void {
  if (isNarrow() && someLeaveFloat32(factors)) batch.widen();
}

/** Whether it is computed in float32. */
function isNarrow(): boolean {
  return batch.tile.flags === 0;
}

function addScales(gradOutput: FloatArray): void {
  checkPerRow('gradOutput', gradOutput, batch.rows);
  batch.scales = gradOutput;
  widenFor(gradOutput);
}

function checkResult(name: string, buffer: FloatArray): void {
  const { tile, logits, logitsKind, targets, weights, scales, rows, width, plane } = batch;
  checkBuffer(name, buffer, logitsKind, rows * width);
  const memory = buffersOfResults.of(buffer);
  // Also at address 0: what lies there would be overwritten.
  if (isMemory(memory)) checkAllocated(name, buffer);
  batch.gradAddress = logitsKind === tile.kind && plane === 0 ? addressOf(buffer, buffersOfResults) : 0;
  checkApart(name, buffer, memory, 'logits', logits, buffersOfLogits.of(logits));
  checkApart(name, buffer, memory, 'targets', targets, buffersOfTargets.of(targets));
  if (weights !== undefined) checkApart(name, buffer, memory, 'sampleWeights', weights, bufferOf(weights));
  if (scales !== undefined) checkApart(name, buffer, memory, 'gradOutput', scales, bufferOf(scales));
}

function compute(
  formula: Formula,
  method: Method,
  gradOutput: number,
  normalizer: number | undefined,
  buffer: FloatArray | undefined,
): Result {
  const { rows } = batch;
  const { reduction } = formula;
  const grad = method.wantsGrad ? (buffer ?? arrayLike(batch.logits, rows * batch.width)) : undefined;
  const values = valuesFor(formula, method);
  // What there is to divide by: without a number given, the rows that count, which may have to be counted.
  const given = reduction === 'mean' ? normalizer : 1;
  if (rows === 0) return { value: values ?? 0 / (given ?? 0), grad };

  const room = prepare(formula, method, buffer);
  const isCounted = needsCount(formula, given);
  const denominator = isCounted && survey(formula, room) ? countOf(formula) : (given ?? rows);
  const leaves = loadNumbers(formula.numbers, gradOutput, denominator) && method.wantsGrad && isNarrow();
  const capacity = leaves ? widen(formula, method, buffer) : room;
  const step = batch.isInPlace(values, grad) ? rows : capacity;
  // The gradient of the first tile is written before the targets of the last are seen: a caller's buffer stays
  // untouched only if they are all looked at first.
  const isSurveyed = isCounted || (buffer !== undefined && rows > step && survey(formula, capacity));
  batch.run(formula, isSurveyed, step, method.flags, values, grad);
  batch.clearSigns(values, grad);
  method.collect?.(batch);
  return { value: values ?? (totals()[0] as number) / denominator, grad };
}

/** An array for a value per row, if that is what is wanted. */
function valuesFor({ reduction }: Formula, { wantsValue }: Method): FloatArray | undefined {
  return wantsValue && reduction === 'none' ? arrayLike(batch.logits, batch.rows) : undefined;
}

/** Has the batch be computed in float64. Returns for how many rows there is room then. */
function widen(formula: Formula, method: Method, buffer: FloatArray | undefined): number {
  batch.widen();
  return prepare(formula, method, buffer);
}

/** Makes room in the tile, and puts there what there is per class. Returns for how many rows there is room. */
function prepare(formula: Formula, method: Method, buffer: FloatArray | undefined): number {
  const { columns } = formula;
  const { tile, width, reader, plane } = batch;
  const extras = reader.extras | (plane === 0 ? 0 : STAGE);
  const before = epoch;
  const capacity = tile.reserve(columns === 0 ? width : columns, extras);
  if (formula.isPerClass) formula.load(tile);
  if (epoch !== before) checkStillThere(method.buffer, buffer);
  return columns === 0 ? capacity : capacity * columns;
}

/** Throws for arrays of an allocation, if the memory has just grown: they are not there any more. */
function checkStillThere(name: string, buffer: FloatArray | undefined): void {
  const { logits, targets, weights, scales } = batch;
  checkLength('logits', logits);
  checkLength('targets', targets);
  if (weights !== undefined) checkLength('sampleWeights', weights);
  if (scales !== undefined) checkLength('gradOutput', scales);
  if (buffer !== undefined) checkLength(name, buffer);
}

/** Whether there is no denominator given, and it is not simply the number of rows. */
function needsCount({ isWeighted, ignoreIndex }: Formula, given: number | undefined): boolean {
  if (given !== undefined) return false;
  return batch.reader === classIndices ? isWeighted || ignoreIndex !== undefined : ignoreIndex !== undefined;
}

/** The mean's denominator, once the targets have been counted. */
function countOf({ isWeighted }: Formula): number {
  return totals()[isWeighted ? 2 : 1] as number;
}

/** Looks over all targets, and returns true when they are what they must be. */
function survey({ isWeighted }: Formula, capacity: number): true {
  const { reader } = batch;
  batch.survey(reader === classIndices ? TILE_ROWS : capacity, isWeighted && reader === classIndices);
  return true;
}
