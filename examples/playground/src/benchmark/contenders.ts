import { FocalLoss } from 'focal-loss';
import { focal, focalOfTwo } from '../../../../scripts/bench/contenders/plain-js/softmax.js';
import { Random } from '../../../train/random.js';

/** One of those that are compared. */
export interface Contender {
  readonly name: string;
  call(): void;
}

/** The task of the contenders: value and gradient of the mean, in float32. */
export interface Task {
  readonly rows: number;
  readonly classes: number;
  readonly alpha: number;
  readonly gamma: number;
  readonly smoothing: number;
}

/**
 * By how much results may differ, of the largest entry. The loop subtracts nearly equal numbers, in
 * float64.
 */
const TOLERANCE = 1e-4;

/** The package and a loop, on the same logits; throws where they do not agree. */
export function makeContenders({ rows, classes, alpha, gamma, smoothing }: Task): Contender[] {
  const random = new Random(1);
  const logits = Float32Array.from({ length: rows * classes }, () => 2 * random.normal());
  const targets = Int32Array.from({ length: rows }, () => Math.floor(random.uniform() * classes));
  const criterion = new FocalLoss({ alpha, gamma, labelSmoothing: smoothing });
  const ours = new Float32Array(logits.length);
  const theirs = new Float32Array(logits.length);
  const loss = { kind: 'focal', alpha, gamma, labelSmoothing: smoothing } as const;
  const callOurs = () => criterion.valueAndGrad(logits, targets, { grad: ours }).value;
  const callTheirs =
    classes === 2 && smoothing === 0
      ? () => focalOfTwo(logits, targets, loss, theirs)
      : () => focal(logits, targets, classes, loss, theirs);

  check([callOurs()], [callTheirs()]);
  check(ours, theirs);
  return [
    { name: 'focal-loss', call: callOurs },
    { name: 'plain JS loop', call: callTheirs },
  ];
}

function check(ours: ArrayLike<number>, theirs: ArrayLike<number>): void {
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < ours.length; i++) {
    largest = Math.max(largest, Math.abs(ours[i]));
    difference = Math.max(difference, Math.abs(ours[i] - theirs[i]));
  }
  if (!(difference <= TOLERANCE * largest)) {
    throw new Error(
      `The results differ by ${difference}, of at most ${largest}: they are not compared`,
    );
  }
}
