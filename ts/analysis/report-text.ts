import type { ClassificationReport } from './report.js';
import type { Scores } from './scores.js';
import { figure, table } from './table.js';

/** Up to so many classes the table holds the confusion matrix. */
const FEW_CLASSES = 20;

/** A report as a table. */
export function reportText(report: ClassificationReport): string {
  const parts = [classTable(report), figureTable(report)];
  const { confusion, numClasses } = report;
  if (confusion !== undefined && numClasses > 0 && numClasses <= FEW_CLASSES) {
    parts.push(confusionTable(confusion, numClasses));
  }
  if (report.nonFinite > 0)
    parts.push(`${report.nonFinite} of ${report.rows} rows have logits that are NaN or Infinity.`);
  return parts.join('\n\n');
}

function classTable({ classes, macro, weighted, micro, auc, weightedAuc, rows }: ClassificationReport): string {
  const cells = ({ precision, recall, f1 }: Scores) => [precision, recall, f1].map(figure);
  return table([
    ['class', 'precision', 'recall', 'F1', 'AUC', 'rows'],
    ...classes.map((scores, j) => [String(j), ...cells(scores), figure(scores.auc), String(scores.support)]),
    ['macro average', ...cells(macro), figure(auc), String(rows)],
    ['weighted average', ...cells(weighted), figure(weightedAuc), String(rows)],
    ['micro average', ...cells(micro), '', String(rows)],
  ]);
}

function figureTable({ accuracy, balancedAccuracy, logLoss, brier, calibration }: ClassificationReport): string {
  return table([
    ['accuracy', figure(accuracy)],
    ['balanced accuracy', figure(balancedAccuracy)],
    ['log loss', figure(logLoss)],
    ['Brier score', figure(brier)],
    ['expected calibration error', figure(calibration.expectedError)],
    ['maximum calibration error', figure(calibration.maximumError)],
  ]);
}

function confusionTable(confusion: Uint32Array, classes: number): string {
  const names = Array.from({ length: classes }, (_, j) => String(j));
  const line = (i: number) => Array.from(confusion.subarray(i * classes, (i + 1) * classes), String);
  return table([['class \\ predicted', ...names], ...names.map((name, i) => [name, ...line(i)])]);
}
