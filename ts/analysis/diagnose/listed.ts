// Lists of the rows of a batch, or of a part of it.

import { joined } from '../rows/loops.js';

/** Lists of the rows of a part of a batch. */
export interface ListedRows {
  /** The number of its first row in the batch. */
  readonly first: number;
  /** How many rows are added up. */
  readonly rows: number;
  /** The number of each in the batch; nothing where they are all rows of the part. */
  readonly numbers: Uint32Array | undefined;
  /** The loss of each; nothing of a batch of one part, whose hard rows are known. */
  readonly losses: Float64Array;
  /** The numbers of those that are overconfident. */
  readonly overconfident: Uint32Array;
  /** The numbers of rows that count, but whose loss or gradient is not finite. */
  readonly nonFinite: Uint32Array;
}

/** Makes numbers of rows in the batch of their places among those of a part, where they are. */
export function numberThem(places: Uint32Array, { first, numbers }: ListedRows): Uint32Array {
  for (let k = 0; (numbers !== undefined || first > 0) && k < places.length; k++) {
    const place = places[k] as number;
    places[k] = numbers === undefined ? first + place : (numbers[place] as number);
  }
  return places;
}

/** The numbers of all rows of parts. */
export function numbersOf(parts: readonly ListedRows[]): Uint32Array {
  const all = parts.map((part) => {
    const { rows, numbers } = part;
    return (
      numbers ??
      numberThem(
        new Uint32Array(rows).map((_, place) => place),
        part,
      )
    );
  });
  return joined(Uint32Array, all);
}
