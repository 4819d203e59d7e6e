// What logits stand for under the loss that a model was trained with, as logits again.

import { readOptions } from '../../../arrays/own.js';
import type { FloatArray } from '../../../arrays/types.js';
import { wrongType } from '../../../call/checks.js';
import { specOf } from '../../../losses/criterion.js';
import type { LossName } from '../../../losses/index.js';
import {
  type AnyCriterion,
  isLossName,
  makeSum,
  nameOf,
  optionsIn,
  wrongLoss,
} from '../../criteria/own-criterion.js';
import { takeLogarithms } from '../../elementary.js';
import { checkRecord, field } from '../../meter/json.js';
import { posterior } from '../../posterior/posterior.js';
import { SEVERAL } from '../../report/batch.js';
import { pairsOf, type Rows } from '../../rows/rows.js';

/** A loss as JSON. */
export interface LossState {
  /** The name of its class. */
  readonly loss: LossName;
  /** Its options. */
  readonly options: object;
}

/** The loss of a criterion of any entry, an argument of that name. */
export function lossOf(criterion: AnyCriterion, argument?: string): LossState {
  const loss = nameOf(criterion, argument);
  return { loss, options: { ...makeSum(loss, optionsIn(criterion, loss)) } };
}

/** The loss that became this JSON. */
export function restoreLoss(given: unknown): LossState {
  const record = checkRecord('state.criterion', 'a loss with its options', given);
  const loss = field('state.criterion', record, 'loss');
  if (!isLossName(loss)) throw wrongType('state.criterion.loss', 'the name of a loss', loss);
  const options = field('state.criterion', record, 'options');
  return lossOf(makeSum(loss, checkRecord('state.criterion.options', 'options', options)));
}

/** Options under which there are logits that no probabilities lead to. */
interface ClippingOptions {
  readonly labelSmoothing?: number;
  readonly margin?: number;
}

const CLIPPING: readonly (keyof ClippingOptions)[] = ['labelSmoothing', 'margin'];

/**
 * The least probability: a class that is not possible under a smoothed loss, or one with a margin,
 * is not believed to be less likely than what float32 tells from 0 beside 1; others have a
 * logarithm as long as they are numbers.
 */
const LEAST = { clipped: 2 ** -23, plain: 2 ** -1022 };

/** The largest number below 1. */
const MOST = 1 - 2 ** -53;

/**
 * Logits of which softmax, or where each is yes or no by itself sigmoid, makes the probabilities
 * that given ones stand for under a loss. NaN where there are none.
 */
export function meantLogits(
  { loss, options }: LossState,
  logits: Float64Array,
  numClasses: number,
  isElementwise = numClasses === 1,
  argument = 'criterion',
): Float64Array {
  const rowMajor = Object.hasOwn(options, 'layout') ? { layout: 'channels-last' } : {};
  const criterion = makeSum(loss, { ...options, ...rowMajor, numClasses: undefined });
  const ofElements = specOf(criterion).columns !== 0;
  if (isElementwise !== ofElements) {
    const expected = isElementwise ? 'a loss on yes-or-no logits where rows have one' : SEVERAL;
    throw wrongLoss(argument, expected, criterion);
  }
  const { labelSmoothing = 0, margin = 0 } = readOptions<ClippingOptions>(options, CLIPPING);
  const least = labelSmoothing > 0 || margin > 0 ? LEAST.clipped : LEAST.plain;
  const most = labelSmoothing > 0 ? 1 - LEAST.clipped : MOST;
  const meant = posterior(logits, criterion, { numClasses });
  const ratios = meant.map((p) =>
    isElementwise ? oddsOf(Math.min(Math.max(p, least), most)) : Math.max(p, least),
  );
  takeLogarithms(ratios);
  return ratios;
}

/** Rows with such logits, in pairs where they have one each. */
export function meantRows(loss: LossState, rows: Rows, argument: string): Rows {
  const { numbers, classes, isPaired } = rows;
  const gathered = gather(rows, rows.logits);
  const single = isPaired ? gathered.filter((_, k) => k % 2 === 1) : gathered;
  const meant = meantLogits(loss, single, isPaired ? 1 : classes, isPaired, argument);
  return {
    ...rows,
    logits: isPaired ? pairsOf(meant) : meant,
    soft: rows.soft && gather(rows, rows.soft),
    numbers,
    stride: 1,
    start: (k) => k * classes,
  };
}

/** The logits of rows of so many labels, each of which is yes or no by itself. */
export function meantLabels(loss: LossState, logits: FloatArray, labels: number): Float64Array {
  return meantLogits(loss, Float64Array.from(logits), labels, true);
}

/** The numbers of rows that count, row by row. */
function gather({ numbers, classes, stride, start }: Rows, from: FloatArray): Float64Array {
  const all = new Float64Array(numbers.length * classes);
  for (let k = 0; k < numbers.length; k++) {
    const first = start(k);
    for (let j = 0; j < classes; j++) all[k * classes + j] = from[first + j * stride] as number;
  }
  return all;
}

function oddsOf(p: number): number {
  return p / (1 - p);
}
