/** The rows whose confidence is above `from` and not above `to`. */
export interface CalibrationBin {
  /** What all of the bin are above. */
  readonly from: number;
  /** What none of the bin is above. */
  readonly to: number;
  /** How many rows there are. */
  readonly rows: number;
  /** The average probability of the predicted class; NaN without rows. */
  readonly confidence: number;
  /** The share that is predicted right; NaN without rows. */
  readonly accuracy: number;
}

/** How far confidence can be trusted. */
export interface Calibration {
  /**
   * The expected calibration error: how far the confidence of a bin is from its accuracy, averaged over the rows (Guo et al., On
   * Calibration of Modern Neural Networks, 2017).
   */
  readonly expectedError: number;
  /** The largest distance in any bin that has rows. */
  readonly maximumError: number;
  /** Bins of equal width. */
  readonly bins: readonly CalibrationBin[];
}

/** What the rows' confidences, each in (0, 1] or NaN, are worth. */
export function calibrate(confidences: Float64Array, isRight: (k: number) => boolean, numBins: number): Calibration {
  const rows = new Float64Array(numBins);
  const confidence = new Float64Array(numBins);
  const right = new Float64Array(numBins);
  for (let k = 0; k < confidences.length; k++) {
    const one = confidences[k] as number;
    // A NaN has no bin of its own: it makes the first one's figures NaN, and so the errors.
    const bin = Math.max(0, Math.ceil(one * numBins) - 1) || 0;
    rows[bin] = (rows[bin] as number) + 1;
    confidence[bin] = (confidence[bin] as number) + one;
    if (isRight(k)) right[bin] = (right[bin] as number) + 1;
  }
  const bins = Array.from(rows, (count, bin) => ({
    from: bin / numBins,
    to: (bin + 1) / numBins,
    rows: count,
    confidence: (confidence[bin] as number) / count,
    accuracy: (right[bin] as number) / count,
  }));
  const filled = bins.filter((bin) => bin.rows > 0);
  const gap = (bin: CalibrationBin) => Math.abs(bin.confidence - bin.accuracy);
  return {
    expectedError: filled.reduce((sum, bin) => sum + gap(bin) * bin.rows, 0) / confidences.length,
    maximumError: filled.reduce((most, bin) => Math.max(most, gap(bin)), filled.length === 0 ? NaN : 0),
    bins,
  };
}
