import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dtype, dtypes } from '../support/dtypes.js';
import { type Call, crossEntropyCall, focalCall, sigmoidCall } from './calls.js';
import { crossEntropyCalls, focalCalls, sigmoidCalls } from './draws.js';
import { judge, Worst } from './judge.js';

/**
 * Calls of each loss and float type: half of them the same in every run, the others new. Together
 * more than 100 000.
 */
const RUNS = 17_000;
const SEEDS = [20_261_123, Math.floor(Math.random() * 2 ** 31)];

function check<D>(dtype: Dtype, calls: fc.Arbitrary<D>, make: (dtype: Dtype, drawn: D) => Call): void {
  for (const seed of SEEDS) {
    const worst = new Worst();
    fc.assert(
      fc.property(calls, (drawn) => {
        const call = make(dtype, drawn);
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
  it('FocalLoss agrees with plain loops', () => check(dtype, focalCalls, focalCall));
  it('CrossEntropyLoss agrees with plain loops', () => check(dtype, crossEntropyCalls, crossEntropyCall));
  it('SigmoidFocalLoss agrees with plain loops', () => check(dtype, sigmoidCalls, sigmoidCall));
});
