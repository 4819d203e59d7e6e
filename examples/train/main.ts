import { compareLosses } from './compare.js';
import { InputError } from './errors.js';
import { comparedLosses } from './losses.js';
import { HELP, parseOptions } from './options.js';
import { quickExamples } from './quick.js';
import { gainsTable, metricsTable } from './report.js';
import { chooseTask, describeTask, nameClass } from './task.js';

function main(): void {
  const { help, seeds, epochs, alpha, gamma, ...source } = parseOptions(process.argv.slice(2));
  if (help) {
    console.log(HELP);
    return;
  }
  const task = chooseTask(source);

  console.log('1. Short examples: logits [[2.5, −1], [0.5, 0.5], [−1, 2]], targets [0, 1, 1]\n');
  quickExamples();

  console.log('\n2. Training on imbalanced classes\n');
  console.log(describeTask(task));
  console.log(
    `\nalpha ${alpha}: the weight of class 1, here the minority; every other class has ${Number((1 - alpha).toPrecision(3))}.` +
      '\n(An alpha as small as the share of the minority would weigh it less than the rest, not more.)',
  );
  console.log(`\nMean training loss by epoch, seed 1 of ${seeds}; each loss has a scale of its own`);
  const outcomes = compareLosses(task, comparedLosses(alpha, gamma), seeds, epochs);

  const [plain, weighted, focal] = outcomes;
  console.log(`\n3. On the test rows; recall, precision and F1 are those of ${nameClass(task.table, 1)}\n`);
  console.log(seeds === 1 ? 'One seed' : `Mean ± standard deviation over ${seeds} seeds`);
  console.log(metricsTable(outcomes));
  console.log('\nWhat focal loss gains (in brackets: seeds with a gain : seeds with a loss)');
  console.log(gainsTable(focal, [plain, weighted]));
}

// A reader who has seen enough, such as `head`, ends the demo without an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  main();
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(`demo: ${error.message}\n      npm run demo -- --help shows how it is used`);
  process.exitCode = 1;
}
