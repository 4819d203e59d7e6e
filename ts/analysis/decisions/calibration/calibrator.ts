import { readOptions } from '../../../arrays/own.js';
import type { Fresh } from '../../../arrays/tensor-types.js';
import { arrayLike, copyInto } from '../../../arrays/typed-arrays.js';
import type { FloatArray, Layout } from '../../../arrays/types.js';
import {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkLength,
  checkLogits,
  checkNumber,
  checkOptions,
  checkSameShape,
  checkShare,
  checkSpatialSize,
  outOfRange,
  wrongType,
} from '../../../call/checks.js';
import { unpack } from '../../../call/tensor-like.js';
import { takeLogarithms } from '../../elementary.js';
import { checkRecord, checkVersion, field } from '../../meter/json.js';
import { figure, INSPECT, table } from '../../rows/table.js';
import { type Logits, openedLogits } from '../../rows/tensors.js';
import { logSoftmax, softmax } from '../../softmax/softmax.js';
import type { CalibrationOutcome } from './evidence.js';
import { type IsotonicParameters, readKnots } from './isotonic.js';
import { logOddsOf } from './log-odds.js';
import { type LossState, meantLogits, restoreLoss } from './meaning.js';
import type { PlattParameters } from './platt.js';
import type { TemperatureParameters } from './temperature.js';

/** The parameters of each method. */
export interface CalibrationParameters {
  /** The parameters of `'temperature'`. */
  temperature: TemperatureParameters;
  /** The parameters of `'platt'`. */
  platt: PlattParameters;
  /** The parameters of `'isotonic'`. */
  isotonic: IsotonicParameters;
}

/** A way to make logits mean probabilities. */
export type CalibrationMethod = keyof CalibrationParameters;

/** Figures of how far probabilities can be trusted, on the rows of a fit. */
export interface CalibrationFigures {
  /** The average cross-entropy, in nats. */
  readonly logLoss: number;
  /** The Brier score, as `classificationReport` has it. */
  readonly brier: number;
  /** The expected calibration error, as `classificationReport` has it. */
  readonly calibrationError: number;
}

/** Options of {@link Calibrator.apply}. */
export interface ApplyOptions {
  /**
   * The kind of result: `'probabilities'`, or `'logits'` of which softmax (for one logit per row,
   * sigmoid) makes them: what the other functions of this entry take.
   *
   * @defaultValue 'probabilities'
   */
  output?: 'probabilities' | 'logits' | undefined;
  /**
   * The order of the logits in memory, and of the results.
   *
   * @defaultValue that of the criterion, if the fit was given one, else 'channels-last'
   */
  layout?: Layout | undefined;
  /** With layout `'channels-first'`, the number of positions of each sample. */
  spatialSize?: number | undefined;
}

const APPLY_OPTIONS: readonly (keyof ApplyOptions)[] = ['output', 'layout', 'spatialSize'];

/** A {@link Calibrator} as JSON. */
export interface CalibratorState<M extends CalibrationMethod = CalibrationMethod> {
  /** The version of this form. Another is refused. */
  readonly version: 1;
  /** The method of the fit. */
  readonly method: M;
  /** The number of classes; 1 for one logit per row. */
  readonly numClasses: number;
  /** True where rows have several labels, each yes or no by itself. */
  readonly multiLabel?: boolean | undefined;
  /** The loss whose logits were fitted, if one was given. */
  readonly criterion?: LossState | undefined;
  /** The parameters that were fitted. */
  readonly parameters: CalibrationParameters[M];
  /** The end of the fit. */
  readonly outcome: CalibrationOutcome;
  /** Figures of the rows of the fit as they were. */
  readonly before: CalibrationFigures;
  /** Figures of the same rows calibrated. */
  readonly after: CalibrationFigures;
}

const METHODS: readonly CalibrationMethod[] = ['temperature', 'platt', 'isotonic'];
const OUTCOMES: readonly CalibrationOutcome[] = [
  'fitted',
  'separable',
  'reversed',
  'constant',
  'one-class',
];
const VERSION = 1;

/** The largest number of each type. */
const LARGEST: Readonly<Record<string, number>> = {
  Float64Array: Number.MAX_VALUE,
  Float32Array: 3.4028234663852886e38,
  Float16Array: 65504,
};

/**
 * A calibration that was fitted by `fitCalibration`: it turns logits into probabilities that come
 * true as often as they say.
 *
 * @example
 * ```ts
 * import { Calibrator, fitCalibration } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([1, 0, 2, 0, 0, 1, 0, 2, 0, 1, 0, 2]); // six rows, two classes
 * const targets = new Uint8Array([0, 0, 1, 1, 0, 1]);
 * const calibrator = fitCalibration(logits, targets, { method: 'isotonic' });
 * const json = JSON.stringify(calibrator);
 * const same = Calibrator.fromJSON(JSON.parse(json));
 * same.apply(new Float64Array([0, 1.5]))[1]; // => 0.75
 * ```
 */
export class Calibrator<M extends CalibrationMethod = CalibrationMethod> {
  /** The method of the fit. */
  readonly method: M;
  /** The number of classes, or labels; 1 for one logit per row, that of class 1 of two. */
  readonly numClasses: number;
  /** True where rows have several labels, each of which is yes or no by itself. */
  readonly multiLabel: boolean;
  /**
   * The loss that the model was trained with, where the fit was given one: logits are then first
   * turned into what they stand for under it, as by `posterior`.
   */
  readonly criterion: LossState | undefined;
  /** The parameters that were fitted. */
  readonly parameters: CalibrationParameters[M];
  /**
   * The end of the fit. `'fitted'` is the rule. `'separable'`: all rows are right, and nothing
   * keeps probabilities away from 0 and 1 but the method's own bounds. `'reversed'`: a higher logit
   * means a class less. `'constant'`: logits are the same for all rows, or of a temperature within
   * each row. `'one-class'`: all rows are of a class, or none is. For several classes it is the
   * first of theirs that is not `'fitted'`.
   */
  readonly outcome: CalibrationOutcome;
  /** Figures of the rows of the fit as they were. */
  readonly before: CalibrationFigures;
  /** Figures of the same rows calibrated. Of rows that the fit has not seen they are worse. */
  readonly after: CalibrationFigures;
  /**
   * A warning of the fit: that the logits look like probabilities, which makes all of it
   * meaningless.
   */
  readonly warning: string | undefined;

  /** @internal */
  constructor(state: Omit<CalibratorState<M>, 'version'>, warning?: string) {
    this.warning = warning;
    this.method = state.method;
    this.numClasses = state.numClasses;
    this.multiLabel = state.multiLabel === true;
    this.criterion = state.criterion;
    this.parameters = state.parameters;
    this.outcome = state.outcome;
    this.before = state.before;
    this.after = state.after;
  }

  /**
   * Calibrates logits: of any rows, also those that the fit has not seen.
   *
   * A row that has no probabilities, with a NaN or +Infinity among its logits, has NaN. The results
   * are computed in float64, and have the same bits in every engine.
   *
   * @param logits - `[rows, numClasses]`, row-major, or as `layout` says; or a tensor that holds
   *   them.
   * @returns An array like the logits: a probability for each class or label, or for one logit per
   *   row that of class 1.
   * @throws TypeError or RangeError for logits of another number of classes.
   */
  apply<L extends Logits>(logits: L, options: ApplyOptions = {}): Fresh<L> {
    const { output = 'probabilities', ...asked } = checkOptions(options, APPLY_OPTIONS);
    checkChoice('output', ['probabilities', 'logits'], output);
    const { numClasses, multiLabel } = this;
    const { logits: opened, positions } = openedRows(logits, this, asked);
    const kind = checkLogits(opened);
    const size = checkLength('logits', opened);
    const wide = new Float64Array(size);
    copyInto(wide, opened, 0);
    const rows = transposed(wide, numClasses, positions);
    const width = multiLabel ? 1 : numClasses;
    // A type of less range has infinities sooner.
    const most = LARGEST[kind] as number;
    const found =
      output === 'probabilities'
        ? probabilitiesOf(this, rows)
        : inRange(calibrated(this, rows), 1, width, most);
    const result = arrayLike(opened, size);
    copyInto(result, transposed(found, positions, numClasses), 0);
    return result as Fresh<L>;
  }

  /** What was fitted, as `console.log` prints it in Node.js, Deno and Bun. */
  toString(): string {
    const { method, numClasses, outcome, before, after, warning } = this;
    const figures = (['logLoss', 'brier', 'calibrationError'] as const).map((name) => [
      name,
      figure(before[name]),
      figure(after[name]),
    ]);
    const text = table([
      ['method', method],
      ['classes', String(numClasses)],
      ['outcome', outcome],
      ['', 'before', 'after'],
      ...figures,
    ]);
    return warning === undefined ? text : `${text}\n\n${warning}`;
  }

  /** @internal */
  [INSPECT](): string {
    return this.toString();
  }

  /** Everything there is to it but the warning. */
  toJSON(): CalibratorState<M> {
    const { method, numClasses, multiLabel, criterion } = this;
    const { parameters, outcome, before, after } = this;
    const said = { ...(multiLabel && { multiLabel }), ...(criterion && { criterion }) };
    return { version: VERSION, method, numClasses, ...said, parameters, outcome, before, after };
  }

  /**
   * The calibrator that became this JSON.
   *
   * @throws TypeError or RangeError for what never was one. It names the field.
   */
  static fromJSON<M extends CalibrationMethod>(state: CalibratorState<M>): Calibrator<M> {
    const record = checkRecord('state', 'what Calibrator.toJSON returned', state);
    checkVersion(record, VERSION);
    const method = checkChoice('state.method', METHODS, field('state', record, 'method') as M);
    const numClasses = checkInteger(
      'state.numClasses',
      1,
      2 ** 24,
      field('state', record, 'numClasses') as number,
    );
    const outcome = checkChoice(
      'state.outcome',
      OUTCOMES,
      field('state', record, 'outcome') as CalibrationOutcome,
    );
    const said = readOptions(record as { criterion?: unknown; multiLabel?: boolean }, [
      'criterion',
      'multiLabel',
    ]);
    const { criterion: loss, multiLabel = false } = said;
    checkBoolean('state.multiLabel', multiLabel);
    if (multiLabel) checkInteger('state.numClasses', 2, 2 ** 24, numClasses);
    const given = checkRecord(
      'state.parameters',
      `parameters of the method '${method}'`,
      field('state', record, 'parameters'),
    );
    const columns = columnsOf({ numClasses, multiLabel });
    const parameters = restoreParameters(method, given, columns) as CalibrationParameters[M];
    const figures = (name: string) => restoreFigures(`state.${name}`, field('state', record, name));
    return makeCalibrator({
      method: method as M,
      numClasses,
      multiLabel,
      criterion: loss === undefined ? undefined : restoreLoss(loss),
      parameters,
      outcome,
      before: figures('before'),
      after: figures('after'),
    });
  }
}

/** Logits of a calibrator, and the positions of a sample where classes come first, else 1. */
function openedRows(
  logits: Logits,
  { numClasses, multiLabel, criterion }: Calibrator,
  { layout, spatialSize }: Omit<ApplyOptions, 'output'>,
): { logits: FloatArray; positions: number } {
  const said = criterion && readOptions<{ layout?: Layout }>(criterion.options, ['layout']);
  const areRows = numClasses > 1 && !multiLabel;
  const order = layout ?? (areRows ? said?.layout : undefined) ?? 'channels-last';
  checkChoice('layout', ['channels-last', 'channels-first'], order);
  const channelsFirst = order === 'channels-first';
  if (channelsFirst && !areRows)
    throw new TypeError("layout 'channels-first' is for rows of several classes alone");
  const opened = channelsFirst
    ? unpack({ columns: 0, channelsFirst }, logits, undefined, numClasses, spatialSize)
    : { ...openedLogits(logits, numClasses === 1 ? undefined : numClasses), spatialSize };
  const size = checkLength('logits', opened.logits);
  const rows = checkSameShape(size, size, numClasses);
  const positions = checkSpatialSize(channelsFirst, opened.spatialSize, rows);
  return { logits: opened.logits, positions: channelsFirst ? positions : 1 };
}

/**
 * Blocks of so many rows of so many columns, each with the two exchanged: from classes first to
 * classes last, and back.
 */
function transposed(numbers: Float64Array, rows: number, columns: number): Float64Array {
  if (rows <= 1 || columns <= 1) return numbers;
  const size = rows * columns;
  return numbers.map((_, k) => {
    const place = k % size;
    const [column, row] = [Math.floor(place / rows), place % rows];
    return numbers[k - place + row * columns + column] as number;
  });
}

/** A calibrator. Kept out of the class, which has another name when it is bundled. */
export function makeCalibrator<M extends CalibrationMethod>(
  state: Omit<CalibratorState<M>, 'version'>,
  warning?: string,
): Calibrator<M> {
  return new Calibrator(state, warning);
}

type Calibration = Pick<
  CalibratorState,
  'method' | 'numClasses' | 'multiLabel' | 'criterion' | 'parameters'
>;

/** Logits of which softmax, or of yes-or-no ones sigmoid, makes the probabilities. */
export function calibrated(calibration: Calibration, given: Float64Array): Float64Array {
  const { method, numClasses, criterion, parameters } = calibration;
  const isElementwise = areElements(calibration);
  const meant =
    criterion === undefined ? given : meantLogits(criterion, given, numClasses, isElementwise);
  const logits = isElementwise ? meant.map(finiteOrMasked) : meant;
  const width = isElementwise ? 1 : numClasses;
  if (method === 'temperature') {
    const { temperature } = parameters as TemperatureParameters;
    return inRange(logits, temperature, width, Number.MAX_VALUE);
  }
  const odds = isElementwise ? logits : logOddsOf(logits, numClasses);
  const columns = columnsOf(calibration);
  return method === 'platt'
    ? byLines(parameters as PlattParameters, odds, width, columns)
    : byKnots(parameters as IsotonicParameters, odds, width, columns);
}

/** A test whether each logit is yes or no by itself. */
function areElements({ numClasses, multiLabel }: Pick<Calibration, 'numClasses' | 'multiLabel'>) {
  return numClasses === 1 || multiLabel === true;
}

/**
 * Logits divided by a number. Rows in which the largest numbers there are would become infinite are
 * seen from their largest logit, which makes no difference to softmax, and those far below it end
 * where numbers do. Masked classes stay masked.
 */
function inRange(
  given: Float64Array,
  divisor: number,
  numClasses: number,
  most: number,
): Float64Array {
  const logits = given.map((logit) => logit / divisor);
  for (let start = 0; start < logits.length; start += numClasses) {
    const own = given.subarray(start, start + numClasses);
    const row = logits.subarray(start, start + numClasses);
    const isIn = (logit: number, j: number) =>
      Math.abs(logit) <= most || !Number.isFinite(own[j] as number);
    if (row.every(isIn)) continue;
    const largest = numClasses === 1 ? 0 : own.reduce((a, b) => Math.max(a, b));
    own.forEach((logit, j) => {
      if (Number.isFinite(logit)) row[j] = within((logit - largest) / divisor, most);
    });
  }
  return logits;
}

function within(number: number, most: number): number {
  return Math.min(Math.max(number, -most), most);
}

/** The number of log-odds that a row has. */
function columnsOf(calibration: Pick<Calibration, 'numClasses' | 'multiLabel'>): number {
  const { numClasses } = calibration;
  return numClasses === 2 && !areElements(calibration) ? 1 : numClasses;
}

function byLines(
  { slopes, intercepts }: PlattParameters,
  odds: Float64Array,
  numClasses: number,
  columns: number,
) {
  const lines = odds.map((score, k) =>
    lineAt(slopes[k % columns] as number, intercepts[k % columns] as number, score),
  );
  if (numClasses === 1) {
    return lines.map((line, k) =>
      Number.isFinite(odds[k]) ? within(line, Number.MAX_VALUE) : line,
    );
  }
  const pairs = pairsOf(lines);
  if (numClasses === 2) return pairs;
  // Each class has a sigmoid against all others: softmax divides these by their sum.
  const logarithms = logSoftmax(pairs, 2);
  return odds.map((_, k) => logarithms[2 * k + 1] as number);
}

function byKnots(
  { scores, probabilities }: IsotonicParameters,
  odds: Float64Array,
  numClasses: number,
  columns: number,
): Float64Array {
  type Numbers = readonly number[];
  const yes = odds.map((score, k) =>
    readKnots(scores[k % columns] as Numbers, probabilities[k % columns] as Numbers, score),
  );
  if (numClasses === 1) {
    const logits = yes.map((p) => p / (1 - p));
    takeLogarithms(logits);
    return logits.map((logit) => Math.min(logit, Number.MAX_VALUE));
  }
  const shares = numClasses === 2 ? complements(yes) : possible(yes, numClasses);
  takeLogarithms(shares);
  return shares;
}

/** Probabilities of class 1 of two, each with that of class 0 before it. */
function complements(yes: Float64Array): Float64Array {
  const both = new Float64Array(2 * yes.length);
  yes.forEach((p, k) => {
    both[2 * k] = 1 - p;
    both[2 * k + 1] = p;
  });
  return both;
}

/** Rows of shares in which each class is as likely where all were ruled out. */
function possible(shares: Float64Array, classes: number): Float64Array {
  for (let start = 0; start < shares.length; start += classes) {
    const row = shares.subarray(start, start + classes);
    if (row.every((p) => p === 0)) row.fill(1);
  }
  return shares;
}

/** The probabilities. */
function probabilitiesOf(calibration: Calibration, logits: Float64Array): Float64Array {
  const result = calibrated(calibration, logits);
  if (!areElements(calibration)) return softmax(result, calibration.numClasses);
  const shares = softmax(pairsOf(result), 2);
  return result.map((_, row) => shares[2 * row + 1] as number);
}

/** A single logit as the losses take it: +Infinity has no probability. */
function finiteOrMasked(logit: number): number {
  return logit === Infinity ? NaN : logit;
}

function lineAt(slope: number, intercept: number, score: number): number {
  return slope === 0 && !Number.isNaN(score) ? intercept : slope * score + intercept;
}

/** Pairs of logits whose difference is given, the larger of which is 0. */
function pairsOf(odds: Float64Array): Float64Array {
  const pairs = new Float64Array(2 * odds.length);
  for (let k = 0; k < odds.length; k++) {
    const logit = odds[k] as number;
    if (logit > 0) pairs[2 * k] = -logit;
    else pairs[2 * k + 1] = logit;
  }
  return pairs;
}

function restoreFigures(name: string, given: unknown): CalibrationFigures {
  const record = checkRecord(name, 'figures of a calibration', given);
  const number = (key: string) => {
    const value = field(name, record, key);
    checkNumber(`${name}.${key}`, 'a number', value);
    return value;
  };
  return {
    logLoss: number('logLoss'),
    brier: number('brier'),
    calibrationError: number('calibrationError'),
  };
}

const PARAMETERS = 'state.parameters';

function restoreParameters(method: CalibrationMethod, given: object, columns: number) {
  if (method === 'temperature') {
    const temperature = field(PARAMETERS, given, 'temperature');
    checkNumber(`${PARAMETERS}.temperature`, 'a number', temperature);
    if (!(temperature > 0 && temperature < Infinity)) {
      throw outOfRange(`${PARAMETERS}.temperature`, 'finite and above 0', temperature);
    }
    return { temperature };
  }
  if (method === 'platt') {
    return {
      slopes: restoreNumbers(
        `${PARAMETERS}.slopes`,
        field(PARAMETERS, given, 'slopes'),
        columns,
        checkFinite,
      ),
      intercepts: restoreNumbers(
        `${PARAMETERS}.intercepts`,
        field(PARAMETERS, given, 'intercepts'),
        columns,
        checkFinite,
      ),
    };
  }
  const scores = restoreList(
    `${PARAMETERS}.scores`,
    field(PARAMETERS, given, 'scores'),
    columns,
    restoreScores,
  );
  const lengths = (j: number) => (scores[j] as number[]).length;
  const restoreOne = (name: string, value: unknown, j: number) =>
    restoreProbabilities(name, value, lengths(j));
  const probabilities = field(PARAMETERS, given, 'probabilities');
  return {
    scores,
    probabilities: restoreList(`${PARAMETERS}.probabilities`, probabilities, columns, restoreOne),
  };
}

function restoreList<T>(
  name: string,
  given: unknown,
  length: number | undefined,
  restore: (name: string, value: unknown, i: number) => T,
): T[] {
  if (!Array.isArray(given)) throw wrongType(name, 'an array', given);
  if (length !== undefined && given.length !== length) {
    throw new RangeError(`${name} must have ${length} entries, got ${given.length}`);
  }
  return given.map((value, i) => restore(`${name}[${i}]`, value, i));
}

function restoreNumbers(
  name: string,
  given: unknown,
  length: number | undefined,
  check: (name: string, value: unknown) => number,
): number[] {
  return restoreList(name, given, length, check);
}

function checkFinite(name: string, value: unknown): number {
  checkNumber(name, 'a number', value);
  if (!Number.isFinite(value)) throw outOfRange(name, 'finite', value);
  return value;
}

function restoreScores(name: string, given: unknown): number[] {
  const scores = restoreNumbers(name, given, undefined, checkFinite);
  if (scores.length === 0) throw new RangeError(`${name} must have an entry, got none`);
  checkOrder(name, scores, (a, b) => a < b, 'above the one before it');
  return scores;
}

function restoreProbabilities(name: string, given: unknown, length: number): number[] {
  const probabilities = restoreNumbers(name, given, length, checkShare);
  checkOrder(name, probabilities, (a, b) => a <= b, 'not below the one before it');
  return probabilities;
}

function checkOrder(
  name: string,
  numbers: readonly number[],
  isRight: (a: number, b: number) => boolean,
  expected: string,
): void {
  numbers.forEach((number, i) => {
    if (i > 0 && !isRight(numbers[i - 1] as number, number))
      throw outOfRange(`${name}[${i}]`, expected, number);
  });
}
