import CliTable from 'cli-table3';
import type { Outcome } from './compare.js';
import { type Metrics, meanAndDeviation } from './metrics.js';

const METRICS: readonly { readonly key: keyof Metrics; readonly title: string }[] = [
  { key: 'accuracy', title: 'Accuracy' },
  { key: 'recall', title: 'Minority recall' },
  { key: 'precision', title: 'Precision' },
  { key: 'f1', title: 'F1' },
];

/** A column for each loss: mean ± standard deviation over the seeds. */
export function metricsTable(outcomes: readonly Outcome[]): string {
  return toTable(
    outcomes.map(({ name }) => name),
    (key) => outcomes.map(({ results }) => spread(results.map((result) => result[key]))),
  );
}

/**
 * A column for each baseline: by how much `outcome` is better on average, and in how many seeds it
 * is better and worse. Both had the same split, start and batches in every seed.
 */
export function gainsTable(outcome: Outcome, baselines: readonly Outcome[]): string {
  return toTable(
    baselines.map(({ name }) => `over ${name.toLowerCase()}`),
    (key) =>
      baselines.map(({ results }) =>
        gain(outcome.results.map((result, seed) => result[key] - results[seed][key])),
      ),
  );
}

function toTable(head: readonly string[], cells: (key: keyof Metrics) => string[]): string {
  const table = new CliTable({
    head: ['', ...head],
    colAligns: ['left', ...head.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const { key, title } of METRICS) table.push([title, ...cells(key)]);
  return table.toString();
}

/** Mean ± standard deviation. */
export function spread(values: readonly number[]): string {
  const { mean, deviation } = meanAndDeviation(values);
  return values.length > 1 ? `${mean.toFixed(3)} ± ${deviation.toFixed(3)}` : mean.toFixed(3);
}

function gain(gains: readonly number[]): string {
  const { mean } = meanAndDeviation(gains);
  const better = gains.filter((value) => value > 0).length;
  const worse = gains.filter((value) => value < 0).length;
  return `${mean < 0 ? '−' : '+'}${Math.abs(mean).toFixed(3)} (${better} : ${worse})`;
}
