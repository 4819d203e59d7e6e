// Advice on a diagnosis: the warnings of those who teach to use the loss, and when they hold.

import {
  classGammas,
  classWeights,
  columnWeights,
  type DiagnosedCriterion,
  isAsymmetric,
  isSigmoid,
} from '../criteria/criterion.js';
import { PROBABILITIES_NOTICE } from '../rows/probability-watch.js';
import { findFavour } from '../settings/class-balance.js';
import type { Advice, Diagnosis } from './result.js';

/** Above it, something is wrong with the logits. */
const HIGH_LOSS = 10;
/** Below it, or so little above the floor, there is nothing left to learn from the rows. */
const LOW_LOSS = 0.01;
/** By how much confidence may stay below accuracy. */
const UNDERCONFIDENCE = 0.1;
/** The share of the loss that easy rows may have. */
const EASY_SHARE = 0.5;
/** A class rarer than this is extremely rare. */
const EXTREMELY_RARE = 0.01;
/** The gamma to begin with. */
const USUAL_GAMMA = 2;
/** The strongest focus that is recommended anywhere. */
const MOST_GAMMA = 5;

type Findings = Omit<Diagnosis, 'advice' | 'toString'>;

/**
 * The advice there is, the most urgent first. Of logits that look like probabilities nothing else
 * can be said.
 */
export function adviseOn(
  findings: Findings,
  criterion: DiagnosedCriterion,
  areProbabilities: boolean,
): Advice[] {
  const onLogits = areProbabilities
    ? [probabilities(findings)]
    : adviseOnLogits(findings, criterion);
  return [...onLogits, alpha(findings, criterion)].filter((advice) => advice !== undefined);
}

function probabilities({ rows }: Findings): Advice {
  return { code: 'probabilities', message: PROBABILITIES_NOTICE, figures: { rows } };
}

function adviseOnLogits(findings: Findings, criterion: DiagnosedCriterion): (Advice | undefined)[] {
  return [
    nonFinite(findings),
    highLoss(findings),
    lowLoss(findings),
    overconfident(findings, criterion),
    gamma(findings, criterion),
  ];
}

const percent = (share: number) => `${Number((100 * share).toPrecision(3))} %`;
const short = (value: number) => Number(value.toPrecision(3));

function nonFinite({ rows, nonFinite }: Findings): Advice | undefined {
  const bad = nonFinite.rows.length;
  if (bad === 0) return undefined;
  return {
    code: 'non-finite',
    message: `${bad} of ${rows + bad} rows have a loss or gradient that is NaN or infinite: check the model's outputs.`,
    figures: { rows: bad, logits: nonFinite.logits },
  };
}

function highLoss({ loss }: Findings): Advice | undefined {
  if (!(loss.mean > HIGH_LOSS)) return undefined;
  return {
    code: 'high-loss',
    message: `The mean loss, ${short(loss.mean)}, is very high: check the model's outputs.`,
    figures: { loss: loss.mean, limit: HIGH_LOSS },
  };
}

function lowLoss({ loss, floor, focalWeight }: Findings): Advice | undefined {
  if (loss.mean < LOW_LOSS) {
    return {
      code: 'low-loss',
      message:
        `The mean loss, ${short(loss.mean)}, is very low: possibly overfitting. Focusing alone makes it small, too: ` +
        `it multiplies the cross-entropy by ${short(focalWeight)} on average.`,
      figures: { loss: loss.mean, limit: LOW_LOSS, focalWeight },
    };
  }
  if (!(floor > 0 && loss.mean - floor < LOW_LOSS)) return undefined;
  return {
    code: 'at-floor',
    message: `The mean loss, ${short(loss.mean)}, is next to the least that the targets allow, ${short(floor)}: possibly overfitting.`,
    figures: { loss: loss.mean, floor, limit: LOW_LOSS },
  };
}

function overconfident(
  { overconfident }: Findings,
  criterion: DiagnosedCriterion,
): Advice | undefined {
  const { threshold, wrong } = overconfident;
  const rows = overconfident.rows.length;
  if (!(wrong > (1 - threshold) * rows)) return undefined;
  const remedy = remedyOf(criterion);
  return {
    code: 'overconfident',
    message: `Of ${rows} rows with a confidence above ${threshold}, ${percent(wrong / rows)} are wrong: ${remedy} helps.`,
    figures: { rows, wrong, threshold },
  };
}

/** The help against confidence that is too high. */
function remedyOf(criterion: DiagnosedCriterion): string {
  if (isAsymmetric(criterion)) return 'a calibration (fitCalibration)';
  const { labelSmoothing } = criterion;
  return labelSmoothing > 0
    ? `labelSmoothing above ${labelSmoothing}`
    : 'labelSmoothing, such as 0.1,';
}

/** One piece of advice on gamma at most: what one says, another might contradict. */
function gamma(findings: Findings, criterion: DiagnosedCriterion): Advice | undefined {
  // One that has two has no such scale.
  if (isAsymmetric(criterion)) return undefined;
  // The largest stands for one per class.
  const gammas = Array.isArray(criterion.gamma) ? criterion.gamma.length : 1;
  const current = classGammas(criterion, gammas).reduce((most, one) => Math.max(most, one));
  return (
    lowerGamma(findings, current) ??
    extremeImbalance(findings, current) ??
    raiseGamma(findings, current)
  );
}

function lowerGamma({ accuracy, confidence }: Findings, current: number): Advice | undefined {
  if (!(current > 0 && accuracy - confidence.mean > UNDERCONFIDENCE)) return undefined;
  const proposed = Math.max(0, current - 1);
  return {
    code: 'lower-gamma',
    message:
      `The model is right in ${percent(accuracy)} of the rows, but sure of itself to ${percent(confidence.mean)} only: ` +
      `it struggles with easy rows, to which a lower gamma, ${proposed} instead of ${current}, gives more weight.`,
    figures: { accuracy, confidence: confidence.mean, gamma: current, proposed },
  };
}

function extremeImbalance({ classes, rows }: Findings, current: number): Advice | undefined {
  const counts = classes.map((one) => one.rows);
  const least = counts.reduce(
    (least, count) => (count > 0 ? Math.min(least, count) : least),
    Infinity,
  );
  if (!(least / rows < EXTREMELY_RARE && current < MOST_GAMMA)) return undefined;
  const rarest = counts.indexOf(least);
  return {
    code: 'extreme-imbalance',
    message:
      `Class ${rarest} is ${percent(least / rows)} of the rows: for an imbalance as extreme as this, ` +
      `a gamma of up to ${MOST_GAMMA} is worth a try.`,
    figures: { class: rarest, rows: least, gamma: current, proposed: MOST_GAMMA },
  };
}

function raiseGamma({ easy, rows }: Findings, current: number): Advice | undefined {
  if (!(easy.lossShare > EASY_SHARE && current < MOST_GAMMA)) return undefined;
  const proposed = current === 0 ? USUAL_GAMMA : Math.min(MOST_GAMMA, current + 1);
  return {
    code: 'raise-gamma',
    message:
      `${easy.rows} of ${rows} rows are right already and make ${percent(easy.lossShare)} of the loss: ` +
      `a higher gamma, ${proposed} instead of ${current}, plays them down.`,
    figures: { rows: easy.rows, lossShare: easy.lossShare, gamma: current, proposed },
  };
}

function alpha({ classes, columns }: Findings, criterion: DiagnosedCriterion): Advice | undefined {
  const rows = classes.map((one) => one.rows);
  if (isAsymmetric(criterion)) return undefined;
  if (!isSigmoid(criterion)) return favour(rows, classWeights(criterion, classes.length));
  const isPerColumn = Array.isArray(criterion.alpha) || Array.isArray(criterion.posWeight);
  if (columns === undefined || !isPerColumn) return favour(rows, columnWeights(criterion, 0));
  for (const [column, one] of columns.entries()) {
    const counts = [one.rows - one.positives, one.positives];
    const advice = favour(counts, columnWeights(criterion, column), `column ${column}: `);
    if (advice !== undefined) return { ...advice, figures: { column, ...advice.figures } };
  }
  return undefined;
}

function favour(rows: number[], weights: Float64Array, where = ''): Advice | undefined {
  const counts = Float64Array.from(rows);
  const favour = findFavour(counts, weights);
  if (favour === undefined) return undefined;
  const { most, lightest } = favour;
  return {
    code: 'alpha-favours-majority',
    message: `${where}${favour.message}.`.replace(/^c/, 'C'),
    figures: {
      majority: most,
      minority: lightest,
      majorityRows: counts[most] as number,
      minorityRows: counts[lightest] as number,
      majorityWeight: weights[most] as number,
      minorityWeight: weights[lightest] as number,
    },
  };
}
