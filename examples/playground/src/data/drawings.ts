// Charts and tables of what is found in a batch.

import * as Plot from '@observablehq/plot';
import type { Calibration, ClassificationReport, SweepRow } from 'focal-loss/analysis';
import { COLORS, type Drawing } from '../chart.js';
import { make, makeTable, percent, short } from '../page.js';
import type { Findings } from './analyse.js';

export function reliabilityDrawing({ bins, expectedError }: Calibration): Drawing {
  const filled = bins.filter(({ rows }) => rows > 0);
  return {
    label: `Accuracy over confidence in ${filled.length} bins; expected calibration error ${short(expectedError)}`,
    options: () => ({
      x: { label: 'confidence', domain: [0, 1] },
      y: { label: 'accuracy', domain: [0, 1], grid: true },
      marks: [
        Plot.rectY(filled, { x1: 'from', x2: 'to', y: 'accuracy', fill: COLORS[0], fillOpacity: 0.35 }),
        Plot.line([0, 1], { x: (d: number) => d, y: (d: number) => d, stroke: 'currentColor', strokeDasharray: '4' }),
        Plot.dot(filled, { x: 'confidence', y: 'accuracy', fill: COLORS[0], r: 4 }),
      ],
    }),
  };
}

export function sweepDrawing(rows: readonly SweepRow[]): Drawing {
  const losses = rows.map(({ loss }) => loss);
  const cells = rows.map(({ alpha, gamma, loss }) => ({ alpha: Number(alpha), gamma, loss }));
  return {
    label: `Loss for each alpha and gamma, from ${short(Math.min(...losses))} to ${short(Math.max(...losses))}`,
    options: (width) => ({
      height: 300,
      x: { label: 'gamma', type: 'band' },
      y: { label: 'alpha', type: 'band', reverse: true, labelAnchor: 'top', labelArrow: false },
      color: { type: 'log', scheme: 'YlGnBu', domain: [Math.min(...losses), Math.max(...losses)] },
      marks: [
        Plot.cell(cells, { x: 'gamma', y: 'alpha', fill: 'loss' }),
        Plot.text(cells, {
          x: 'gamma',
          y: 'alpha',
          // Numbers that would run into each other are left to the export.
          filter: () => width > 300,
          text: ({ loss }: { loss: number }) => short(loss, 2),
          fill: 'black',
          stroke: 'white',
          strokeWidth: 3,
          fontSize: 10,
        }),
      ],
    }),
  };
}

/** Larger matrices are not shown cell by cell. */
const MOST_CLASSES = 20;

export function confusionTable({ confusion, numClasses }: ClassificationReport): HTMLElement {
  const counts = confusion ?? new Uint32Array(0);
  if (numClasses > MOST_CLASSES) return confusionList(counts, numClasses);
  const lines = Array.from({ length: numClasses }, (_, j) => counts.subarray(j * numClasses, (j + 1) * numClasses));
  const table = makeTable(
    'Rows of each class, by predicted class',
    ['class', ...lines.map((_, j) => `as ${j}`)],
    lines.map((line, j) => [String(j), ...Array.from(line, (count) => count.toLocaleString('en'))]),
  );
  // The share of the class's rows, as a tint.
  const cells = table.querySelectorAll<HTMLElement>('td');
  for (const [i, cell] of cells.entries()) {
    const line = lines[Math.floor(i / numClasses)];
    const total = line.reduce((sum, count) => sum + count, 0);
    cell.style.setProperty('--share', total === 0 ? '0%' : percent(counts[i] / total).replace(' ', ''));
  }
  table.classList.add('confusion');
  return table;
}

function confusionList(counts: Uint32Array, classes: number): HTMLElement {
  const wrong = [...counts.keys()].filter((i) => counts[i] > 0 && i % classes !== Math.floor(i / classes));
  const most = wrong.sort((a, b) => counts[b] - counts[a]).slice(0, MOST_CLASSES);
  return makeTable(
    `The most frequent of ${wrong.length.toLocaleString('en')} kinds of mistakes`,
    ['class', 'predicted', 'rows'],
    most.map((i) => [String(Math.floor(i / classes)), String(i % classes), counts[i].toLocaleString('en')]),
  );
}

export function classTable({ report, diagnosis }: Findings): HTMLElement {
  return makeTable(
    'Class by class',
    ['class', 'rows', 'precision', 'recall', 'F1', 'AUC', 'of the loss', 'of the gradient'],
    report.classes.map(({ support, precision, recall, f1, auc }, j) => [
      String(j),
      support.toLocaleString('en'),
      ...[precision, recall, f1, auc].map((figure) => short(figure)),
      percent(diagnosis.classes[j]?.lossShare ?? Number.NaN),
      percent(diagnosis.classes[j]?.gradientShare ?? Number.NaN),
    ]),
  );
}

export function hardTable({ hard }: Findings): HTMLElement {
  return makeTable(
    `The ${hard.first.length} hardest rows, of ${hard.rows.toLocaleString('en')} above the mean; rows are counted from 0`,
    ['row', 'target', 'predicted', 'confidence', 'loss', 'logits'],
    hard.first.map(({ row, target, predicted, confidence, loss, logits }) => [
      String(row),
      String(target),
      String(predicted),
      percent(confidence),
      short(loss, 4),
      logits
        .slice(0, 10)
        .map((logit) => short(logit))
        .join('  ') + (logits.length > 10 ? ' …' : ''),
    ]),
  );
}

/** What there is to say in words. */
export function describe({ title, diagnosis, hard, overconfident, nonFinite, report }: Findings): HTMLElement {
  const facts = [
    `${title}: ${report.rows.toLocaleString('en')} rows of ${report.numClasses} classes.`,
    `Mean loss ${short(diagnosis.loss.mean, 4)}, accuracy ${percent(report.accuracy)}, balanced accuracy ${percent(report.balancedAccuracy)}, ` +
      `AUC ${short(report.auc)}, log loss ${short(report.logLoss)}, Brier score ${short(report.brier)}, ` +
      `expected calibration error ${short(report.calibration.expectedError)}.`,
    `${hard.rows.toLocaleString('en')} hard rows make ${percent(hard.lossShare)} of the loss; so unequal are the weights that they say ` +
      `as much as ${short(diagnosis.effectiveSampleSize)} rows of equal weight.`,
    `${overconfident.rows.toLocaleString('en')} rows with a confidence above 95 %, ${overconfident.wrong.toLocaleString('en')} of them wrong.`,
    ...(nonFinite > 0 ? [`${nonFinite.toLocaleString('en')} rows are left out: their loss is not finite.`] : []),
    ...diagnosis.advice.map(({ message }) => message),
  ];
  return make('ul', {}, ...facts.map((fact) => make('li', {}, fact)));
}
