import CliTable from 'cli-table3';
import { meanAndDeviation } from '../train/metrics.js';
import { spread } from '../train/report.js';
import type { Outcome } from './experiment.js';
import type { Figures } from './figures.js';

/** A column of a table: its title, and the figure of one seed. */
export type Column = readonly [title: string, figure: (figures: Figures) => number];

/** At the threshold of 0.5: the class with the largest logit. */
export const QUALITY: readonly Column[] = [
  ['Accuracy', ({ accuracy }) => accuracy],
  ['Balanced accuracy', ({ balancedAccuracy }) => balancedAccuracy],
  ['Minority recall', ({ recall }) => recall],
  ['Minority F1', ({ f1 }) => f1],
  ['AUC', ({ auc }) => auc],
];

/** At the threshold that was best on the validation rows. */
export const QUALITY_CHOSEN: readonly Column[] = [
  ['Accuracy', ({ chosen }) => chosen.accuracy],
  ['Balanced accuracy', ({ chosen }) => chosen.balancedAccuracy],
  ['Minority recall', ({ chosen }) => chosen.recall],
  ['Minority F1', ({ chosen }) => chosen.f1],
  ['Threshold', ({ threshold }) => threshold],
];

/** The figures that losses are said to differ in. */
export const NATURE: readonly Column[] = [
  ["Minority's share of the gradient", ({ gradientShare }) => gradientShare],
  ["Hard rows' share of the loss", ({ hardLossShare }) => hardLossShare],
  ['Mean confidence', ({ meanConfidence }) => meanConfidence],
  ['Above 0.95 confident', ({ overconfident }) => overconfident],
  ['Calibration error', ({ calibrationError }) => calibrationError],
];

/** The probabilities as softmax has them, and as they are meant under the loss. */
export const CALIBRATION: readonly Column[] = [
  ['Calibration error', ({ calibrationError }) => calibrationError],
  ['after posterior', ({ meant }) => meant.calibrationError],
  ['Log loss', ({ logLoss }) => logLoss],
  ['after posterior', ({ meant }) => meant.logLoss],
];

/** A line for each loss: mean ± standard deviation over the seeds. */
export function outcomeTable(outcomes: readonly Outcome[], columns: readonly Column[]): string {
  const table = new CliTable({
    head: ['', ...columns.map(([title]) => title)],
    colAligns: ['left', ...columns.map(() => 'right' as const)],
    colWidths: [24, ...columns.map(() => 15)],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  for (const { name, results } of outcomes)
    table.push([name, ...columns.map(([, of]) => spread(results.map(of)))]);
  return table.toString();
}

/**
 * The gain of a loss over another in one figure, in words. Both had the same split, start and
 * batches in every seed; a mean within two standard errors of 0 is called no clear difference.
 */
export function verdict(outcome: Outcome, baseline: Outcome, [title, of]: Column): string {
  const gains = outcome.results.map((result, seed) => of(result) - of(baseline.results[seed]));
  const { mean, deviation } = meanAndDeviation(gains);
  const better = gains.filter((gain) => gain > 0).length;
  const worse = gains.filter((gain) => gain < 0).length;
  const figures = `${mean < 0 ? '−' : '+'}${Math.abs(mean).toFixed(3)}, seeds: ${better} better, ${worse} worse`;
  return `${title}: ${judge(mean, deviation, gains.length)} (${figures})`;
}

/** With fewer seeds, their spread is too uncertain itself. */
const SEEDS_TO_JUDGE = 5;

function judge(mean: number, deviation: number, seeds: number): string {
  if (seeds < SEEDS_TO_JUDGE) return 'too few seeds to say';
  if (Math.abs(mean) <= (2 * deviation) / Math.sqrt(seeds)) return 'no clear difference';
  return mean > 0 ? 'better' : 'worse';
}
