import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseOptions } from '../../examples/compare/options.js';
import { InputError } from '../../examples/train/errors.js';

const LOSSES = [
  'Cross-entropy',
  'Weighted cross-entropy',
  'Focal loss',
  'Focal + smoothing',
  'Staged focal',
];

function demo(...args: string[]): { status: number | null; output: string; errors: string } {
  const command = ['--import', 'tsx', 'examples/compare/main.ts', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  return { status, output: stdout, errors: stderr };
}

/** The cells of every line of the tables that begins with this name. */
function cellsOf(output: string, name: string): string[][] {
  return output
    .split('\n')
    .filter((line) => line.startsWith(`│ ${name} `))
    .map((line) =>
      line
        .split('│')
        .slice(2, -1)
        .map((cell) => cell.trim()),
    );
}

/** The output before the times, which are never the same. */
function withoutTimes(output: string): string {
  const end = output.indexOf('Time of a training step');
  expect(end).toBeGreaterThan(0);
  return output.slice(0, end);
}

/** Expects four tables for each of two tables of data, of figures in [0, 1]. */
function expectTables(output: string): void {
  for (const name of LOSSES) {
    const lines = cellsOf(output, name);
    expect(lines).toHaveLength(8);
    for (const [i, cells] of lines.entries()) {
      expect(cells).toHaveLength(i % 4 === 3 ? 4 : 5);
      // The last of the four has log losses, which can be above 1.
      const most = (j: number) => (i % 4 === 3 && j > 1 ? 10 : 1);
      for (const [j, cell] of cells.entries())
        expect(Number(cell)).toSatisfy((x: number) => x >= 0 && x <= most(j));
    }
  }
}

/** Expects thresholds in their intervals, and tests of all losses against cross-entropy. */
function expectThresholds(output: string): void {
  const thresholds = [
    ...output.matchAll(/^ {2}(\S.*?) +(\d\.\d\d) \((\d\.\d\d) to (\d\.\d\d)\)(.*)$/gm),
  ];
  expect(thresholds.map(([, name]) => name)).toEqual([...LOSSES, ...LOSSES]);
  for (const [, name, threshold, low, high, test] of thresholds) {
    expect(Number(low)).toBeLessThanOrEqual(Number(threshold));
    expect(Number(high)).toBeGreaterThanOrEqual(Number(threshold));
    if (name === 'Cross-entropy') expect(test).toBe('');
    else expect(test).toMatch(/ AUC .*, F1 .*, log loss .*: (no more|more) than chance/);
  }
}

describe('npm run demo', () => {
  it('compares five losses on the real table and on the cohort, and times a step', () => {
    const { status, output, errors } = demo('--seeds', '1', '--epochs', '2', '--positives', '60');
    expect(errors).toBe('');
    expect(status).toBe(0);
    expect(output).toMatch(/^Loss: 0\.0144560636463\d+$/m); // the short examples come first
    expect(output).toContain('357 malignant = 0, 212 malignant = 1');
    expect(output).toContain('900 diagnosis = CN, 60 diagnosis = AD');
    expect(output.match(/^ +[12]( +\d\.\d+){5}$/gm)).toHaveLength(4);
    expectTables(output);
    expect(output.match(/too few seeds to say/g)).toHaveLength(16);
    expect(output).not.toMatch(/: (better|worse|no clear difference) \(/);

    expectThresholds(output);

    const times = [
      ...output.matchAll(/^(.*?) +([\d.]+) ms a step, of which the loss ([\d.]+) ms, (\d+) %$/gm),
    ];
    expect(times.map(([, name]) => name)).toEqual(['focal-loss/tfjs', 'composed of tf operations']);
    for (const [, , step, loss, share] of times) {
      expect(Number(loss)).toBeGreaterThan(0);
      expect(Math.abs(Number(share) - (100 * Number(loss)) / Number(step))).toBeLessThan(2);
    }
    // No terminal: no progress bar and nothing that moves a cursor.
    for (const mark of ['\u001b', '\r', '█']) expect(output).not.toContain(mark);
  });

  it('gives the same figures each time, and others for another seed', () => {
    const args = ['--synthetic', '--seeds', '1', '--epochs', '2'];
    const first = withoutTimes(demo(...args).output);
    expect(first).not.toContain('malignant');
    expect(withoutTimes(demo(...args).output)).toBe(first);
    expect(cellsOf(withoutTimes(demo(...args, '--seed', '2').output), 'Focal loss')).not.toEqual(
      cellsOf(first, 'Focal loss'),
    );
  });

  it('says with enough seeds whether focal loss is better, by the means and spreads that it prints', () => {
    const { output } = demo('--synthetic', '--seeds', '5', '--epochs', '2');
    for (const name of LOSSES)
      expect(cellsOf(output, name).flat().join(' ')).toMatch(/^(\d\.\d{3} ± \d\.\d{3} ?){19}$/);
    const verdicts = [
      ...output.matchAll(/: (.+?) \(([+−])(\d\.\d{3}), seeds: (\d) better, (\d) worse\)$/gm),
    ];
    expect(verdicts).toHaveLength(8);
    for (const [, verdict, sign, , better, worse] of verdicts) {
      expect(['better', 'worse', 'no clear difference']).toContain(verdict);
      expect(Number(better) + Number(worse)).toBeLessThanOrEqual(5);
      if (verdict === 'better') expect(sign).toBe('+');
      if (verdict === 'worse') expect(sign).toBe('−');
    }
    // The gain is the difference of the means in the first table.
    const mean = (name: string) => Number.parseFloat(cellsOf(output, name)[0][2]);
    const [, , sign, gain] = verdicts[0];
    expect((sign === '−' ? -1 : 1) * Number(gain)).toBeCloseTo(
      mean('Focal loss') - mean('Cross-entropy'),
      2,
    );
  });

  it('explains itself', () => {
    const { status, output } = demo('--help');
    expect(status).toBe(0);
    for (const option of [
      '--synthetic',
      '--positives',
      '--seed ',
      '--seeds',
      '--epochs',
      '--smoothing',
    ]) {
      expect(output).toContain(option);
    }
  });

  it('refuses a mistake in one line', () => {
    const { status, output, errors } = demo('no-such-file.csv');
    expect(status).toBe(1);
    expect(output).toBe('');
    expect(errors).toMatch(
      /^demo: can't read the file: .*\n +npm run demo -- --help shows how it is used\n$/,
    );
  });

  it.each([
    [['--sedes', '3'], "Unknown option '--sedes'"],
    [['--seed', '0'], '--seed must be a whole number from 1 on, not "0"'],
    [['--seeds', '1.5'], '--seeds must be a whole number from 1 on, not "1.5"'],
    [['--positives', '2'], '--positives must be a whole number from 3 to 900, not "2"'],
    [['--positives', '901'], '--positives must be a whole number from 3 to 900, not "901"'],
    [['--smoothing', '2'], '--smoothing must be a number from 0 to 1, not "2"'],
    [['a.csv', '--positives', '50'], '--positives is for the synthetic cohort, not for a file'],
    [['a.csv', '--synthetic'], 'either --synthetic or a file, not both'],
    [['a.csv', 'b.csv'], 'one file at most, but there are 2: a.csv, b.csv'],
  ])('refuses %j', (args, message) => {
    const refused = () => parseOptions(args);
    expect(refused).toThrow(InputError);
    expect(refused).toThrow(message);
  });

  describe("on the reader's own table", () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'focal-loss-compare-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    function write(lines: string[]): string {
      const path = join(folder, 'own.csv');
      writeFileSync(path, `${lines.join('\n')}\n`);
      return path;
    }

    it('takes three classes', () => {
      const label = (i: number) => ['a', 'b', 'c'][i % 10 === 0 ? 2 : i % 2];
      const rows = Array.from({ length: 90 }, (_, i) => `${i % 7},${(i * i) % 11},${label(i)}`);
      const { status, output, errors } = demo(write(rows), '--seeds', '1', '--epochs', '1');
      expect(errors).toBe('');
      expect(status).toBe(0);
      expect(output).toContain('the minority is class = c');
      for (const name of LOSSES) expect(cellsOf(output, name)).toHaveLength(4);
    });

    it('refuses a class of two rows, which three parts cannot share', () => {
      const { status, errors } = demo(
        write(['1,a', '2,a', '3,a', '4,b', '5,b']),
        '--seeds',
        '1',
        '--epochs',
        '1',
      );
      expect(status).toBe(1);
      expect(errors).toContain(
        'own.csv: class b has 2 rows only; a split into training, validation and test needs three',
      );
    });
  });
});
