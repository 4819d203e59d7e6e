import { describe, expect, it } from 'vitest';
import { makeContenders } from '../../examples/playground/src/benchmark/contenders.js';
import { measure, spreadOf } from '../../examples/playground/src/benchmark/measure.js';

describe("the browser's benchmark", () => {
  it('gives the time of a call, in turns, by the clock', () => {
    let now = 0;
    const turns: string[] = [];
    const contender = (name: string, milliseconds: number) => ({
      name,
      call: () => {
        now += milliseconds;
        if (turns.at(-1) !== name) turns.push(name);
      },
    });
    const done: number[] = [];
    const times = measure(
      [contender('a', 0.5), contender('b', 64)],
      3,
      () => now,
      (round) => done.push(round),
    );
    expect(times).toEqual([
      { name: 'a', seconds: [0.0005, 0.0005, 0.0005] },
      { name: 'b', seconds: [0.064, 0.064, 0.064] },
    ]);
    expect(done).toEqual([1, 2, 3]);
    // Warming up, and three rounds.
    expect(turns.join('')).toBe('abababab');
  });

  it.each([
    [[5], { lower: 5, median: 5, upper: 5 }],
    [[4, 1, 3, 2, 5], { lower: 2, median: 3, upper: 4 }],
    [[10, 0], { lower: 2.5, median: 5, upper: 7.5 }],
  ])('has quartiles: of %j', (figures, spread) => {
    expect(spreadOf(figures)).toEqual(spread);
  });

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
