// The second panel: a race between two losses.

import * as Plot from '@observablehq/plot';
import { Chart, COLORS, type Drawing, lineMarks, lineTip } from '../chart.js';
import { makeTable, panelOf, part, percent, short, wantsLittleMotion } from '../page.js';
import type { Store } from '../store.js';
import { count } from '../text.js';
import { EXTENT } from './cloud.js';
import { GRID, Race, REACH, type Standing } from './race.js';

const LAST_EPOCH = 300;
/** Milliseconds between epochs. */
const PACE = 50;
/** Visitors who want little motion see one epoch in so many. */
const CALM = 20;

export function showRace(store: Store): void {
  const panel = panelOf('race');
  const view = new View(panel);
  const play = part<HTMLButtonElement>(panel, 'play');
  let race = new Race(store.state);
  let timer: ReturnType<typeof setTimeout> | undefined;

  const pause = () => {
    clearTimeout(timer);
    timer = undefined;
    play.textContent = 'Play';
  };
  const step = () => {
    if (race.epoch < LAST_EPOCH) race.step();
  };
  const run = () => {
    step();
    if (race.epoch >= LAST_EPOCH) {
      pause();
      view.show(race, true);
      return;
    }
    timer = setTimeout(run, PACE);
    if (!wantsLittleMotion() || race.epoch % CALM === 0) view.show(race, false);
  };
  const reset = () => {
    pause();
    race = new Race(store.state);
    view.show(race, false);
  };

  play.addEventListener('click', () => {
    if (timer === undefined) {
      play.textContent = 'Pause';
      run();
    } else {
      pause();
      view.show(race, true);
    }
  });
  part(panel, 'step').addEventListener('click', () => {
    pause();
    step();
    view.show(race, true);
  });
  part(panel, 'reset').addEventListener('click', reset);
  store.watch(['seed', 'rare', 'alpha', 'gamma', 'smoothing'], reset);
}

/** The charts by epoch: what they show of a standing. */
const COURSES: readonly { part: string; label: string; of: (standing: Standing) => number }[] = [
  { part: 'recall', label: 'recall of the rare class', of: ({ recall }) => recall },
  { part: 'f1', label: 'F1 of the rare class', of: ({ f1 }) => f1 },
  {
    part: 'gradient',
    label: "rare class's share of the gradient",
    of: ({ gradientShares }) => gradientShares[1],
  },
];

class View {
  readonly #panel: HTMLElement;
  readonly #scene: Chart;
  readonly #courses: readonly Chart[];

  constructor(panel: HTMLElement) {
    this.#panel = panel;
    this.#scene = new Chart(part(panel, 'scene'));
    this.#courses = COURSES.map(({ part: name }) => new Chart(part(panel, name)));
  }

  /** Draws how the race stands. While it runs, nothing is read out. */
  show(race: Race, isSaid: boolean): void {
    part(this.#panel, 'epoch').textContent = String(race.epoch);
    this.#scene.show(sceneOf(race));
    // Before the first epoch, there is no course to be drawn.
    part(this.#panel, 'waiting').hidden = race.epoch > 0;
    part(this.#panel, 'courses').hidden = race.epoch === 0;
    for (const [i, chart] of this.#courses.entries()) chart.show(courseOf(race, COURSES[i]));
    part(this.#panel, 'standings').replaceChildren(tableOf(race));
    part(this.#panel, 'status').textContent = isSaid ? summarize(race) : '';
  }
}

const lastOf = (standings: readonly Standing[]) => standings[standings.length - 1];

function sceneOf({ train, runners }: Race): Drawing {
  const { points, targets } = train;
  const rows = Array.from(targets, (target, row) => ({
    x: points[2 * row],
    y: points[2 * row + 1],
    target,
  }));
  const square = { x1: -REACH, y1: -REACH, x2: REACH, y2: REACH };
  return {
    label: `Training rows, ${rows.filter(({ target }) => target === 1).length} of ${rows.length} rare, and where each network decides for the rare class`,
    series: runners.map(({ name }) => name),
    options: (width) => ({
      height: Math.min(width, 480),
      x: { domain: [-EXTENT, EXTENT], label: null },
      y: { domain: [-EXTENT, EXTENT], label: null },
      marks: [
        Plot.dot(rows, {
          filter: isCommon,
          x: 'x',
          y: 'y',
          r: 2,
          fill: 'currentColor',
          fillOpacity: 0.35,
          clip: true,
        }),
        // Another shape, not another colour alone.
        Plot.dot(rows, {
          filter: isRare,
          x: 'x',
          y: 'y',
          r: 4.5,
          symbol: 'triangle',
          fill: COLORS[2],
        }),
        ...runners.map((runner, i) =>
          Plot.contour(runner.preferences(), {
            width: GRID,
            height: GRID,
            ...square,
            thresholds: [0],
            stroke: COLORS[i],
            strokeWidth: 2.5,
            clip: true,
          }),
        ),
      ],
    }),
  };
}

const isRare = ({ target }: { target: number }) => target === 1;
const isCommon = ({ target }: { target: number }) => target === 0;

function courseOf({ runners }: Race, { label, of }: (typeof COURSES)[number]): Drawing {
  const lines = runners.map(({ name, standings }) => ({
    name,
    x: Array.from(standings, (_, epoch) => epoch),
    y: standings.map(of),
  }));
  const last = runners.map(({ name, standings }) => `${name} ${percent(of(lastOf(standings)))}`);
  return {
    label: `${label} by epoch; now ${last.join(', ')}`,
    options: () => ({
      height: 170,
      x: { label: 'epoch', domain: [0, Math.max(20, lines[0].x.length - 1)] },
      y: { label: null, domain: [0, 1], grid: true },
      marks: [...lineMarks(lines), ...lineTip('epoch', lines, percent)],
    }),
  };
}

function tableOf({ runners, epoch }: Race): HTMLElement {
  return makeTable(
    `After ${count(epoch, 'epoch')}: on 3,000 rows that were not learned from, and the gradient of those that were`,
    ['loss', 'accuracy', 'recall', 'precision', 'F1', 'gradient of common', 'of rare'],
    runners.map(({ name, standings }) => {
      const { accuracy, recall, precision, f1, gradientShares } = lastOf(standings);
      return [
        name,
        percent(accuracy),
        percent(recall),
        percent(precision),
        short(f1),
        ...gradientShares.map(percent),
      ];
    }),
  );
}

function summarize({ runners, epoch }: Race): string {
  const texts = runners.map(({ name, standings }) => {
    const { recall, f1 } = lastOf(standings);
    return `${name} finds ${percent(recall)} of the rare class, with an F1 of ${short(f1)}`;
  });
  return `Epoch ${epoch}: ${texts.join('; ')}.`;
}
