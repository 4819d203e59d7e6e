import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import { benchShape, type ShapeResults } from './bench.js';
import { focalLoss } from './contenders/focal-loss.js';
import { plainJs } from './contenders/plain-js.js';
import { plainJsTwo } from './contenders/plain-js-two.js';
import { ratioTable, writeJson } from './report.js';
import { SHAPES } from './workload.js';

/** The ratios refer to the first. */
const CONTENDERS = [focalLoss, plainJs, plainJsTwo];

const HELP = `Times value and gradient of the focal loss (float32, gamma 2, alpha 0.25) side by side.

npm run bench -- [--rounds <n>]    n samples of every contender and shape (default 21)
`;

async function main(rounds: number): Promise<void> {
  // Drawn on stderr, and only where that is a terminal.
  const bar = new SingleBar(
    {
      format: '{bar} {percentage} %, {shape}, {eta_formatted} left',
      barsize: 24,
      clearOnComplete: true,
      linewrap: true,
    },
    Presets.shades_grey,
  );
  bar.start(SHAPES.length * rounds, 0, { shape: '' });
  const results: ShapeResults[] = [];
  for (const shape of SHAPES) {
    const payload = { shape: `[${shape.rows}, ${shape.classes}]` };
    results.push(await benchShape(shape, CONTENDERS, rounds, () => bar.increment(payload)));
  }
  bar.stop();

  console.log(
    'Focal loss, value and gradient, float32, gamma 2, alpha 0.25, copies into and out of the wasm included.',
  );
  console.log(`Times are medians of ${rounds} samples; the other columns say how many times as long their loop takes.`);
  console.log(ratioTable(results));
  console.log(`Details: ${relative('.', writeJson(results, rounds))}`);
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '21' }, help: { type: 'boolean' } } });
const rounds = Number(values.rounds);
if (values.help) {
  console.log(HELP);
} else if (Number.isInteger(rounds) && rounds > 0) {
  await main(rounds);
} else {
  console.error(`--rounds must be a whole number from 1 on, not "${values.rounds}"`);
  process.exitCode = 1;
}
