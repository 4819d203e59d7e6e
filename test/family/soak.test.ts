import { allocate, CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { type Dtype, dtypes } from '../support/dtypes.js';
import { family, randomProbabilities } from '../support/family.js';
import { collect } from '../support/heap.js';
import { generator } from '../support/random.js';

const SHAPES = [
  [1, 2],
  [7, 2],
  [2, 3],
  [5, 10],
  [3, 30],
  [1, 100],
] as const;

/** Calls of every loss and every form of its options, by a number. */
function callsOf(dtype: Dtype, rows: number, classes: number): ((i: number) => void)[] {
  const { logits } = randomBatch(dtype, rows, classes, 90);
  const grad = dtype.zeros(rows * classes);
  const soft = randomProbabilities(dtype, rows, classes, 91);
  const perRow = dtype.zeros(rows).fill(0.5);
  const first = new FocalLoss({ layout: 'channels-first', numClasses: classes });
  const calls = family(dtype, rows, classes).flatMap(({ ignoring, spoilt }) => [
    () => ignoring.valueAndGrad(logits, spoilt, { grad }),
    (i: number) => ignoring.backward(logits, spoilt, { grad, gradOutput: i % 5 }),
    () => ignoring.forward(logits, spoilt),
  ]);
  const targets = new Uint8Array(rows);
  return [
    ...calls,
    () => new FocalLoss().backward(logits, targets, { sampleWeights: perRow }),
    () => first.valueAndGrad(logits, targets, { grad }),
    () => new CrossEntropyLoss({ numClasses: classes }).valueAndGrad(logits, soft, { grad }),
    (i: number) => new SigmoidFocalLoss({ gamma: i % 4 }).valueAndGrad(logits, soft, { grad }),
    () => {
      try {
        first.forward(logits, new Uint8Array(rows).fill(255));
      } catch {
        // So are calls that fail.
      }
    },
  ];
}

it('a million calls of all kinds, and nothing grows', { timeout: 300_000 }, () => {
  const calls = dtypes.flatMap((dtype) =>
    SHAPES.flatMap(([rows, classes]) => callsOf(dtype, rows, classes)),
  );
  const random = generator(92);
  const run = (count: number) => {
    for (let i = 0; i < count; i++) calls[Math.floor(random() * calls.length)](i);
  };
  const memory = () => {
    const batch = allocate(1, 2);
    const { byteLength } = batch.logits.buffer;
    batch.dispose();
    collect();
    // Buffers are given back by a thread beside; the next collection begins by waiting for it.
    collect();
    return { ...process.memoryUsage(), wasm: byteLength };
  };
  run(50_000);
  const before = memory();
  run(1_000_000);
  const after = memory();
  console.log(
    `${calls.length} kinds of calls: the heap grew by ${after.heapUsed - before.heapUsed} bytes`,
  );
  expect(after.wasm).toBe(before.wasm);
  // One byte a call would be 1 MB.
  expect(after.heapUsed - before.heapUsed).toBeLessThan(500_000);
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(100_000);
});

it('200 000 allocations of mixed sizes, up to three at a time, and the memory does not grow', {
  timeout: 120_000,
}, () => {
  const random = generator(93);
  const held: ReturnType<typeof allocate>[] = [];
  let largest = 0;
  const run = (count: number) => {
    for (let i = 0; i < count; i++) {
      const batch = allocate(1 + Math.floor(random() * 300), 2 + Math.floor(random() * 30));
      held.push(batch);
      largest = Math.max(largest, batch.logits.buffer.byteLength);
      if (held.length > 3 || random() < 0.3)
        held.splice(Math.floor(random() * held.length), 1)[0].dispose();
    }
    const size = largest;
    largest = 0;
    return size;
  };
  const before = run(20_000);
  expect(run(180_000)).toBe(before);
  for (const batch of held) batch.dispose();
});
