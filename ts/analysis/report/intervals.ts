// The intervals of a report, by their types and names, and the options that ask for them.

import {
  checkChoice,
  checkInteger,
  checkNumber,
  checkOptions,
  outOfRange,
  wrongLength,
  wrongType,
} from '../../call/checks.js';
import type { Interval, IntervalMethod } from '../uncertainty/bootstrap.js';

/** Options of intervals: how sure they are, and how they are made. */
export interface IntervalOptions {
  /**
   * The share of such intervals that hold the figure they are about, in (0, 1).
   *
   * @defaultValue 0.95
   */
  level?: number | undefined;
  /**
   * The number of resamples.
   *
   * @defaultValue 1000
   */
  repeats?: number | undefined;
  /**
   * The seed of the resamples: an integer in [0, 2 ** 32). The same one gives the same intervals.
   *
   * @defaultValue 1
   */
  seed?: number | undefined;
  /**
   * The group of each row, such as a patient of several visits: rows of a group are no independent
   * evidence, and are drawn together. Numbers, strings or anything else that can be told apart;
   * `undefined`, `null` and NaN are none, and only for rows that do not count.
   */
  groups?: ArrayLike<unknown> | undefined;
  /**
   * The bootstrap's way to an interval: `'bca'` is bias-corrected and accelerated, `'percentile'`
   * plain, and takes half the time.
   *
   * @defaultValue 'bca'
   */
  method?: IntervalMethod | undefined;
}

export const INTERVAL_OPTIONS: readonly (keyof IntervalOptions)[] = [
  'level',
  'repeats',
  'seed',
  'groups',
  'method',
];

/** The options of intervals, all of them there. */
export interface IntervalSettings {
  readonly level: number;
  readonly repeats: number;
  readonly seed: number;
  readonly groups: ArrayLike<unknown> | undefined;
  readonly method: IntervalMethod;
}

/** The options that the report's `intervals` are. */
export function checkIntervals(options: IntervalOptions): IntervalSettings {
  if (typeof options !== 'object' || options === null)
    throw wrongType('intervals', 'an object', options);
  return checkIntervalSettings(checkOptions(options, INTERVAL_OPTIONS));
}

/** Options that have been read. */
export function checkIntervalSettings({
  level = 0.95,
  repeats = 1000,
  seed = 1,
  groups,
  method = 'bca',
}: IntervalOptions): IntervalSettings {
  checkNumber('level', 'a number', level);
  if (!(level > 0 && level < 1)) throw outOfRange('level', 'in (0, 1)', level);
  checkInteger('repeats', 1, 1_000_000, repeats);
  checkInteger('seed', 0, 2 ** 32 - 1, seed);
  checkChoice('method', ['bca', 'percentile'], method);
  if (
    groups !== undefined &&
    !(typeof groups === 'object' && groups !== null && typeof groups.length === 'number')
  ) {
    throw wrongType('groups', 'an array with the group of each row', groups);
  }
  return { level, repeats, seed, groups, method };
}

/** One group for each row of a batch. */
export function checkGroups(groups: ArrayLike<unknown> | undefined, rows: number): void {
  if (groups !== undefined && groups.length !== rows) {
    throw wrongLength('groups', `one entry per row, ${rows}`, groups.length);
  }
}

/** The groups of the rows that count. What is missing is none: such rows are no group. */
export function groupsOf(groups: ArrayLike<unknown>, numbers: ArrayLike<number>): unknown[] {
  return Array.from(numbers, (number) => {
    const group = groups[number];
    if (group === undefined || group === null || Number.isNaN(group))
      throw wrongType(`groups[${number}]`, 'the group of a row that counts', group);
    return group;
  });
}

/** The figures of a report that are about all classes, by their names. */
export const OVERALL = [
  'accuracy',
  'hammingLoss',
  'balancedAccuracy',
  'topKAccuracy',
  'mcc',
  'kappa',
  'auc',
  'weightedAuc',
  'averagePrecision',
  'logLoss',
  'brier',
  'calibrationError',
] as const;

/** The figures of averages over classes. */
export const AVERAGED = ['precision', 'recall', 'specificity', 'f1', 'fBeta'] as const;

/** The figures of a class. */
export const OF_CLASS = [...AVERAGED, 'auc', 'averagePrecision'] as const;

/** The averages over classes. */
export const AVERAGES = ['macro', 'weighted', 'micro'] as const;

/** Intervals of scores, by their names. */
export interface ScoreIntervals {
  /** The interval of the precision. */
  readonly precision: Interval;
  /** That of the recall. */
  readonly recall: Interval;
  /** That of the specificity. */
  readonly specificity: Interval;
  /** That of the F1 score. */
  readonly f1: Interval;
  /** That of the F score with the option `beta`. */
  readonly fBeta: Interval;
}

/** Intervals of the figures of a class. */
export interface ClassIntervals extends ScoreIntervals {
  /** The interval of the area under the ROC curve. */
  readonly auc: Interval;
  /** That of the average precision. */
  readonly averagePrecision: Interval;
}

/** Intervals of the figures of a report, by their names. */
export interface ReportIntervals {
  /** The share of such intervals that hold the figure they are about. */
  readonly level: number;
  /** The number of resamples. */
  readonly repeats: number;
  /** The seed of the resamples. */
  readonly seed: number;
  /** The bootstrap's way to an interval. */
  readonly method: IntervalMethod;
  /** The interval of the report's `accuracy`. */
  readonly accuracy: Interval;
  /** The interval of the report's `hammingLoss`. */
  readonly hammingLoss: Interval;
  /** The interval of the report's `balancedAccuracy`. */
  readonly balancedAccuracy: Interval;
  /** The interval of the report's `topKAccuracy`. */
  readonly topKAccuracy: Interval;
  /** The interval of the report's `mcc`. */
  readonly mcc: Interval;
  /** The interval of the report's `kappa`. */
  readonly kappa: Interval;
  /** The interval of the report's `auc`. */
  readonly auc: Interval;
  /** The interval of the report's `weightedAuc`. */
  readonly weightedAuc: Interval;
  /** The interval of the report's `averagePrecision`. */
  readonly averagePrecision: Interval;
  /** The interval of the report's `logLoss`. */
  readonly logLoss: Interval;
  /** The interval of the report's `brier`. */
  readonly brier: Interval;
  /** The interval of the report's `calibration.expectedError`. */
  readonly calibrationError: Interval;
  /** Intervals of the averages over the classes. */
  readonly macro: ScoreIntervals;
  /** Intervals of the weighted averages. */
  readonly weighted: ScoreIntervals;
  /** Intervals of the figures of all classes taken together. */
  readonly micro: ScoreIntervals;
  /** Intervals of the averages over multi-label rows. */
  readonly samples: ScoreIntervals | undefined;
  /** Intervals of the figures of each class. */
  readonly classes: readonly ClassIntervals[];
}
