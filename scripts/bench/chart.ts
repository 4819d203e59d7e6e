import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { CaseResults } from './bench.js';
import type { Entry } from './contenders/index.js';
import { formatNumber, formatRatio } from './report.js';
import type { ScalingPoint } from './scaling.js';

/** Green is this package, blue who is to be beaten, grey what the machine allows. */
const ROLE_COLORS = { ours: '#1a7f5a', peer: '#4269d0', limit: '#9498a0' } as const;

const SVG = 'http://www.w3.org/2000/svg';

/** Readable wherever the page puts it: it brings its own background. */
const STYLE = {
  background: 'white',
  color: '#24292f',
  fontFamily: 'system-ui, sans-serif',
  fontSize: '11px',
} as const;

/**
 * Bars that begin where this package is, and say how many times as long every other contender
 * takes.
 */
export function comparisonChart(
  results: readonly CaseResults[],
  entries: readonly Entry[],
  cases: readonly string[],
) {
  const shown = results.filter(({ case: { name } }) => cases.includes(name));
  const bars = shown.flatMap(({ case: { name: shape }, results: contenders }) =>
    contenders.slice(1).map(({ name, ratio: { median: ratio } }) => {
      const role = entries.find((entry) => entry.name === name)?.role ?? 'peer';
      return { shape, name, ratio, color: ROLE_COLORS[role] };
    }),
  );
  const label = {
    fx: 'shape',
    x: 'ratio',
    y: 'name',
    text: (bar: (typeof bars)[number]) => formatRatio(bar.ratio),
  };
  const names = entries
    .map(({ name }) => name)
    .filter((name) => bars.some((bar) => bar.name === name));
  const ratios = bars.map(({ ratio }) => ratio);
  return toSvg('Time of a call of others in units of what focal-loss takes', {
    width: 1080,
    height: 90 + 22 * names.length,
    marginLeft: 150,
    marginRight: 16,
    marginTop: 36,
    marginBottom: 40,
    x: {
      type: 'log',
      // Room for the figures beside the bars.
      domain: [Math.min(0.3, ...ratios) / 25, Math.max(10, ...ratios) * 12],
      ticks: [0.1, 1, 10, 100, 1000],
      tickSize: 0,
      tickFormat: String,
      label: 'time of a call, in units of what focal-loss takes (logarithmic)',
      labelAnchor: 'center',
      labelArrow: 'none',
      grid: true,
    },
    fx: { domain: shown.map(({ case: { name } }) => name), label: null, padding: 0.06 },
    y: { domain: names, label: null, padding: 0.25, tickSize: 0 },
    marks: [
      Plot.barX(bars, { fx: 'shape', y: 'name', x1: 1, x2: 'ratio', fill: 'color' }),
      Plot.text(bars, { ...label, filter: (bar) => bar.ratio >= 1, textAnchor: 'start', dx: 4 }),
      Plot.text(bars, { ...label, filter: (bar) => bar.ratio < 1, textAnchor: 'end', dx: -4 }),
      Plot.ruleX([1], { stroke: ROLE_COLORS.ours, strokeWidth: 2 }),
    ],
  });
}

/** Time per row against the size of the batch. */
export function scalingChart(points: readonly ScalingPoint[]) {
  const data = points.map(({ rows, classes, secondsPerRow }) => ({
    rows,
    classes: `${classes} classes`,
    lower: secondsPerRow.lower * 1e9,
    median: secondsPerRow.median * 1e9,
    upper: secondsPerRow.upper * 1e9,
  }));
  const position = { x: 'rows', y: 'median' };
  return toSvg('Time per row against the number of rows', {
    width: 640,
    height: 320,
    marginLeft: 48,
    marginRight: 70,
    marginBottom: 40,
    x: {
      type: 'log',
      label: 'rows of the batch (logarithmic)',
      labelAnchor: 'center',
      labelArrow: 'none',
      ticks: 5,
    },
    y: { zero: true, grid: true, nice: true, label: 'nanoseconds per row', labelArrow: 'none' },
    color: { range: [ROLE_COLORS.ours, ROLE_COLORS.peer] },
    marks: [
      Plot.ruleY([0]),
      Plot.areaY(data, { x: 'rows', y1: 'lower', y2: 'upper', fill: 'classes', fillOpacity: 0.2 }),
      Plot.lineY(data, { ...position, stroke: 'classes', strokeWidth: 2 }),
      Plot.dot(data, {
        ...position,
        fill: 'classes',
        title: (point) => `${point.rows}: ${formatNumber(point.median)} ns`,
      }),
      Plot.text(
        data,
        Plot.selectLast({
          ...position,
          z: 'classes',
          text: 'classes',
          fill: 'classes',
          textAnchor: 'start',
          dx: 8,
        }),
      ),
    ],
  });
}

/** Draws without a browser. */
function toSvg(title: string, options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html></html>');
  const svg = Plot.plot({ ...options, document, style: STYLE });
  svg.setAttribute('xmlns', SVG);
  const caption = document.createElementNS(SVG, 'title');
  caption.textContent = title;
  // Not every viewer minds the style of the image as a whole.
  const background = document.createElementNS(SVG, 'rect');
  for (const [name, value] of Object.entries({
    width: '100%',
    height: '100%',
    fill: STYLE.background,
  }))
    background.setAttribute(name, value);
  svg.prepend(caption, background);
  return `${svg.outerHTML}\n`;
}
