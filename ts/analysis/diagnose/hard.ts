// The rows whose loss is above a threshold.

import { ABOVE_SUM } from '../../module/abi.js';
import { kernels } from '../../module/analysis-kernels.js';
import { leave } from '../../module/gate.js';
import { load } from '../../module/instance.js';
import { joined } from '../rows/loops.js';
import { type Deck, sortedAt, sortInTurns, sortingRoom } from '../rows/order.js';
import type { Work } from '../rows/turns.js';
import { type ListedRows, numberThem } from './listed.js';

/** Numbers in the record of a threshold. */
export const ABOVE_LENGTH = ABOVE_SUM + 1;

/** Rows above a threshold. */
export interface HardRows {
  /** Their numbers, the one with the largest loss first; those with equal losses in order. */
  readonly rows: Uint32Array;
  /** Their losses, added up. */
  readonly loss: number;
}

/**
 * Leaves of so many losses, for which there is room in the module behind a record, those above the
 * record's threshold. They are less than 0 then, so that the largest are first. Returns how many
 * are left, and adds them to the record.
 */
function leaveAbove(above: Float64Array, count: number, room: number, start: number): number {
  const record = new Float64Array(load().buffer, start, ABOVE_LENGTH);
  record.set(above);
  const left = kernels().leave_above(count, room, start);
  above.set(record);
  return left;
}

/** The places of hard rows among so many whose losses lie in the module, behind a record. */
export function hardestInPlace(
  threshold: number,
  count: number,
  room: number,
  start: number,
): HardRows {
  const above = Float64Array.of(threshold, 0);
  const left = leaveAbove(above, count, room, start);
  const rows = sortedAt(left, room, start + 8 * ABOVE_LENGTH).slice();
  return { rows, loss: above[ABOVE_SUM] as number };
}

/** The hard rows of all parts of a batch. */
export function* hardest(parts: readonly ListedRows[], threshold: number): Work<HardRows> {
  const above = Float64Array.of(threshold, 0);
  const decks: Deck[] = [];
  for (const part of parts) {
    decks.push(hardOf(above, part));
    yield part.rows;
  }
  const numbers = joined(
    Float64Array,
    decks.map(({ numbers }) => numbers),
  );
  const integers = joined(
    Uint32Array,
    decks.map(({ integers }) => integers as Uint32Array),
  );
  return { rows: yield* sortInTurns({ numbers, integers }), loss: above[ABOVE_SUM] as number };
}

/** The losses above a threshold, less than 0, and the numbers of their rows. */
function hardOf(above: Float64Array, part: ListedRows): Deck {
  const { losses } = part;
  const start = sortingRoom(ABOVE_LENGTH + 3 * losses.length);
  const { buffer } = load();
  const first = start + 8 * ABOVE_LENGTH;
  new Float64Array(buffer, first, losses.length).set(losses);
  const left = leaveAbove(above, losses.length, losses.length, start);
  const numbers = new Float64Array(buffer, first, left).slice();
  const integers = new Uint32Array(buffer, first + 16 * losses.length, left).slice();
  leave();
  return { numbers, integers: numberThem(integers, part) };
}
