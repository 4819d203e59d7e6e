// A diagnosis, by its type.

/** The range of a figure of the rows, and its average. */
export interface Summary {
  /** Its average; NaN without rows. */
  readonly mean: number;
  /** The smallest; NaN without rows. */
  readonly min: number;
  /** The largest; NaN without rows. */
  readonly max: number;
}

/** The rows of one class, or other rows. */
export interface ClassDiagnosis {
  /** Their number. */
  readonly rows: number;
  /** The share predicted right; NaN without rows. */
  readonly accuracy: number;
  /** The average loss; NaN without rows. */
  readonly meanLoss: number;
  /** Their share of the loss of all rows; 0 where that is 0. */
  readonly lossShare: number;
  /** Their share of the gradient: of the absolute values of all its entries, added up. */
  readonly gradientShare: number;
}

/** The logits of one column. */
export interface ColumnDiagnosis extends ClassDiagnosis {
  /** The number of them with the target yes. */
  readonly positives: number;
}

/** The findings of {@link diagnose}. Rows are named by their numbers in the batch. */
export interface Diagnosis {
  /**
   * The number of rows that count and have a finite loss and gradient. All that follows is about
   * them.
   */
  readonly rows: number;
  /** The rest of the rows that count, and their logits. */
  readonly nonFinite: {
    /** The rows that count but whose loss or gradient is NaN or infinite. */
    readonly rows: Uint32Array;
    /**
     * The number of logits, of all rows that count, that are NaN or infinite. Masked classes, at
     * -Infinity, are among them.
     */
    readonly logits: number;
  };
  /** The share predicted right. */
  readonly accuracy: number;
  /** The losses of the rows. */
  readonly loss: Summary;
  /**
   * The least that the mean loss could be, with any logits: label smoothing and soft targets keep
   * it above 0. NaN with either for `focusOn: 'class'` and for a `SigmoidFocalLoss` whose gamma is
   * above 0, and with soft targets for an `AsymmetricLoss`, for which there is no formula.
   */
  readonly floor: number;
  /** The probabilities of the predicted classes. */
  readonly confidence: Summary;
  /** The rows that are more confident than the threshold. */
  readonly overconfident: {
    /** The option `overconfidence`. */
    readonly threshold: number;
    /** The numbers of these rows, in order. */
    readonly rows: Uint32Array;
    /** The number of them that are predicted wrong. */
    readonly wrong: number;
  };
  /** The rows whose loss is above the mean. */
  readonly hard: {
    /** The mean loss. */
    readonly threshold: number;
    /**
     * The numbers of these rows, the one with the largest loss first; those with equal losses in
     * order.
     */
    readonly rows: Uint32Array;
    /** Their share of the loss of all rows. */
    readonly lossShare: number;
  };
  /** The rows that are predicted right, with a probability above 1/2. */
  readonly easy: {
    /** Their number. */
    readonly rows: number;
    /** Their share of the loss of all rows. */
    readonly lossShare: number;
  };
  /**
   * Class by class. Where targets are probabilities, a row is of the most probable class. Yes-or-no
   * logits have two, no and yes, and each of them is a row.
   */
  readonly classes: readonly ClassDiagnosis[];
  /**
   * Column by column, where the loss has several yes-or-no logits per row: `numClasses` says how
   * many, or the shape of a tensor.
   */
  readonly columns: readonly ColumnDiagnosis[] | undefined;
  /**
   * The average of `(1 - pt) ** gamma`: 1 for cross-entropy. Of an `AsymmetricLoss`, that of what
   * its focusing and its margin leave of a row's cross-entropy, as a share of it.
   */
  readonly focalWeight: number;
  /**
   * The number of rows of equal weight that would say as much as these: `sum(w) ** 2 / sum(w ** 2)`
   * (Kish, Survey Sampling, 1965), where `w` is by how much a row's cross-entropy is multiplied,
   * `alpha_t * (1 - pt) ** gamma`. 0 where all weights are.
   */
  readonly effectiveSampleSize: number;
  /** The advice that follows from the figures. */
  readonly advice: readonly Advice[];
  /** All of it as a table. */
  toString(): string;
}

/** The subjects that {@link Advice} can have. */
export type AdviceCode =
  | 'probabilities'
  | 'non-finite'
  | 'high-loss'
  | 'low-loss'
  | 'at-floor'
  | 'overconfident'
  | 'lower-gamma'
  | 'raise-gamma'
  | 'extreme-imbalance'
  | 'alpha-favours-majority';

/** Something that stands out. */
export interface Advice {
  /** The subject. */
  readonly code: AdviceCode;
  /** A sentence for people. */
  readonly message: string;
  /** The figures behind it. */
  readonly figures: Readonly<Record<string, number>>;
}
