import { isReported, lossLine } from '../train/compare.js';
import { Progress } from '../train/progress.js';
import { splitTask, type Task } from '../train/task.js';
import { type Decision, decide } from './decisions.js';
import { type Figures, measure } from './figures.js';
import type { ScheduledLoss } from './losses.js';
import { Training } from './training.js';

/** Share of every class's rows on which the threshold is chosen. */
export const VALIDATION_SHARE = 0.2;

/** The results of one loss, one for each seed. */
export interface Outcome {
  readonly name: string;
  readonly results: readonly Figures[];
  /** The decisions of the first seed. */
  readonly decision: Decision;
}

/**
 * Trains the same model with every loss on every seed's split, printing the losses of the first
 * seed by epoch.
 */
export async function experiment(
  task: Task,
  losses: readonly ScheduledLoss[],
  seeds: readonly number[],
  epochs: number,
): Promise<Outcome[]> {
  const names = losses.map(({ name }) => name);
  const classes = task.table.classes.length;
  const progress = new Progress(seeds.length * epochs * losses.length);
  progress.log(`epoch  ${names.join('  ')}`);
  const perSeed: Figures[][] = [];
  let decisions: Decision[] = [];
  for (const seed of seeds) {
    const parts = splitTask(task, seed, VALIDATION_SHARE);
    const trainings = losses.map((loss) => new Training(loss, parts.train, classes, seed));
    for (let epoch = 0; epoch < epochs; epoch++) {
      const values: number[] = [];
      for (const training of trainings) {
        values.push(await training.epoch(epoch));
        progress.advance();
      }
      if (seed === seeds[0] && isReported(epoch + 1, epochs))
        progress.log(lossLine(epoch + 1, names, values));
    }
    if (seed === seeds[0]) {
      const criteria = losses.map(({ criterionOf }) => criterionOf(epochs - 1));
      decisions = decide(criteria, trainings, parts, classes);
    }
    perSeed.push(measure(losses, trainings, parts, classes, epochs));
    for (const training of trainings) training.dispose();
  }
  progress.stop();
  return names.map((name, i) => ({
    name,
    results: perSeed.map((figures) => figures[i]),
    decision: decisions[i],
  }));
}
