// Sums without any rounding: the other half of crate/src/exact.rs.

/** Bits below 1 of the unit, the smallest number above 0. */
const FRACTION_BITS = 1074;

const DIGIT_BITS = 32n;

/** Digits that the module keeps of a sum. Behind them it says how many terms were NaN, and how many infinite. */
const DIGITS = 67;

/** How many integers a sum takes in the module. */
export const SUM_LENGTH = DIGITS + 2;

/** An exact sum as JSON. */
export interface ExactSumState {
  /** The sum of the finite terms, in hexadecimal, in units of the smallest number above 0. */
  readonly units: string;
  /** How many terms were NaN. */
  readonly nan: number;
  /** How many were infinite. */
  readonly infinite: number;
}

/** A sum, which never changes. */
export class ExactSum {
  /** Of the finite terms. */
  readonly #units: bigint;
  /** How many of the terms were NaN. */
  readonly nan: number;
  /** How many were infinite. */
  readonly infinite: number;

  constructor(units = 0n, nan = 0, infinite = 0) {
    this.#units = units;
    this.nan = nan;
    this.infinite = infinite;
  }

  /** A sum of the module, which begins there. */
  static ofDigits(memory: BigInt64Array, start: number): ExactSum {
    let units = 0n;
    for (let i = DIGITS - 1; i >= 0; i--) units = (units << DIGIT_BITS) + (memory[start + i] as bigint);
    return create(units, Number(memory[start + DIGITS]), Number(memory[start + DIGITS + 1]));
  }

  /** An integer. */
  static ofInteger(n: number): ExactSum {
    return create(BigInt(n) << BigInt(FRACTION_BITS), 0, 0);
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

  /** The sum that became this, or undefined where none did. */
  static from(state: ExactSumState): ExactSum | undefined {
    if (!(typeof state?.units === 'string' && /^[0-9a-f]+$/.test(state.units))) return undefined;
    if (!(isCount(state.nan) && isCount(state.infinite))) return undefined;
    return create(BigInt(`0x${state.units}`), state.nan, state.infinite);
  }
}

/** Kept out of the class: one that names itself is given another name when it is bundled. */
function create(units: bigint, nan: number, infinite: number): ExactSum {
  return new ExactSum(units, nan, infinite);
}

export function isCount(n: unknown): n is number {
  return Number.isSafeInteger(n) && (n as number) >= 0;
}

/** Units, not negative, as a number: rounded to the nearest, to even where two are as near. */
function rounded(units: bigint): number {
  // More bits than a number has, and one that says whether there are any below: then what is left is rounded as the whole would be.
  const excess = Math.max(0, 4 * units.toString(16).length - 68);
  const leading = units >> BigInt(excess);
  const sticky = leading << BigInt(excess) === units ? 0n : 1n;
  return Number(leading | sticky) * 2 ** (excess - FRACTION_BITS);
}
