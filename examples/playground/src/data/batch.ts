import { count } from '../text.js';

/** Logits, row-major, and the class of each row. */
export interface Batch {
  readonly title: string;
  readonly logits: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  readonly targets: Int32Array<ArrayBuffer>;
  readonly classes: number;
  /**
   * The logits of a row: one for each class, or 1 where it is that of class 1 of two, as a sigmoid
   * takes it.
   */
  readonly columns: number;
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

/** The number of classes that so many logits in a row tell apart. */
export function classesOf(columns: number): number {
  return columns === 1 ? 2 : columns;
}

/** Notes on files with so many logits in a row, and classes of these names. */
export function notesOn(columns: number, names: readonly string[] = ['0', '1']): readonly string[] {
  if (columns !== 1) return [];
  return [
    `There is one logit per row, that of class ${names[1]}: the loss is SigmoidFocalLoss, with the same settings.`,
  ];
}

/**
 * The class that a number stands for, where there are so many logits; `where` names the place if it
 * is none.
 */
export function toClass(value: number, columns: number, where: () => string): number {
  const classes = classesOf(columns);
  if (value === IGNORED || (Number.isInteger(value) && value >= 0 && value < classes)) return value;
  throw new DataError(
    `${where()}: the target is ${value}, but with ${count(columns, 'logit')} it must be a whole number from 0 to ${classes - 1} ` +
      `(or ${IGNORED} for a row that does not count)`,
  );
}
