import { describe, expect, it } from 'vitest';
import { EXTENT, makeCloud } from '../../examples/playground/src/race/cloud.js';
import { GRID, Race, REACH } from '../../examples/playground/src/race/race.js';
import { Random } from '../../examples/train/random.js';

const SETTINGS = { seed: 3, rare: 10, alpha: 0.75, gamma: 2, smoothing: 0 };

function run(race: Race, epochs: number): Race {
  for (let i = 0; i < epochs; i++) race.step();
  return race;
}

describe('the cloud', () => {
  it.each([
    [0.05, 50],
    [0.5, 500],
    [0, 2],
  ])('of a share of %f has %i rare rows of 1000', (share, rare) => {
    const { points, targets } = makeCloud(new Random(1), 1000, share);
    expect(points).toHaveLength(2000);
    expect(targets.filter((target) => target === 1)).toHaveLength(rare);
  });
});

describe('the race', () => {
  it('is the same for the same settings, and another for another seed', () => {
    const standings = (seed: number) =>
      run(new Race({ ...SETTINGS, seed }), 3).runners.map((runner) => runner.standings);
    expect(standings(3)).toEqual(standings(3));
    expect(standings(4)).not.toEqual(standings(3));
  });

  it('begins with the same network for both', () => {
    const [entropy, focal] = new Race(SETTINGS).runners;
    expect(entropy.preferences()).toEqual(focal.preferences());
  });

  it('makes no difference where focal loss is half the cross-entropy but for rounding, since Adam ignores the scale', () => {
    const [entropy, focal] = run(new Race({ ...SETTINGS, alpha: 0.5, gamma: 0 }), 5).runners;
    const ours = focal.preferences();
    // The worst found is 4e-6, of preferences up to 3.3.
    for (const [i, theirs] of entropy.preferences().entries())
      expect(Math.abs(ours[i] - theirs)).toBeLessThan(1e-5);
  });

  it('is learned by both: with many epochs, rare rows are found', () => {
    const { runners, epoch } = run(new Race({ ...SETTINGS, rare: 30 }), 60);
    expect(epoch).toBe(60);
    for (const { standings } of runners) {
      expect(standings).toHaveLength(61);
      const last = standings[60];
      expect(last.recall).toBeGreaterThan(0.6);
      expect(last.f1).toBeCloseTo(
        (2 * last.recall * last.precision) / (last.recall + last.precision),
        12,
      );
      expect(last.gradientShares[0] + last.gradientShares[1]).toBeCloseTo(1, 12);
    }
  });

  it('looks a cell and more beyond what is shown, so that no contour runs along its edge', () => {
    const cell = (2 * REACH) / GRID;
    expect(REACH - cell / 2).toBeGreaterThan(EXTENT);
  });

  it('shows preferences from the lower left: the nests are where the rare class is preferred', () => {
    const [, focal] = run(new Race({ ...SETTINGS, rare: 30 }), 60).runners;
    const preferences = focal.preferences();
    const at = (x: number, y: number) => {
      const place = (z: number) => Math.floor(((z / REACH + 1) / 2) * GRID);
      return preferences[place(y) * GRID + place(x)];
    };
    expect(at(1.5, 1.2)).toBeGreaterThan(0);
    expect(at(-1.3, -1.4)).toBeGreaterThan(0);
    expect(at(0, 0)).toBeLessThan(0);
    expect(at(-1.5, 1.2)).toBeLessThan(0);
  });
});
