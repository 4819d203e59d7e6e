// Losses of any entry of this package, made again of the classes of this one, whose module can do
// more.

import { readOptions } from '../../arrays/own.js';
import type { Reduction } from '../../arrays/types.js';
import { wrongType } from '../../call/checks.js';
import type { Criterion } from '../../losses/criterion.js';
import * as LOSSES from '../../losses/index.js';

/** A loss of this package, whichever entry it is from. */
export interface AnyCriterion {
  /** The way from the per-row losses to the result. */
  readonly reduction: Reduction;
  /** The divisor of `'mean'`, where it was given. */
  readonly normalizer: number | undefined;
  /** The target of rows that do not count, where it was given. */
  readonly ignoreIndex: number | undefined;
  /** The number of classes, where it was given. */
  readonly numClasses: number | undefined;
}

type LossName = LOSSES.LossName;

/** Every loss, under the name of its class. */
const CLASSES: Record<LossName, new (options?: object) => object> = LOSSES;
const NAMES = Object.keys(CLASSES) as (keyof typeof LOSSES)[];

/** The names of the options of every loss, once they have been asked for. */
let optionsOf: Readonly<Record<LossName, readonly string[]>> | undefined;

function optionNames(): Readonly<Record<LossName, readonly string[]>> {
  optionsOf ??= Object.fromEntries(
    NAMES.map((name) => [name, Object.keys(new CLASSES[name]())]),
  ) as unknown as Record<LossName, readonly string[]>;
  return optionsOf;
}

/** The loss that a criterion is: of those all of whose options it has, the one with the most. */
export function nameOf(criterion: AnyCriterion, argument = 'criterion'): LossName {
  const name = findName(criterion);
  if (name === undefined) throw wrongType(argument, 'a loss of this package', criterion);
  return name;
}

/** The error that an argument is not one of the losses that are expected. */
export function wrongLoss(argument: string, expected: string, criterion: AnyCriterion): TypeError {
  const name = findName(criterion);
  if (name === undefined) return wrongType(argument, expected, criterion);
  const article = name.startsWith('A') ? 'an' : 'a';
  return new TypeError(`${argument} must be ${expected}, got ${article} ${name}`);
}

function findName(criterion: AnyCriterion): LossName | undefined {
  let name: LossName | undefined;
  let most = 0;
  for (const candidate of typeof criterion === 'object' && criterion !== null ? NAMES : []) {
    const options = optionNames()[candidate];
    if (options.length <= most || !options.every((option) => Object.hasOwn(criterion, option)))
      continue;
    name = candidate;
    most = options.length;
  }
  return name;
}

/** The options of a loss of that name that a criterion says, and nothing else. */
export function optionsIn(criterion: object, name: LossName): object {
  return readOptions(criterion, optionNames()[name]);
}

/** A test whether no option that a criterion says can change: those of losses cannot. */
function isFixed(criterion: object): boolean {
  return optionNames()[nameOf(criterion as AnyCriterion)].every((option) => {
    const { configurable, writable, value } = Object.getOwnPropertyDescriptor(
      criterion,
      option,
    ) as PropertyDescriptor;
    const isPlain = typeof value !== 'object' || value === null || Array.isArray(value);
    return configurable === false && writable === false && isPlain && Object.isFrozen(value);
  });
}

/** A function of criteria that remembers what it has made of those that cannot change. */
export function remembering<C, T extends object>(make: (criterion: C) => T): (criterion: C) => T {
  const made = new WeakMap<object, T>();
  return (criterion) => {
    const isObject = typeof criterion === 'object' && criterion !== null;
    const known = isObject ? made.get(criterion) : undefined;
    if (known !== undefined) return known;
    const result = make(criterion);
    if (isObject && isFixed(criterion)) made.set(criterion, result);
    return result;
  };
}

/**
 * The loss of that name and these options, all of which are checked. It adds up the values of its
 * rows.
 */
export function makeSum(name: LossName, options: object): Criterion<'sum'> {
  return new CLASSES[name]({ ...options, reduction: 'sum' }) as Criterion<'sum'>;
}

/** The loss of this entry that a criterion of any entry is. */
export function ownOf(criterion: AnyCriterion): Criterion {
  const name = nameOf(criterion);
  return new CLASSES[name](optionsIn(criterion, name)) as Criterion;
}

/** The same, which adds up the values of its rows. */
export function sumOf(criterion: AnyCriterion): Criterion<'sum'> {
  const name = nameOf(criterion);
  return makeSum(name, optionsIn(criterion, name));
}

/** The loss of that name and these options, which gives the value of each row. */
export function makeEach(name: LossName, options: object): Criterion<'none'> {
  return new CLASSES[name]({ ...options, reduction: 'none' }) as Criterion<'none'>;
}

export function isLossName(name: unknown): name is LossName {
  return NAMES.some((known) => known === name);
}
