import * as Plot from '@observablehq/plot';
import { make } from './page.js';

/** The colours of series, which the style sheet has for light and dark. */
export const COLORS: readonly string[] = [1, 2, 3, 4, 5].map((i) => `var(--series-${i})`);

/** The content of a chart. */
export interface Drawing {
  /** In words, for those who do not see it. */
  readonly label: string;
  /** The names of the series, in the order of {@link COLORS}. */
  readonly series?: readonly string[];
  /** The options of Plot for a drawing of so many pixels. */
  readonly options: (width: number) => Plot.PlotOptions;
}

/** A chart as wide as what it is in. It draws itself again when that changes. */
export class Chart {
  readonly #host: HTMLElement;
  #drawing: Drawing | undefined;
  #width = 0;

  constructor(host: HTMLElement) {
    this.#host = host;
    new ResizeObserver(() => {
      if (this.#drawing && host.clientWidth !== this.#width) this.show(this.#drawing);
    }).observe(host);
  }

  show(drawing: Drawing): void {
    this.#drawing = drawing;
    this.#width = this.#host.clientWidth;
    // Hidden: it is drawn when it gets a width.
    if (this.#width === 0) return;
    const svg = Plot.plot({
      height: Math.round(Math.min(this.#width * 0.62, 320)),
      marginBottom: 40,
      ...drawing.options(this.#width),
      width: this.#width,
      style: { fontFamily: 'inherit', fontSize: '12px', overflow: 'visible' },
    });
    // It is one image, with one label; Plot labels all its parts.
    for (const labelled of svg.querySelectorAll('[aria-label]'))
      labelled.removeAttribute('aria-label');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', drawing.label);
    this.#host.replaceChildren(...(drawing.series ? [legend(drawing.series)] : []), svg);
  }
}

function legend(series: readonly string[]): HTMLElement {
  const entries = series.map((name, i) => {
    const entry = make('li', {}, name);
    entry.style.setProperty('--color', COLORS[i] ?? 'currentColor');
    return entry;
  });
  return make('ul', { class: 'legend' }, ...entries);
}

/** One of the lines of a chart. */
export interface Line {
  readonly name: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** Marks for lines, in the colours of their order; clipped where they leave the axes. */
export function lineMarks(lines: readonly Line[], clip = false): Plot.Markish[] {
  return lines.map(({ x, y }, i) =>
    Plot.line(
      { length: x.length },
      { x: Array.from(x), y: Array.from(y), stroke: COLORS[i], strokeWidth: 2, clip },
    ),
  );
}

/** The values of a mark nearest to the pointer, also to a finger that taps. */
export function tip<T>(
  data: readonly T[],
  along: 'x' | 'xy',
  options: { readonly x: unknown; readonly y: unknown; readonly title: (datum: T) => string },
): Plot.Markish {
  const pointer = along === 'x' ? Plot.pointerX : Plot.pointer;
  return Plot.tip(
    data,
    pointer({
      ...options,
      lineHeight: 1.3,
      fill: 'var(--plot-background)',
      stroke: 'var(--faint)',
    } as Plot.TipOptions),
  );
}

/** The values of all lines, which have the same x, at the x nearest to the pointer. */
export function lineTip(
  xLabel: string,
  lines: readonly Line[],
  format: (y: number) => string,
): Plot.Markish[] {
  const [first] = lines;
  const places = Array.from(first.x, (_, i) => i);
  const y = places.map((i) => Math.max(...lines.map((line) => line.y[i] ?? 0)));
  const title = (i: number) =>
    [
      `${xLabel} ${Number(first.x[i].toPrecision(3))}`,
      ...lines.map((line) => `${line.name} ${format(line.y[i])}`),
    ].join('\n');
  const x = (i: number) => first.x[i];
  return [
    Plot.ruleX(places, Plot.pointerX({ x, stroke: 'var(--faint)' })),
    tip(places, 'x', { x, y: (i: number) => y[i], title }),
  ];
}
