// The scores of rows of several labels, each yes or no by itself, added up without rounding.

import { AVERAGED } from '../report/intervals.js';
import type { Scores } from '../report/scores.js';
import { ExactSum, type ExactSumState } from './exact-sum.js';
import { checkCount, checkRecord, field } from './json.js';

type ScoreName = keyof Scores;

/** A score of rows, added up: of those that have one. */
interface ScoreSum {
  readonly terms: number;
  readonly sum: ExactSum;
}

/** What there is of rows of several labels. */
export interface SeenLabels {
  /** The rows with a label that counts. */
  readonly rows: number;
  /** Those of them of which all labels are right. */
  readonly right: number;
  /** Their scores, added up. */
  readonly samples: Readonly<Record<ScoreName, ScoreSum>>;
}

/** A score of rows, added up, as JSON. */
export interface ScoreSumState {
  /** The number of rows that have one. */
  readonly terms: number;
  /** Their scores, added up. */
  readonly sum: ExactSumState;
}

/** What a `ReportMeter` has seen of rows of several labels, as JSON. */
export interface LabelScoresState {
  /** The number of rows with a label that counts. */
  readonly rows: number;
  /** The number of those of which all labels are right. */
  readonly right: number;
  /** The scores of the rows' labels. */
  readonly samples: Readonly<Record<keyof Scores, ScoreSumState>>;
}

/** An object with something for each score. */
export function forScores<T>(of: (name: ScoreName) => T): Record<ScoreName, T> {
  return Object.fromEntries(AVERAGED.map((name) => [name, of(name)])) as Record<ScoreName, T>;
}

/** No rows. */
export function noLabels(): SeenLabels {
  return { rows: 0, right: 0, samples: forScores(() => ({ terms: 0, sum: new ExactSum() })) };
}

/** Both together. */
export function mergedLabels(a: SeenLabels, b: SeenLabels): SeenLabels {
  return {
    rows: a.rows + b.rows,
    right: a.right + b.right,
    samples: forScores((name) => ({
      terms: a.samples[name].terms + b.samples[name].terms,
      sum: a.samples[name].sum.plus(b.samples[name].sum),
    })),
  };
}

/** The averages over rows, of those that have a score. */
export function samplesOf({ samples }: SeenLabels): Scores {
  return forScores((name) => samples[name].sum.toNumber() / samples[name].terms);
}

export function labelsState({ rows, right, samples }: SeenLabels): LabelScoresState {
  return {
    rows,
    right,
    samples: forScores((name) => ({
      terms: samples[name].terms,
      sum: samples[name].sum.toJSON(),
    })),
  };
}

/** What became that JSON, checked field by field, of so many labels that count. */
export function restoreLabels(given: unknown, decisions: number): SeenLabels {
  const name = 'state.multiLabel';
  const record = checkRecord(name, 'what rows of several labels come to', given);
  const atMost = (field: string, value: unknown, most: number) => {
    const count = checkCount(field, value);
    if (count > most) throw new RangeError(`${field} must be at most ${most}, got ${count}`);
    return count;
  };
  const rows = atMost(`${name}.rows`, field(name, record, 'rows'), decisions);
  const sums = checkRecord(`${name}.samples`, 'sums of scores', field(name, record, 'samples'));
  return {
    rows,
    right: atMost(`${name}.right`, field(name, record, 'right'), rows),
    samples: forScores((score) => {
      const path = `${name}.samples.${score}`;
      const own = checkRecord(path, 'a sum of scores', field(`${name}.samples`, sums, score));
      const terms = atMost(`${path}.terms`, field(path, own, 'terms'), rows);
      const range = { terms, least: 0, most: 1, allFinite: true };
      return { terms, sum: ExactSum.from(`${path}.sum`, field(path, own, 'sum'), range) };
    }),
  };
}
