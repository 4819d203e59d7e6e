// Sums without any rounding: the other half of crate/src/math/exact_sum.rs.

import { outOfRange, wrongType } from '../../call/checks.js';
import { EXACT_DIGITS } from '../../module/abi.js';
import { checkCount, checkRecord, field } from './json.js';

/** Bits below 1 of the unit, the smallest number above 0. */
const FRACTION_BITS = 1074;

const DIGIT_BITS = 32n;

/** The number of integers that a sum takes in the module. */
export const SUM_LENGTH = EXACT_DIGITS + 2;

/**
 * Hexadecimal digits of the largest sum there can be: of as many of the largest numbers as can be
 * counted.
 */
const LARGEST_LENGTH = Math.ceil((FRACTION_BITS + 1024 + 53) / 4);

/** An exact sum as JSON. */
export interface ExactSumState {
  /** The sum of the finite terms, in hexadecimal, in units of the smallest number above 0. */
  readonly units: string;
  /** The number of terms that were NaN. */
  readonly nan: number;
  /** The number of terms that were infinite. */
  readonly infinite: number;
}

/** The terms of a sum, as far as they are known. */
export interface Terms {
  /** Their number. */
  readonly terms: number;
  /** The least that a finite one can be. */
  readonly least: number;
  /** The most that a finite one can be. */
  readonly most: number;
  /** True where all are finite. */
  readonly allFinite: boolean;
}

/** A sum, which never changes. */
export class ExactSum {
  /** The sum of the finite terms, in units of the smallest number above 0. */
  readonly #units: bigint;
  /** The number of terms that were NaN. */
  readonly nan: number;
  /** The number of terms that were infinite. */
  readonly infinite: number;

  constructor(units = 0n, nan = 0, infinite = 0) {
    this.#units = units;
    this.nan = nan;
    this.infinite = infinite;
  }

  /** A sum of the module, which begins there. */
  static ofDigits(memory: BigInt64Array, start: number): ExactSum {
    let units = 0n;
    for (let i = EXACT_DIGITS - 1; i >= 0; i--)
      units = (units << DIGIT_BITS) + (memory[start + i] as bigint);
    return create(
      units,
      Number(memory[start + EXACT_DIGITS]),
      Number(memory[start + EXACT_DIGITS + 1]),
    );
  }

  /** An integer. */
  static ofInteger(n: number): ExactSum {
    return create(BigInt(n) << BigInt(FRACTION_BITS), 0, 0);
  }

  /** The sum of the finite terms, in units of the smallest number above 0. */
  get units(): bigint {
    return this.#units;
  }

  /** Both sums in one. */
  plus(other: ExactSum): ExactSum {
    return create(this.#units + other.#units, this.nan + other.nan, this.infinite + other.infinite);
  }

  /** The sum as IEEE 754 has it, rounded once. The terms are not negative. */
  toNumber(): number {
    if (this.nan > 0) return Number.NaN;
    return this.infinite > 0 ? Infinity : rounded(this.#units);
  }

  toJSON(): ExactSumState {
    return { units: this.#units.toString(16), nan: this.nan, infinite: this.infinite };
  }

  /**
   * The sum of such terms that became this.
   *
   * @throws TypeError or RangeError where none did. It names the field.
   */
  static from(name: string, given: unknown, { terms, least, most, allFinite }: Terms): ExactSum {
    const state = checkRecord(name, 'a sum of LossMeter.toJSON', given);
    const digits = field(name, state, 'units');
    const nan = checkCount(`${name}.nan`, field(name, state, 'nan'));
    const infinite = checkCount(`${name}.infinite`, field(name, state, 'infinite'));
    if (typeof digits !== 'string')
      throw wrongType(`${name}.units`, 'a hexadecimal number as a string', digits);
    if (digits.length > LARGEST_LENGTH) {
      throw new RangeError(
        `${name}.units must have ${LARGEST_LENGTH} digits or fewer, got ${digits.length}`,
      );
    }
    if (!/^(0|[1-9a-f][0-9a-f]*)$/.test(digits)) {
      throw outOfRange(`${name}.units`, 'a hexadecimal number in lower case', digits);
    }
    const finite = terms - nan - infinite;
    if (finite < (allFinite ? terms : 0)) {
      const allowed = allFinite ? 'no terms' : `${terms} terms or fewer`;
      throw new RangeError(
        `${name} must have ${allowed} that are not finite, got ${nan} NaN and ${infinite} infinite`,
      );
    }
    const units = BigInt(`0x${digits}`);
    if (units < unitsOf(least) * BigInt(finite) || units > unitsOf(most) * BigInt(finite)) {
      const range = least === most ? `${least}` : `${least} to ${most}`;
      throw new RangeError(
        `${name}.units must be the sum of ${finite} terms of ${range}, got ${rounded(units)}`,
      );
    }
    return create(units, nan, infinite);
  }
}

/** Kept out of the class: one that names itself is given another name when it is bundled. */
function create(units: bigint, nan: number, infinite: number): ExactSum {
  return new ExactSum(units, nan, infinite);
}

/** A finite number, not negative, in units. */
function unitsOf(x: number): bigint {
  const [bits] = new BigUint64Array(Float64Array.of(x).buffer) as unknown as [bigint];
  const exponent = bits >> 52n;
  const fraction = bits & ((1n << 52n) - 1n);
  return exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
}

/** Units, not negative, as a number: rounded to the nearest, to even where two are as near. */
function rounded(units: bigint): number {
  // More bits than a number has, and one that says whether there are any below: then what is left
  // is rounded as the whole would be.
  const excess = Math.max(0, 4 * units.toString(16).length - 68);
  const leading = units >> BigInt(excess);
  const sticky = leading << BigInt(excess) === units ? 0n : 1n;
  return Number(leading | sticky) * 2 ** (excess - FRACTION_BITS);
}
