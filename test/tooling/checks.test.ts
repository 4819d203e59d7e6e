import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { countCargoTests, countVitestTests, tally } from '../../scripts/lib/checks.mjs';

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

  it('reads the report of vitest, in which a file that does not load has no tests', () => {
    const testResults = [
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
      { status: 'failed', assertionResults: [] },
    ];
    const counts = { numPassedTests: 1, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 };
    writeFileSync(report, JSON.stringify({ ...counts, testResults }));
    expect(countVitestTests(report)).toEqual({ passed: 1, failed: 2, skipped: 3 });
  });

  it('counts nothing where vitest left no report', () => {
    expect(countVitestTests(join(folder, 'none.json'))).toEqual({ passed: 0, failed: 0, skipped: 0 });
  });

  it('takes a check without tests of its own for one test', () => {
    expect(tally({ code: 0, output: '' }, undefined)).toEqual({ passed: 1, failed: 0, skipped: 0 });
    expect(tally({ code: 1, output: '' }, undefined)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(tally({ code: -1, output: 'not found' }, undefined)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it.each([
    ['failed without saying in which test', 1, { passed: 7, failed: 0, skipped: 0 }, { passed: 7, failed: 1 }],
    ['failed in two tests', 1, { passed: 7, failed: 2, skipped: 0 }, { passed: 7, failed: 2 }],
    ['ran no test at all', 0, { passed: 0, failed: 0, skipped: 3 }, { passed: 0, failed: 1 }],
    ['passed', 0, { passed: 7, failed: 0, skipped: 0 }, { passed: 7, failed: 0 }],
  ])('judges a suite that %s', (_, code, counted, expected) => {
    expect(tally({ code, output: '' }, () => counted)).toMatchObject(expected);
  });
});
