import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import * as main from 'focal-loss';
import * as analysis from 'focal-loss/analysis';
import * as slim from 'focal-loss/slim';
import { crossEntropy, focalLoss, sigmoidFocalLoss } from 'focal-loss/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectWorking } from '../support/failure.js';
import { IS_SAMPLE, sampled } from '../support/sample.js';
import { useBackend } from '../tfjs/backends.js';
import { exhaust, stop } from './interrupt.js';
import { type Harness, harnessOf } from './interrupted-calls.js';

// Where the engine's stack ends, it throws a RangeError in the middle of anything, also of the
// module, which then has not put its own stack back. Where a script's time ends, nothing is put
// back by anybody.

await slim.init(readFileSync(new URL(import.meta.resolve('focal-loss/focal-loss.wasm'))));

/**
 * As far as they have the same, TypeScript cannot tell: classes with private fields are never
 * alike.
 */
const ENTRIES = { main, slim, analysis } as unknown as Record<string, typeof analysis>;
const SEEDS = [20_261_127, Math.floor(Math.random() * 2 ** 31)].slice(0, IS_SAMPLE ? 1 : 2);

describe.each(SEEDS)('seed %i', (seed) => {
  // `slim` is the main entry but for the way in which it starts.
  const entries = IS_SAMPLE
    ? (['main', 'analysis'] as const)
    : (['main', 'slim', 'analysis'] as const);
  describe.each(entries)('focal-loss, %s entry', (name) => {
    const harness = harnessOf(ENTRIES[name] as typeof analysis, seed);

    it('every function is among them, but for the start, which has tests of its own', () => {
      const names = Object.keys(harness.calls).join();
      const missing = Object.keys(ENTRIES[name] as typeof analysis).filter(
        (exported) => !names.includes(exported),
      );
      // `Criterion` is what the losses have in common: its methods are called as theirs.
      expect(
        missing.filter(
          (exported) => !/^init$|^environment$|Error$|^LossMeter$|^Criterion$/.test(exported),
        ),
      ).toEqual([]);
    });

    it('calls that run out of stack, at any place of them, throw a RangeError, and leave all as it was', () => {
      // The memory grows to what the largest of them needs.
      callAll(harness);
      const before = harness.size();
      let count = 0;
      for (const [called, call] of sampled(Object.entries(harness.calls))) {
        const errors = exhaust(call, () => checkAfter(called, harness), seed);
        for (const error of errors) {
          expect(error, called).toBeInstanceOf(RangeError);
          expect((error as Error).message, called).toMatch(/call stack/);
        }
        expect(errors.length, called).toBeGreaterThan(0);
        count += errors.length;
      }
      console.log(`${count} calls ran out of stack`);
      expect(count).toBeGreaterThan(IS_SAMPLE ? 150 : 500);
      expect(harness.size()).toBe(before);
      if (name === 'main') expectWorking();
    });

    it('calls that are stopped, at any place of them, leave all as it was', () => {
      for (const [called, call] of sampled(Object.entries(harness.calls))) {
        for (let i = 0; i < 12; i++) stop(call, () => checkAfter(called, harness), 1 + (i % 2));
      }
    });
  });
});

function callAll({ calls }: Harness): void {
  for (const call of Object.values(calls)) call();
}

function checkAfter(name: string, harness: Harness): void {
  try {
    harness.check();
  } catch (cause) {
    throw new Error(`after ${name}`, { cause });
  }
}

describe('focal-loss/tfjs', () => {
  const harness = harnessOf(ENTRIES.main as typeof analysis, SEEDS[0] as number);
  const x = Float32Array.from({ length: 18 }, (_, i) => Math.cos(i));
  const losses = {
    focalLoss: focalLoss(),
    crossEntropy: crossEntropy(),
    sigmoidFocalLoss: sigmoidFocalLoss(),
  };
  // Values alone: a gradient that is interrupted leaves TensorFlow.js itself in the middle of one.
  const calls = Object.entries(losses).map(([name, loss]) => {
    const call = () => {
      const logits = tf.tensor(x, [6, 3]);
      const isSigmoid = name === 'sigmoidFocalLoss';
      const targets = isSigmoid ? tf.onesLike(logits) : tf.tensor1d([0, 1, 2, 2, 1, 0], 'int32');
      loss(targets, logits).dataSync();
    };
    return { name, call };
  });

  beforeAll(() => useBackend('cpu'));

  it.each(calls)(
    '$name, interrupted at any place of it, leaves the losses as they were',
    ({ name, call }) => {
      const errors = exhaust(call, () => checkAfter(name, harness), 0);
      expect(errors.length).toBeGreaterThan(10);
      for (let i = 0; i < 30; i++) stop(call, () => checkAfter(name, harness), 1 + (i % 3));
    },
  );
});
