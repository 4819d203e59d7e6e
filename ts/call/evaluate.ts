// A call from its arguments to its result: everything is checked, then everything is computed.

import { readOptions } from '../arrays/own.js';
import type { Logits, Targets } from '../arrays/tensor-types.js';
import { arrayLike, bufferOf, kindOf, lengthOf, type NumberArray } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import { STAGE, TILE_ROWS, TOTAL_ROWS, TOTAL_VALUES, TOTAL_WEIGHTS } from '../module/abi.js';
import { enter, leave } from '../module/gate.js';
import { addressOf, BufferLookup, epoch, isMemory } from '../module/memory.js';
import {
  factorLeavesFloat32,
  heaviness,
  leavesFloat32,
  loadNumbers,
  someLeaveFloat32,
  staysInFloat32,
  tileOf,
  totals,
} from '../module/tile.js';
import { clear, emptyBatch } from './batch.js';
import {
  checkAddress,
  checkAllocated,
  checkApart,
  checkBuffer,
  checkClasses,
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
  checkSameShape,
  checkSampleWeights,
  checkShape,
  checkSpatialSize,
  checkTargets,
  checkWeights,
  isFloats,
} from './checks.js';
import { BACKWARD, FORWARD, type Method } from './method.js';
import type { GradientOptions, HessianOptions } from './options.js';
import { countRows, floatsOf, integersOf } from './plain-arrays.js';
import { checkAllTargets, clearSigns, isInPlace, runKernel } from './run.js';
import type { LossSpec } from './spec.js';
import { classIndices, elements, probabilities } from './target-forms.js';
import { unpack } from './tensor-like.js';

/** The results of {@link evaluate}, but for those that were not asked for. */
export interface Result {
  value: FloatArray | number | undefined;
  grad: FloatArray | undefined;
}

/** The options of all methods. */
export type CallOptions = GradientOptions & Pick<HessianOptions, 'out'>;

const NO_OPTIONS: CallOptions = {};

/** One object serves all calls, so that a call need not make one. */
export const batch = emptyBatch(classIndices);

const buffersOfLogits = new BufferLookup();
const buffersOfTargets = new BufferLookup();
const buffersOfResults = new BufferLookup();

/** The object that every object inherits from. */
const ROOT: CallOptions = Object.prototype;

/** A test whether something has added a property to all objects that would pass for an option. */
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

/** The last part of a call, when all but the targets has been checked and is the batch. */
export type Run<T> = (
  spec: LossSpec,
  method: Method,
  gradOutput: number,
  normalizer: number | undefined,
  buffer: FloatArray | undefined,
) => T;

/** All methods of all criteria; or the same with another last part than to compute the results. */
export function evaluate(
  spec: LossSpec,
  method: Method,
  givenLogits: Logits,
  givenTargets: Targets,
  options?: CallOptions,
): Result;
export function evaluate<T>(
  spec: LossSpec,
  method: Method,
  givenLogits: Logits,
  givenTargets: Targets,
  options: CallOptions | undefined,
  run: Run<T>,
): T;
export function evaluate(
  spec: LossSpec,
  method: Method,
  givenLogits: Logits,
  givenTargets: Targets,
  options: CallOptions = NO_OPTIONS,
  run: Run<unknown> = compute,
): unknown {
  checkOptionNames(options, method.options);
  // Reading options can run code of the caller's. Before the module is entered all of it has run,
  // so what is checked stays true.
  const given = isAdded() ? readOptions(options, method.options) : options;
  const buffer = method.buffer === 'grad' ? given.grad : given.out;
  const { gradOutput = 1, normalizer = spec.normalizer } = given;
  const sampleWeights =
    given.sampleWeights === undefined ? undefined : floatsOf('sampleWeights', given.sampleWeights);
  let { numClasses = spec.numClasses, spatialSize } = given;
  let logits = givenLogits as FloatArray;
  let targets = givenTargets as NumberArray;
  if (!(ArrayBuffer.isView(logits) && ArrayBuffer.isView(targets))) {
    ({ logits, targets, numClasses, spatialSize } = unpack(
      spec,
      logits,
      targets,
      numClasses,
      spatialSize,
    ));
  }
  checkNumClasses(numClasses, spec.columns === 0 ? 2 : 1);
  checkNormalizer(normalizer);
  const gradScales = typeof gradOutput === 'number' ? undefined : gradScalesOf(spec, gradOutput);
  enter();
  try {
    fill(spec, method, logits, targets, numClasses, spatialSize);
    if (sampleWeights !== undefined) addWeights(spec, sampleWeights, numClasses);
    if (gradScales !== undefined) addGradScales(gradScales);
    if (buffer !== undefined) checkResult(method.buffer, buffer);
    const result = run(
      spec,
      method,
      typeof gradOutput === 'number' ? gradOutput : 1,
      normalizer,
      buffer,
    );
    leave();
    return result;
  } finally {
    clear(batch);
  }
}

// Options that are seldom given have functions of their own: engines inline only so much code into
// a call.

/** The upstream gradients of the rows. */
function gradScalesOf(
  { reduction }: LossSpec,
  gradOutput: FloatArray | readonly number[],
): FloatArray {
  checkGradOutput(gradOutput, reduction === 'none');
  return floatsOf('gradOutput', gradOutput);
}

/** Checks logits and targets, and makes them the batch. */
function fill(
  spec: LossSpec,
  method: Method,
  logits: FloatArray,
  targets: NumberArray,
  numClasses: number | undefined,
  spatialSize: number | undefined,
): void {
  const elementwise = spec.columns !== 0;
  const kind = checkLogits(logits);
  const targetsKind = checkTargets(targets, elementwise);
  const size = checkLength('logits', logits);
  const entries = checkLength('targets', targets);
  if (spec.channelsFirst) checkGiven(numClasses, "for layout 'channels-first'");
  batch.targets = targets;
  batch.targetsKind = targetsKind;
  if (elementwise) {
    checkSameShape(size, entries, numClasses);
    batch.form = elements;
    batch.rows = size;
    batch.width = 1;
  } else if (isFloats(targetsKind)) {
    fillFloats(targets as FloatArray, method.indicesOnly ?? spec.indicesOnly, size, numClasses);
  } else {
    batch.form = classIndices;
    batch.width = checkShape(size, entries, numClasses);
    batch.rows = entries;
  }
  if (spec.perClass.length !== 0)
    checkClasses(spec.perClass, elementwise, elementwise ? numClasses : batch.width);
  batch.spatialSize = checkSpatialSize(spec.channelsFirst, spatialSize, batch.rows);
  const tile = tileOf(spec.isWide ? 'Float64Array' : kind);
  batch.tile = tile;
  batch.logits = logits;
  batch.logitsKind = kind;
  batch.sampleWeights = undefined;
  batch.gradScales = undefined;
  heaviness[0] = spec.most;
  // The kernels cannot take in place what has the classes first, or other bits.
  const inPlace = batch.spatialSize === 0 ? tile.kind : undefined;
  batch.logitsAddress = kind === inPlace ? checkAddress('logits', logits, buffersOfLogits) : 0;
  const targetsInPlace = batch.form === classIndices ? 'Int32Array' : inPlace;
  batch.targetsAddress =
    targetsKind === targetsInPlace ? checkAddress('targets', targets, buffersOfTargets) : 0;
  batch.gradAddress = 0;
  batch.ignoreIndex = spec.ignoreIndex;
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
    batch.form = classIndices;
    batch.width = checkShape(size, entries, numClasses);
    batch.rows = entries;
    batch.targets = integersOf('targets', targets);
    batch.targetsKind = 'Int32Array';
  } else {
    checkIndices(targets, indicesOnly);
    batch.form = probabilities;
    batch.width = checkGiven(numClasses, 'where targets are probabilities');
    batch.rows = checkSameShape(size, entries, numClasses);
  }
}

function addWeights(spec: LossSpec, sampleWeights: FloatArray, numClasses = 1): void {
  const { rows } = batch;
  checkSampleWeights(sampleWeights);
  if (spec.columns !== 0) {
    batch.rowsPerWeight = checkPerElement('sampleWeights', sampleWeights, rows, rows / numClasses);
  } else {
    checkPerRow('sampleWeights', sampleWeights, rows);
    batch.rowsPerWeight = 1;
  }
  checkWeights(sampleWeights, heaviness);
  batch.sampleWeights = sampleWeights;
  // Weights that leave float32, by themselves or with those of classes, have all computed in
  // float64; a number of the type leaves it by no factor of 1.
  const areOfType = spec.most === 1 && spec.least === 1 && kindOf(sampleWeights) !== 'Float64Array';
  const leave = !areOfType && areBeyond();
  (heaviness[0] as number) *= spec.most;
  (heaviness[1] as number) *= spec.least;
  if (isNarrow() && (leave || (!areOfType && areBeyond()))) widenBatch();
}

/** A test whether what values are multiplied with leaves float32. */
function areBeyond(): boolean {
  return leavesFloat32(heaviness[0] as number) || leavesFloat32(heaviness[1] as number);
}

/** Has all be computed in float64, which logits, targets and gradient are copied to and from. */
function widenBatch(): void {
  batch.tile = tileOf('Float64Array');
  batch.logitsAddress = 0;
  batch.gradAddress = 0;
  if (batch.form !== classIndices) batch.targetsAddress = 0;
}

/** A test whether the batch is computed in float32. */
function isNarrow(): boolean {
  return batch.tile.flags === 0;
}

function addGradScales(gradOutput: FloatArray): void {
  checkPerRow('gradOutput', gradOutput, batch.rows);
  batch.gradScales = gradOutput;
}

function checkResult(name: string, buffer: FloatArray): void {
  const { tile, logits, logitsKind, targets, sampleWeights, gradScales, rows, width, spatialSize } =
    batch;
  checkBuffer(name, buffer, logitsKind, rows * width);
  const memory = buffersOfResults.of(buffer);
  // Also at address 0: what lies there would be overwritten.
  if (isMemory(memory)) checkAllocated(name, buffer);
  batch.gradAddress =
    logitsKind === tile.kind && spatialSize === 0 ? addressOf(buffer, buffersOfResults) : 0;
  checkApart(name, buffer, memory, 'logits', logits, buffersOfLogits.of(logits));
  checkApart(name, buffer, memory, 'targets', targets, buffersOfTargets.of(targets));
  if (sampleWeights !== undefined)
    checkApart(name, buffer, memory, 'sampleWeights', sampleWeights, bufferOf(sampleWeights));
  if (gradScales !== undefined)
    checkApart(name, buffer, memory, 'gradOutput', gradScales, bufferOf(gradScales));
}

function compute(
  spec: LossSpec,
  method: Method,
  gradOutput: number,
  normalizer: number | undefined,
  buffer: FloatArray | undefined,
): Result {
  const { rows } = batch;
  const { reduction } = spec;
  const grad = method.wantsGrad
    ? (buffer ?? arrayLike(batch.logits, rows * batch.width))
    : undefined;
  const values = valuesFor(spec, method);
  // The divisor: without a number given, the rows that count, which may have to be counted.
  const given = reduction === 'mean' ? normalizer : 1;
  if (rows === 0) return { value: values ?? 0 / (given ?? 0), grad };

  const room = prepare(spec, method, buffer);
  const isCounted = needsCount(spec, given);
  if (isCounted) count(spec, room);
  const denominator = isCounted ? countOf(spec) : (given ?? rows);
  loadNumbers(spec.numbers, gradOutput, denominator);
  const isWidened = leaves(method, gradOutput, denominator);
  if (isWidened === undefined) {
    // A value is what it is without a gradient.
    const { value } = compute(spec, FORWARD, 1, normalizer, buffer);
    return { value, grad: compute(spec, BACKWARD, gradOutput, normalizer, buffer).grad };
  }
  const capacity = isWidened ? widen(spec, method, buffer) : room;
  const step = isInPlace(batch, values, grad) ? rows : capacity;
  // The gradient of the first tile is written before the targets of the last are seen: a caller's
  // buffer stays untouched only if they are all looked at first.
  const areChecked =
    isCounted || (buffer !== undefined && rows > step && checkTargetsFirst(spec, capacity));
  runKernel(batch, spec, method, areChecked, step, values, grad, 0, rows);
  clearSigns(batch, values, grad, 0, rows);
  method.collect?.(batch);
  return { value: values ?? (totals()[TOTAL_VALUES] as number) / denominator, grad };
}

/** From here on weights, multiplied and added up, might leave float64. */
const HEAVY = 2 ** 512;

/**
 * Checks all targets, and counts the mean's denominator. Returns true where the weights of the
 * classes had to be made lighter.
 */
export function count(spec: LossSpec, room: number): boolean {
  checkTargetsFirst(spec, room);
  const isHeavy = countOf(spec) > HEAVY;
  if (isHeavy) {
    lighten();
    checkTargetsFirst(spec, room);
  }
  return isHeavy;
}

/** Makes the weights of the classes lighter: a mean is the same with ones all so much smaller. */
export function lighten(): void {
  batch.tile.alpha.view(batch.width).forEach((weight, j, weights) => {
    weights[j] = weight / HEAVY;
  });
}

/**
 * A test whether something that the results are multiplied with leaves float32: `undefined` where
 * it does so for the gradient alone, and the value is wanted, too.
 */
export function leaves(
  method: Method,
  gradOutput: number,
  denominator: number,
): boolean | undefined {
  if (!isNarrow()) return false;
  const isPlain = gradOutput === 1 && batch.gradScales === undefined;
  return isPlain && staysInFloat32(denominator)
    ? false
    : someFactorLeaves(method, gradOutput, denominator);
}

function someFactorLeaves(
  method: Method,
  gradOutput: number,
  denominator: number,
): boolean | undefined {
  const { gradScales } = batch;
  const valueLeaves = leavesFloat32(1, denominator);
  if (valueLeaves || !method.wantsGrad) return valueLeaves;
  const gradLeaves =
    factorLeavesFloat32(gradOutput, denominator) ||
    (gradScales !== undefined && someLeaveFloat32(gradScales));
  return gradLeaves && method.wantsValue ? undefined : gradLeaves;
}

/** An array for a value per row, if that is what is wanted. */
function valuesFor({ reduction }: LossSpec, { wantsValue }: Method): FloatArray | undefined {
  return wantsValue && reduction === 'none' ? arrayLike(batch.logits, batch.rows) : undefined;
}

/** Has the batch be computed in float64. Returns for how many rows there is room then. */
function widen(spec: LossSpec, method: Method, buffer: FloatArray | undefined): number {
  widenBatch();
  return prepare(spec, method, buffer);
}

/**
 * Makes room in the tile, and puts there what there is per class. Returns for how many rows there
 * is room.
 */
export function prepare(spec: LossSpec, method: Method, buffer: FloatArray | undefined): number {
  const { columns } = spec;
  const { tile, width, form, spatialSize } = batch;
  const extras = form.extras | (spatialSize === 0 ? 0 : STAGE);
  const before = epoch;
  const capacity = tile.reserve(columns === 0 ? width : columns, extras);
  if (spec.perClass.length !== 0) loadPerClass(spec);
  method.kernel?.prepare();
  if (epoch !== before) checkStillThere(method.buffer, buffer);
  return columns === 0 ? capacity : capacity * columns;
}

/** Puts the options that have one entry per class where the kernels look for them. */
function loadPerClass({ perClass }: LossSpec): void {
  for (const { area, values } of perClass)
    if (area !== undefined) batch.tile[area].view(values.length).set(values);
}

/**
 * Throws for arrays of an allocation, if the memory has just grown: they are not there any more.
 */
function checkStillThere(name: string, buffer: FloatArray | undefined): void {
  const { logits, targets, sampleWeights, gradScales } = batch;
  checkLength('logits', logits);
  checkLength('targets', targets);
  if (sampleWeights !== undefined) checkLength('sampleWeights', sampleWeights);
  if (gradScales !== undefined) checkLength('gradOutput', gradScales);
  if (buffer !== undefined) checkLength(name, buffer);
}

/** A test whether there is no denominator given, and it is not simply the number of rows. */
export function needsCount(
  { isWeighted, ignoreIndex }: LossSpec,
  given: number | undefined,
): boolean {
  if (given !== undefined) return false;
  return batch.form === classIndices
    ? isWeighted || ignoreIndex !== undefined
    : ignoreIndex !== undefined;
}

/** The mean's denominator, once the targets have been counted. */
export function countOf({ isWeighted }: LossSpec): number {
  return totals()[isWeighted ? TOTAL_WEIGHTS : TOTAL_ROWS] as number;
}

/**
 * Checks and counts all targets before anything is computed. Returns true when none of them is
 * invalid.
 */
function checkTargetsFirst({ isWeighted }: LossSpec, capacity: number): true {
  const areIndices = batch.form === classIndices;
  checkAllTargets(batch, areIndices ? TILE_ROWS : capacity, isWeighted && areIndices);
  return true;
}
