// A sweep as text.

import { table } from '../rows/table.js';
import type { SweepRow, SweepTable } from './result.js';

/** The number of rows shown at most: longer tables are cut. */
const MOST_ROWS = 60;

/** A table of the settings, in which the best is marked. */
export function sweepText({ rows, best, warning }: SweepTable): string {
  const text = rowsText(rows, best);
  return warning === undefined ? text : `${text}\n\n${warning}`;
}

function rowsText(rows: readonly SweepRow[], best: SweepRow | undefined): string {
  const hasMetric = rows.some(({ metric }) => metric !== undefined);
  const head = ['alpha', 'gamma', 'labelSmoothing', 'loss', ...(hasMetric ? ['metric', ''] : [])];
  const lines = rows.slice(0, MOST_ROWS).map((row) => lineOf(row, hasMetric, row === best));
  const text = table([head, ...lines]);
  if (rows.length <= MOST_ROWS) return text;
  const rest = `${rows.length - MOST_ROWS} more in rows`;
  if (best === undefined || rows.indexOf(best) < MOST_ROWS) return `${text}\n${rest}`;
  return `${text}\n${rest}, the best of them\n${table([head, lineOf(best, hasMetric, true)])}`;
}

function lineOf(
  { alpha, gamma, labelSmoothing, loss, metric }: SweepRow,
  hasMetric: boolean,
  isBest: boolean,
) {
  const line = [alphaText(alpha), String(gamma), String(labelSmoothing), significant(loss)];
  return hasMetric ? [...line, significant(metric ?? Number.NaN), isBest ? 'best' : ''] : line;
}

function alphaText(alpha: SweepRow['alpha']): string {
  if (alpha === null || typeof alpha === 'number') return String(alpha);
  const shown = alpha.slice(0, 4).map(significant).join(' ');
  return alpha.length > 4 ? `${shown} .. (${alpha.length})` : shown;
}

/** Six digits, and none that is not there; a dash for NaN. */
function significant(x: number): string {
  return Number.isNaN(x) ? '-' : String(Number(x.toPrecision(6)));
}
