/**
 * The determinism battery: fixed inputs, made from integers alone, through every loss, dtype and
 * shape of battery.json, hashed bit by bit. Imports nothing, so that any runtime can run it on any
 * build of the package.
 */

type Criterion = new (
  options: object,
) => {
  forward(logits: Floats, targets: Floats | Int32Array, options: object): unknown;
  valueAndGrad(
    logits: Floats,
    targets: Floats | Int32Array,
    options: object,
  ): { value: unknown; grad: unknown };
};

/** The package, whose losses have the names that battery.json gives. */
export type Library = Readonly<Record<string, unknown>>;

/**
 * A loss of battery.json: its kind, whether it is aimed at probabilities, and its options, where
 * `'perClass'` stands for weights.
 */
interface Loss {
  loss: string;
  soft?: boolean;
  [option: string]: unknown;
}

/** battery.json. */
export interface Battery {
  hash: string;
  dtypes: string[];
  shapes: number[][];
  /** The names of the classes, by those of the losses. */
  classes: Record<string, string>;
  losses: Loss[];
}

type Floats = Float32Array | Float64Array;

/** A hash of numbers by their bits; all NaNs count as one. */
export class Hash {
  #state: [number, number] = [0x811c9dc5, 0x9747b28c];
  readonly #number = new Float64Array(1);
  readonly #words = new Uint32Array(this.#number.buffer);

  add(x: number): void {
    this.#number[0] = x;
    const [low = 0, high = 0] = Number.isNaN(x) ? [0, 0x7ff80000] : this.#words;
    for (const word of [low, high]) {
      const [a, b] = this.#state;
      this.#state = [
        Math.imul(a ^ word, 0x01000193),
        Math.imul(((b << 5) | (b >>> 27)) ^ word, 0x85ebca6b),
      ];
    }
  }

  toString(): string {
    return this.#state.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }
}

/** xorshift32 (Marsaglia 2003). */
export function generator(seed: number): () => number {
  let x = Math.imul(seed, 0x9e3779b1) | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

/** A batch of inputs in float64. */
interface Inputs {
  logits: Float64Array;
  /** A class for each row. */
  classes: Int32Array;
  /** A probability for each class of each row; in some rows that of the row's class is 1. */
  probabilities: Float64Array;
  /** A number in [0, 1] for each logit. */
  elements: Float64Array;
}

/**
 * Logits of several scales, exact in both dtypes but for the shifted rows; some rows masked, far
 * from 0, huge or NaN.
 */
function inputs(rows: number, numClasses: number, seed: number): Inputs {
  const next = generator(seed);
  const size = rows * numClasses;
  const logits = new Float64Array(size);
  const classes = new Int32Array(rows);
  const probabilities = new Float64Array(size);
  const elements = new Float64Array(size);
  for (let row = 0; row < rows; row++) {
    const first = row * numClasses;
    const scale = [1, 8, 64, 0.125][row % 4] ?? 1;
    const shift = row % 13 === 9 ? 5000 : 0;
    for (let j = 0; j < numClasses; j++) {
      logits[first + j] = (((next() >>> 8) - 0x800000) / 0x800000) * scale + shift;
      elements[first + j] = (next() % 5) / 4;
    }
    const target = next() % numClasses;
    classes[row] = target;
    for (let k = 0; k < 16; k++) {
      const j = first + (row % 5 === 3 ? target : next() % numClasses);
      probabilities[j] = (probabilities[j] ?? 0) + 1 / 16;
    }
    spoil(logits, row, first + ((target + 1) % numClasses));
  }
  return { logits, classes, probabilities, elements };
}

/** Masks a logit of some rows, makes it huge in others, and NaN in others again. */
function spoil(logits: Float64Array, row: number, other: number): void {
  if (row % 13 === 7) logits[other] = Number.NEGATIVE_INFINITY;
  if (row % 29 === 21) logits[other] = 1e20;
  if (row % 31 === 26) logits[other] = Number.NaN;
}

/** The results of one criterion on one batch: each row's value and gradient, then the mean. */
function* results(
  Loss: Criterion,
  loss: Loss,
  dtype: string,
  inputs: Inputs,
  numClasses: number,
): Generator<number> {
  const weights = Array.from({ length: numClasses }, (_, j) => ((j % 3) + 1) / 2);
  const { loss: _, soft, ...given } = loss;
  const named = Object.entries(given).map(([name, value]) => [
    name,
    value === 'perClass' ? weights : value,
  ]);
  const options: object = { ...Object.fromEntries(named), numClasses };
  const isSigmoid = !('layout' in new Loss({}));
  const cast = (x: Float64Array): Floats => (dtype === 'float32' ? new Float32Array(x) : x);
  const logits = cast(inputs.logits);
  const softTargets = isSigmoid ? inputs.elements : inputs.probabilities;
  const targets = soft || isSigmoid ? cast(softTargets) : inputs.classes;
  const each = new Loss({ ...options, reduction: 'none' }).valueAndGrad(logits, targets, {});
  yield* each.value as Floats;
  yield* each.grad as Floats;
  yield new Loss({ ...options, reduction: 'mean' }).forward(logits, targets, {}) as number;
}

/** Runs the battery on a build of the package and returns the hash. */
export function runBattery(library: Library, battery: Battery): string {
  const hash = new Hash();
  let seed = 0;
  for (const [rows = 0, classes = 0] of battery.shapes) {
    for (const dtype of battery.dtypes) {
      for (const loss of battery.losses) {
        seed += 1;
        const Loss = library[battery.classes[loss.loss] ?? ''] as Criterion;
        for (const x of results(Loss, loss, dtype, inputs(rows, classes, seed), classes))
          hash.add(x);
      }
    }
  }
  return hash.toString();
}
