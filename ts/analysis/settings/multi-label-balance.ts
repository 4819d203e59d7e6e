import { copyNumbers, kindOf } from '../../arrays/typed-arrays.js';
import {
  checkIgnoreIndex,
  checkLength,
  checkNumClasses,
  checkOptions,
  checkTargets,
  invalidElement,
} from '../../call/checks.js';
import { checkFew } from '../rows/rows.js';
import { figure, table, withText } from '../rows/table.js';
import { opened, type Targets } from '../rows/tensors.js';

/** Options of {@link multiLabelBalance}. */
export interface MultiLabelBalanceOptions {
  /**
   * The target of the labels that are not counted, any integer.
   *
   * @defaultValue none: every target must be in [0, 1]
   */
  ignoreIndex?: number | undefined;
}

/**
 * The frequency of yes for each label, and the weights that make up for it. Each array has one
 * entry per label.
 */
export interface MultiLabelBalance {
  /** The number of rows. */
  readonly rows: number;
  /** The number of labels of a row. */
  readonly numClasses: number;
  /** The rows that count. */
  readonly counts: Float64Array;
  /** Those with the target yes; of targets in between the sum. */
  readonly positives: Float64Array;
  /** The share of these. NaN for a label without rows. */
  readonly fractions: Float64Array;
  /**
   * `negatives / positives`, for `posWeight` of a `SigmoidFocalLoss` with `alpha: null`: yes and no
   * have the same total weight then, as PyTorch's `BCEWithLogitsLoss` advises. 1 for a label of
   * which there is but one of the two.
   */
  readonly posWeight: Float64Array;
  /**
   * `negatives / count`, for `alpha` of a `SigmoidFocalLoss`: the same, without making the loss
   * larger. 1/2 where `posWeight` is 1.
   */
  readonly balancedAlpha: Float64Array;
  /** All of it as a table. */
  toString(): string;
}

/**
 * Counts how often each label of multi-label targets is yes, and derives weights from that: for
 * `posWeight` or `alpha` of a `SigmoidFocalLoss`.
 *
 * @param targets - One per label of each row, `[rows, numClasses]`: 0 and 1 in any integer array,
 *   or numbers in [0, 1].
 * @param numClasses - The labels of a row: 1 unless it is given, or a tensor's shape says it.
 * @throws TypeError and RangeError as a `SigmoidFocalLoss` does.
 *
 * @example
 * ```ts
 * import { multiLabelBalance, SigmoidFocalLoss } from 'focal-loss/analysis';
 *
 * const targets = new Uint8Array([1, 0, 0, 0, 1, 1, 0, 1]); // four rows, two labels
 * const { positives, posWeight, balancedAlpha } = multiLabelBalance(targets, 2);
 * positives[1]; // => 2
 * posWeight[0]; // => 1
 * multiLabelBalance(new Uint8Array([1, 0, 0, 0])).posWeight[0]; // => 3
 * multiLabelBalance(new Uint8Array([1, 0, 0, 0])).balancedAlpha[0]; // => 0.75
 * new SigmoidFocalLoss({ alpha: null, posWeight, numClasses: 2 }).posWeight[1]; // => 1
 * ```
 */
export function multiLabelBalance(
  targets: Targets,
  numClasses?: number,
  options: MultiLabelBalanceOptions = {},
): MultiLabelBalance {
  const { ignoreIndex } = checkOptions(options, ['ignoreIndex']);
  const batch = opened(new Float32Array(0), targets, { numClasses }, undefined, 1);
  const { numClasses: labels = 1 } = batch.options;
  checkNumClasses(labels, 1);
  checkIgnoreIndex(ignoreIndex);
  checkTargets(batch.targets, true);
  const length = checkLength('targets', batch.targets);
  if (length % labels !== 0) {
    throw new RangeError(
      `targets.length must be a multiple of numClasses, ${labels}, got ${length}`,
    );
  }
  const shares = new Float64Array(length);
  copyNumbers(shares, batch.targets, kindOf(batch.targets) as string);
  const counts = new Float64Array(length === 0 ? checkFew(labels) : labels);
  const positives = new Float64Array(counts.length);
  for (let i = 0; i < length; i++) {
    const share = shares[i] as number;
    if (share === ignoreIndex) continue;
    if (!(share >= 0 && share <= 1)) throw invalidElement(batch.targets, i, ignoreIndex);
    const label = i % labels;
    counts[label] = (counts[label] as number) + 1;
    positives[label] = (positives[label] as number) + share;
  }
  const negatives = positives.map((count, j) => (counts[j] as number) - count);
  const hasBoth = (j: number) => (positives[j] as number) > 0 && (negatives[j] as number) > 0;
  const balance = {
    rows: length / labels,
    numClasses: labels,
    counts,
    positives,
    fractions: positives.map((count, j) => count / (counts[j] as number)),
    posWeight: negatives.map((count, j) => (hasBoth(j) ? count / (positives[j] as number) : 1)),
    balancedAlpha: negatives.map((count, j) => (hasBoth(j) ? count / (counts[j] as number) : 0.5)),
  };
  return withText(balance, balanceText);
}

function balanceText({
  counts,
  positives,
  fractions,
  posWeight,
  balancedAlpha,
}: MultiLabelBalance): string {
  const figures = (j: number) =>
    [positives, fractions, posWeight, balancedAlpha].map((of) => figure(of[j] as number));
  return table([
    ['label', 'rows', 'positives', 'fraction', 'posWeight', 'balanced alpha'],
    ...Array.from(counts, (count, j) => [String(j), String(count), ...figures(j)]),
  ]);
}
