import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';
import {
  countCargoTests,
  countVitestTests,
  runChecks,
  skippedTests,
  tally,
} from '../../scripts/check/checks.mjs';

describe('the tally of npm test', () => {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-'));
  const report = join(folder, 'vitest.json');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('adds up the test programs of cargo', () => {
    const output = [
      'running 2 tests',
      'test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s',
      'test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s',
    ].join('\n');
    expect(countCargoTests(output)).toEqual({ passed: 5, failed: 4, skipped: 1 });
  });

  const testResults = [
    {
      name: join(root, 'test', 'a.test.ts'),
      status: 'passed',
      assertionResults: [{ status: 'passed', fullName: 'one' }],
    },
    {
      name: join(root, 'test', 'b.test.ts'),
      status: 'failed',
      assertionResults: [
        { status: 'failed', fullName: 'two' },
        { status: 'skipped', fullName: 'three' },
        { status: 'todo', fullName: 'four' },
      ],
    },
    { name: join(root, 'test', 'c.test.ts'), status: 'failed', assertionResults: [] },
  ];

  it('reads the report of vitest, in which a file that does not load has no tests', () => {
    writeFileSync(report, JSON.stringify({ testResults }));
    expect(countVitestTests(report)).toEqual({ passed: 1, failed: 2, skipped: 2 });
  });

  it('finds the tests that were skipped, and counts them alone when they run again', () => {
    writeFileSync(report, JSON.stringify({ testResults }));
    expect(skippedTests(report)).toEqual([
      { file: join('test', 'b.test.ts'), name: 'three' },
      { file: join('test', 'b.test.ts'), name: 'four' },
    ]);
    const again = (status: string) => [
      {
        name: 'b',
        status: 'passed',
        assertionResults: [
          { status: 'passed', fullName: 'two' },
          { status: 'passed', fullName: 'three' },
          { status, fullName: 'four' },
        ],
      },
    ];
    const isCounted = (name: string) => ['three', 'four'].includes(name);
    for (const [status, expected] of [
      ['passed', { passed: 2, failed: 0, skipped: 0 }],
      ['failed', { passed: 1, failed: 1, skipped: 0 }],
      ['skipped', { passed: 1, failed: 0, skipped: 1 }],
    ] as const) {
      writeFileSync(report, JSON.stringify({ testResults: again(status) }));
      expect(countVitestTests(report, isCounted)).toEqual(expected);
    }
  });

  it('counts nothing where vitest left no report', () => {
    expect(countVitestTests(join(folder, 'none.json'))).toEqual({
      passed: 0,
      failed: 0,
      skipped: 0,
    });
  });

  it('takes a check without tests of its own for one test', () => {
    expect(tally({ code: 0, output: '' }, undefined)).toEqual({ passed: 1, failed: 0, skipped: 0 });
    expect(tally({ code: 1, output: '' }, undefined)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(tally({ code: -1, output: 'not found' }, undefined)).toEqual({
      passed: 0,
      failed: 1,
      skipped: 0,
    });
  });

  it.each([
    [
      'failed without saying in which test',
      1,
      { passed: 7, failed: 0, skipped: 0 },
      { passed: 7, failed: 1 },
    ],
    ['failed in two tests', 1, { passed: 7, failed: 2, skipped: 0 }, { passed: 7, failed: 2 }],
    ['ran no test at all', 0, { passed: 0, failed: 0, skipped: 3 }, { passed: 0, failed: 1 }],
    ['passed', 0, { passed: 7, failed: 0, skipped: 0 }, { passed: 7, failed: 0 }],
  ])('judges a suite that %s', (_, code, counted, expected) => {
    expect(tally({ code, output: '' }, () => counted)).toMatchObject(expected);
  });
});

it('checks of a list run beside each other, and all count', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-'));
  /** A program that ends when the other one has begun. */
  const check = (own: string, other: string, code: number) => ({
    name: own,
    command: process.execPath,
    args: [
      '--eval',
      `const { existsSync, writeFileSync } = require('node:fs');
       writeFileSync('${join(folder, own)}', '');
       setInterval(() => existsSync('${join(folder, other)}') && process.exit(${code}), 10);`,
    ],
    env: process.env,
  });
  const single = check('single', 'single', 0);
  expect(await runChecks([[check('one', 'other', 0), check('other', 'one', 1)], single])).toEqual({
    passed: 2,
    failed: 1,
    skipped: 0,
  });
  rmSync(folder, { recursive: true });
});
