import { benchCase, type CaseResults } from './bench.js';
import { plainCase } from './cases.js';
import type { Contender } from './contender.js';
import { formatRatio, formatSeconds, table } from './report.js';

export const POOL_SHAPES = [
  [32, 2],
  [4096, 2],
  [65536, 2],
  [1048576, 2],
  [1048576, 10],
  [65536, 100],
  [4096, 1000],
] as const;

/** Value and gradient, into a buffer: by one thread, the first contender, and by others. */
export async function measurePool(
  contenders: readonly Contender[],
  rounds: number,
  onRound: () => void,
  shapes: readonly (readonly [number, number])[] = POOL_SHAPES,
): Promise<CaseResults[]> {
  const results: CaseResults[] = [];
  for (const [rows, classes] of shapes)
    results.push(await benchCase(plainCase(rows, classes), contenders, rounds, onRound));
  return results;
}

/** A line per shape: the first contender's time, and how many times as fast the others are. */
export function poolTable(results: readonly CaseResults[], names: readonly string[]): string {
  const [, ...others] = names;
  return table(
    ['[rows, classes]', 'one\nthread', ...others.map((name) => name.replaceAll(' ', '\n'))],
    results.map(({ case: { name }, results: [first, ...rest] }) => [
      name,
      formatSeconds(first.seconds.median),
      ...others.map((other) => {
        const ratio = rest.find((one) => one.name === other)?.ratio.median;
        return formatRatio(ratio && 1 / ratio);
      }),
    ]),
  );
}
