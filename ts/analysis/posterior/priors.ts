// The shares of classes at training and at deployment, and what they make of probabilities.

import { checkOptions, outOfRange, wrongLength, wrongType } from '../../call/checks.js';

/** The shares that classes have where a model was trained, and where it is used. */
export interface Priors {
  /**
   * The shares of the classes among the rows that the model was trained on, or their counts: one
   * per class, all above 0. For yes-or-no logits the share of yes, above 0 and below 1: a number,
   * or one per column; so it may be for two classes, where it is that of class 1.
   */
  training: number | ArrayLike<number>;
  /** The same of the rows that it is used on. */
  deployment: number | ArrayLike<number>;
}

/** Priors as they were given, read once. */
export interface GivenPriors {
  readonly training: readonly number[] | number;
  readonly deployment: readonly number[] | number;
}

const NAMES: readonly (keyof Priors)[] = ['training', 'deployment'];

/** Reads priors, if there are any. */
export function readPriors(priors: Priors | undefined): GivenPriors | undefined {
  if (priors === undefined) return undefined;
  if (typeof priors !== 'object' || priors === null)
    throw wrongType('priors', 'an object with training and deployment', priors);
  const { training, deployment } = checkOptions(priors, NAMES);
  return {
    training: readShares('training', training),
    deployment: readShares('deployment', deployment),
  };
}

function readShares(name: string, shares: number | ArrayLike<number>): readonly number[] | number {
  const full = `priors.${name}`;
  if (typeof shares === 'number') return shares;
  const isList = Array.isArray(shares) || ArrayBuffer.isView(shares);
  if (!isList) throw wrongType(full, 'a number, or an array with one number per class', shares);
  const numbers = Array.from(shares);
  numbers.forEach((share, j) => {
    if (typeof share !== 'number') throw wrongType(`${full}[${j}]`, 'a number', share);
  });
  return numbers;
}

/** The number of classes, or columns, that priors are for, as far as they say. */
export function lengthOfPriors(priors: GivenPriors | undefined): number | undefined {
  for (const name of NAMES) {
    const shares = priors?.[name];
    if (typeof shares === 'object') return shares.length;
  }
  return undefined;
}

/** The factors by which classes are likelier than at training, but for a common one. */
export function ratiosOfClasses(priors: GivenPriors, classes: number): Float64Array {
  const [training, deployment] = NAMES.map((name) => {
    const shares = priors[name];
    return relative(
      typeof shares === 'number'
        ? bothShares(`priors.${name}`, shares, classes)
        : checkEach(`priors.${name}`, shares, classes),
    );
  }) as [Float64Array, Float64Array];
  return deployment.map((share, j) => share / (training[j] as number));
}

function bothShares(name: string, share: number, classes: number): number[] {
  if (classes !== 2) throw wrongType(name, `an array with one number per class, ${classes}`, share);
  checkFraction(name, share);
  return [1 - share, share];
}

function checkEach(name: string, shares: readonly number[], classes: number): readonly number[] {
  if (shares.length !== classes)
    throw wrongLength(name, `one entry per class, ${classes}`, shares.length);
  shares.forEach((share, j) => {
    if (!(share > 0 && share < Infinity))
      throw outOfRange(`${name}[${j}]`, 'finite and above 0', share);
  });
  return shares;
}

function checkFraction(name: string, share: number): void {
  if (!(share > 0 && share < 1)) throw outOfRange(name, 'above 0 and below 1', share);
}

/** The factors by which the odds of yes are larger than at training, for each column. */
export function ratiosOfColumns(priors: GivenPriors, columns: number): Float64Array {
  const [training, deployment] = NAMES.map((name) => {
    const shares = priors[name];
    const full = `priors.${name}`;
    if (typeof shares === 'number') {
      checkFraction(full, shares);
      return new Float64Array(columns).fill(shares / (1 - shares));
    }
    if (shares.length !== columns)
      throw wrongLength(full, `one entry per class, ${columns}`, shares.length);
    return Float64Array.from(shares, (share, j) => {
      checkFraction(`${full}[${j}]`, share);
      return share / (1 - share);
    });
  }) as [Float64Array, Float64Array];
  return deployment.map((odds, j) => bounded(odds / (training[j] as number)));
}

/** From here on numbers are as good as nothing beside others, and their products still numbers. */
const LEAST = 2 ** -300;

function bounded(ratio: number): number {
  return Math.min(Math.max(ratio, LEAST), 1 / LEAST);
}

/** Numbers above 0, divided by the largest of them. */
export function relative(numbers: ArrayLike<number>): Float64Array {
  const all = Float64Array.from(numbers);
  const most = all.reduce((most, number) => Math.max(most, number), 0);
  return all.map((number) => Math.max(number / most, LEAST));
}
