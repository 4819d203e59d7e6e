/**
 * The determinism battery: fixed inputs, made from integers alone, through every loss, dtype and shape of battery.json,
 * hashed bit by bit. Imports nothing, so that any runtime can run it on any build of the package.
 */

/** What the battery needs of the package. */
export interface Library {
  FocalLoss: new (options: {
    alpha: number | number[] | null;
    gamma: number;
    labelSmoothing: number;
    reduction: 'none' | 'mean';
  }) => {
    forward(logits: Floats, targets: Int32Array, options: { numClasses: number }): unknown;
    valueAndGrad(
      logits: Floats,
      targets: Int32Array,
      options: { numClasses: number },
    ): { value: unknown; grad: unknown };
  };
}

/** battery.json. */
export interface Battery {
  hash: string;
  dtypes: string[];
  shapes: number[][];
  focal: { alpha: number | string | null; gamma: number; labelSmoothing: number }[];
}

type Floats = Float32Array | Float64Array;

/** A hash of numbers by their bits; all NaNs count as one. */
class Hash {
  #state: [number, number] = [0x811c9dc5, 0x9747b28c];
  readonly #number = new Float64Array(1);
  readonly #words = new Uint32Array(this.#number.buffer);

  add(x: number): void {
    this.#number[0] = x;
    const [low = 0, high = 0] = Number.isNaN(x) ? [0, 0x7ff80000] : this.#words;
    for (const word of [low, high]) {
      const [a, b] = this.#state;
      this.#state = [Math.imul(a ^ word, 0x01000193), Math.imul(((b << 5) | (b >>> 27)) ^ word, 0x85ebca6b)];
    }
  }

  toString(): string {
    return this.#state.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }
}

/** xorshift32 (Marsaglia 2003). */
function generator(seed: number): () => number {
  let x = Math.imul(seed, 0x9e3779b1) | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

/** Logits of several scales, exact in both dtypes but for the shifted rows; some rows masked, far from 0, huge or NaN. */
function inputs(rows: number, classes: number, seed: number): { logits: Float64Array; targets: Int32Array } {
  const next = generator(seed);
  const logits = new Float64Array(rows * classes);
  const targets = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const scale = [1, 8, 64, 0.125][row % 4] ?? 1;
    const shift = row % 13 === 9 ? 5000 : 0;
    for (let j = 0; j < classes; j++) {
      logits[row * classes + j] = (((next() >>> 8) - 0x800000) / 0x800000) * scale + shift;
    }
    const target = next() % classes;
    targets[row] = target;
    const other = row * classes + ((target + 1) % classes);
    if (row % 13 === 7) logits[other] = Number.NEGATIVE_INFINITY;
    if (row % 29 === 21) logits[other] = 1e20;
    if (row % 31 === 26) logits[other] = Number.NaN;
  }
  return { logits, targets };
}

/** The results of one criterion on one batch: each row's value and gradient, then the mean. */
function* results(
  { FocalLoss }: Library,
  { alpha, gamma, labelSmoothing }: Battery['focal'][number],
  [logits, targets, numClasses]: [Floats, Int32Array, number],
): Generator<number> {
  const weights = Array.from({ length: numClasses }, (_, j) => ((j % 3) + 1) / 2);
  const options = { alpha: typeof alpha === 'string' ? weights : alpha, gamma, labelSmoothing };
  const each = new FocalLoss({ ...options, reduction: 'none' }).valueAndGrad(logits, targets, { numClasses });
  yield* each.value as Floats;
  yield* each.grad as Floats;
  yield new FocalLoss({ ...options, reduction: 'mean' }).forward(logits, targets, { numClasses }) as number;
}

/** Runs the battery on a build of the package and returns the hash. */
export function runBattery(library: Library, battery: Battery): string {
  const hash = new Hash();
  let seed = 0;
  for (const [rows = 0, classes = 0] of battery.shapes) {
    for (const dtype of battery.dtypes) {
      for (const options of battery.focal) {
        seed += 1;
        const { logits: exact, targets } = inputs(rows, classes, seed);
        const logits = dtype === 'float32' ? new Float32Array(exact) : exact;
        for (const x of results(library, options, [logits, targets, classes])) hash.add(x);
      }
    }
  }
  return hash.toString();
}
