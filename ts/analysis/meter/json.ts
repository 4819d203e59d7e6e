// Values that were read from JSON may be anything: each check names the field.

import { outOfRange, wrongType } from '../../call/checks.js';

/** An object with fields. */
export function checkRecord(name: string, expected: string, value: unknown): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongType(name, expected, value);
  return value;
}

/** A field of an object, which must have it as its own. */
export function field(name: string, record: object, key: string): unknown {
  if (!Object.hasOwn(record, key)) throw new TypeError(`${name}.${key} is missing`);
  return (record as Record<string, unknown>)[key];
}

/** A number of things. */
export function checkCount(name: string, value: unknown): number {
  if (typeof value !== 'number') throw wrongType(name, 'a number', value);
  if (!(Number.isSafeInteger(value) && value >= 0))
    throw outOfRange(name, 'an integer, not negative', value);
  return value + 0; // -0 becomes 0
}

/** The version of a form of JSON, which is another than that of a later version of the package. */
export function checkVersion(record: object, version: number): void {
  const given = field('state', record, 'version');
  if (given === version) return;
  const expected = `${version}, the form that this version of focal-loss reads`;
  throw wrongType('state.version', expected, given);
}
