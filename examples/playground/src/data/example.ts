import { Random } from '../../../train/random.js';
import type { Batch } from './batch.js';

/** The share of each class, and the height of its logit on average: the rarer, the less. */
const CLASSES = [
  { share: 0.8, lead: 3 },
  { share: 0.15, lead: 1.5 },
  { share: 0.05, lead: 0.5 },
];

/** Logits as a model that has neglected the rare classes would give them; the same each time. */
export function makeExample(rows: number): Batch {
  const random = new Random(7);
  const classes = CLASSES.length;
  const logits = new Float32Array(rows * classes);
  const targets = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let target = 0;
    let left = random.uniform() - CLASSES[0].share;
    while (left >= 0 && target < classes - 1) left -= CLASSES[++target].share;
    targets[row] = target;
    for (let j = 0; j < classes; j++) {
      logits[row * classes + j] =
        1.2 * random.normal() + (j === target ? CLASSES[j].lead : 0) + (j === 0 ? 1 : 0);
    }
  }
  return {
    title: `example of ${rows.toLocaleString('en')} rows`,
    logits,
    targets,
    classes,
    columns: classes,
  };
}
