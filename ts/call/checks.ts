// Every check of what a caller hands over. Nothing is written before all of them have passed, and
// each error names the argument, where there are rows the row, and the value.

import { readOptions } from '../arrays/own.js';
import { shorten } from '../arrays/shorten.js';
import { isGone, kindOf, lengthOf, type NumberArray, overlap } from '../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../arrays/types.js';
import { addressOf, type BufferLookup, isAllocated, isStale } from '../module/memory.js';
import type { PerClass } from './spec.js';

/** Class indices are 32-bit integers inside the module. */
const MAX_CLASSES = 2 ** 31 - 1;

/**
 * A row of more classes fits no memory, if each has a number of its own. Engines abort where an
 * array gets far longer.
 */
export const MAX_ENTRIES = 2 ** 24;

/** The distance from 1 that the sum of a row's probabilities may have. */
export const TOLERANCE = 1e-3;

/** A value as an error message shows it: of a long one, the beginning. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value));
  if (typeof value === 'function') return 'a function';
  // Engines take long to make decimal digits of many.
  if (typeof value === 'bigint' && BigInt.asIntN(256, value) !== value) return 'a large BigInt';
  if (typeof value !== 'object' || value === null) return shorten(String(value));
  return `an ${kindOf(value) ?? (Array.isArray(value) ? 'Array' : 'object')}`.replace(
    /^an (?=[FU])/,
    'a ',
  );
}

export function wrongType(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${name} must be ${expected}, got ${show(value)}`);
}

export function outOfRange(name: string, expected: string, value: unknown): RangeError {
  return new RangeError(`${name} must be ${expected}, got ${show(value)}`);
}

export function wrongLength(name: string, expected: string, length: number): RangeError {
  return new RangeError(`${name} must have ${expected}, got ${length}`);
}

export function checkNumber(
  name: string,
  expected: string,
  value: unknown,
): asserts value is number {
  if (typeof value !== 'number') throw wrongType(name, expected, value);
}

/**
 * Options are an object whose names are all known. The first of these is found soonest: small calls
 * feel the search.
 */
export function checkOptionNames(options: object, known: readonly string[]): void {
  // The loop would make names of all indices of a typed array, of which there may be very many.
  if (typeof options !== 'object' || options === null || kindOf(options) !== undefined) {
    throw wrongType('options', 'an object', options);
  }
  for (const name in options) {
    // A name that something added to every object is not an option somebody passed.
    if (name !== known[0] && !known.includes(name) && Object.hasOwn(options, name)) {
      throw unknownOption(name, known);
    }
  }
}

/**
 * Checks the names of options, and reads them: once each, and nothing that is inherited by all
 * objects.
 */
export function checkOptions<O extends object>(options: O, known: readonly string[]): O {
  checkOptionNames(options, known);
  return readOptions(options, known);
}

// Errors are made in functions of their own: engines inline only so much code into a call, and
// would count it.

function unknownOption(name: string, known: readonly string[]): TypeError {
  return new TypeError(`unknown option ${show(name)}; known are ${known.join(', ')}`);
}

/** One of a few words. */
export function checkChoice<T extends string>(name: string, choices: readonly T[], value: T): T {
  if (!choices.includes(value)) {
    const quoted = choices.map((choice) => `'${choice}'`);
    throw wrongType(name, `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`, value);
  }
  return value;
}

export function checkBoolean(name: string, value: boolean): void {
  if (typeof value !== 'boolean') throw wrongType(name, 'true or false', value);
}

export function checkInteger(name: string, least: number, most: number, value: number): number {
  checkNumber(name, 'a number', value);
  if (!(Number.isInteger(value) && value >= least && value <= most)) {
    throw outOfRange(name, `an integer in [${least}, ${most}]`, value);
  }
  return value + 0; // -0 becomes 0
}

export function checkLabelSmoothing(labelSmoothing: number): number {
  checkNumber('labelSmoothing', 'a number', labelSmoothing);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw outOfRange('labelSmoothing', 'in [0, 1]', labelSmoothing);
  return labelSmoothing;
}

export function checkNumClasses(numClasses: number | undefined, least: number): number | undefined {
  return numClasses === undefined
    ? undefined
    : checkInteger('numClasses', least, MAX_CLASSES, numClasses);
}

export function checkIgnoreIndex(ignoreIndex: number | undefined): number | undefined {
  return ignoreIndex === undefined
    ? undefined
    : checkInteger('ignoreIndex', -MAX_CLASSES, MAX_CLASSES, ignoreIndex);
}

export function checkNormalizer(normalizer: number | undefined): number | undefined {
  if (normalizer === undefined) return undefined;
  checkNumber('normalizer', 'a number', normalizer);
  if (!(normalizer > 0 && normalizer < Infinity))
    throw outOfRange('normalizer', 'finite and above 0', normalizer);
  return normalizer;
}

export function checkNotNegative(name: string, value: unknown): number {
  checkNumber(name, 'a number', value);
  if (!(value >= 0 && value < Infinity)) throw outOfRange(name, 'finite and not negative', value);
  return value + 0; // -0 becomes 0: it would make results of -0
}

export function checkShare(name: string, value: unknown): number {
  checkNumber(name, 'a number', value);
  if (!(value >= 0 && value <= 1)) throw outOfRange(name, 'in [0, 1]', value);
  return value + 0;
}

/** One number per class, copied and frozen. */
function checkPerClass(
  name: string,
  expected: string,
  least: number,
  values: ArrayLike<number>,
  checkEntry: (name: string, value: unknown) => number,
): readonly number[] {
  if (typeof values !== 'object' || values === null) throw wrongType(name, expected, values);
  const { length } = values;
  if (typeof length !== 'number') throw wrongType(name, expected, values);
  if (!(length >= least && length <= MAX_ENTRIES)) {
    throw wrongLength(name, `${least} to ${MAX_ENTRIES} entries`, length);
  }
  const checked: number[] = [];
  for (let j = 0; j < length; j++) checked.push(checkEntry(`${name}[${j}]`, values[j]));
  return Object.freeze(checked);
}

type NumberOrList = number | ArrayLike<number>;

/** The exponent. */
export function checkOneGamma(gamma: number): number {
  return checkNotNegative('gamma', gamma);
}

/** The exponent, or one for each class. */
export function checkGamma(gamma: NumberOrList): number | readonly number[] {
  if (typeof gamma === 'number') return checkOneGamma(gamma);
  return checkPerClass(
    'gamma',
    'a number, or an array with one number per class',
    2,
    gamma,
    checkNotNegative,
  );
}

const ALPHA = 'a number, an array with one number per class, or null';

/** Returns the weights as they are kept: an array is copied, and its copy is frozen. */
export function checkAlpha(alpha: NumberOrList | null): number | readonly number[] | null {
  if (alpha === null) return null;
  if (typeof alpha === 'number') return checkShare('alpha', alpha);
  return checkPerClass('alpha', ALPHA, 2, alpha, checkNotNegative);
}

/** Where alpha weighs a column's positive targets, and 1 - alpha its negative ones. */
export function checkColumnAlpha(alpha: NumberOrList | null): number | readonly number[] | null {
  if (alpha === null) return null;
  if (typeof alpha === 'number') return checkShare('alpha', alpha);
  return checkPerClass('alpha', ALPHA, 1, alpha, checkShare);
}

export function checkPosWeight(posWeight: NumberOrList): number | readonly number[] {
  if (typeof posWeight === 'number') return checkNotNegative('posWeight', posWeight);
  return checkPerClass(
    'posWeight',
    'a number, or an array with one number per class',
    1,
    posWeight,
    checkNotNegative,
  );
}

export function checkWeight(weight: ArrayLike<number> | null): readonly number[] | null {
  if (weight === null) return null;
  return checkPerClass(
    'weight',
    'an array with one number per class, or null',
    2,
    weight,
    checkNotNegative,
  );
}

/** Throws for a focus that a method does not have. */
export function checkFocus(method: string, focusOn: string, missing: string, when = ''): void {
  if (focusOn === missing)
    throw new TypeError(`${method} does not exist for focusOn '${missing}'${when}`);
}

/**
 * Options per class have as many entries as there are classes. That number has to be given, where
 * it does not follow from the lengths of the arrays: where each logit has a target of its own.
 */
export function checkClasses(
  perClass: readonly PerClass[],
  elementwise: boolean,
  classes: number | undefined,
): void {
  for (const { name, values } of perClass) {
    if (elementwise && classes === undefined)
      throw new TypeError(`numClasses must be given where ${name} is an array`);
    checkEntries(name, values, classes ?? 0);
  }
}

/** One entry per class, where the number of classes is known. */
export function checkEntries(
  name: string,
  values: number | readonly unknown[] | null,
  classes: number,
): void {
  if (typeof values === 'object' && values !== null && classes !== 0 && values.length !== classes) {
    throw wrongLength(name, `one entry per class, ${classes}`, values.length);
  }
}

/** A test whether the entries of arrays of a kind are floating-point numbers. */
export function isFloats(kind: string | undefined): boolean {
  return kind === 'Float32Array' || kind === 'Float64Array' || kind === 'Float16Array';
}

/** Returns the kind of the logits. */
export function checkLogits(logits: FloatArray): string {
  const kind = kindOf(logits);
  if (!isFloats(kind))
    throw wrongType('logits', 'a Float32Array, Float64Array or Float16Array', logits);
  return kind as string;
}

/** Returns the kind of the targets. */
export function checkTargets(targets: NumberArray, elementwise: boolean): string {
  const kind = kindOf(targets);
  if (kind !== undefined) return kind;
  const expected = elementwise
    ? 'a float array or an integer typed array'
    : 'an integer typed array of class indices, such as an Int32Array, or a float array of probabilities';
  throw wrongType('targets', expected, targets);
}

/** Throws where targets must be class indices, and says why. */
export function checkIndices(targets: NumberArray, reason: string | undefined): void {
  if (reason !== undefined) throw wrongType('targets', `class indices ${reason}`, targets);
}

/** The length of a typed array whose memory is still there. */
export function checkLength(name: string, array: NumberArray): number {
  const length = lengthOf(array);
  if (length === 0 && isGone(array)) throw gone(name, array);
  return length;
}

function gone(name: string, array: NumberArray): TypeError {
  return new TypeError(
    isStale(array)
      ? `${name}: an array of an allocation, taken from it before the memory grew or another was disposed of: take it anew`
      : `${name}: its buffer is detached, or has shrunk so that the array lies outside`,
  );
}

/** Returns where an array lies in the module's memory, 0 if it lies elsewhere. */
export function checkAddress(name: string, array: NumberArray, lookup: BufferLookup): number {
  const address = addressOf(array, lookup);
  if (address !== 0) checkAllocated(name, array);
  return address;
}

/** For an array that lies in the module's memory. */
export function checkAllocated(name: string, array: NumberArray): void {
  if (!isAllocated(array)) {
    throw new RangeError(
      `${name} must lie within an allocation where it lies in the memory of one`,
    );
  }
}

/**
 * Class indices: returns the number of classes, 0 where there are no rows and nothing says how many
 * classes there are.
 */
export function checkShape(size: number, rows: number, numClasses: number | undefined): number {
  if (numClasses !== undefined) {
    if (size !== rows * numClasses) throw notRowsOf(size, rows, numClasses);
    return numClasses;
  }
  if (size === 0 && rows === 0) return 0;
  const classes = size / rows;
  // A remainder would take the engine longer.
  if (!(classes >= 2 && classes <= MAX_CLASSES && Math.floor(classes) === classes))
    throw notRows(size, rows);
  return classes;
}

function notRowsOf(size: number, rows: number, numClasses: number): RangeError {
  return new RangeError(
    `logits must have ${rows} rows (targets.length) of ${numClasses} classes (numClasses), ` +
      `${rows * numClasses} entries in all, got ${size}`,
  );
}

function notRows(size: number, rows: number): RangeError {
  if (rows === 0) return new RangeError(`targets has no rows, but logits has ${size} entries`);
  if (size % rows !== 0) {
    return new RangeError(
      `logits.length must be a multiple of targets.length, ${rows}, got ${size}`,
    );
  }
  const classes = 'the number of classes, logits.length / targets.length,';
  return outOfRange(classes, `in [2, ${MAX_CLASSES}]`, size / rows);
}

/**
 * One target per logit, in whole rows of `numClasses` if that is given. Returns the number of these
 * rows.
 */
export function checkSameShape(size: number, entries: number, numClasses = 1): number {
  if (entries !== size)
    throw new RangeError(`targets.length must be logits.length, ${size}, got ${entries}`);
  if (size % numClasses !== 0) {
    throw new RangeError(
      `logits.length must be a multiple of numClasses, ${numClasses}, got ${size}`,
    );
  }
  return size / numClasses;
}

/** A number of classes, which does not follow from the lengths of the arrays. */
export function checkGiven(numClasses: number | undefined, reason: string): number {
  if (numClasses === undefined) throw new TypeError(`numClasses must be given ${reason}`);
  return numClasses;
}

/** Returns the rows of a sample, which lie side by side; 0 where the classes of a row do. */
export function checkSpatialSize(
  channelsFirst: boolean,
  spatialSize: number | undefined,
  rows: number,
): number {
  if (spatialSize === undefined) return channelsFirst ? rows : 0;
  if (!channelsFirst) throw new TypeError("spatialSize is for layout 'channels-first' alone");
  checkInteger('spatialSize', 1, Number.MAX_SAFE_INTEGER, spatialSize);
  if (rows % spatialSize !== 0) {
    throw new RangeError(
      `the number of rows must be a multiple of spatialSize, ${spatialSize}, got ${rows}`,
    );
  }
  return spatialSize;
}

/** The sizes and the type of resident arrays. */
export function checkAllocation(rows: number, classes: number, dtype: string): void {
  checkInteger('rows', 1, MAX_CLASSES, rows);
  checkInteger('classes', 1, MAX_CLASSES, classes);
  checkChoice('dtype', ['float32', 'float64'], dtype);
}

/** The error for resident arrays for which there is no memory. */
export function noMemory(rows: number, classes: number): RangeError {
  return new RangeError(`not enough memory for ${rows} rows of ${classes} classes`);
}

/**
 * The upstream gradient, where it is not a number: where each row has a gradient of its own, one
 * per row.
 */
export function checkGradOutput(gradOutput: FloatArray | readonly number[], perRow: boolean): void {
  if (!perRow) throw wrongType('gradOutput', "a number, unless reduction is 'none'", gradOutput);
  if (!(isFloats(kindOf(gradOutput)) || Array.isArray(gradOutput)))
    throw wrongType('gradOutput', 'a number, or a float array with one per row', gradOutput);
}

export function checkSampleWeights(sampleWeights: FloatArray): void {
  if (!isFloats(kindOf(sampleWeights)))
    throw wrongType('sampleWeights', 'a float array with one weight per row', sampleWeights);
}

/** One entry per row. */
export function checkPerRow(name: string, array: FloatArray, rows: number): void {
  const length = checkLength(name, array);
  if (length !== rows) throw wrongLength(name, `one entry per row, ${rows}`, length);
}

/**
 * One entry per logit, or one for each of so many rows. Returns how many logits an entry is for.
 */
export function checkPerElement(
  name: string,
  array: FloatArray,
  size: number,
  rows: number,
): number {
  const length = checkLength(name, array);
  if (length === size) return 1;
  if (length === rows) return size / rows;
  const perRow = rows === size ? '' : `, or one per row of numClasses, ${rows}`;
  throw wrongLength(name, `one entry per logit, ${size}${perRow}`, length);
}

/**
 * The weights themselves: those of classes may be no others. Puts down the largest and, but for 0,
 * the smallest of them.
 */
export function checkWeights(sampleWeights: FloatArray, ends = new Float64Array(2)): void {
  const length = lengthOf(sampleWeights);
  let largest = 0;
  let smallest = Infinity;
  // What is no weight lies outside the others: two comparisons do for most.
  for (let i = 0; i < length; i++) {
    const weight = sampleWeights[i] as number;
    if (weight <= largest && weight >= smallest) continue;
    if (!(weight >= 0 && weight < Infinity)) {
      throw outOfRange(`sampleWeights[${i}]`, 'finite and not negative', weight);
    }
    if (weight > largest) largest = weight;
    if (weight < smallest && weight > 0) smallest = weight;
  }
  ends[0] = largest;
  ends[1] = largest > 0 ? smallest : 0;
}

/** A buffer for a result: of the kind and length of the logits. */
export function checkBuffer(
  name: string,
  buffer: FloatArray,
  kind: string,
  expected: number,
): void {
  if (kindOf(buffer) !== kind) throw wrongType(name, `a ${kind} like the logits`, buffer);
  const length = checkLength(name, buffer);
  if (length !== expected)
    throw new RangeError(`${name}.length must be logits.length, ${expected}, got ${length}`);
}

/** A buffer for a result, which lies in `memory`, apart from an input. */
export function checkApart(
  name: string,
  buffer: FloatArray,
  memory: ArrayBufferLike,
  inputName: string,
  input: NumberArray,
  memoryOfInput: ArrayBufferLike,
): void {
  if (memory === memoryOfInput && overlap(buffer, input)) {
    throw new RangeError(`${name} must not share memory with ${inputName}`);
  }
}

/** The words in which an error names the index of rows to be ignored. */
export function orIgnored(ignoreIndex: number | undefined): string {
  return ignoreIndex === undefined ? '' : ` or ignoreIndex, ${ignoreIndex}`;
}

/** The error for the target of a row that the kernels found to be no class. */
export function invalidIndex(
  targets: ClassIndices,
  row: number,
  classes: number,
  ignoreIndex: number | undefined,
): RangeError {
  return outOfRange(
    `targets[${row}]`,
    `a class in [0, ${classes})${orIgnored(ignoreIndex)}`,
    targets[row],
  );
}

/** The error for an element's target. */
export function invalidElement(
  targets: NumberArray,
  i: number,
  ignoreIndex: number | undefined,
): RangeError {
  return outOfRange(`targets[${i}]`, `in [0, 1]${orIgnored(ignoreIndex)}`, targets[i]);
}

/** The error for a row of probabilities that the kernels found to be none; `at` reads it. */
export function invalidProbabilities(
  row: number,
  classes: number,
  at: (j: number) => number,
): RangeError {
  let sum = 0;
  for (let j = 0; j < classes; j++) {
    const entry = at(j);
    if (!(entry >= 0 && entry < Infinity)) {
      return outOfRange(
        `targets: the probability of class ${j} in row ${row}`,
        'finite and not negative',
        entry,
      );
    }
    sum += entry;
  }
  return new RangeError(
    `targets: the probabilities of row ${row} must add up to 1, within ${TOLERANCE}, got ${sum}`,
  );
}
