/** Logits, row-major, and the class of each row. */
export interface Batch {
  readonly title: string;
  readonly logits: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  readonly targets: Int32Array<ArrayBuffer>;
  readonly classes: number;
  /** The names of the classes, where they have any. */
  readonly names?: readonly string[];
  /** The reading of the file, in sentences. */
  readonly notes?: readonly string[];
}

/** The target of rows that do not count, as PyTorch has it. */
export const IGNORED = -100;

/** Something wrong with what was given, in a sentence for people that says where. */
export class DataError extends Error {
  override readonly name = 'DataError';
}

/** The class that a number stands for; `where` names the place if it is none. */
export function toClass(value: number, classes: number, where: () => string): number {
  if (value === IGNORED || (Number.isInteger(value) && value >= 0 && value < classes)) return value;
  throw new DataError(
    `${where()}: the target is ${value}, but with ${classes} logits it must be a whole number from 0 to ${classes - 1} ` +
      `(or ${IGNORED} for a row that does not count)`,
  );
}
