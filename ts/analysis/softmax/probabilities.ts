import { copyInto, kindOf } from '../../arrays/typed-arrays.js';
import {
  checkGiven,
  checkLength,
  checkNumClasses,
  isFloats,
  outOfRange,
  wrongType,
} from '../../call/checks.js';
import { takeLogarithms } from '../elementary.js';
import { type Logits, openedLogits } from '../rows/tensors.js';

/**
 * By how much rounding may take a probability out of [0, 1]: some runtimes' float32 softmax gives
 * 1.0000001.
 */
const ROUNDING = 1e-6;

/**
 * The distance from 1 that the sum of a row may have: files hold probabilities with two or three
 * decimals.
 */
const TOLERANCE = 0.05;

/**
 * Logits that have these probabilities: what the losses and the analysis take, from what files of
 * predictions and classifiers that end in a softmax or a sigmoid hold.
 *
 * The logit of a class is the natural logarithm of its probability, that of a single yes-or-no
 * probability `log(p / (1 - p))`: the inverses of softmax and sigmoid. 0 becomes -Infinity, a class
 * that is masked; a row that has it for its target has an infinite loss. A single 1 becomes the
 * largest number there is, since losses make NaN of +Infinity. Equal probabilities have equal
 * logits, so that what is tied stays so, and the bits are the same in every engine. Rows need not
 * add up to 1 exactly, since softmax divides by their sum.
 *
 * What is lost in probabilities is lost: 1 stands for every logit far above the others.
 *
 * @param probabilities - `[rows, numClasses]`, row-major; or a tensor that holds them, which says
 *   how many classes there are.
 * @param numClasses - The number of classes; 1 where each probability is one of yes or no by
 *   itself, as a `SigmoidFocalLoss` takes their logits: a single column, or several labels.
 * @returns The logits, of the same shape, in float64 whatever the probabilities are: in float32,
 *   some different ones would become the same.
 * @throws RangeError for a probability outside [0, 1], and for a row of several that do not add up
 *   to 1, within 0.05.
 *
 * @example
 * ```ts
 * import { CrossEntropyLoss, probabilitiesToLogits, softmax } from 'focal-loss/analysis';
 * import { SigmoidFocalLoss } from 'focal-loss/analysis';
 *
 * const probabilities = Float32Array.of(0.75, 0.25, 0.5, 0.5);
 * const logits = probabilitiesToLogits(probabilities, 2);
 * softmax(logits, 2)[0]; // => 0.75
 * new CrossEntropyLoss().forward(logits, Uint8Array.of(0, 1)); // => 0.490414626505863
 *
 * const single = probabilitiesToLogits(Float64Array.of(0.25, 0.5), 1); // of class 1 of two
 * single[1]; // => 0
 * const plain = new SigmoidFocalLoss({ alpha: null, gamma: 0 });
 * plain.forward(single, Uint8Array.of(0, 1)); // => 0.490414626505863
 * ```
 */
export function probabilitiesToLogits(
  probabilities: Logits,
  numClasses?: number,
): Float64Array<ArrayBuffer> {
  // Each by itself they may be in rows of several labels.
  const opened = openedLogits(probabilities, numClasses === 1 ? undefined : numClasses);
  const given = opened.logits;
  if (!isFloats(kindOf(given)))
    throw wrongType('probabilities', 'a Float32Array, Float64Array or Float16Array', given);
  const classes =
    numClasses === 1 ? 1 : checkGiven(opened.numClasses, 'where there are no targets');
  checkNumClasses(classes, 1);
  const size = checkLength('probabilities', given);
  const rows = size / classes;
  if (!Number.isInteger(rows)) {
    throw new RangeError(
      `probabilities.length must be a multiple of numClasses, ${classes}, got ${size}`,
    );
  }
  const odds = new Float64Array(size);
  copyInto(odds, given, 0);
  for (let row = 0; row < rows; row++) checkRow(odds, row, classes);
  if (classes === 1)
    for (let k = 0; k < size; k++) odds[k] = (odds[k] as number) / (1 - (odds[k] as number));
  takeLogarithms(odds);
  if (classes === 1)
    for (let k = 0; k < size; k++) odds[k] = Math.min(odds[k] as number, Number.MAX_VALUE);
  return odds;
}

/** Checks a row, and puts what rounding took beyond 1 back to it. */
function checkRow(probabilities: Float64Array, row: number, classes: number): void {
  let sum = 0;
  for (let j = 0; j < classes; j++) {
    const place = row * classes + j;
    const p = probabilities[place] as number;
    if (!(p >= 0 && p <= 1 + ROUNDING)) {
      const where = classes === 1 ? `of row ${row}` : `of class ${j} in row ${row}`;
      throw outOfRange(`probabilities: that ${where}`, 'in [0, 1]', p);
    }
    sum += p;
    // -0 becomes 0.
    probabilities[place] = Math.min(p, 1) + 0;
  }
  if (classes > 1 && !(Math.abs(sum - 1) <= TOLERANCE)) {
    throw new RangeError(
      `probabilities: those of row ${row} must add up to 1, within ${TOLERANCE}, got ${sum}`,
    );
  }
}
