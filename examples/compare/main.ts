import { enableProdMode, ready, setBackend } from '@tensorflow/tfjs-core';
import { runProgram } from '../train/program.js';
import { quickExamples } from '../train/quick.js';
import {
  describeTask,
  fileTask,
  nameClass,
  realTask,
  syntheticTask,
  type Task,
} from '../train/task.js';
import { decisionLines } from './decisions.js';
import { experiment, type Outcome, VALIDATION_SHARE } from './experiment.js';
import { scheduledLosses } from './losses.js';
import { HELP, type Options, parseOptions } from './options.js';
import {
  CALIBRATION,
  type Column,
  NATURE,
  outcomeTable,
  QUALITY,
  QUALITY_CHOSEN,
  verdict,
} from './report.js';
import { timeSteps } from './timing.js';

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return;
  }
  const tasks = chooseTasks(options);
  console.log('Short examples: logits [[2.5, −1], [0.5, 0.5], [−1, 2]], targets [0, 1, 1]\n');
  quickExamples();

  enableProdMode(); // also keeps TensorFlow.js from recommending its native backend
  await setBackend('cpu');
  await ready();
  for (const task of tasks) await compareOn(task, options);
  await reportTimes(tasks[0], options);
}

function chooseTasks({ file, synthetic, positives }: Options): Task[] {
  if (file !== undefined) return [fileTask(file)];
  return [...(synthetic ? [] : [realTask()]), syntheticTask(positives)];
}

async function compareOn(task: Task, options: Options): Promise<void> {
  const { seeds, epochs } = options;
  heading(task.table.title);
  console.log(describeTask(task, VALIDATION_SHARE));
  console.log(`\nMean training loss by epoch, seed ${seeds[0]}; each loss has a scale of its own`);
  const outcomes = await experiment(task, scheduledLosses(options), seeds, epochs);

  const minority = nameClass(task.table, 1);
  const spread =
    seeds.length === 1
      ? `seed ${seeds[0]} alone`
      : `mean ± standard deviation over ${seeds.length} seeds`;
  console.log(`\nOn the test rows, by the largest logit; the minority is ${minority}; ${spread}`);
  console.log(outcomeTable(outcomes, QUALITY));
  console.log(
    '\nThe same, with the threshold for the minority that gave its best F1 on the validation rows',
  );
  console.log(outcomeTable(outcomes, QUALITY_CHOSEN));
  console.log(
    '\nWhat the losses are like. The shares are what each makes of the training rows as cross-entropy left them',
  );
  console.log('(staged focal in its last stage); the rest is of its own model, on the test rows');
  console.log(outcomeTable(outcomes, NATURE));
  console.log(
    '\nProbabilities as softmax has them, and as posterior finds them from the loss and the class shares, with nothing fitted',
  );
  console.log(outcomeTable(outcomes, CALIBRATION));
  console.log(
    `\nOf these, seed ${seeds[0]}: the threshold with the best F1 on the validation rows, 95 % of those of 200 resamples,`,
  );
  console.log('and what the test rows say of the difference to cross-entropy');
  console.log(
    decisionLines(
      outcomes.map(({ name }) => name),
      outcomes.map(({ decision }) => decision),
    ),
  );
  reportVerdicts(outcomes);
}

/** The gains of focal loss over both kinds of cross-entropy, and where there are none. */
function reportVerdicts([plain, weighted, focal]: readonly Outcome[]): void {
  const at = (columns: readonly Column[], title: string) =>
    columns.filter(([name]) => name === title);
  const compared = [
    [
      'by the largest logit',
      [...at(QUALITY, 'Minority recall'), ...at(QUALITY, 'Minority F1'), ...at(QUALITY, 'AUC')],
    ],
    ['with the chosen threshold', [...at(QUALITY_CHOSEN, 'Minority F1')]],
  ] as const;
  for (const baseline of [plain, weighted]) {
    console.log(`\nFocal loss against ${baseline.name.toLowerCase()}`);
    for (const [how, columns] of compared) {
      for (const column of columns) console.log(`  ${how}, ${verdict(focal, baseline, column)}`);
    }
  }
}

async function reportTimes(task: Task, { alpha, gamma }: Options): Promise<void> {
  heading('Time of a training step');
  const times = await timeSteps(task, alpha, gamma);
  console.log(
    'The same model and batch of 32 rows; backend cpu; the loss is value and gradient by themselves; medians',
  );
  for (const { name, step, loss } of times) {
    const share = ((100 * loss) / step).toFixed(0);
    console.log(
      `${name.padEnd(27)}${step.toFixed(3)} ms a step, of which the loss ${loss.toFixed(3)} ms, ${share} %`,
    );
  }
}

function heading(title: string): void {
  console.log(`\n${title}\n${'═'.repeat(title.length)}\n`);
}

await runProgram('demo', main);
