import type { FloatArray } from '../types.js';
import { checkOptionNames, wrongType } from '../validate.js';
import { checkCriterion, type SoftmaxCriterion } from './criterion.js';
import { type DiagnoseOptions, type Diagnosis, diagnose } from './diagnose.js';
import { type ClassificationReport, classificationReport } from './report.js';
import { figure, table, withText } from './table.js';
import type { Logits, Targets } from './tensors.js';

/** A loss to be compared; with logits of its own, those of a model that was trained with it. */
export type Compared =
  | SoftmaxCriterion
  | {
      /** The loss. */
      readonly criterion: SoftmaxCriterion;
      /** The logits of its model. */
      readonly logits: FloatArray;
    };

/** What one loss makes of the rows. */
export interface LossComparison {
  /** What it is called among those compared. */
  readonly name: string;
  /** The mean loss of the rows that count and are finite. */
  readonly value: number;
  /** The share of each class in the loss: how far it balances the classes. */
  readonly lossShare: Float64Array;
  /** The share of each class in the gradient. */
  readonly gradientShare: Float64Array;
  /** The share of the rows in the loss whose loss is above the mean: how far it focuses on them. */
  readonly hardLossShare: number;
  /** The average probability of the predicted class. */
  readonly meanConfidence: number;
  /** The share of rows that are overconfident, by default above 0.95. */
  readonly overconfidentShare: number;
  /** How well the logits classify, which for the same logits is the same for all losses. Without confusion matrix. */
  readonly report: ClassificationReport;
}

/**
 * Several losses side by side. On the same logits it shows what each makes of the same rows; with logits for each, what became of
 * models that were trained with them.
 *
 * @param logits - `[rows, classes]`, row-major: for all losses that bring none of their own.
 * @param targets - Class indices, or class probabilities.
 * @param losses - The losses by name: each a `FocalLoss` or `CrossEntropyLoss`, or an object of a `criterion` and its
 *   `logits`.
 * @returns One entry per loss, in order. As text, the array is a table.
 * @throws TypeError and RangeError as the criteria do.
 *
 * @example
 * ```ts
 * import { CrossEntropyLoss, compareLosses, FocalLoss } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([3, 0, 2, 0, 2, 0, 1, 0]); // four rows, two classes
 * const targets = new Uint8Array([0, 0, 0, 1]);
 * const [crossEntropy, focal] = compareLosses(logits, targets, {
 *   'cross-entropy': new CrossEntropyLoss(),
 *   focal: new FocalLoss({ alpha: 0.75 }),
 * });
 * crossEntropy.lossShare[1]; // => 0.81281
 * focal.lossShare[1]; // => 0.998
 * focal.report.accuracy; // => 0.75
 * ```
 */
export function compareLosses(
  logits: Logits,
  targets: Targets,
  losses: Readonly<Record<string, Compared>>,
  options: DiagnoseOptions = {},
): LossComparison[] {
  if (typeof losses !== 'object' || losses === null) throw wrongType('losses', 'an object', losses);
  const reports = new Reports(targets, options);
  const comparisons = Object.entries(losses).map(([name, compared]) => {
    const { criterion, own } = unpack(`losses.${name}`, compared);
    const used = own ?? logits;
    const diagnosis = diagnose(used, targets, criterion, options);
    return compareOne(name, diagnosis, reports.of(used, criterion));
  });
  return withText(comparisons, comparisonText);
}

function unpack(name: string, compared: Compared): { criterion: SoftmaxCriterion; own?: Logits } {
  const isPair = typeof compared === 'object' && compared !== null && 'criterion' in compared;
  if (!isPair) {
    checkCriterion(name, compared);
    return { criterion: compared };
  }
  checkOptionNames(compared, ['criterion', 'logits']);
  checkCriterion(`${name}.criterion`, compared.criterion);
  return { criterion: compared.criterion, own: compared.logits };
}

/** Reports on the same targets, made once for the same logits, of which the same rows count. */
class Reports {
  readonly #targets: Targets;
  readonly #options: DiagnoseOptions;
  readonly #made: { logits: Logits; key: string; report: ClassificationReport }[] = [];

  constructor(targets: Targets, options: DiagnoseOptions) {
    this.#targets = targets;
    this.#options = options;
  }

  of(logits: Logits, { numClasses, ignoreIndex, layout }: SoftmaxCriterion): ClassificationReport {
    const settings = {
      numClasses: this.#options.numClasses ?? numClasses,
      spatialSize: this.#options.spatialSize,
      ignoreIndex,
      layout,
    };
    const key = JSON.stringify(settings);
    const made = this.#made.find((one) => one.logits === logits && one.key === key);
    if (made !== undefined) return made.report;
    const report = classificationReport(logits, this.#targets, { ...settings, confusion: false });
    this.#made.push({ logits, key, report });
    return report;
  }
}

function compareOne(name: string, diagnosis: Diagnosis, report: ClassificationReport): LossComparison {
  const { loss, classes, hard, confidence, overconfident, rows } = diagnosis;
  return {
    name,
    value: loss.mean,
    lossShare: Float64Array.from(classes, (one) => one.lossShare),
    gradientShare: Float64Array.from(classes, (one) => one.gradientShare),
    hardLossShare: hard.lossShare,
    meanConfidence: confidence.mean,
    overconfidentShare: overconfident.rows.length / rows,
    report,
  };
}

function comparisonText(comparisons: readonly LossComparison[]): string {
  const head = [
    'value',
    'of rarest class',
    'of hard rows',
    'confidence',
    'overconfident',
    'accuracy',
    'macro F1',
    'AUC',
  ];
  const lines = comparisons.map((one) => {
    const { name, value, lossShare, hardLossShare, meanConfidence, overconfidentShare, report } = one;
    const ofRarest = lossShare[rarestOf(report)] ?? NaN;
    const figures = [value, ofRarest, hardLossShare, meanConfidence, overconfidentShare];
    return [name, ...[...figures, report.accuracy, report.macro.f1, report.auc].map(figure)];
  });
  return table([['loss', ...head], ...lines]);
}

/** The class with the fewest rows of those that have some. */
function rarestOf({ classes }: ClassificationReport): number {
  const counts = classes.map(({ support }) => support || Infinity);
  return counts.indexOf(counts.reduce((least, count) => Math.min(least, count), Infinity));
}
