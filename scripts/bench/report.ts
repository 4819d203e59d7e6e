import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import CliTable from 'cli-table3';
import { root } from '../bootstrap/paths.mjs';
import type { CaseResults } from './bench.js';
import type { Verdict } from './targets.js';

/** A table whose first column is text and whose others are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const result = new CliTable({
    head: [...head],
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
    wordWrap: true,
  });
  result.push(...rows.map((row) => [...row]));
  return result.toString();
}

/** A line per case: the first contender's time, and every other's in units of it. */
export function ratioTable(results: readonly CaseResults[], names: readonly string[]): string {
  const [first, ...others] = names.filter((name) =>
    results.some((line) => line.results.some((one) => one.name === name)),
  );
  const rows = results.map(({ case: { name, rows }, results: contenders }) => {
    const seconds = contenders[0].seconds.median;
    return [
      name,
      formatSeconds(seconds),
      formatNumber(rows / seconds / 1e6),
      ...others.map((other) =>
        formatRatio(contenders.find((contender) => contender.name === other)?.ratio.median),
      ),
    ];
  });
  return table(['[rows, classes]', first, 'M rows/s', ...others.map(breakUp)], rows);
}

/**
 * A line per case: whether each target is met, the ratio and the target. Cases are left out where
 * everyone is beaten and no more than that is asked.
 */
export function targetTable(verdicts: readonly Verdict[], contenders: readonly string[]): string {
  const names = contenders.filter((name) => verdicts.some(({ contender }) => contender === name));
  const cases = [
    ...new Set(
      verdicts.filter(({ met, target }) => !met || target !== 1).map((verdict) => verdict.case),
    ),
  ];
  const rows = cases.map((name) => [
    name,
    ...names.map((contender) => {
      const verdict = verdicts.find((one) => one.case === name && one.contender === contender);
      return verdict
        ? `${verdict.met ? '✓' : '✗'} ${formatRatio(verdict.ratio)} / ${verdict.target}`
        : '';
    }),
  ]);
  return table(['[rows, classes]', ...names.map(breakUp)], rows);
}

/** The number of targets that are met. */
export function summary(verdicts: readonly Verdict[]): string {
  const met = verdicts.filter((verdict) => verdict.met).length;
  return `${met} of ${verdicts.length} met.`;
}

/** The machine that was measured on. */
export interface Machine {
  readonly cpu: string;
  readonly platform: string;
  readonly node: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  };
}

/** Figures as JSON, with what they were measured on. */
export function toJson(figures: object): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const all = { version, date: new Date().toISOString(), machine: describeMachine(), ...figures };
  return `${JSON.stringify(all, shorten)}\n`;
}

/** Writes a file into a folder; returns its path. */
export function writeFile(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, text);
  return relative('.', path);
}

/** More digits than were measured help nobody. */
function shorten(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value;
}

/** A heading in lines as narrow as its words. */
function breakUp(heading: string): string {
  return heading.replaceAll(' ', '\n');
}

export function formatSeconds(seconds: number): string {
  const [unit, factor] = seconds < 1e-3 ? ['µs', 1e6] : ['ms', 1e3];
  return `${formatNumber(seconds * Number(factor))} ${unit}`;
}

/** Three digits, without an exponent. */
export function formatNumber(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(value < 0.1 ? 2 : 3);
}

export function formatRatio(ratio: number | undefined): string {
  return ratio === undefined ? '' : `${formatNumber(ratio)}×`;
}
