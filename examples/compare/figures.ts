import {
  type ClassificationReport,
  classificationReport,
  compareLosses,
} from 'focal-loss/analysis';
import type { Part, Parts } from '../train/data.js';
import { meantLogits, priorsOf } from './decisions.js';
import type { ScheduledLoss } from './losses.js';
import { applyCut, chooseCut, thresholdOf } from './threshold.js';

/** The quality of a classifier; recall and F1 are those of class 1. */
interface Scores {
  readonly accuracy: number;
  readonly balancedAccuracy: number;
  readonly recall: number;
  readonly f1: number;
}

/** The outcome of training with a loss, on the test rows unless said otherwise. */
export interface Figures extends Scores {
  readonly auc: number;
  readonly meanConfidence: number;
  /** The share of rows with a confidence above 0.95. */
  readonly overconfident: number;
  readonly calibrationError: number;
  readonly logLoss: number;
  /** The same two figures of the probabilities that the logits stand for under the loss. */
  readonly meant: { readonly calibrationError: number; readonly logLoss: number };
  /** The same scores with the threshold that was best on the validation rows. */
  readonly chosen: Scores;
  readonly threshold: number;
  /**
   * The loss on the training rows where cross-entropy has left them: the share of class 1 in the
   * gradient.
   */
  readonly gradientShare: number;
  /** Likewise, the share of the loss in rows whose loss is above the mean. */
  readonly hardLossShare: number;
}

/** A trained model. */
export interface Trained {
  logits(part: Part): Float32Array;
}

/**
 * The figures of every loss, given the models trained with them, the one of cross-entropy first.
 */
export function measure(
  losses: readonly ScheduledLoss[],
  models: readonly Trained[],
  parts: Parts,
  classes: number,
  epochs: number,
): Figures[] {
  const { train, validation, test } = parts;
  const priors = priorsOf(parts, classes);
  const criteria = losses.map(({ criterionOf }) => criterionOf(epochs - 1));
  const logits = models.map((model) => model.logits(test));
  const byName = <T>(entries: readonly T[]) =>
    Object.fromEntries(losses.map(({ name }, i) => [name, entries[i]]));
  const own = compareLosses(
    logits[0],
    test.targets,
    byName(criteria.map((criterion, i) => ({ criterion, logits: logits[i] }))),
  );
  const shared = compareLosses(models[0].logits(train), train.targets, byName(criteria));
  return models.map((model, i) => {
    const { report, meanConfidence, overconfidentShare } = own[i];
    const meant = classificationReport(meantLogits(logits[i], criteria[i], priors), test.targets, {
      auc: false,
    });
    const cut = chooseCut(model.logits(validation), validation.targets, classes);
    return {
      ...scores(report),
      auc: report.classes[1].auc,
      meanConfidence,
      overconfident: overconfidentShare,
      calibrationError: report.calibration.expectedError,
      logLoss: report.logLoss,
      meant: { calibrationError: meant.calibration.expectedError, logLoss: meant.logLoss },
      chosen: scores(
        classificationReport(applyCut(logits[i], classes, cut), test.targets, { auc: false }),
      ),
      threshold: thresholdOf(cut),
      gradientShare: shared[i].gradientShare[1],
      hardLossShare: shared[i].hardLossShare,
    };
  });
}

function scores({
  accuracy,
  balancedAccuracy,
  classes: [, minority],
}: ClassificationReport): Scores {
  return { accuracy, balancedAccuracy, recall: minority.recall, f1: minority.f1 };
}
