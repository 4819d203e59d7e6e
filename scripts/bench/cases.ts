/** The loss and its parameters. The mean over the rows, of all of them. */
export type Loss =
  | {
      readonly kind: 'focal';
      readonly alpha: number;
      readonly gamma: number;
      readonly labelSmoothing: number;
    }
  /** The focal loss of class probabilities, every class with weight 1. */
  | { readonly kind: 'soft-focal'; readonly gamma: number }
  /** The sigmoid loss of independent logits, each with a target of its own. */
  | { readonly kind: 'sigmoid-focal'; readonly alpha: number; readonly gamma: number }
  | { readonly kind: 'cross-entropy' };

/** One line of the benchmark. */
export interface Case {
  readonly name: string;
  readonly loss: Loss;
  readonly rows: number;
  readonly classes: number;
  readonly dtype: 'float32' | 'float64';
  /** Without it, the value alone. */
  readonly gradient: boolean;
  /** Logits are uniform on an interval this wide: the largest gap between two of them. */
  readonly spread: number;
}

export type Floats = Float32Array | Float64Array;

/** A case and its data, the same in every run. */
export interface Workload extends Case {
  /** Row-major [rows, classes]. */
  readonly logits: Floats;
  /**
   * Class indices [rows]; class probabilities [rows, classes]; for the sigmoid loss 0 and 1
   * [rows, classes], in floats as torchvision wants them.
   */
  readonly targets: Int32Array | Floats;
}

const FOCAL = { kind: 'focal', alpha: 0.25, gamma: 2, labelSmoothing: 0 } as const;

type Variant = Partial<Omit<Case, 'name' | 'rows' | 'classes'>>;

function makeCase(
  [rows, classes]: readonly [number, number],
  suffix = '',
  variant: Variant = {},
): Case {
  return {
    name: `[${rows}, ${classes}]${suffix && ` ${suffix}`}`,
    loss: FOCAL,
    rows,
    classes,
    dtype: 'float32',
    gradient: true,
    // Gaps of a few units: from rows that are nearly certain to rows that are plainly wrong.
    spread: 8,
    ...variant,
  };
}

const SHAPES = [
  [32, 2],
  [256, 2],
  [4096, 2],
  [65536, 2],
  [1048576, 2],
  [65536, 3],
  [65536, 10],
  [16384, 32],
  [4096, 1000],
  [64, 50000],
] as const;

/** A shape for each of the ways to go through a batch: two classes, a few, many. */
const REPRESENTATIVE_SHAPES = [
  [65536, 2],
  [65536, 10],
  [4096, 1000],
] as const;

const SOFT_SHAPES = [
  [65536, 3],
  [65536, 10],
  [4096, 100],
] as const;

/**
 * float64 comes last: functions that have seen it are slower with float32, and those of most users
 * never do.
 */
const VARIANTS: Readonly<Record<string, Variant>> = {
  forward: { gradient: false },
  'gamma 2.7': { loss: { ...FOCAL, gamma: 2.7 } },
  'smoothing 0.1': { loss: { ...FOCAL, labelSmoothing: 0.1 } },
  sigmoid: { loss: { kind: 'sigmoid-focal', alpha: 0.25, gamma: 2 } },
  'cross-entropy': { loss: { kind: 'cross-entropy' } },
  float64: { dtype: 'float64' },
};

export const CASES: readonly Case[] = [
  ...SHAPES.map((shape) => makeCase(shape)),
  // Losses and gradients below the normal range, where some processors need many times as long.
  makeCase([65536, 2], 'wide logits', { spread: 60 }),
  makeCase([64, 50000], 'forward', { gradient: false }),
  ...SOFT_SHAPES.map((shape) =>
    makeCase(shape, 'soft', { loss: { kind: 'soft-focal', gamma: 2 } }),
  ),
  ...Object.entries(VARIANTS).flatMap(([name, variant]) =>
    REPRESENTATIVE_SHAPES.map((shape) => makeCase(shape, name, variant)),
  ),
];

/** The cases whose names hold the pattern; blanks don't matter. */
export function selectCases(pattern: string, cases: readonly Case[] = CASES): Case[] {
  const squeeze = (text: string) => text.replaceAll(' ', '').toLowerCase();
  return cases.filter(({ name }) => squeeze(name).includes(squeeze(pattern)));
}

/** The usual loss of a batch of any shape. */
export function plainCase(rows: number, classes: number): Case {
  return makeCase([rows, classes]);
}

export function makeWorkload(of: Case): Workload {
  const { rows, classes, dtype, spread } = of;
  const random = mulberry32(rows * classes);
  const FloatsOfKind = dtype === 'float32' ? Float32Array : Float64Array;
  const logits = new FloatsOfKind(rows * classes).map(() => spread * (random() - 0.5));
  return { ...of, logits, targets: makeTargets(of, random) };
}

function makeTargets({ rows, classes, dtype, loss }: Case, random: () => number) {
  const FloatsOfKind = dtype === 'float32' ? Float32Array : Float64Array;
  switch (loss.kind) {
    case 'sigmoid-focal':
      return new FloatsOfKind(rows * classes).map(() => Math.round(random()));
    case 'soft-focal': {
      const probabilities = new FloatsOfKind(rows * classes).map(random);
      for (let start = 0; start < probabilities.length; start += classes) {
        const row = probabilities.subarray(start, start + classes);
        let sum = 0;
        for (const share of row) sum += share;
        row.set(row.map((share) => share / sum));
      }
      return probabilities;
    }
    default:
      return new Int32Array(rows).map(() => Math.floor(random() * classes));
  }
}

/** Uniform numbers in [0, 1) that are the same in every run. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
