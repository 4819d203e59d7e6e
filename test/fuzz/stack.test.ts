import { allocate, FocalLoss } from 'focal-loss';
import { expect, it } from 'vitest';
import { expectWorking } from '../support/failure.js';

// Where the engine's stack ends, it throws a RangeError in the middle of anything, also of the module, which then has not put
// its own stack back.

it('calls that run out of stack, wherever they are, throw a RangeError, and the module works on', () => {
  const criterion = new FocalLoss({ labelSmoothing: 0.1, gamma: 2.7 });
  const errors = new Map<string, number>();
  let [rows, distance] = [1, 0];
  const call = () => {
    const logits = new Float32Array(4 * rows);
    criterion.valueAndGrad(logits, new Uint8Array(rows));
    if (rows % 7 === 0) allocate(rows, 4).dispose();
  };
  const dive = (): void => {
    try {
      dive();
    } catch (error) {
      // So far from the end.
      if (distance-- === 0) {
        try {
          call();
        } catch (thrown) {
          const { name } = thrown as Error;
          errors.set(name, (errors.get(name) ?? 0) + 1);
        }
      }
      throw error;
    }
  };
  for (let round = 0; round < 3000; round++) {
    [rows, distance] = [1 + (round % 40), round % 101];
    expect(dive).toThrow(RangeError);
  }
  console.log(errors);
  expect(errors.get('RangeError')).toBeGreaterThan(1000);
  expect(Array.from(errors.keys())).toEqual(['RangeError']);
  expectWorking();
});
