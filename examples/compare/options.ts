import { InputError } from '../train/errors.js';
import { oneFile, parseArguments, toCount, toNumber } from '../train/options.js';

export const HELP = `Trains a TensorFlow.js classifier on imbalanced classes with cross-entropy, weighted cross-entropy, focal loss, focal loss
with label smoothing, and focal loss in stages, and compares what comes of it.

npm run demo                       on the Breast Cancer Wisconsin (Diagnostic) table and on the synthetic cohort
npm run demo -- data.csv           on your own table: numbers, the last column the class (numbers or text)
npm run demo -- --synthetic        on the synthetic cohort alone: 900 healthy and 100 ill people, invented

  --positives <n>  how many of the synthetic cohort are ill, 3 to 900 (default 100)
  --seed <n>       the first seed (default 1): a seed decides on the split, the first weights and the batches
  --seeds <n>      how many seeds, from that on (default 10)
  --epochs <n>     how often each training goes through the rows (default 40)
  --alpha <a>      weight of the rarest class, 0 to 1; the other rows have 1 - a (default 0.75)
  --gamma <g>      how strongly easy rows are down-weighted, 0 or more (default 2)
  --smoothing <s>  label smoothing, 0 to 1 (default 0.1)
  --help           this text
`;

export interface Options {
  readonly file: string | undefined;
  readonly synthetic: boolean;
  readonly positives: number | undefined;
  readonly seeds: readonly number[];
  readonly epochs: number;
  readonly alpha: number;
  readonly gamma: number;
  readonly smoothing: number;
  readonly help: boolean;
}

const OPTIONS = {
  synthetic: { type: 'boolean', default: false },
  positives: { type: 'string' },
  seed: { type: 'string', default: '1' },
  seeds: { type: 'string', default: '10' },
  epochs: { type: 'string', default: '40' },
  alpha: { type: 'string', default: '0.75' },
  gamma: { type: 'string', default: '2' },
  smoothing: { type: 'string', default: '0.1' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArguments({
    args: [...args],
    allowPositionals: true,
    options: OPTIONS,
  });
  const { synthetic, help, positives } = values;
  const file = oneFile(positionals, synthetic);
  if (file !== undefined && positives !== undefined) {
    throw new InputError('--positives is for the synthetic cohort, not for a file');
  }
  const first = toCount('--seed', values.seed);
  const isShare = (n: number) => n >= 0 && n <= 1;
  return {
    file,
    synthetic,
    positives: positives === undefined ? undefined : toPositives(positives),
    seeds: Array.from({ length: toCount('--seeds', values.seeds) }, (_, i) => first + i),
    epochs: toCount('--epochs', values.epochs),
    alpha: toNumber('--alpha', values.alpha, isShare, 'a number from 0 to 1'),
    gamma: toNumber('--gamma', values.gamma, (n) => n >= 0 && n < Infinity, 'a number from 0 on'),
    smoothing: toNumber('--smoothing', values.smoothing, isShare, 'a number from 0 to 1'),
    help,
  };
}

function toPositives(text: string): number {
  const isValid = (n: number) => Number.isInteger(n) && n >= 3 && n <= 900;
  return toNumber('--positives', text, isValid, 'a whole number from 3 to 900');
}
