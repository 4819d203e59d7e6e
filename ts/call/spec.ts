// A loss as plain data: all that a call and the kernels have to know of it.

import type { Reduction } from '../arrays/types.js';
import {
  kernelNumbers,
  type LossNumbers,
  needsFloat64,
  PER_CLASS_FLAGS,
  type PerClassArea,
} from '../module/tile.js';

/** An option that has one entry per class, or per column. */
export interface PerClass {
  /** The name of the option, for errors. */
  readonly name: string;
  readonly values: readonly number[];
  /** The area in which the kernels look for the values, if they look for them in one. */
  readonly area: PerClassArea | undefined;
}

/** The options of a loss that every loss has. */
export interface CommonSettings {
  readonly reduction: Reduction;
  readonly numClasses: number | undefined;
  readonly normalizer: number | undefined;
  readonly ignoreIndex: number | undefined;
}

/** A loss with its options, as {@link makeSpec} makes it. */
export interface LossSpec extends CommonSettings {
  /** True where the classes come before the positions in memory. */
  readonly channelsFirst: boolean;
  /**
   * The number of options per class after which they repeat, for a loss whose every logit is a row
   * by itself with a target of its own. It is 0 for a softmax.
   */
  readonly columns: number;
  /** True where a mean divides by the weights of the class indices, not by their number. */
  readonly isWeighted: boolean;
  /** The reason why targets cannot be probabilities, if there is one. */
  readonly indicesOnly: string | undefined;
  /** The bits that tell the kernels which loss it is. */
  readonly flags: number;
  /** The numbers that the kernels take, in their order. */
  readonly numbers: Float64Array;
  /** The options that have one entry per class. */
  readonly perClass: readonly PerClass[];
  /** The most and the least, but for 0, that a row is multiplied with; at least and at most 1. */
  readonly most: number;
  readonly least: number;
  /**
   * True where float32 does not hold its numbers, so that it is computed in float64 whatever the
   * logits are.
   */
  readonly isWide: boolean;
}

/** The parts of a {@link LossSpec} that a loss has of its own. */
export interface OwnParts {
  /** The bits that tell the kernels which loss it is, but for those of options per class. */
  readonly flags: number;
  readonly numbers: LossNumbers;
  readonly perClass: readonly PerClass[];
  /** The option that is spread over the classes. */
  readonly labelSmoothing?: number;
  /** The options that have to be numbers of float32 for a loss to be computed in it. */
  readonly sizes: readonly (number | readonly number[] | null)[];
  readonly columns?: number;
  readonly channelsFirst?: boolean;
  readonly isWeighted?: boolean;
  readonly indicesOnly?: string | undefined;
  /** True where something else than the options takes float64. */
  readonly isWide?: boolean;
}

/**
 * All specs are made here: objects of one shape, for which engines keep one version of the code
 * that reads them.
 */
export function makeSpec(
  { reduction, numClasses, normalizer, ignoreIndex }: CommonSettings,
  own: OwnParts,
): LossSpec {
  // What is left out is not what all objects inherit.
  const {
    flags,
    numbers,
    perClass,
    labelSmoothing = 0,
    sizes,
    columns = 0,
    channelsFirst = false,
    isWeighted = false,
    indicesOnly,
    isWide = false,
  } = { __proto__: null, ...own } as OwnParts;
  return {
    reduction,
    numClasses,
    normalizer,
    ignoreIndex,
    channelsFirst,
    columns,
    isWeighted,
    indicesOnly,
    flags: perClass.reduce(
      (bits, { area }) => bits | (area === undefined ? 0 : PER_CLASS_FLAGS[area]),
      flags,
    ),
    numbers: kernelNumbers(
      { __proto__: null, ...numbers } as LossNumbers,
      labelSmoothing,
      ignoreIndex,
    ),
    perClass,
    most: heaviest(sizes),
    least: 1 / heaviest(sizes, -1),
    isWide: isWide || needsFloat64(labelSmoothing, sizes),
  };
}

/** The product of the largest of all options that are not below 1; or of their powers. */
function heaviest(sizes: OwnParts['sizes'], power = 1): number {
  return sizes.reduce<number>(
    (product, size) =>
      product *
      [size]
        .flat()
        .reduce<number>((most, x) => (x ? Math.max(most, Math.abs(x) ** power) : most), 1),
    1,
  );
}

/** An option as {@link LossSpec.perClass} has it: not at all, unless it is an array. */
export function perClass(
  name: string,
  values: number | readonly number[] | null,
  area: PerClassArea | undefined,
): PerClass[] {
  return typeof values === 'object' && values !== null ? [{ name, values, area }] : [];
}

/** An option as the kernels take it where it is a number; 1 stands for any that is not. */
export function numberOr1(option: number | readonly number[] | null): number {
  return typeof option === 'number' ? option : 1;
}
