// The fifth panel: how quick this browser is.

import * as Plot from '@observablehq/plot';
import { quartiles } from '../../../../scripts/bench/timing.js';
import { Chart, COLORS, type Drawing } from '../chart.js';
import { makeTable, panelOf, part, short } from '../page.js';
import type { Store } from '../store.js';
import { count } from '../text.js';
import type { Task } from './contenders.js';
import type { BenchmarkReply, Times } from './worker.js';

export function showBenchmark(store: Store): void {
  const panel = panelOf('benchmark');
  const chart = new Chart(part(panel, 'chart'));
  const start = part<HTMLButtonElement>(panel, 'start');
  const cancel = part<HTMLButtonElement>(panel, 'cancel');
  const progress = part<HTMLProgressElement>(panel, 'progress');
  const status = part(panel, 'status');
  let worker: Worker | undefined;

  const finish = (text: string) => {
    worker?.terminate();
    worker = undefined;
    part(panel, 'work').hidden = true;
    start.disabled = false;
    status.textContent = text;
  };
  const show = (task: Task, times: readonly Times[]) => {
    finish(summarize(task, times));
    part(panel, 'results').hidden = false;
    chart.show(drawingOf(task, times));
    part(panel, 'figures').replaceChildren(tableOf(task, times));
  };

  start.addEventListener('click', () => {
    const task: Task = store.state;
    start.disabled = true;
    part(panel, 'work').hidden = false;
    progress.value = 0;
    status.textContent = 'Measuring …';
    worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<BenchmarkReply>) => {
      if (data.kind === 'progress') progress.value = data.share;
      else if (data.kind === 'times') show(task, data.times);
      else finish(data.message);
    });
    worker.addEventListener('error', ({ message }) =>
      finish(message || 'The worker did not start'),
    );
    worker.postMessage(task);
  });
  cancel.addEventListener('click', () => {
    finish('Cancelled.');
    start.focus();
  });
}

function microseconds(seconds: number): string {
  return `${short(1e6 * seconds)} µs`;
}

function nameOf({ rows, classes, alpha, gamma, smoothing }: Task): string {
  return `${count(rows, 'row')} of ${count(classes, 'class', 'classes')}, alpha ${alpha}, gamma ${gamma}, label smoothing ${smoothing}`;
}

function summarize(task: Task, times: readonly Times[]): string {
  const [ours, theirs] = times.map(({ seconds }) => quartiles(seconds).median);
  return `${nameOf(task)}: the plain loop takes ${short(theirs / ours, 2)} times as long as focal-loss.`;
}

function drawingOf(task: Task, times: readonly Times[]): Drawing {
  const figures = times.flatMap(({ name, seconds }, i) =>
    seconds.map((one) => ({ name, i, time: 1e6 * one })),
  );
  const spreads = times.map(({ name, seconds }, i) => ({ name, i, ...quartiles(seconds) }));
  return {
    label: `Microseconds of a call, each round and the median, for ${nameOf(task)}`,
    options: () => ({
      height: 150,
      marginLeft: 95,
      x: {
        label: 'microseconds of a call',
        domain: [0, Math.max(...figures.map(({ time }) => time))],
        grid: true,
      },
      y: { label: null, domain: times.map(({ name }) => name) },
      marks: [
        Plot.barX(spreads, {
          y: 'name',
          x: ({ median }: { median: number }) => 1e6 * median,
          fill: ({ i }: { i: number }) => COLORS[i],
          fillOpacity: 0.35,
        }),
        Plot.tickX(figures, { y: 'name', x: 'time', stroke: ({ i }: { i: number }) => COLORS[i] }),
      ],
    }),
  };
}

function tableOf(task: Task, times: readonly Times[]): HTMLElement {
  return makeTable(
    `${nameOf(task)}; ${count(times[0].seconds.length, 'round')}`,
    ['what', 'median', 'middle half', 'a row'],
    times.map(({ name, seconds }) => {
      const { lower, median, upper } = quartiles(seconds);
      const half = `${microseconds(lower)} to ${microseconds(upper)}`;
      return [name, microseconds(median), half, `${short((1e9 * median) / task.rows)} ns`];
    }),
  );
}
