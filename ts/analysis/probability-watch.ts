// Whether what should be logits looks like probabilities: the loss would apply the activation a second time, and every figure be
// confident and wrong.

/** From how many values in [0, 1] on chance is no explanation. */
const MANY = 32;

/** By how much the sum of probabilities may be off. */
const TOLERANCE = 1e-3;

function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}

/** Whether these are many values, all of them in [0, 1], as a sigmoid gives them. */
export function lookLikeSigmoid(values: ArrayLike<number>): boolean {
  if (values.length < MANY) return false;
  for (let i = 0; i < values.length; i++) if (!isShare(values[i] as number)) return false;
  return true;
}

/** Whether each row of so many values is in [0, 1] and adds up to 1, as a softmax gives them. */
export function lookLikeSoftmax(values: ArrayLike<number>, columns: number): boolean {
  for (let start = 0; start < values.length; start += columns) {
    let sum = 0;
    for (let i = start; i < start + columns; i++) {
      if (!isShare(values[i] as number)) return false;
      sum += values[i] as number;
    }
    if (Math.abs(sum - 1) > TOLERANCE) return false;
  }
  return values.length > 0;
}
