import type { Random } from '../../../train/random.js';

/** Points of the plane, and the class of each. */
export interface Cloud {
  /** `[rows, 2]`. */
  readonly points: Float32Array<ArrayBuffer>;
  readonly targets: Uint8Array<ArrayBuffer>;
}

/** From where to where points are looked at, in both directions. */
export const EXTENT = 3.5;

/** The rare class has two nests at the edge of the other, which reaches into both. */
const NESTS = [
  { x: 1.5, y: 1.2 },
  { x: -1.3, y: -1.4 },
];
const NEST_DEVIATION = 0.45;

/** So many rows, of which a share is of class 1. */
export function makeCloud(random: Random, rows: number, rareShare: number): Cloud {
  const rare = Math.max(2, Math.round(rows * rareShare));
  const points = new Float32Array(2 * rows);
  const targets = new Uint8Array(rows).fill(1, rows - rare);
  for (const [row, target] of targets.entries()) {
    const nest = NESTS[row % NESTS.length];
    const [x, y, deviation] = target === 1 ? [nest.x, nest.y, NEST_DEVIATION] : [0, 0, 1];
    points[2 * row] = x + deviation * random.normal();
    points[2 * row + 1] = y + deviation * random.normal();
  }
  return { points, targets };
}
