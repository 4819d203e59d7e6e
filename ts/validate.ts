// Every check of what a caller hands over. Nothing is written before all of them have passed, and each error names the
// argument, where there are rows the row, and the value.

import { bufferOf, isGone, kindOf, lengthOf, overlap } from './arrays.js';
import type { ClassIndices, FloatArray, Reduction } from './types.js';

/** Class indices are 32-bit integers inside the module. */
const MAX_CLASSES = 2 ** 31 - 1;

const REDUCTIONS: ReadonlySet<unknown> = new Set<Reduction>(['mean', 'sum', 'none']);

/** A value as an error message shows it. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  return `an ${kindOf(value) ?? (Array.isArray(value) ? 'Array' : 'object')}`.replace(/^an (?=[FU])/, 'a ');
}

function wrongType(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${name} must be ${expected}, got ${show(value)}`);
}

function outOfRange(name: string, expected: string, value: unknown): RangeError {
  return new RangeError(`${name} must be ${expected}, got ${show(value)}`);
}

function checkNumber(name: string, expected: string, value: unknown): asserts value is number {
  if (typeof value !== 'number') throw wrongType(name, expected, value);
}

/** Options are an object whose names are all known. */
export function checkOptionNames(options: object, known: ReadonlySet<string>): void {
  if (typeof options !== 'object' || options === null) throw wrongType('options', 'an object', options);
  for (const name in options) {
    // A name that something added to every object is not an option somebody passed.
    if (!known.has(name) && Object.hasOwn(options, name)) {
      throw new TypeError(`unknown option ${show(name)}; known are ${[...known].join(', ')}`);
    }
  }
}

export function checkReduction<R extends Reduction>(reduction: R): R {
  if (!REDUCTIONS.has(reduction)) throw wrongType('reduction', "'mean', 'sum' or 'none'", reduction);
  return reduction;
}

export function checkGamma(gamma: number): number {
  checkNumber('gamma', 'a number', gamma);
  if (!(gamma >= 0 && gamma < Infinity)) throw outOfRange('gamma', 'finite and not negative', gamma);
  return gamma;
}

export function checkLabelSmoothing(labelSmoothing: number): number {
  checkNumber('labelSmoothing', 'a number', labelSmoothing);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) throw outOfRange('labelSmoothing', 'in [0, 1]', labelSmoothing);
  return labelSmoothing;
}

export function checkNumClasses(numClasses: number | undefined): number | undefined {
  if (numClasses === undefined) return undefined;
  checkNumber('numClasses', 'a number', numClasses);
  if (!(Number.isInteger(numClasses) && numClasses >= 2 && numClasses <= MAX_CLASSES)) {
    throw outOfRange('numClasses', `an integer in [2, ${MAX_CLASSES}]`, numClasses);
  }
  return numClasses;
}

/** Returns the weights as they are kept: an array is copied, and its copy is frozen. */
export function checkAlpha(alpha: number | ArrayLike<number> | null): number | readonly number[] | null {
  if (alpha === null) return null;
  if (typeof alpha === 'number') {
    if (!(alpha >= 0 && alpha <= 1)) throw outOfRange('alpha', 'in [0, 1]', alpha);
    return alpha + 0; // -0 becomes 0
  }
  const expected = 'a number, an array with one number per class, or null';
  if (typeof alpha !== 'object') throw wrongType('alpha', expected, alpha);
  const { length } = alpha;
  if (typeof length !== 'number') throw wrongType('alpha', expected, alpha);
  if (!(length >= 2 && length <= MAX_CLASSES)) throw new RangeError(`alpha needs 2 entries or more, got ${length}`);
  const weights: number[] = [];
  for (let j = 0; j < length; j++) {
    const weight: unknown = alpha[j];
    checkNumber(`alpha[${j}]`, 'a number', weight);
    if (!(weight >= 0 && weight < Infinity)) throw outOfRange(`alpha[${j}]`, 'finite and not negative', weight);
    weights.push(weight + 0); // a weight of -0 would make results of -0
  }
  return Object.freeze(weights);
}

export function checkGradOutput(gradOutput: number): number {
  checkNumber('gradOutput', 'a number', gradOutput);
  return gradOutput;
}

/** Returns the bytes per element. */
export function checkLogits(logits: FloatArray): 4 | 8 {
  const kind = kindOf(logits);
  if (kind === 'Float32Array') return 4;
  if (kind === 'Float64Array') return 8;
  throw wrongType('logits', 'a Float32Array or Float64Array', logits);
}

export function checkTargets(targets: ClassIndices): void {
  switch (kindOf(targets)) {
    case 'Int8Array':
    case 'Uint8Array':
    case 'Uint8ClampedArray':
    case 'Int16Array':
    case 'Uint16Array':
    case 'Int32Array':
    case 'Uint32Array':
    case 'BigInt64Array':
    case 'BigUint64Array':
      return;
    default:
      throw wrongType('targets', 'an integer typed array of class indices, such as an Int32Array', targets);
  }
}

/** The length of a typed array whose memory is still there. */
export function checkLength(name: string, array: FloatArray | ClassIndices): number {
  const length = lengthOf(array);
  if (length === 0 && isGone(array)) {
    throw new TypeError(`${name}: its buffer is detached, or has shrunk so that the array lies outside`);
  }
  return length;
}

/** Returns the number of classes; 0 where there are no rows and nothing says how many classes there are. */
export function checkShape(size: number, rows: number, numClasses: number | undefined): number {
  if (numClasses !== undefined) {
    if (size !== rows * numClasses) {
      throw new RangeError(
        `logits must have ${rows} rows (targets.length) of ${numClasses} classes (numClasses), ` +
          `${rows * numClasses} entries in all, got ${size}`,
      );
    }
    return numClasses;
  }
  if (rows === 0) {
    if (size !== 0) throw new RangeError(`targets has no rows, but logits has ${size} entries`);
    return 0;
  }
  if (size % rows !== 0) {
    throw new RangeError(`logits.length must be a multiple of targets.length, ${rows}, got ${size}`);
  }
  const classes = size / rows;
  if (!(classes >= 2 && classes <= MAX_CLASSES)) {
    throw outOfRange('the number of classes, logits.length / targets.length,', `in [2, ${MAX_CLASSES}]`, classes);
  }
  return classes;
}

/** One weight per class, where the number of classes is known. */
export function checkClassWeights(alpha: number | readonly number[] | null, classes: number): void {
  if (typeof alpha === 'object' && alpha !== null && classes !== 0 && alpha.length !== classes) {
    throw new RangeError(`alpha must have one entry per class, ${classes}, got ${alpha.length}`);
  }
}

/** A buffer for the gradient: of the kind and length of the logits, in memory of its own. */
export function checkGrad(grad: FloatArray, logits: FloatArray, targets: ClassIndices): void {
  const kind = kindOf(logits);
  if (kindOf(grad) !== kind) throw wrongType('grad', `a ${kind} like the logits`, grad);
  const length = checkLength('grad', grad);
  const expected = lengthOf(logits);
  if (length !== expected) throw new RangeError(`grad.length must be logits.length, ${expected}, got ${length}`);
  const buffer = bufferOf(grad);
  if (buffer === bufferOf(logits) && overlap(grad, logits)) {
    throw new RangeError('grad must not share memory with logits');
  }
  if (buffer === bufferOf(targets) && overlap(grad, targets)) {
    throw new RangeError('grad must not share memory with targets');
  }
}

/** The error for the target of a row that the kernels found to be no class. */
export function invalidTarget(targets: ClassIndices, row: number, classes: number): RangeError {
  return outOfRange(`targets[${row}]`, `a class in [0, ${classes})`, targets[row]);
}
