import { compareLosses } from './compare.js';
import { comparedLosses } from './losses.js';
import { HELP, parseOptions } from './options.js';
import { runProgram } from './program.js';
import { quickExamples } from './quick.js';
import { gainsTable, metricsTable } from './report.js';
import { describeTask, fileTask, nameClass, realTask, syntheticTask } from './task.js';

function main(): void {
  const { help, seeds, epochs, alpha, gamma, file, synthetic } = parseOptions(
    process.argv.slice(2),
  );
  if (help) {
    console.log(HELP);
    return;
  }
  const task = file === undefined ? (synthetic ? syntheticTask() : realTask()) : fileTask(file);

  console.log('1. Short examples: logits [[2.5, −1], [0.5, 0.5], [−1, 2]], targets [0, 1, 1]\n');
  quickExamples();

  console.log('\n2. Training on imbalanced classes\n');
  console.log(`${task.table.title}\n${describeTask(task)}`);
  console.log(
    `\nalpha ${alpha}: the weight of class 1, here the minority; every other class has ${Number((1 - alpha).toPrecision(3))}.` +
      '\n(An alpha as small as the share of the minority would weigh it less than the rest, not more.)',
  );
  console.log(
    `\nMean training loss by epoch, seed 1 of ${seeds}; each loss has a scale of its own`,
  );
  const outcomes = compareLosses(task, comparedLosses(alpha, gamma), seeds, epochs);

  const [plain, weighted, focal] = outcomes;
  console.log(
    `\n3. On the test rows; recall, precision and F1 are those of ${nameClass(task.table, 1)}\n`,
  );
  console.log(seeds === 1 ? 'One seed' : `Mean ± standard deviation over ${seeds} seeds`);
  console.log(metricsTable(outcomes));
  console.log('\nWhat focal loss gains (in brackets: seeds with a gain : seeds with a loss)');
  console.log(gainsTable(focal, [plain, weighted]));
}

await runProgram('example', main);
