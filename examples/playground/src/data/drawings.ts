// Charts and tables of what is found in a batch.

import * as Plot from '@observablehq/plot';
import type {
  Calibration,
  CalibrationBin,
  ClassificationReport,
  SweepRow,
} from 'focal-loss/analysis';
import { COLORS, type Drawing, tip } from '../chart.js';
import { inkOn } from '../ink.js';
import { make, makeTable, percent, short, tint } from '../page.js';
import { count } from '../text.js';
import type { Findings } from './analyse.js';

export function reliabilityDrawing({ bins, expectedError }: Calibration): Drawing {
  const filled = bins.filter(({ rows }) => rows > 0);
  return {
    label: `Accuracy over confidence in ${count(filled.length, 'bin')}; expected calibration error ${short(expectedError)}`,
    options: () => ({
      x: { label: 'confidence', domain: [0, 1] },
      y: { label: 'accuracy', domain: [0, 1], grid: true },
      marks: [
        Plot.rectY(filled, {
          x1: 'from',
          x2: 'to',
          y: 'accuracy',
          fill: COLORS[0],
          fillOpacity: 0.35,
        }),
        Plot.line([0, 1], {
          x: (d: number) => d,
          y: (d: number) => d,
          stroke: 'currentColor',
          strokeDasharray: '4',
        }),
        Plot.dot(filled, { x: 'confidence', y: 'accuracy', fill: COLORS[0], r: 4 }),
        tip(filled, 'x', {
          x: 'confidence',
          y: 'accuracy',
          title: ({ confidence, accuracy, rows }: CalibrationBin) =>
            `confidence ${percent(confidence)}\naccuracy ${percent(accuracy)}\n${count(rows, 'row')}`,
        }),
      ],
    }),
  };
}

/** Losses of many settings. */
interface Cell {
  readonly alpha: number;
  readonly gamma: number;
  readonly loss: number;
}

export function sweepDrawing(rows: readonly SweepRow[]): Drawing {
  const losses = rows.map(({ loss }) => loss);
  const cells = rows.map(({ alpha, gamma, loss }): Cell => ({ alpha: Number(alpha), gamma, loss }));
  const [least, most] = [Math.min(...losses), Math.max(...losses)];
  const color: Plot.ScaleOptions = {
    type: least > 0 ? 'log' : 'linear',
    scheme: 'YlGnBu',
    domain: [least, most],
  };
  const { apply } = Plot.scale({ color }) as { apply(loss: number): string | undefined };
  const at = { x: 'gamma', y: 'alpha' } as const;
  return {
    label: `Loss for each alpha and gamma, from ${short(least)} to ${short(most)}`,
    options: (width) => ({
      height: 300,
      x: { label: 'gamma', type: 'band' },
      y: { label: 'alpha', type: 'band', reverse: true, labelAnchor: 'top', labelArrow: false },
      color,
      marks: [
        Plot.cell(cells, { ...at, fill: 'loss' }),
        Plot.text(cells, {
          ...at,
          // Numbers that would run into each other are left to the export, and to the pointer.
          filter: () => width > 300,
          text: ({ loss }: Cell) => short(loss, 2),
          fill: ({ loss }: Cell) => inkOn(apply(loss) ?? '#ffffff'),
          fontSize: 10,
        }),
        tip(cells, 'xy', {
          ...at,
          title: ({ alpha, gamma, loss }: Cell) =>
            `alpha ${alpha}\ngamma ${gamma}\nloss ${short(loss, 5)}`,
        }),
      ],
    }),
  };
}

/** Larger matrices are not shown cell by cell. */
const MOST_CLASSES = 20;

export function confusionTable({ report, names }: Findings): HTMLElement {
  const { confusion, numClasses }: ClassificationReport = report;
  const counts = Array.from(confusion ?? []);
  if (numClasses > MOST_CLASSES) return confusionList(counts, names);
  const lines = Array.from({ length: numClasses }, (_, j) =>
    counts.slice(j * numClasses, (j + 1) * numClasses),
  );
  const table = makeTable(
    'Rows of each class, by predicted class',
    ['class', ...names.map((name) => `as ${name}`)],
    lines.map((line, j) => [names[j], ...line.map((count) => count.toLocaleString('en'))]),
  );
  tint(table, lines);
  return table;
}

function confusionList(counts: readonly number[], names: readonly string[]): HTMLElement {
  const classes = names.length;
  const wrong = [...counts.keys()].filter(
    (i) => counts[i] > 0 && i % classes !== Math.floor(i / classes),
  );
  const most = wrong.sort((a, b) => counts[b] - counts[a]).slice(0, MOST_CLASSES);
  return makeTable(
    `The most frequent of ${count(wrong.length, 'kind')} of mistakes`,
    ['class', 'predicted', 'rows'],
    most.map((i) => [
      names[Math.floor(i / classes)],
      names[i % classes],
      counts[i].toLocaleString('en'),
    ]),
  );
}

export function classTable({ report, diagnosis, names }: Findings): HTMLElement {
  return makeTable(
    'Class by class',
    ['class', 'rows', 'precision', 'recall', 'F1', 'AUC', 'of the loss', 'of the gradient'],
    report.classes.map(({ support, precision, recall, f1, auc }, j) => [
      names[j],
      support.toLocaleString('en'),
      ...[precision, recall, f1, auc].map((figure) => short(figure)),
      percent(diagnosis.classes[j]?.lossShare ?? Number.NaN),
      percent(diagnosis.classes[j]?.gradientShare ?? Number.NaN),
    ]),
  );
}

export function hardTable({ hard, names }: Findings): HTMLElement {
  const nameOf = (label: number) => names[label] ?? String(label);
  const shown =
    hard.first.length === 1 ? 'The hardest row' : `The ${hard.first.length} hardest rows`;
  return makeTable(
    `${shown}, of ${hard.rows.toLocaleString('en')} above the mean; rows are counted from 0`,
    ['row', 'target', 'predicted', 'confidence', 'loss', 'logits'],
    hard.first.map(({ row, target, predicted, confidence, loss, logits }) => [
      String(row),
      nameOf(target),
      nameOf(predicted),
      percent(confidence),
      short(loss, 4),
      logits
        .slice(0, 10)
        .map((logit) => short(logit))
        .join('  ') + (logits.length > 10 ? ' …' : ''),
    ]),
  );
}

/** The summary in words. */
export function describe({
  title,
  notes,
  diagnosis,
  hard,
  overconfident,
  nonFinite,
  report,
}: Findings): HTMLElement {
  // Advice that makes all else worthless is said before it.
  const urgent = diagnosis.advice.filter(({ code }) => code === 'probabilities');
  const advice = diagnosis.advice.filter((one) => !urgent.includes(one));
  const facts = [
    ...urgent.map(({ message }) => message),
    `${title}: ${count(report.rows, 'row')} of ${count(report.numClasses, 'class', 'classes')}.`,
    ...notes,
    `Mean loss ${short(diagnosis.loss.mean, 4)}, accuracy ${percent(report.accuracy)}, balanced accuracy ${percent(report.balancedAccuracy)}, ` +
      `AUC ${short(report.auc)}, log loss ${short(report.logLoss)}, Brier score ${short(report.brier)}, ` +
      `expected calibration error ${short(report.calibration.expectedError)}.`,
    `${count(hard.rows, 'hard row')} ${hard.rows === 1 ? 'makes' : 'make'} ${percent(hard.lossShare)} of the loss; so unequal are the weights ` +
      `that all say as much as ${short(diagnosis.effectiveSampleSize)} rows of equal weight.`,
    `${count(overconfident.rows, 'row')} with a confidence above 95 %, ${overconfident.wrong.toLocaleString('en')} of them wrong.`,
    ...(nonFinite > 0
      ? [
          `${count(nonFinite, 'row')} ${nonFinite === 1 ? 'is' : 'are'} left out, for a loss that is not finite.`,
        ]
      : []),
    ...advice.map(({ message }) => message),
  ];
  return make('ul', {}, ...facts.map((fact) => make('li', {}, fact)));
}
