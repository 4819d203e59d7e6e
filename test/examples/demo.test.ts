import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const LIMIT = 60_000;

function demo(...args: string[]): { status: number | null; output: string; errors: string } {
  const command = ['--import', 'tsx', 'examples/train/main.ts', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  return { status, output: stdout, errors: stderr };
}

/** The number that follows a text in the output. */
function numberAfter(output: string, text: string): number {
  const found = output.indexOf(text);
  expect(found, `"${text}" in the output`).toBeGreaterThanOrEqual(0);
  return Number.parseFloat(output.slice(found + text.length));
}

function expectClose(actual: number, expected: number, relativeError: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(relativeError * Math.abs(expected));
}

describe('the demo', { timeout: LIMIT }, () => {
  it('prints the short examples, the loss by epoch and the comparison', () => {
    const { status, output, errors } = demo('--seeds', '1', '--epochs', '5');
    expect(errors).toBe('');
    expect(status).toBe(0);

    // Exact values; a float64 computation that forms 1 − pt by subtraction is off by 1e-14.
    expectClose(numberAfter(output, 'Loss: '), 0.014456063646326968, 3e-15);
    const perSample = output.slice(
      output.indexOf('Per-sample losses'),
      output.indexOf('Hard examples'),
    );
    const losses = [...perSample.matchAll(/\d\.\d+(e-\d+)?/g)].map(([digits]) => Number(digits));
    const expected = [1.9171322860070537e-5, 0.04332169878499658, 2.7320831124249382e-5];
    expect(losses.length).toBe(3);
    for (const [row, value] of expected.entries()) expectClose(losses[row], value, 3e-15);
    // The reference rounds the smoothed targets, and alpha, to float32.
    expectClose(numberAfter(output, 'Smoothed loss: '), 0.016732143631172782, 1e-7);
    expectClose(numberAfter(output, 'alpha 0.4, smoothing 0.1: '), 0.02536764996656872, 1e-7);
    expectClose(
      numberAfter(output, 'alpha 0.1, gamma 3, smoothing 0.05: '),
      0.002942222682139898,
      1e-7,
    );
    expect(output).toContain('Hard examples: [ 1 ]');

    expect(output).toContain('357 malignant = 0, 212 malignant = 1');
    expect(output.match(/^ +[1-5]( +\d\.\d+){3}$/gm)?.length).toBe(5);
    for (const metric of ['Accuracy', 'Minority recall', 'Precision', 'F1']) {
      expect(output).toMatch(
        new RegExp(`${metric} +│ +[01]\\.\\d{3} │ +[01]\\.\\d{3} │ +[01]\\.\\d{3} │`),
      );
    }
    // No terminal: no progress bar and nothing that moves a cursor.
    for (const mark of ['\u001b', '\r', '█']) expect(output).not.toContain(mark);
  });

  it('gives the same output each time', () => {
    const args = ['--synthetic', '--seeds', '2', '--epochs', '3'];
    const { status, output } = demo(...args);
    expect(status).toBe(0);
    expect(output).toContain('900 diagnosis = CN, 100 diagnosis = AD');
    expect(output).toContain('±');
    expect(demo(...args).output).toBe(output);
  });

  it('explains itself', () => {
    const { status, output } = demo('--help');
    expect(status).toBe(0);
    expect(output).toContain('--synthetic');
  });

  it.each([
    [['--sedes', '3'], "Unknown option '--sedes'"],
    [['--seeds', '0'], '--seeds must be a whole number from 1 on, not "0"'],
    [['--epochs', '2.5'], '--epochs must be a whole number from 1 on, not "2.5"'],
    [['--alpha', '2'], '--alpha must be a number from 0 to 1, not "2"'],
    [['--gamma='], '--gamma must be a number from 0 on, not ""'],
    [['a.csv', 'b.csv'], 'one file at most, but there are 2: a.csv, b.csv'],
    [['a.csv', '--synthetic'], 'either --synthetic or a file, not both'],
    [['no-such-file.csv'], "can't read the file"],
  ])('refuses %j', (args, message) => {
    const { status, output, errors } = demo(...args);
    expect(status).toBe(1);
    expect(output).toBe('');
    expect(errors).toContain(message);
    expect(errors).not.toContain('    at ');
  });

  describe("on the reader's own table", () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'focal-loss-demo-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    function write(lines: string[]): string {
      const path = join(folder, 'own.csv');
      writeFileSync(path, `${lines.join('\n')}\n`);
      return path;
    }

    it('takes text labels and three classes', () => {
      const rows = Array.from(
        { length: 90 },
        (_, i) => `${i % 7},${(i * i) % 11},${['a', 'b', 'c'][i % 10 === 0 ? 2 : i % 2]}`,
      );
      const { status, output, errors } = demo(write(rows), '--seeds', '1', '--epochs', '2');
      expect(errors).toBe('');
      expect(status).toBe(0);
      expect(output).toContain('9 class = c');
      expect(output).toContain('recall, precision and F1 are those of class = c');
    });

    it('names line and column of a bad value', () => {
      const { status, errors } = demo(write(['age,score,diagnosis', '70,1,CN', '71,n/a,AD']));
      expect(status).toBe(1);
      expect(errors).toContain('own.csv, line 3, column 2 (score): "n/a" is not a finite number');
    });
  });
});
