import { describe, expect, it } from 'vitest';
import { makeContenders } from '../../examples/playground/src/benchmark/contenders.js';

describe("the browser's benchmark", () => {
  it.each([
    { rows: 32, classes: 2, alpha: 0.25, gamma: 2, smoothing: 0 },
    { rows: 1024, classes: 2, alpha: 0.75, gamma: 0, smoothing: 0.3 },
    { rows: 1024, classes: 10, alpha: 0, gamma: 0.1, smoothing: 0 },
    { rows: 1024, classes: 100, alpha: 1, gamma: 5, smoothing: 0.01 },
  ])('compares what computes the same: %j', (task) => {
    const contenders = makeContenders(task);
    expect(contenders.map(({ name }) => name)).toEqual(['focal-loss', 'plain JS loop']);
    for (const { call } of contenders) call();
  });
});
