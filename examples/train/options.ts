import { type ParseArgsConfig, parseArgs } from 'node:util';
import { InputError } from './errors.js';

export const HELP = `Trains a small classifier with focal loss and with cross-entropy on imbalanced classes, and compares the two.

npm run example                    on the Breast Cancer Wisconsin (Diagnostic) table
npm run example -- data.csv        on your own table: numbers, the last column the class (numbers or text)
npm run example -- --synthetic     on an invented cohort of 900 healthy and 100 ill people

  --seeds <n>    how many times to split and train (default 10)
  --epochs <n>   how often each training goes through the rows (default 50)
  --alpha <a>    weight of the rarest class, 0 to 1; the other rows have 1 - a (default 0.75)
  --gamma <g>    how strongly easy rows are down-weighted, 0 or more (default 2)
  --help         this text
`;

export interface Options {
  readonly file: string | undefined;
  readonly synthetic: boolean;
  readonly seeds: number;
  readonly epochs: number;
  readonly alpha: number;
  readonly gamma: number;
  readonly help: boolean;
}

const OPTIONS = {
  synthetic: { type: 'boolean', default: false },
  seeds: { type: 'string', default: '10' },
  epochs: { type: 'string', default: '50' },
  alpha: { type: 'string', default: '0.75' },
  gamma: { type: 'string', default: '2' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArguments({
    args: [...args],
    allowPositionals: true,
    options: OPTIONS,
  });
  return {
    file: oneFile(positionals, values.synthetic),
    synthetic: values.synthetic,
    seeds: toCount('--seeds', values.seeds),
    epochs: toCount('--epochs', values.epochs),
    alpha: toNumber('--alpha', values.alpha, (n) => n >= 0 && n <= 1, 'a number from 0 to 1'),
    gamma: toNumber('--gamma', values.gamma, (n) => n >= 0 && n < Infinity, 'a number from 0 on'),
    help: values.help,
  };
}

/** `parseArgs`, whose complaints are about what the reader typed. */
export function parseArguments<T extends ParseArgsConfig>(
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new InputError((error as Error).message);
  }
}

/** The file among the arguments, if there is one. */
export function oneFile(positionals: readonly string[], synthetic: boolean): string | undefined {
  const [file, ...more] = positionals;
  if (more.length > 0)
    throw new InputError(
      `one file at most, but there are ${positionals.length}: ${positionals.join(', ')}`,
    );
  if (file !== undefined && synthetic)
    throw new InputError('either --synthetic or a file, not both');
  return file;
}

export function toCount(name: string, text: string): number {
  return toNumber(name, text, (n) => Number.isInteger(n) && n >= 1, 'a whole number from 1 on');
}

export function toNumber(
  name: string,
  text: string,
  valid: (value: number) => boolean,
  wanted: string,
): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!valid(value)) throw new InputError(`${name} must be ${wanted}, not ${JSON.stringify(text)}`);
  return value;
}
