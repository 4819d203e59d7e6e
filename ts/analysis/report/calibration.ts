import { sum } from '../rows/loops.js';

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
