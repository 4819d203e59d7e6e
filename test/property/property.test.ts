import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOSSES, type LossTests } from '../losses/index.js';
import { type Dtype, dtypes } from '../support/dtypes.js';
import { IS_SAMPLE } from '../support/sample.js';
import { judge, Worst } from './judge.js';

/**
 * Calls of each loss and float type: half of them the same in every run, the others new. Together
 * more than 100 000, but for a sample.
 */
const RUNS = IS_SAMPLE ? 2000 : 17_000;
const SEEDS = [20_261_123, Math.floor(Math.random() * 2 ** 31)];

function check(dtype: Dtype, { calls, makeCall }: LossTests): void {
  for (const seed of SEEDS) {
    const worst = new Worst();
    fc.assert(
      fc.property(calls, (drawn) => {
        const call = makeCall(dtype, drawn);
        try {
          judge(dtype, call, worst);
        } finally {
          call.dispose();
        }
      }),
      { numRuns: RUNS / 2, seed },
    );
    console.log(`seed ${seed}: ${worst}`);
    expect(worst.results).toBeGreaterThan(RUNS);
  }
}

describe.each(dtypes)('$name', { timeout: 120_000 }, (dtype) => {
  it.each(LOSSES)('$name agrees with plain loops', (loss) => check(dtype, loss));
});
