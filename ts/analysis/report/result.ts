// A report, by its type, and while it is made.

import type { FloatArray } from '../../arrays/types.js';
import type { Calibration } from './calibration.js';
import type { IntervalSettings, ReportIntervals } from './intervals.js';
import type { ClassScores, Scores } from './scores.js';

/** The findings of {@link classificationReport}. */
export interface ClassificationReport {
  /** True where each class is a label that rows have or not, whatever else they have. */
  readonly multiLabel: boolean;
  /** The number of rows that count. */
  readonly rows: number;
  /**
   * The number of classes: 2 where rows have one logit, and 0 if there are no rows and nothing says
   * it.
   */
  readonly numClasses: number;
  /**
   * The number of rows, or of their labels, that have no probabilities, because a logit is NaN
   * or Infinity.
   */
  readonly nonFinite: number;
  /**
   * The share of rows that are predicted right: of multi-label rows, those of which all labels are.
   */
  readonly accuracy: number;
  /** The share of rows that are predicted wrong; of multi-label rows, the share of labels. */
  readonly hammingLoss: number;
  /** The average recall of the classes that have rows. NaN for multi-label rows. */
  readonly balancedAccuracy: number;
  /**
   * The share of rows whose target is among the `topK` likeliest classes, of equals the first. NaN
   * for multi-label rows.
   */
  readonly topKAccuracy: number;
  /**
   * The Matthews correlation coefficient: 1 where all rows are right, 0 where predictions say
   * nothing, and where targets or predictions are all of one class. NaN for multi-label rows.
   */
  readonly mcc: number;
  /**
   * Cohen's kappa: the accuracy beyond that of chance. NaN where targets and predictions are all of
   * one class, and for multi-label rows.
   */
  readonly kappa: number;
  /** Class by class. */
  readonly classes: readonly ClassScores[];
  /** Averages over the classes. */
  readonly macro: Scores;
  /** Averages over the classes, weighted by their rows. */
  readonly weighted: Scores;
  /**
   * The scores of all rows and classes taken together: for one class per row, all but the
   * specificity are the accuracy.
   */
  readonly micro: Scores;
  /** Averages over multi-label rows, of the scores of each row's labels. */
  readonly samples: Scores | undefined;
  /**
   * The area under the ROC curve: for two classes that of class 1; for more, the average over the
   * classes that have one, of each class against all others; for multi-label rows, over the labels
   * that have one.
   */
  readonly auc: number;
  /** The same with more than two classes, or labels, averaged by their rows. */
  readonly weightedAuc: number;
  /**
   * The average precision, as scikit-learn's `average_precision_score`: over falling thresholds,
   * the precision at each times the recall that it adds. For two classes that of class 1; for more,
   * and for multi-label rows, the average over those that have rows.
   */
  readonly averagePrecision: number;
  /**
   * The Brier score: the squared distance of the probabilities from the target, averaged over the
   * rows. For two classes half of it, which is `(p_1 - y) ** 2`, and that averaged over all labels
   * of multi-label rows. As scikit-learn's `brier_score_loss`.
   */
  readonly brier: number;
  /**
   * The average cross-entropy, in nats; of multi-label rows, over all labels. It is not clipped: a
   * target whose probability is 0 makes it Infinity.
   */
  readonly logLoss: number;
  /** The calibration of the confidences: of multi-label rows, those of all labels. */
  readonly calibration: Calibration;
  /**
   * Row-major `[class, predicted class]`, or for multi-label rows `[label, target, prediction]`,
   * where 1 is yes. Weights, in a Float64Array, with `sampleWeights`; `undefined` if it was not
   * asked for.
   */
  readonly confusion: Uint32Array | Float64Array | undefined;
  /**
   * A warning to look at before any figure: that the logits look like probabilities, which makes
   * all of them wrong.
   */
  readonly warning: string | undefined;
  /** An interval for each figure, where they were asked for. */
  readonly intervals: ReportIntervals | undefined;
  /** All of it as a table. */
  toString(): string;
}

/** The settings of a report, checked as far as can be before the rows are looked at. */
export interface Settings {
  readonly bins: number;
  readonly zeroDivision: number;
  readonly auc: boolean;
  readonly confusion: boolean;
  readonly averageOver: 'present' | 'all' | undefined;
  readonly beta: number;
  readonly topK: number;
  readonly classNames: readonly string[] | undefined;
  readonly sampleWeights: FloatArray | undefined;
  readonly intervals: IntervalSettings | undefined;
}

/** A report, but for its text. */
export type Findings = Omit<ClassificationReport, 'toString'>;
