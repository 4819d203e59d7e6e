import { define } from '../../arrays/own.js';

/** Lines of cells under each other: the first column to the left, all others to the right. */
export function table(lines: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const line of lines)
    line.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  const pad = (cell: string, i: number) =>
    i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

/** A figure with four decimals; a dash for NaN. */
export function figure(value: number): string {
  return Number.isNaN(value) ? '-' : value.toFixed(4);
}

/**
 * The figures of an object by their names, a line each: of numbers in an array, how many there are
 * and the first and last. Its warning stands at the end.
 */
export function figuresText(figures: object): string {
  const { warning, ...others } = figures as { warning?: string | undefined };
  const lines = table(Object.entries(others).map(([name, value]) => [name, brief(value)]));
  return warning === undefined ? lines : `${lines}\n\n${warning}`;
}

function brief(value: unknown): string {
  if (typeof value === 'number') return String(Number(value.toPrecision(6)));
  if (!(ArrayBuffer.isView(value) || Array.isArray(value))) return String(value);
  const entries = value as ArrayLike<unknown>;
  const { length } = entries;
  if (length < 3) return Array.from(entries, brief).join(', ');
  return `${length}: ${brief(entries[0])} .. ${brief(entries[length - 1])}`;
}

/** The name of the method that Node.js, Deno and Bun call when they print an object. */
export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom');

/**
 * Gives an object a text, which is what the consoles of Node.js, Deno and Bun print of it, too.
 * What it holds stays as it is: no further property shows up when it is listed or compared.
 */
export function withText<T extends object>(object: T, text: (object: T) => string): T {
  const value = () => text(object);
  return define(define(object, 'toString', value), INSPECT, value);
}
