import { figure, table } from '../rows/table.js';
import type { ClassDiagnosis, ColumnDiagnosis, Diagnosis } from './result.js';

/** Up to so many columns the text has all of them. */
const FEW_COLUMNS = 20;

/** A diagnosis as a table. */
export function diagnosisText(diagnosis: Diagnosis): string {
  const { classes, columns, advice } = diagnosis;
  const parts = [figureTable(diagnosis), groupTable('class', classes)];
  if (columns !== undefined && columns.length <= FEW_COLUMNS) parts.push(columnTable(columns));
  if (advice.length > 0)
    parts.push(advice.map(({ code, message }) => `${code}: ${message}`).join('\n'));
  return parts.join('\n\n');
}

function figureTable(diagnosis: Diagnosis): string {
  const { rows, nonFinite, accuracy, loss, floor, confidence, overconfident, hard, easy } =
    diagnosis;
  return table([
    ['rows', String(rows)],
    ['not finite', String(nonFinite.rows.length)],
    ['accuracy', figure(accuracy)],
    ['mean loss', figure(loss.mean)],
    ['least mean loss', figure(floor)],
    ['mean confidence', figure(confidence.mean)],
    ['overconfident rows', String(overconfident.rows.length)],
    ['wrong among them', String(overconfident.wrong)],
    ['hard rows', String(hard.rows.length)],
    ['their share of the loss', figure(hard.lossShare)],
    ['easy rows', String(easy.rows)],
    ['their share of the loss', figure(easy.lossShare)],
    ['focal weight', figure(diagnosis.focalWeight)],
    ['effective sample size', figure(diagnosis.effectiveSampleSize)],
  ]);
}

const FIGURES = ['accuracy', 'mean loss', 'share of loss', 'of gradient'];

function figuresOf({ accuracy, meanLoss, lossShare, gradientShare }: ClassDiagnosis): string[] {
  return [accuracy, meanLoss, lossShare, gradientShare].map(figure);
}

function groupTable(name: string, groups: readonly ClassDiagnosis[]): string {
  return table([
    [name, 'rows', ...FIGURES],
    ...groups.map((one, j) => [String(j), String(one.rows), ...figuresOf(one)]),
  ]);
}

function columnTable(columns: readonly ColumnDiagnosis[]): string {
  const line = (one: ColumnDiagnosis, j: number) => [
    String(j),
    String(one.rows),
    String(one.positives),
    ...figuresOf(one),
  ];
  return table([['column', 'rows', 'positives', ...FIGURES], ...columns.map(line)]);
}
