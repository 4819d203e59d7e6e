// What a meter of reports sees of rows of several labels, each yes or no by itself.

import { lengthOf } from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../../arrays/types.js';
import { checkSameShape } from '../../call/checks.js';
import { AVERAGED } from '../report/intervals.js';
import { IGNORED, judgeRows } from '../report/labels.js';
import type { Settings } from '../report/result.js';
import { figuresOf } from '../rows/row-figures.js';
import { checkElements, elementsOf, type RowOptions, widen } from '../rows/rows.js';
import { finish } from '../rows/turns.js';
import { forScores } from './label-scores.js';
import { type Seen, sumsOf } from './seen.js';
import { TermSum } from './term-sum.js';

/** Everything that is to be seen of a batch, whose labels are checked. */
export function seeLabels(
  given: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
  settings: Settings,
): Seen {
  const logits = widen(given);
  finish(checkElements(logits, targets, options));
  const labels = options.numClasses as number;
  const size = lengthOf(logits);
  checkSameShape(size, size, labels);
  const pairs = elementsOf(logits, targets, options.ignoreIndex);
  const figures = figuresOf(pairs);
  const confusion = new Float64Array(4 * labels);
  const members = new Int32Array(size).fill(IGNORED);
  for (let k = 0; k < pairs.numbers.length; k++) {
    const element = pairs.numbers[k] as number;
    const label = pairs.labels[k] as number;
    const cell = 4 * (element % labels) + 2 * label + (figures.predicted[k] as number);
    confusion[cell] = (confusion[cell] as number) + 1;
    members[element] = label;
  }
  const sums = forScores(() => ({ terms: 0, sum: new TermSum() }));
  let [rows, right] = [0, 0];
  judgeRows(pairs, figures.predicted, labels, settings, ({ scores, isRight }) => {
    rows++;
    if (isRight) right++;
    for (const name of AVERAGED) {
      if (Number.isNaN(scores[name])) continue;
      sums[name].terms++;
      sums[name].sum.add(scores[name]);
    }
  });
  const samples = forScores((name) => ({
    terms: sums[name].terms,
    sum: sums[name].sum.total(),
  }));
  return {
    ...sumsOf(pairs, figures, settings.bins),
    classes: labels,
    isPaired: false,
    confusion,
    hits: 0,
    scored: settings.auc
      ? { labels: members, scores: [scoresOf(logits)], before: undefined }
      : undefined,
    labels: { rows, right, samples },
  };
}

/** The scores of logits. One of Infinity has no probability, as in the loss. */
function scoresOf(logits: FloatArray): Float64Array {
  const scores = new Float64Array(logits);
  for (let i = 0; i < scores.length; i++) if (scores[i] === Infinity) scores[i] = NaN;
  return scores;
}
