import { figure, table } from '../rows/table.js';
import type { Interval } from '../uncertainty/bootstrap.js';
import type { ReportIntervals } from './intervals.js';
import type { ClassificationReport } from './result.js';
import type { Scores } from './scores.js';

/** Up to so many classes the table holds the confusion matrix. */
const FEW_CLASSES = 20;

/**
 * The columns that a line may have, and of those the name of a class in the first column and in
 * others.
 */
const WIDTH = 80;
const NAME = 20;
const SHORT_NAME = 10;

/** The settings that the table of a report names, besides the report's own content. */
export interface TextSettings {
  readonly beta: number;
  readonly topK: number;
}

/** A report as a table. */
export function reportText(report: ClassificationReport, settings: TextSettings): string {
  const { rows, nonFinite, multiLabel, warning } = report;
  const parts = [
    classTable(report, settings),
    figureTable(report, settings),
    ...confusionTables(report),
  ];
  const whose = multiLabel ? 'labels' : `of ${rows} rows`;
  if (report.intervals !== undefined) parts.push(intervalTable(report, report.intervals));
  if (nonFinite > 0) parts.push(`${nonFinite} ${whose} have logits that are NaN or Infinity.`);
  if (warning !== undefined) parts.push(linesOf(warning));
  return parts.join('\n\n');
}

function classTable(report: ClassificationReport, { beta }: TextSettings): string {
  const { classes, macro, weighted, micro, samples, auc, weightedAuc, rows } = report;
  const cells = ({ precision, recall, specificity, f1, fBeta }: Scores) =>
    [precision, recall, specificity, beta === 1 ? f1 : fBeta].map(figure);
  return table([
    ['class', 'precision', 'recall', 'specificity', `F${shortNumber(beta)}`, 'AUC', 'rows'],
    ...classes.map((scores) => [
      shortName(scores.name, NAME),
      ...cells(scores),
      figure(scores.auc),
      shortNumber(scores.support),
    ]),
    ['macro average', ...cells(macro), figure(auc), String(rows)],
    ['weighted average', ...cells(weighted), figure(weightedAuc), String(rows)],
    ['micro average', ...cells(micro), '', String(rows)],
    ...(samples === undefined ? [] : [['samples average', ...cells(samples), '', String(rows)]]),
  ]);
}

function figureTable(report: ClassificationReport, { topK }: TextSettings): string {
  const { multiLabel, numClasses, accuracy, hammingLoss, logLoss, brier, calibration } = report;
  const ofClasses = [
    ['balanced accuracy', figure(report.balancedAccuracy)],
    ...(topK > 1 && topK < numClasses
      ? [[`top-${topK} accuracy`, figure(report.topKAccuracy)]]
      : []),
    ['Matthews correlation', figure(report.mcc)],
    ["Cohen's kappa", figure(report.kappa)],
  ];
  return table([
    [multiLabel ? 'rows with all labels right' : 'accuracy', figure(accuracy)],
    ...(multiLabel ? [['Hamming loss', figure(hammingLoss)]] : ofClasses),
    ['average precision', figure(report.averagePrecision)],
    ['log loss', figure(logLoss)],
    ['Brier score', figure(brier)],
    ['expected calibration error', figure(calibration.expectedError)],
    ['maximum calibration error', figure(calibration.maximumError)],
  ]);
}

/** The figures about all classes that have an interval, by their names in the table. */
const IN_ALL = [
  ['accuracy', 'accuracy'],
  ['balanced accuracy', 'balancedAccuracy'],
  ['Matthews correlation', 'mcc'],
  ["Cohen's kappa", 'kappa'],
  ['AUC', 'auc'],
  ['average precision', 'averagePrecision'],
  ['log loss', 'logLoss'],
  ['Brier score', 'brier'],
] as const;

/** Those of labels. */
const IN_ALL_LABELS = [
  ['rows with all labels right', 'accuracy'],
  ['Hamming loss', 'hammingLoss'],
  ...IN_ALL.slice(4),
] as const;

/**
 * Intervals of the figures that the other tables have about all classes, and of each class's F1.
 */
function intervalTable(report: ClassificationReport, intervals: ReportIntervals): string {
  const line = (name: string, value: number, { low, high }: Interval) => [
    name,
    ...[value, low, high].map(figure),
  ];
  const head = [
    `${Number((100 * intervals.level).toPrecision(6))} % intervals`,
    'figure',
    'from',
    'to',
  ];
  const f1 = [
    line('macro F1', report.macro.f1, intervals.macro.f1),
    ...report.classes.slice(0, FEW_CLASSES).map(({ name, f1 }, j) => {
      return line(`F1 of ${shortName(name, NAME)}`, f1, intervals.classes[j]?.f1 as Interval);
    }),
  ];
  const inAll = (report.multiLabel ? IN_ALL_LABELS : IN_ALL).map(([name, key]) =>
    line(name, report[key], intervals[key]),
  );
  const { expectedError } = report.calibration;
  const calibration = line('expected calibration error', expectedError, intervals.calibrationError);
  return table([head, ...inAll, ...f1, calibration]);
}

function confusionTables({ confusion, multiLabel, classes }: ClassificationReport): string[] {
  if (confusion === undefined || classes.length === 0 || classes.length > FEW_CLASSES) return [];
  const columns = multiLabel ? 4 : classes.length;
  const heads = multiLabel
    ? ['true no', 'false yes', 'false no', 'true yes']
    : classes.map(({ name }) => shortName(name, SHORT_NAME));
  const lines = classes.map(({ name }, i) => [
    shortName(name, NAME),
    ...Array.from(confusion.subarray(i * columns, (i + 1) * columns), shortNumber),
  ]);
  return wrapped([[multiLabel ? 'label' : 'class \\ predicted', ...heads], ...lines]).map(table);
}

/**
 * The columns of a table, in as many tables as it takes for none to be too wide. All have the first
 * column.
 */
function wrapped(lines: readonly string[][]): string[][][] {
  const widths = (lines[0] as string[]).map((_, i) =>
    Math.max(...lines.map((line) => (line[i] as string).length)),
  );
  const first = widths[0] as number;
  const tables: string[][][] = [];
  let room = 0;
  for (let i = 1; i < widths.length; i++) {
    const width = 2 + (widths[i] as number);
    if (width > room) {
      tables.push(lines.map((line) => [line[0] as string]));
      room = WIDTH - first;
    }
    room -= width;
    tables.at(-1)?.forEach((line, row) => {
      line.push(lines[row]?.[i] as string);
    });
  }
  return tables;
}

/** A sentence in lines that are not too long. */
function linesOf(sentence: string): string {
  const lines = [''];
  for (const word of sentence.split(' ')) {
    const line = lines.at(-1) as string;
    if (line !== '' && line.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}

/** A name on one line, of at most so many characters. */
function shortName(name: string, most: number): string {
  const characters = Array.from(name.replace(/\s+/g, ' '));
  return characters.length <= most
    ? characters.join('')
    : `${characters.slice(0, most - 2).join('')}..`;
}

/** A count, or a weight with no more digits than a table has room for. */
function shortNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}
