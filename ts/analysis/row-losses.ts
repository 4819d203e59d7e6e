import type { ClassIndices, FloatArray } from '../types.js';
import { classGammas, classWeights, isFocal, type SoftmaxCriterion } from './criterion.js';
import { pick, placesWhere, tabulate } from './loops.js';
import { type Rows, readRows, selectRows, widen } from './rows.js';

/** What a criterion makes of the rows that count and whose loss and gradient are finite. */
export interface RowLosses {
  readonly rows: Rows;
  /** The loss of each. */
  readonly losses: Float64Array;
  /** The size of the gradient of each: the sum of its entries, all taken as positive. */
  readonly gradients: Float64Array;
  /** The factor of each, `(1 - pt) ** gamma`, without alpha. */
  readonly factors: Float64Array;
  /** By how much the cross-entropy of each weighs in the loss: the factor with alpha, or the class weight. */
  readonly weights: Float64Array;
  /** The numbers of the rows that count, but whose loss or gradient is not finite. */
  readonly nonFinite: Uint32Array;
  /** How many logits of the rows that count are not finite. */
  readonly nonFiniteLogits: number;
}

/** Options of a call: see the losses. */
export interface CallOptions {
  numClasses?: number | undefined;
  spatialSize?: number | undefined;
}

/** Passes a batch through a criterion, row by row. */
export function measureRows(
  given: FloatArray,
  targets: ClassIndices | FloatArray,
  criterion: SoftmaxCriterion,
  { numClasses = criterion.numClasses, spatialSize }: CallOptions,
): RowLosses {
  const logits = widen(given);
  const call = { numClasses, spatialSize };
  const { ignoreIndex, layout, labelSmoothing } = criterion;
  const perRow = criterion.with({ reduction: 'none' });
  const { value, grad } = perRow.valueAndGrad(logits, targets, call) as { value: FloatArray; grad: FloatArray };
  const all = readRows(logits, targets, { ...call, ignoreIndex, layout }, labelSmoothing);
  // Of all rows of the batch; those to be ignored stay 0.
  const sizes = new Float64Array(value.length);
  let nonFiniteLogits = 0;
  for (let k = 0; k < all.numbers.length; k++) {
    const start = all.start(k);
    let size = 0;
    for (let j = 0; j < all.classes; j++) {
      const place = start + j * all.stride;
      size += Math.abs(grad[place] as number);
      if (!Number.isFinite(logits[place])) nonFiniteLogits++;
    }
    sizes[all.numbers[k] as number] = size;
  }
  const isFine = (k: number) => {
    const row = all.numbers[k] as number;
    return Number.isFinite(value[row]) && Number.isFinite(sizes[row]);
  };
  const rows = selectRows(all, isFine);
  const nonFinite = placesWhere(all.numbers.length, (k) => !isFine(k));

  const losses = take(rows, value);
  const unweighted = isFocal(criterion)
    ? take(rows, perRow.with({ alpha: null }).forward(logits, targets, call) as FloatArray)
    : rows.entropy;
  // Of a row whose cross-entropy has become 0.
  const leastFactors = classGammas(criterion, rows.classes).map((gamma) => (gamma === 0 ? 1 : 0));
  const leastWeights = classWeights(criterion, rows.classes).map((weight, j) => weight * (leastFactors[j] as number));
  return {
    rows,
    losses,
    gradients: take(rows, sizes),
    factors: divide(unweighted, rows, leastFactors),
    weights: divide(losses, rows, leastWeights),
    nonFinite: pick(all.numbers, nonFinite, nonFinite),
    nonFiniteLogits,
  };
}

/** The entries of the rows. */
function take(rows: Rows, values: FloatArray): Float64Array {
  return pick(values, rows.numbers, new Float64Array(rows.numbers.length));
}

/** By how much cross-entropies are multiplied; where one is 0, what there is for its class. */
function divide(losses: ArrayLike<number>, { entropy, labels }: Rows, otherwise: Float64Array): Float64Array {
  return tabulate(labels.length, (k) => {
    const divisor = entropy[k] as number;
    return divisor > 0 ? (losses[k] as number) / divisor : (otherwise[labels[k] as number] as number);
  });
}
