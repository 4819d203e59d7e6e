// The first panel: what the loss does to one row.

import * as Plot from '@observablehq/plot';
import { type LossCurve, lossCurve } from 'focal-loss/analysis';
import { Chart, type Drawing, type Line, lineMarks, lineTip } from './chart.js';
import { makeTable, panelOf, part, percent, short } from './page.js';
import type { State } from './state.js';
import type { Store } from './store.js';

const GAMMAS = [0, 1, 2, 3, 5];
/** The settings that table and summary are about. */
const PROBABILITIES = [0.1, 0.3, 0.5, 0.7, 0.9, 0.99];

/** The curve of the loss that is set, of a row of class 1. */
function curveOf(
  { alpha, gamma, smoothing }: State,
  at: { from?: number; to?: number; points?: number } = {},
) {
  return lossCurve({ alpha, gamma, labelSmoothing: smoothing, ...at });
}

/** Plain cross-entropy, whose gradient `lossCurve` gives where nothing focuses. */
const plain = (labelSmoothing: number) => lossCurve({ alpha: null, gamma: 0, labelSmoothing });

export function showCurves(store: Store): void {
  const panel = panelOf('curves');
  const loss = new Chart(part(panel, 'loss'));
  const gammas = new Chart(part(panel, 'gammas'));
  const gradient = new Chart(part(panel, 'gradient'));
  const figures = part(panel, 'figures');
  const summary = part(panel, 'summary');
  store.watch(['alpha', 'gamma', 'smoothing'], (state) => {
    const curve = curveOf(state);
    loss.show(lossDrawing(curve));
    gammas.show(gammaDrawing(state));
    gradient.show(gradientDrawing(curve, plain(state.smoothing)));
    figures.replaceChildren(tableOf(state));
    summary.textContent = summarize(state);
  });
}

function drawing(label: string, yLabel: string, lines: readonly Line[]): Drawing {
  return {
    label,
    series: lines.map(({ name }) => name),
    options: () => ({
      x: { label: 'probability of the true class', domain: [0, 1] },
      y: { label: yLabel, grid: true },
      marks: [Plot.ruleY([0]), ...lineMarks(lines), ...lineTip('probability', lines, short)],
    }),
  };
}

function lossDrawing({ pt, crossEntropy, focal }: LossCurve): Drawing {
  return drawing('Cross-entropy and focal loss over the probability of the true class', 'loss', [
    { name: 'cross-entropy', x: pt, y: crossEntropy },
    { name: 'focal loss', x: pt, y: focal },
  ]);
}

function gammaDrawing({ alpha, smoothing }: State): Drawing {
  const lines = GAMMAS.map((gamma) => {
    const { pt, focal } = lossCurve({ alpha, gamma, labelSmoothing: smoothing });
    return { name: `γ = ${gamma}`, x: pt, y: focal };
  });
  return drawing(
    `Focal loss with gamma ${GAMMAS.join(', ')} over the probability of the true class`,
    'loss',
    lines,
  );
}

function gradientDrawing({ pt, gradient }: LossCurve, plain: LossCurve): Drawing {
  return drawing('Derivative of both losses by the logit of the true class', 'derivative', [
    { name: 'cross-entropy', x: pt, y: plain.gradient },
    { name: 'focal loss', x: pt, y: gradient },
  ]);
}

/** The loss at one probability. */
function at(state: State, probability: number) {
  // A curve has two points or more: the first one is wanted.
  const { crossEntropy, focal, gradient } = curveOf(state, {
    from: probability,
    to: 0.999,
    points: 2,
  });
  return { entropy: crossEntropy[0], loss: focal[0], gradient: gradient[0] };
}

function tableOf(state: State): HTMLElement {
  const rows = PROBABILITIES.map((probability) => {
    const { entropy, loss, gradient } = at(state, probability);
    return [
      short(probability),
      short(entropy),
      short(loss),
      percent(loss / entropy),
      short(gradient),
    ];
  });
  return makeTable(
    `alpha ${state.alpha}, gamma ${state.gamma}, label smoothing ${state.smoothing}`,
    ['probability', 'cross-entropy', 'focal loss', 'share', 'derivative'],
    rows,
  );
}

function summarize(state: State): string {
  const [hard, easy] = [0.1, 0.9].map((probability) => {
    const { entropy, loss } = at(state, probability);
    return percent(loss / entropy);
  });
  return `A row that the model is sure of (0.9) keeps ${easy} of its cross-entropy, one that it has wrong (0.1) ${hard}.`;
}
