/**
 * Where processors flush subnormals, hashes differ, and bounds hold: of rows of two classes, right
 * and wrong ones next to each other, whose losses and gradients are computed here once more.
 */
import { FocalLoss } from '../../dist/index.js';
import { generator } from '../../test/determinism/battery.js';

declare const print: (text: string) => void;

/** Shells of engines have no console. */
const say = typeof console === 'undefined' ? print : console.log;

const ROWS = 4099;
/** Losses near float32's subnormals are left out. */
const SMALL = 1e-30;
/** The bounds of docs/numerics.md, of gamma 2. */
const BOUNDS = { float32: 1.5e-6, float64: 3e-15 };

const next = generator(1);
const targets = new Int32Array(ROWS).map(() => next() % 2);
const logits = Float32Array.from({ length: 2 * ROWS }, (_, i) => {
  const scale = [1, 8, 64, 0.125][(i >> 1) % 4] as number;
  return (((next() >>> 8) - 0x800000) / 0x800000) * scale;
});

/** The loss of a row, and its derivative with respect to the target's logit. */
function exact(row: number): [number, number] {
  const target = targets[row] as number;
  const gap = (logits[2 * row + 1 - target] as number) - (logits[2 * row + target] as number);
  const crossEntropy = Math.max(gap, 0) + Math.log1p(Math.exp(-Math.abs(gap)));
  const pt = 1 / (1 + Math.exp(gap));
  const u = 1 / (1 + Math.exp(-gap));
  return [u * u * crossEntropy, -u * u * (u + 2 * crossEntropy * pt)];
}

const loss = new FocalLoss({ alpha: null, gamma: 2, reduction: 'none' });
for (const [dtype, bound] of Object.entries(BOUNDS)) {
  const x = dtype === 'float32' ? logits : Float64Array.from(logits);
  // Until the optimizing compiler has taken over, and after it.
  let worst = 0;
  for (let call = 0; call < 20; call++) {
    const { value, grad } = loss.valueAndGrad(x, targets);
    for (let row = 0; row < ROWS; row++) {
      const [ofValue, ofGrad] = exact(row);
      if (ofValue < SMALL) continue;
      const place = 2 * row + (targets[row] as number);
      worst = Math.max(
        worst,
        Math.abs((value[row] as number) / ofValue - 1),
        Math.abs((grad[place] as number) / ofGrad - 1),
      );
    }
  }
  say(`${worst < bound ? 'WITHIN' : 'BEYOND'} ${dtype} ${worst}`);
}
