// From what fast-check has drawn to a call, and what an oracle says of it.

import {
  allocate,
  type ClassIndices,
  type Criterion,
  type FloatArray,
  type GradientOptions,
} from 'focal-loss';
import type { Dtype } from '../support/dtypes.js';
import { type FamilyResult, type FocalRow, oneHot } from '../support/family-oracle.js';
import { weightOf } from '../support/oracle.js';
import { generator } from '../support/random.js';
import type { AnyCall, FocalCall, SigmoidCall, SoftmaxCall } from './draws.js';
import {
  anyFactor,
  anyLogits,
  anyProbabilities,
  anyShare,
  anyUpstream,
  indicesOf,
  type Random,
  surrounded,
} from './numbers.js';

/** A row of a call, or for the sigmoid loss a logit. */
export interface Row {
  logits: number[];
  /** `undefined` where it is ignored. */
  expected: FamilyResult | undefined;
  /** The largest gamma, with which the bound grows. */
  gamma: number;
  /** Its sample weight. */
  weight: number;
  /** Its upstream gradient. */
  upstream: number;
  /**
   * A flag: float32 may need a little more than the contract's bound, all factors included. The
   * worst found: 1.001 times that for logits of any size, smoothed over 61 classes; 1.019 for a
   * target among 62, with gamma 0, weights and the mean's divisor; 1.08 for a smoothed target of
   * the sigmoid loss.
   */
  isBlurred: boolean;
}

export interface Call {
  criterion: Criterion;
  logits: FloatArray;
  targets: ClassIndices | FloatArray;
  options: GradientOptions;
  rows: Row[];
  /** The place of a row's entry among the logits. */
  at: (row: number, j: number) => number;
  /** The denominator of the sum of the rows' values. */
  denominator: number;
  /** The arrays that are surrounded. */
  ordinary: (ClassIndices | FloatArray)[];
  dispose: () => void;
}

/** The numbers of a call, as the kernels see them. */
export class Numbers {
  readonly random: Random;
  readonly #drawn: AnyCall;
  readonly dtype: Dtype;
  readonly #other: Dtype;

  constructor(dtype: Dtype, drawn: AnyCall) {
    this.random = generator(drawn.seed);
    this.#drawn = drawn;
    this.dtype = dtype;
    this.#other = drawn.otherFloats;
  }

  many(count: number, draw: (random: Random) => number): number[] {
    return Array.from({ length: count }, () => draw(this.random));
  }

  /** Numbers in an array of either precision, and as the kernels see them. */
  pair(count: number, draw: (random: Random) => number): { array: FloatArray; seen: number[] } {
    const array = this.#other.array(this.many(count, draw));
    return { array, seen: this.seen(array) };
  }

  seen(entries: Iterable<number>): number[] {
    return Array.from(this.dtype.array(entries));
  }

  logits(count: number): number[] {
    return this.seen(anyLogits(this.random, this.#drawn.flavour, this.dtype, count));
  }

  /** A weight for each class, if there shall be any: as an option, and as the kernels see them. */
  perClass(wanted: boolean, classes: number, draw: (random: Random) => number) {
    if (!wanted) return undefined;
    const option = this.many(classes, draw);
    return { option, seen: this.seen(option) };
  }
}

/**
 * The part that is the same for all losses: the options of the criterion and of the call, and what
 * concerns each row.
 */
function common(numbers: Numbers, drawn: AnyCall, count: number, span = 1) {
  const { reduction, ignoreIndex, labelSmoothing, normalizer, numClasses, gradOutput } = drawn;
  const { random } = numbers;
  const { largest } = drawn.otherFloats;
  const divisor = normalizer === undefined ? undefined : 0.1 + 20 * random();
  const weights = drawn.sampleWeights ? numbers.pair(count / span, anyFactor) : undefined;
  // A factor that has all computed in float64 leaves targets of that type unrounded, which the
  // oracle is not told: its product with two weights, by a small divisor, must stay below 2^118,
  // where that begins.
  const share = 'soft' in drawn && drawn.soft && largest > numbers.dtype.largest ? 0.8 : 1;
  const factor =
    gradOutput === 'number' ? anyUpstream(random, numbers.dtype, drawn.flavour, share) : 1;
  const factors =
    gradOutput === 'each' && reduction === 'none'
      ? numbers.pair(count, (random) =>
          anyUpstream(
            random,
            largest < numbers.dtype.largest ? drawn.otherFloats : numbers.dtype,
            drawn.flavour,
            0.8,
          ),
        )
      : undefined;
  return {
    settings: {
      reduction,
      ignoreIndex,
      labelSmoothing,
      normalizer: normalizer === 'criterion' ? divisor : undefined,
      numClasses: numClasses === 'criterion' ? drawn.classes : undefined,
    },
    options: {
      normalizer: normalizer === 'call' ? divisor : undefined,
      numClasses: numClasses === 'call' ? drawn.classes : undefined,
      sampleWeights: weights?.array,
      gradOutput: factors?.array ?? (gradOutput === 'number' ? factor : undefined),
    },
    divisor: reduction === 'mean' ? divisor : 1,
    weightOf: (i: number) => weights?.seen[Math.floor(i / span)] ?? 1,
    upstreamOf: (i: number) => factors?.seen[i] ?? factor,
  };
}

/** Puts the arrays of a call where they shall lie: in the middle of others, or in allocations. */
function place(
  dtype: Dtype,
  drawn: AnyCall,
  logits: readonly number[],
  targets: ClassIndices | FloatArray,
) {
  const { offset, resident, otherFloats, classes } = drawn;
  const rows = logits.length / classes + 3;
  const size = logits.length;
  const isIndices = targets instanceof Int32Array && targets.length < size;
  const isFloats = targets instanceof Float32Array || targets instanceof Float64Array;
  const batch = resident === 0 ? undefined : allocate(rows, classes, dtype.name as 'float32');
  const soft =
    resident & 2 && isFloats ? allocate(rows, classes, otherFloats.name as 'float32') : undefined;
  const ordinary: (ClassIndices | FloatArray)[] = [];

  function at<A extends ClassIndices | FloatArray>(home: A | false | undefined, array: A): A {
    if (home) {
      const part = home.subarray(offset % 4, (offset % 4) + array.length) as A;
      part.set(array as never);
      return part;
    }
    const part = surrounded(array, offset);
    ordinary.push(part);
    return part;
  }
  return {
    logits: at<FloatArray>(resident & 1 ? batch?.logits : undefined, dtype.array(logits)),
    targets: at<ClassIndices | FloatArray>(
      soft?.logits ?? (isIndices && resident & 2 ? batch?.targets : undefined),
      targets,
    ),
    grad: drawn.buffer
      ? at<FloatArray>(resident & 4 ? batch?.grad : undefined, dtype.zeros(size).fill(9))
      : undefined,
    ordinary,
    dispose() {
      batch?.dispose();
      soft?.dispose();
    },
  };
}

/** The order of the entries of rows in memory. */
function order({ samples, positions, classes }: AnyCall, channelsFirst: boolean) {
  const plane = channelsFirst ? positions : 1;
  const at = (row: number, j: number) =>
    (Math.floor(row / plane) * classes + j) * plane + (row % plane);
  const inMemory = (rows: number[][]) => {
    const entries = Array<number>(samples * positions * classes);
    rows.forEach((row, i) => {
      row.forEach((x, j) => {
        entries[at(i, j)] = x;
      });
    });
    return entries;
  };
  return { at, inMemory };
}

/** The settings that calls of all losses draw. */
type Settings = ReturnType<typeof common>['settings'];

/** The parts of a call that a softmax loss has of its own. */
interface SoftmaxParts {
  numbers: Numbers;
  /** The classes' weights as the kernels see them, if each has one. */
  weights: number[] | undefined;
  isSoft: boolean;
  /** The mean divides by the weights of the targets. */
  isWeighted: boolean;
  create: (settings: Settings & { layout?: 'channels-first' }) => Criterion;
  judge: (logits: number[], q: number[]) => { expected: FamilyResult; gamma: number };
}

export function softmaxCall(dtype: Dtype, drawn: SoftmaxCall, parts: SoftmaxParts): Call {
  const { numbers, isSoft, weights } = parts;
  const { classes, samples, positions, channelsFirst } = drawn;
  const { random } = numbers;
  const count = samples * positions;
  const ignoreIndex = isSoft ? undefined : drawn.ignoreIndex;
  const { settings, options, divisor, weightOf, upstreamOf } = common(
    numbers,
    { ...drawn, ignoreIndex },
    count,
  );
  const { at, inMemory } = order(drawn, channelsFirst);

  const logits = Array.from({ length: count }, () => numbers.logits(classes));
  const soft = Array.from({ length: isSoft ? count : 0 }, () => anyProbabilities(random, classes));
  const indices = numbers.many(count, () =>
    ignoreIndex !== undefined && random() < 0.25 ? ignoreIndex : Math.floor(random() * classes),
  );
  const targets = isSoft
    ? drawn.otherFloats.array(inMemory(soft))
    : indicesOf(drawn.indexKind, indices);

  const rows = logits.map((row, i): Row => {
    const isBlurred = classes > 24;
    const shared = { logits: row, weight: weightOf(i), upstream: upstreamOf(i), isBlurred };
    if (!isSoft && indices[i] === ignoreIndex) return { ...shared, expected: undefined, gamma: 0 };
    const q = isSoft ? numbers.seen(drawn.otherFloats.array(soft[i])) : oneHot(indices[i], classes);
    return { ...shared, ...parts.judge(row, q) };
  });
  const counted = indices.filter((_, i) => rows[i].expected !== undefined);
  const mass = counted.reduce(
    (total, t) => total + (parts.isWeighted && !isSoft && weights ? weights[t] : 1),
    0,
  );
  // Class indices alone need not say how many classes there are, unless they lie first, or there
  // are no rows.
  const given =
    drawn.numClasses === undefined && (isSoft || channelsFirst) ? { numClasses: classes } : {};
  const { grad, ordinary, dispose, ...placed } = place(dtype, drawn, inMemory(logits), targets);
  return {
    criterion: parts.create({
      ...settings,
      ...given,
      ...(channelsFirst ? { layout: 'channels-first' } : {}),
    }),
    ...placed,
    options: {
      ...options,
      grad,
      spatialSize: channelsFirst && samples !== 1 ? positions : undefined,
    },
    rows,
    at,
    denominator: divisor ?? mass,
    ordinary,
    dispose,
  };
}

/** The options of a focal loss that {@link focalCall} draws. */
type FocalSettings = Settings & {
  layout?: 'channels-first';
  alpha: number | number[] | null;
  gamma: number | number[];
  focusOn: FocalRow['focusOn'];
};

/**
 * A call of a focal loss on softmax logits.
 * @param create makes the criterion
 * @param oracle says what a row gives
 */
export function focalCall(
  dtype: Dtype,
  drawn: FocalCall,
  create: (settings: FocalSettings) => Criterion,
  oracle: (row: FocalRow) => FamilyResult,
): Call {
  const { classes, focusOn, gamma, gammaPerClass, labelSmoothing } = drawn;
  const numbers = new Numbers(dtype, drawn);
  const isSoft = drawn.soft && focusOn !== 'target' && !gammaPerClass;
  const each = numbers.perClass(drawn.alpha === 'each', classes, anyFactor);
  const alpha = drawn.alpha === null ? null : (each?.option ?? anyShare(numbers.random));
  const gammas = gammaPerClass
    ? numbers.many(classes, (random) => Math.floor(11 * random()) / 2)
    : undefined;
  const weights =
    alpha === null
      ? null
      : Array.from({ length: classes }, (_, j) => each?.seen[j] ?? weightOf(alpha, j));
  return softmaxCall(dtype, drawn, {
    numbers,
    weights: each?.seen,
    isSoft,
    isWeighted: false,
    create: (settings) => create({ ...settings, alpha, gamma: gammas ?? gamma, focusOn }),
    judge: (logits, q) => {
      const power = gammas?.[q.indexOf(1)] ?? gamma;
      const row = { logits, q, weights, labelSmoothing, gamma: power, focusOn };
      return { expected: oracle(row), gamma: power };
    },
  });
}

/** The parts of a call that a loss of its own has whose every logit is a row by itself. */
interface SigmoidParts {
  numbers: Numbers;
  /** A flag: an option has one entry per column. */
  isPerColumn: boolean;
  create: (settings: Settings) => Criterion;
  judge: (x: number, y: number, column: number) => FamilyResult;
  /** The largest gamma, with which the bound grows. */
  gamma: number;
}

export function sigmoidCall(dtype: Dtype, drawn: SigmoidCall, parts: SigmoidParts): Call {
  const { classes, labelSmoothing, ignoreIndex, samples, positions, soft } = drawn;
  const { numbers, gamma } = parts;
  const { random } = numbers;
  const count = samples * positions * classes;
  const needsClasses = drawn.weightsPerRow || parts.isPerColumn;
  const span = drawn.weightsPerRow ? classes : 1;
  const { settings, options, divisor, weightOf, upstreamOf } = common(numbers, drawn, count, span);

  const logits = numbers.logits(count);
  const drawnTargets = numbers.many(count, () => {
    if (ignoreIndex !== undefined && random() < 0.25) return ignoreIndex;
    return soft && random() < 0.7 ? random() : Math.round(random());
  });
  const targets = soft
    ? drawn.otherFloats.array(drawnTargets)
    : indicesOf(drawn.indexKind, drawnTargets);
  const rows = logits.map((x, i): Row => {
    const y = soft ? numbers.seen([Number(targets[i])])[0] : drawnTargets[i];
    return {
      logits: [x],
      expected: y === ignoreIndex ? undefined : parts.judge(x, y, i % classes),
      gamma,
      weight: weightOf(i),
      upstream: upstreamOf(i),
      isBlurred: labelSmoothing > 0 || (y !== 0 && y !== 1),
    };
  });
  const given = drawn.numClasses === undefined && needsClasses ? { numClasses: classes } : {};
  const { grad, ordinary, dispose, ...placed } = place(dtype, drawn, logits, targets);
  return {
    criterion: parts.create({ ...settings, ...given }),
    ...placed,
    options: { ...options, grad },
    rows,
    at: (row) => row,
    denominator: divisor ?? rows.filter(({ expected }) => expected !== undefined).length,
    ordinary,
    dispose,
  };
}
