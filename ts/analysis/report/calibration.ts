import { sum } from '../rows/loops.js';
import type { RowFigures } from '../rows/row-figures.js';

/** The rows whose confidence is above `from` and not above `to`. */
export interface CalibrationBin {
  /** The lower edge: all of the bin are above it. */
  readonly from: number;
  /** The upper edge: none of the bin is above it. */
  readonly to: number;
  /** The number of rows; with `sampleWeights`, their weight. */
  readonly rows: number;
  /** The average probability of the predicted class; NaN without rows. */
  readonly confidence: number;
  /** The share that is predicted right; NaN without rows. */
  readonly accuracy: number;
}

/** The calibration of confidences: the measure in which they can be trusted. */
export interface Calibration {
  /**
   * The expected calibration error: how far the confidence of a bin is from its accuracy, averaged
   * over the rows (Guo et al., On Calibration of Modern Neural Networks, 2017).
   */
  readonly expectedError: number;
  /** The largest distance in any bin that has rows. */
  readonly maximumError: number;
  /** Bins of equal width. */
  readonly bins: readonly CalibrationBin[];
}

/** Confidences, bin by bin. */
export class Bins {
  readonly #rows: Float64Array;
  readonly #confidence: Float64Array;
  readonly #right: Float64Array;

  constructor(bins: number) {
    this.#rows = new Float64Array(bins);
    this.#confidence = new Float64Array(bins);
    this.#right = new Float64Array(bins);
  }

  /**
   * Adds so many confidences, each in (0, 1] or NaN, of predictions that are right where they are
   * the labels, of which the first and the first weight have a place.
   */
  add(
    { predicted, confidence }: RowFigures,
    labels: Int32Array,
    first: number,
    count: number,
    weights: Float64Array | undefined,
  ): void {
    const rows = this.#rows;
    const confidences = this.#confidence;
    const right = this.#right;
    const bins = rows.length;
    for (let i = 0; i < count; i++) {
      const p = confidence[i] as number;
      const weight = weights === undefined ? 1 : (weights[first + i] as number);
      const bin = binOf(p, bins);
      rows[bin] = (rows[bin] as number) + weight;
      confidences[bin] = (confidences[bin] as number) + weight * p;
      if (predicted[i] === labels[first + i]) right[bin] = (right[bin] as number) + weight;
    }
  }

  /** The calibration of all confidences that were added. */
  calibration(): Calibration {
    return calibrationOf(this.#rows, this.#confidence, this.#right);
  }
}

/** The bin of a confidence. A NaN has none of its own: it makes the first one's figures NaN. */
export function binOf(confidence: number, bins: number): number {
  return Math.max(0, Math.ceil(confidence * bins) - 1) || 0;
}

/** The calibration of rows whose number, confidences and right ones are added up bin by bin. */
export function calibrationOf(
  weights: Float64Array,
  confidences: Float64Array,
  right: Float64Array,
): Calibration {
  const { length } = weights;
  const bins = Array.from(weights, (rows, bin) => ({
    from: bin / length,
    to: (bin + 1) / length,
    rows,
    confidence: (confidences[bin] as number) / rows,
    accuracy: (right[bin] as number) / rows,
  }));
  const filled = bins.filter((bin) => bin.rows > 0);
  const gap = (bin: CalibrationBin) => Math.abs(bin.confidence - bin.accuracy);
  return {
    expectedError: filled.reduce((sum, bin) => sum + gap(bin) * bin.rows, 0) / sum(weights),
    maximumError: filled.reduce(
      (most, bin) => Math.max(most, gap(bin)),
      filled.length === 0 ? NaN : 0,
    ),
    bins,
  };
}
