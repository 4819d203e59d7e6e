// The agreement of predictions with targets beyond chance. Where a part is taken from a whole, the
// products of the parts are added up instead, so that nothing is left over where they are the same.

import { sum } from '../rows/loops.js';
import type { Counts } from './confusion.js';

/**
 * The sum over the classes of what is of one class in `some`, times what is of another in `others`.
 */
function unlike(some: Float64Array, others: Float64Array): number {
  const whole = sum(others);
  return some.reduce((total, number, j) => total + number * (whole - (others[j] as number)), 0);
}

/**
 * The Matthews correlation coefficient, for any number of classes (Gorodkin, Comparing two
 * K-category assignments by a K-category correlation coefficient, 2004). 0 where targets or
 * predictions are all of one class, as scikit-learn has it.
 */
export function matthews({ support, right, wrong }: Counts): number {
  const rows = sum(support);
  if (rows === 0) return NaN;
  const predicted = right.map((number, j) => number + (wrong[j] as number));
  const spread = unlike(support, support) * unlike(predicted, predicted);
  if (spread === 0) return 0;
  const covariance = right.reduce(
    (total, number, j) => total + number * rows - (support[j] as number) * (predicted[j] as number),
    0,
  );
  return covariance / Math.sqrt(spread);
}

/**
 * Cohen's kappa (A coefficient of agreement for nominal scales, 1960). NaN where both are all of
 * the same class.
 */
export function cohensKappa({ support, right, wrong }: Counts): number {
  const predicted = right.map((number, j) => number + (wrong[j] as number));
  return 1 - (sum(wrong) * sum(support)) / unlike(predicted, support);
}
