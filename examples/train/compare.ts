import type { NamedLoss } from './losses.js';
import type { Metrics } from './metrics.js';
import { Progress } from './progress.js';
import { splitTask, type Task } from './task.js';
import { Training } from './train.js';

/** At most about so many lines of loss by epoch. */
const LOSS_LINES = 10;

/** The results of one loss on the rows left out, one for each seed. */
export interface Outcome {
  readonly name: string;
  readonly results: readonly Metrics[];
}

/**
 * Trains the same model with every loss on every seed's split, printing the losses of the first
 * seed by epoch.
 */
export function compareLosses(
  task: Task,
  losses: readonly NamedLoss[],
  seeds: number,
  epochs: number,
): Outcome[] {
  const names = losses.map(({ name }) => name);
  const outcomes = names.map((name) => ({ name, results: [] as Metrics[] }));
  const progress = new Progress(seeds * epochs * losses.length);
  progress.log(`epoch  ${names.join('  ')}`);
  for (let seed = 1; seed <= seeds; seed++) {
    const { train, test } = splitTask(task, seed);
    const trainings = losses.map(
      (loss) => new Training(loss.criterion, train, task.table.classes.length, seed),
    );
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const values = trainings.map((training) => {
        progress.advance();
        return training.epoch();
      });
      if (seed === 1 && isReported(epoch, epochs)) progress.log(lossLine(epoch, names, values));
    }
    for (const [i, training] of trainings.entries()) outcomes[i].results.push(training.test(test));
  }
  progress.stop();
  return outcomes;
}

/**
 * The choice to show the losses of an epoch: of a few evenly spread ones, the first and the last.
 */
export function isReported(epoch: number, epochs: number): boolean {
  return epoch === 1 || epoch === epochs || epoch % Math.ceil(epochs / LOSS_LINES) === 0;
}

/** The losses of an epoch, below their names. */
export function lossLine(
  epoch: number,
  names: readonly string[],
  values: readonly number[],
): string {
  const cells = names.map((name, i) => values[i].toPrecision(4).padStart(name.length));
  return [String(epoch).padStart(5), ...cells].join('  ');
}
