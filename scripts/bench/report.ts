import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import CliTable from 'cli-table3';
import type { ShapeResults } from './bench.js';

const ROOT = new URL('../../', import.meta.url);

/** A line per shape: the first contender's time, and every other's in units of it. */
export function ratioTable(results: readonly ShapeResults[]): string {
  const names = [...new Set(results.flatMap((line) => line.results.map(({ name }) => name)))];
  const [first, ...others] = names;
  const table = new CliTable({
    head: ['[B, C]', first, 'M rows/s', ...others],
    colAligns: ['left', ...names.map(() => 'right' as const), 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { shape, results: contenders } of results) {
    const seconds = contenders[0].seconds.median;
    table.push([
      `[${shape.rows}, ${shape.classes}]`,
      formatSeconds(seconds),
      (shape.rows / seconds / 1e6).toPrecision(3),
      ...others.map((name) => formatRatio(contenders.find((contender) => contender.name === name)?.ratio.median)),
    ]);
  }
  return table.toString();
}

/** Writes everything that was measured, and on what, as JSON; returns the path. */
export function writeJson(results: readonly ShapeResults[], rounds: number): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as { version: string };
  const folder = new URL('bench-results/', ROOT);
  mkdirSync(folder, { recursive: true });
  const path = fileURLToPath(new URL('latest.json', folder));
  const machine = { cpu: cpus()[0]?.model, platform: process.platform, arch: process.arch, node: process.version };
  const content = { version, date: new Date().toISOString(), machine, rounds, results };
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
  return path;
}

function formatSeconds(seconds: number): string {
  const [unit, factor] = seconds < 1e-3 ? ['µs', 1e6] : ['ms', 1e3];
  return `${(seconds * Number(factor)).toPrecision(3)} ${unit}`;
}

function formatRatio(ratio: number | undefined): string {
  return ratio === undefined ? '' : `${ratio.toPrecision(3)}×`;
}
