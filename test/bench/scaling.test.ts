import { expect, it } from 'vitest';
import { focalLoss } from '../../scripts/bench/contenders/focal-loss.js';
import { measureScaling } from '../../scripts/bench/scaling.js';

// In a file of its own, because it has to see the module start.
it('the memory of the module does not grow with the batch', async () => {
  const points = await measureScaling(focalLoss, 1, () => {}, [100, 10_000]);
  expect(points.map(({ rows, classes }) => [rows, classes])).toEqual([
    [100, 2],
    [10_000, 2],
    [100, 10],
    [10_000, 10],
  ]);
  const [{ wasmMemory } = { wasmMemory: 0 }] = points;
  expect(wasmMemory).toBeGreaterThan(2 ** 16);
  for (const point of points) expect(point.wasmMemory).toBe(wasmMemory);
});
