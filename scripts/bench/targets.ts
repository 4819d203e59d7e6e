import { readFileSync } from 'node:fs';
import type { CaseResults } from './bench.js';
import type { Entry } from './contenders/index.js';

/** The factor by which a contender should need longer: `targets[case][contender]`. */
export type Targets = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface Verdict {
  readonly case: string;
  readonly contender: string;
  readonly target: number;
  readonly ratio: number;
  readonly met: boolean;
}

/**
 * Reads a table of targets.
 * @throws Error where it names what the benchmark does not have, which would never be missed
 */
export function parseTargets(
  json: string,
  cases: readonly string[],
  contenders: readonly string[],
): Targets {
  const targets: unknown = JSON.parse(json);
  for (const [name, row] of entriesOf(targets, 'the targets')) {
    if (!cases.includes(name)) throw new Error(`there is no case ${name}`);
    for (const [contender, target] of entriesOf(row, name)) {
      if (!contenders.includes(contender))
        throw new Error(`${name}: there is no contender ${contender}`);
      if (!(typeof target === 'number' && target > 0))
        throw new Error(`${name}: ${contender} has no number`);
    }
  }
  return targets as Targets;
}

function entriesOf(value: unknown, what: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null) throw new Error(`${what} must be an object`);
  return Object.entries(value);
}

export const targetsJson = readFileSync(new URL('targets.json', import.meta.url), 'utf8');

/**
 * Every peer is to be beaten in every case, by as much as the table says; limits are as the table
 * says.
 */
export function judge(
  results: readonly CaseResults[],
  targets: Targets,
  entries: readonly Entry[],
): Verdict[] {
  return results.flatMap(({ case: { name: caseName }, results: contenders }) =>
    contenders.flatMap(({ name, ratio: { median: ratio } }) => {
      const role = entries.find((entry) => entry.name === name)?.role;
      const target = targets[caseName]?.[name] ?? (role === 'peer' ? 1 : undefined);
      return target === undefined
        ? []
        : [{ case: caseName, contender: name, target, ratio, met: ratio >= target }];
    }),
  );
}
