// The table of a sweep, by its type.

/** One setting of a {@link sweep}, and what it gives. */
export interface SweepRow {
  /** The weight of class 1, or of positive targets; the weights of all classes; or `null`. */
  readonly alpha: number | readonly number[] | null;
  /** The exponent of the focusing factor. */
  readonly gamma: number;
  /** The share by which targets are drawn towards the uniform distribution. */
  readonly labelSmoothing: number;
  /**
   * The loss of the batch, as a `FocalLoss`, or the `criterion`'s class, has it with these options.
   */
  readonly loss: number;
  /** The value of `metric` for the setting. */
  readonly metric: number | undefined;
}

/**
 * The result of a {@link sweep}. As text, and in the consoles of Node.js, Deno and Bun, it is a
 * table; `console.table` takes its `rows`.
 */
export interface SweepTable {
  /**
   * Each setting once: `labelSmoothing` changes from row to row, then `gamma`, and `alpha` last.
   */
  readonly rows: readonly SweepRow[];
  /** The losses of all rows. */
  readonly losses: Float64Array<ArrayBuffer>;
  /** The number of rows of the batch that count; for a `SigmoidFocalLoss`, of logits. */
  readonly count: number;
  /**
   * The row with the largest metric, the first of equal ones; `undefined` without a metric, or
   * where it is never a number. There is no best by loss: the loss falls with gamma whatever the
   * logits are.
   */
  readonly best: SweepRow | undefined;
  /**
   * A warning to look at first: that the logits look like probabilities, which makes all of it
   * meaningless.
   */
  readonly warning: string | undefined;
}
