// Charts and tables of what can be decided by the rows of a batch.

import * as Plot from '@observablehq/plot';
import type { CalibrationCurve } from 'focal-loss/analysis';
import { COLORS, type Drawing, type Line, lineMarks, lineTip, tip } from '../chart.js';
import { makeTable, percent, short, tint } from '../page.js';
import { count } from '../text.js';
import { confusionAt, type Decisions, type Honesty } from './decide.js';

/** The drawings of decisions, by the parts of the panel, at a threshold. */
export const DRAWINGS: Readonly<
  Record<string, (decisions: Decisions, threshold: number) => Drawing>
> = {
  reliability: reliabilityDrawing,
  roc: rocDrawing,
  'precision-recall': precisionRecallDrawing,
  benefit: benefitDrawing,
};

/** What is shown of the logits by themselves and calibrated; once where that is the same. */
function versionsOf({ before, after }: Decisions): readonly [string, Honesty][] {
  return before === after
    ? [['as they are', before]]
    : [
        ['before', before],
        ['calibrated', after],
      ];
}

/** The threshold, in the charts that have it along x. */
function thresholdRule(threshold: number): Plot.Markish {
  return Plot.ruleX([threshold], { stroke: 'currentColor', strokeWidth: 1.5 });
}

/** The place on a curve that the threshold is at. */
function thresholdDot(x: number, y: number): Plot.Markish {
  return Plot.dot([{ x, y }], {
    filter: () => Number.isFinite(x) && Number.isFinite(y),
    x: 'x',
    y: 'y',
    r: 6,
    fill: 'currentColor',
    stroke: 'var(--plot-background)',
    strokeWidth: 2,
  });
}

/** A dashed line through two points: what there is without a model. */
function reference(...points: readonly (readonly [number, number])[]): Plot.Markish {
  return Plot.line(points, { stroke: 'currentColor', strokeDasharray: '4', strokeOpacity: 0.7 });
}

function reliabilityDrawing(decisions: Decisions, threshold: number): Drawing {
  const versions = versionsOf(decisions);
  const name = decisions.names[decisions.positive];
  const errors = versions.map(
    ([version, { curve }]) => `${version} with an error of ${short(curve.expectedError)}`,
  );
  const points = versions.flatMap(([version, { curve }], i) => pointsOf(version, curve, i));
  return {
    label: `Share of rows that are ${name} over the probability that they are given: ${errors.join(', ')}`,
    series: versions.map(([version]) => version),
    options: () => ({
      x: { label: `probability of ${name}`, domain: [0, 1] },
      y: { label: `share that is ${name}`, domain: [0, 1], grid: true },
      r: { range: [2, 9] },
      marks: [
        reference([0, 0], [1, 1]),
        thresholdRule(threshold),
        ...lineMarks(
          versions.map(([version, { curve }]) => ({
            name: version,
            x: curve.probability,
            y: curve.share,
          })),
        ),
        Plot.dot(points, {
          x: 'x',
          y: 'y',
          r: 'rows',
          fill: ({ series }: Point) => COLORS[series],
          stroke: 'var(--plot-background)',
        }),
        tip(points, 'x', {
          x: 'x',
          y: 'y',
          title: ({ version, x, y, rows }: Point) =>
            `${version}\nprobability ${percent(x)}\nshare ${percent(y)}\n${count(rows, 'row')}`,
        }),
      ],
    }),
  };
}

/** A bin of a reliability diagram. */
interface Point {
  readonly version: string;
  readonly series: number;
  readonly x: number;
  readonly y: number;
  readonly rows: number;
}

function pointsOf(version: string, curve: CalibrationCurve, series: number): Point[] {
  return Array.from(curve.rows, (rows, i) => ({
    version,
    series,
    x: curve.probability[i],
    y: curve.share[i],
    rows,
  }));
}

function rocDrawing({ roc, auc, tally }: Decisions, threshold: number): Drawing {
  const { recall, specificity } = confusionAt(tally, threshold);
  return {
    label: 'ROC curve',
    series: [`area below the curve ${short(auc)}`],
    options: () => ({
      x: { label: 'false positive rate', domain: [0, 1] },
      y: { label: 'recall', domain: [0, 1], grid: true },
      marks: [
        reference([0, 0], [1, 1]),
        ...lineMarks([{ name: 'model', ...roc }]),
        curveTip({ name: 'recall', ...roc }, 'false positive rate'),
        thresholdDot(1 - specificity, recall),
      ],
    }),
  };
}

function precisionRecallDrawing(
  { precisionRecall, averagePrecision, tally }: Decisions,
  threshold: number,
): Drawing {
  const { positives, negatives } = tally;
  const { recall, precision } = confusionAt(tally, threshold);
  const share = positives / (positives + negatives);
  return {
    label: 'Precision over recall',
    series: [`average precision ${short(averagePrecision)}`],
    options: () => ({
      x: { label: 'recall', domain: [0, 1] },
      y: { label: 'precision', domain: [0, 1], grid: true },
      marks: [
        reference([0, share], [1, share]),
        ...lineMarks([{ name: 'model', ...precisionRecall }]),
        curveTip({ name: 'precision', ...precisionRecall }, 'recall'),
        thresholdDot(recall, precision),
      ],
    }),
  };
}

/** The values of a curve nearest to the pointer. */
function curveTip({ name, x, y }: Line, xName: string): Plot.Markish {
  const places = Array.from(x, (_, i) => i);
  return tip(places, 'x', {
    x: (i: number) => x[i],
    y: (i: number) => y[i],
    title: (i: number) => `${xName} ${percent(x[i])}\n${name} ${percent(y[i])}`,
  });
}

function benefitDrawing(decisions: Decisions, threshold: number): Drawing {
  const { tally, treatAll } = decisions;
  const lines: Line[] = [
    ...versionsOf(decisions).map(([name, { benefit }]) => ({ name, ...benefit })),
    { name: 'treating all', ...treatAll },
    { name: 'treating none', x: treatAll.x, y: treatAll.x.map(() => 0) },
  ];
  const share = tally.positives / (tally.positives + tally.negatives);
  // What is far below 0 is of no use to anybody.
  const domain = [-0.3 * share, 1.05 * share];
  const { netBenefit } = confusionAt(tally, threshold);
  return {
    label: `Net benefit over the threshold; at ${threshold} it is ${short(netBenefit)}`,
    series: lines.map(({ name }) => name),
    options: () => ({
      x: { label: 'threshold', domain: [0, 1] },
      y: { label: 'net benefit', domain, grid: true },
      marks: [
        ...lineMarks(lines, true),
        thresholdRule(threshold),
        ...lineTip('threshold', lines, (benefit) => short(benefit)),
        ...(netBenefit >= domain[0] ? [thresholdDot(threshold, netBenefit)] : []),
      ],
    }),
  };
}

/** The rows of the class and of others, by what they are taken for at a threshold. */
export function confusionTable(
  { names, positive, tally }: Decisions,
  threshold: number,
): HTMLElement {
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = confusionAt(
    tally,
    threshold,
  );
  const name = names[positive];
  const other = names.length === 2 ? names[1 - positive] : `not ${name}`;
  const lines = [
    [name, truePositives, falseNegatives],
    [other, falsePositives, trueNegatives],
  ] as const;
  const table = makeTable(
    `Rows by class, and what they are taken for at ${threshold}`,
    ['class', `as ${name}`, `as ${other}`],
    lines.map(([label, ...counts]) => [label, ...counts.map((rows) => rows.toLocaleString('en'))]),
  );
  tint(
    table,
    lines.map(([, ...counts]) => counts),
  );
  return table;
}

/** A figure: the log loss is infinite where a row is of a class with probability 0. */
function figure(value: number): string {
  return value === Infinity ? '∞' : short(value);
}

/** The figures of the probabilities, before and after. */
export function honestyTable(decisions: Decisions): HTMLElement {
  const versions = versionsOf(decisions);
  const line = (name: string, of: (honesty: Honesty) => number) => [
    name,
    ...versions.map(([, honesty]) => figure(of(honesty))),
  ];
  return makeTable(
    'The less, the better',
    ['figure', ...versions.map(([version]) => version)],
    [
      line('calibration error', ({ curve }) => curve.expectedError),
      line('log loss', ({ logLoss }) => logLoss),
      line('Brier score', ({ brier }) => brier),
    ],
  );
}

/** What comes of a threshold, in words. */
export function describeThreshold(decisions: Decisions, threshold: number): string {
  const { names, positive, tally } = decisions;
  const { recall, precision, specificity, f1, netBenefit } = confusionAt(tally, threshold);
  const words =
    `From ${threshold} on, a row is taken for ${names[positive]}: recall ${percent(recall)}, precision ${percent(precision)}, ` +
    `specificity ${percent(specificity)}, F1 ${short(f1)}, net benefit ${short(netBenefit)}.`;
  return words.replaceAll(' %', '\u00a0%');
}
