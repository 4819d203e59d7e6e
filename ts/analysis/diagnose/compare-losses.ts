import { says } from '../../arrays/own.js';
import { shorten } from '../../arrays/shorten.js';
import type { FloatArray } from '../../arrays/types.js';
import { checkOptions, wrongType } from '../../call/checks.js';
import { checkAnyCriterion, type DiagnosedCriterion, isSigmoid } from '../criteria/criterion.js';
import { reportEntries, reportOn } from '../report/report.js';
import type { ClassificationReport } from '../report/result.js';
import { rowsInTurns } from '../rows/rows.js';
import { figure, table, withText } from '../rows/table.js';
import type { Logits, Targets } from '../rows/tensors.js';
import { finish, inTurns, TURN_OPTIONS, type Work } from '../rows/turns.js';
import {
  DIAGNOSE_OPTIONS,
  type DiagnoseAsyncOptions,
  type DiagnoseOptions,
  diagnoseInTurns,
  prepare,
  type ToDiagnose,
} from './diagnose.js';
import type { Diagnosis } from './result.js';
import { entriesOf, type LossBatch } from './row-losses.js';

/** A loss to be compared; with logits of its own, those of a model that was trained with it. */
export type Compared = DiagnosedCriterion | ComparedPair;

/** A loss, and the logits of a model that was trained with it. */
export interface ComparedPair {
  /** The loss. */
  readonly criterion: DiagnosedCriterion;
  /** The logits of its model. */
  readonly logits: Logits;
}

/** The rows as one loss sees them. */
export interface LossComparison {
  /** Its name among those compared. */
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
  /**
   * The report on the logits, which for the same logits is the same for all losses. It has no
   * confusion matrix. Under a loss on yes-or-no logits each of them is a row by itself, of the
   * classes 0 and 1, as in a `diagnose`.
   */
  readonly report: ClassificationReport;
}

/**
 * Several losses side by side. On the same logits it shows what each makes of the same rows; with
 * logits for each, what became of models that were trained with them.
 *
 * @param logits - `[rows, classes]`, row-major: for all losses that bring none of their own.
 * @param targets - Class indices, or class probabilities.
 * @param losses - The losses by name: each a loss of this package, or an object of a `criterion`
 *   and its `logits`.
 * @returns One entry per loss, in order. As text, the array is a table and the reports' warnings.
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
  return finish(
    compareInTurns(open(logits, targets, losses, checkOptions(options, DIAGNOSE_OPTIONS))),
  );
}

/**
 * A {@link compareLosses} that lets others have their turn every few hundredths of a second, says
 * how far it is, and can be aborted. The results are the same, bit for bit. The arrays must stay as
 * they are until the promise is settled.
 *
 * @param logits - `[rows, classes]`, row-major: for all losses that bring none of their own.
 * @param targets - Class indices, or class probabilities.
 * @param losses - The losses by name, as for {@link compareLosses}.
 * @param options - `onProgress` is told of rows, each as often as there are losses.
 * @returns A promise, which is rejected with what {@link compareLosses} throws, or the reason of
 *   the signal.
 *
 * @example
 * ```ts
 * import { CrossEntropyLoss, compareLossesAsync, FocalLoss } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([3, 0, 2, 0, 2, 0, 1, 0]); // four rows, two classes
 * const losses = { 'cross-entropy': new CrossEntropyLoss(),
 *   focal: new FocalLoss({ alpha: 0.75 }),
 * };
 * const [, focal] = await compareLossesAsync(logits, new Uint8Array([0, 0, 0, 1]), losses, {
 *   signal: AbortSignal.timeout(10_000),
 * });
 * focal.lossShare[1]; // => 0.998
 * ```
 */
export async function compareLossesAsync(
  logits: Logits,
  targets: Targets,
  losses: Readonly<Record<string, Compared>>,
  options: DiagnoseAsyncOptions = {},
): Promise<LossComparison[]> {
  const given = checkOptions(options, [...DIAGNOSE_OPTIONS, ...TURN_OPTIONS]);
  const { signal, onProgress } = given;
  const opened = open(logits, targets, losses, given);
  const rows = opened.reduce((total, { work }) => total + work.batch.rows, 0);
  // The batch of each is looked at for its diagnosis and, unless there is one, for its report.
  const entries = opened.reduce((total, { work: { batch } }) => {
    return total + entriesOf(batch) + reportEntries(batch.rows * batch.width, batch.rows);
  }, 0);
  return inTurns(compareInTurns(opened), entries, rows, { signal, onProgress });
}

/** A loss to be compared, with the rows that it is to be diagnosed on. */
interface Named {
  readonly name: string;
  readonly work: ToDiagnose;
}

function open(
  logits: Logits,
  targets: Targets,
  losses: Readonly<Record<string, Compared>>,
  options: DiagnoseOptions,
): Named[] {
  if (typeof losses !== 'object' || losses === null) throw wrongType('losses', 'an object', losses);
  // Plain arrays become typed ones, once for all losses: reports know logits by their array.
  const arrays = new Map<Logits, FloatArray>();
  return Object.entries(losses).map(([name, compared]) => {
    const { criterion, own = logits } = unpack(`losses.${shorten(name)}`, compared);
    const { batch, ...rest } = prepare(own, targets, criterion, options);
    const array = arrays.get(own) ?? batch.logits;
    arrays.set(own, array);
    return { name, work: { ...rest, batch: { ...batch, logits: array } } };
  });
}

function* compareInTurns(losses: readonly Named[]): Work<LossComparison[]> {
  const reports = new Reports();
  const comparisons: LossComparison[] = [];
  for (const { name, work } of losses) {
    const diagnosis = yield* diagnoseInTurns(work);
    comparisons.push(compareOne(name, diagnosis, yield* reports.of(work.batch)));
  }
  return withText(comparisons, comparisonText);
}

interface Unpacked {
  readonly criterion: DiagnosedCriterion;
  readonly own: Logits | undefined;
}

function unpack(name: string, compared: Compared): Unpacked {
  const isPair = typeof compared === 'object' && compared !== null && says(compared, 'criterion');
  if (!isPair) {
    checkAnyCriterion(name, compared as DiagnosedCriterion);
    return { criterion: compared as DiagnosedCriterion, own: undefined };
  }
  const { criterion, logits } = checkOptions(compared as ComparedPair, ['criterion', 'logits']);
  checkAnyCriterion(`${name}.criterion`, criterion);
  return { criterion, own: logits };
}

/** Reports on the same targets, made once for the same logits, of which the same rows count. */
class Reports {
  readonly #made: { logits: FloatArray; key: string; report: ClassificationReport }[] = [];

  *of({ logits, targets, criterion, call, width }: LossBatch): Work<ClassificationReport> {
    const { ignoreIndex } = criterion;
    const isSingle = width === 1 || isSigmoid(criterion);
    const shape = isSingle ? { numClasses: 1 } : { ...call, layout: criterion.layout };
    const settings = { ...shape, ignoreIndex };
    const key = JSON.stringify(settings);
    const made = this.#made.find((one) => one.logits === logits && one.key === key);
    if (made !== undefined) return made.report;
    const rows = yield* rowsInTurns(logits, targets, settings);
    const report = yield* reportOn(rows, { confusion: false });
    this.#made.push({ logits, key, report });
    return report;
  }
}

function compareOne(
  name: string,
  diagnosis: Diagnosis,
  report: ClassificationReport,
): LossComparison {
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
    const { name, value, lossShare, hardLossShare, meanConfidence, overconfidentShare, report } =
      one;
    const ofRarest = lossShare[rarestOf(report)] ?? NaN;
    const figures = [value, ofRarest, hardLossShare, meanConfidence, overconfidentShare];
    return [name, ...[...figures, report.accuracy, report.macro.f1, report.auc].map(figure)];
  });
  const warnings = new Set(comparisons.flatMap(({ report: { warning } }) => warning ?? []));
  return [table([['loss', ...head], ...lines]), ...warnings].join('\n\n');
}

/** The class with the fewest rows of those that have some. */
function rarestOf({ classes }: ClassificationReport): number {
  const counts = classes.map(({ support }) => support || Infinity);
  return counts.indexOf(counts.reduce((least, count) => Math.min(least, count), Infinity));
}
