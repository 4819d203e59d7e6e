import { takeLogarithms } from '../../elementary.js';
import { logSoftmax, softmax } from '../../softmax/softmax.js';

/**
 * The log-odds of classes, `log(p / (1 - p))`: of two classes that of class 1 alone, of more each
 * class against all others, row-major. A number added to all logits of a row makes no difference.
 * NaN where a row has no probabilities.
 */
export function logOddsOf(logits: Float64Array, classes: number): Float64Array {
  return classes === 2 ? differences(logits) : againstOthers(logits, classes);
}

/** The second logit of each row less the first. */
function differences(logits: Float64Array): Float64Array {
  const odds = new Float64Array(logits.length / 2);
  for (let row = 0; row < odds.length; row++) {
    const [no, yes] = [logits[2 * row] as number, logits[2 * row + 1] as number];
    odds[row] = no === Infinity || yes === Infinity ? NaN : yes - no;
  }
  return odds;
}

function againstOthers(logits: Float64Array, classes: number): Float64Array {
  const odds = logSoftmax(logits, classes);
  const rows = logits.length / classes;
  const likeliest = new Int32Array(rows);
  // The others of each row than its likeliest class, whose probability may have become 1.
  const rest = new Float64Array(rows * (classes - 1));
  for (let row = 0, place = 0; row < rows; row++) {
    const start = row * classes;
    const best = placeOfLargest(logits, start, classes);
    likeliest[row] = best;
    for (let k = start; k < start + classes; k++)
      if (k !== best) rest[place++] = logits[k] as number;
  }
  const others = softmax(logits, classes);
  for (let start = 0; start < others.length; start += classes) sumOfOthers(others, start, classes);
  takeLogarithms(others);
  const restShares = logSoftmax(rest, classes - 1);
  for (let row = 0; row < rows; row++) {
    const best = likeliest[row] as number;
    for (let k = row * classes; k < (row + 1) * classes; k++) {
      if (k !== best) odds[k] = (odds[k] as number) - (others[k] as number);
    }
    const whole = logSum(rest, restShares, row * (classes - 1), classes - 1);
    if (!Number.isNaN(odds[best])) odds[best] = (logits[best] as number) - whole;
  }
  return odds;
}

/** The place of the largest of so many entries from one on, the first of equals. */
function placeOfLargest(entries: Float64Array, start: number, count: number): number {
  let best = start;
  for (let k = start + 1; k < start + count; k++) {
    if ((entries[k] as number) > (entries[best] as number)) best = k;
  }
  return best;
}

/** Puts the sum of all other probabilities of a row in the place of each, without subtraction. */
function sumOfOthers(probabilities: Float64Array, start: number, classes: number): void {
  let behind = 0;
  const sums = new Float64Array(classes);
  for (let j = classes - 1; j >= 0; j--) {
    sums[j] = behind;
    behind += probabilities[start + j] as number;
  }
  let before = 0;
  for (let j = 0; j < classes; j++) {
    const own = probabilities[start + j] as number;
    probabilities[start + j] = before + (sums[j] as number);
    before += own;
  }
}

/** The logarithm of the sum of the exponentials of a row, by the largest entry of it. */
function logSum(logits: Float64Array, shares: Float64Array, start: number, count: number): number {
  const best = placeOfLargest(logits, start, count);
  const largest = logits[best] as number;
  return largest === -Infinity ? largest : largest - (shares[best] as number);
}
