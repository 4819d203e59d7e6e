import * as tf from '@tensorflow/tfjs-core';
import { focalLoss, type LossFunction } from 'focal-loss/tfjs';
import { quartiles, timed, timeInterleaved } from '../../scripts/bench/timing.js';
import { Random } from '../train/random.js';
import { splitTask, type Task } from '../train/task.js';
import { shuffledBatches } from '../train/train.js';
import { composedFocalLoss } from './composed.js';
import { makeModel, makeOptimizer, toTensors } from './training.js';

const ROUNDS = 15;

/**
 * Milliseconds that a training step takes, and that its loss takes by itself, value and gradient.
 */
export interface StepTime {
  readonly name: string;
  readonly step: number;
  readonly loss: number;
}

/**
 * Times training steps with the fused loss and with the same loss composed of operations, on one
 * batch of the table: the model is the same, they take turns, and the median of the rounds counts.
 */
export async function timeSteps(task: Task, alpha: number, gamma: number): Promise<StepTime[]> {
  const classes = task.table.classes.length;
  const { train } = splitTask(task, 1);
  const [batch] = shuffledBatches(train, new Random(1));
  const tensors = toTensors(batch, classes);
  const contenders = [
    { name: 'focal-loss/tfjs', loss: focalLoss({ alpha, gamma }) },
    { name: 'composed of tf operations', loss: composedFocalLoss(alpha, gamma, classes) },
  ].map(({ name, loss }) => ({
    name,
    ...makeCalls(loss, tensors, classes),
  }));
  checkAgreement(contenders.map(({ gradient }) => gradient()));

  const runs = contenders.flatMap(({ step, loss }) => [timed(step), timed(loss)]);
  const milliseconds = (await timeInterleaved(runs, ROUNDS, () => {})).map(
    (seconds) => 1e3 * quartiles(seconds).median,
  );
  for (const { dispose } of contenders) dispose();
  tf.dispose(tensors);
  return contenders.map(({ name }, i) => ({
    name,
    step: milliseconds[2 * i],
    loss: milliseconds[2 * i + 1],
  }));
}

function makeCalls(loss: LossFunction, { x, y }: ReturnType<typeof toTensors>, classes: number) {
  const model = makeModel(x.shape[1], classes, 1);
  const optimizer = makeOptimizer();
  const logits = model.predict(x) as tf.Tensor;
  const valueAndGrad = tf.valueAndGrad((z) => tf.mean(loss(y, z)));
  return {
    step: () => {
      optimizer.minimize(() => tf.mean(loss(y, model.apply(x, { training: true }) as tf.Tensor)));
    },
    loss: () => {
      tf.tidy(() => {
        valueAndGrad(logits);
      });
    },
    gradient: () => tf.tidy(() => valueAndGrad(logits).grad.dataSync<'float32'>()),
    dispose: () => {
      model.dispose();
      optimizer.dispose();
      logits.dispose();
    },
  };
}

/** Both are to be the same loss: how long something else takes would say nothing. */
function checkAgreement([ours, theirs]: readonly Float32Array[]): void {
  const largest = ours.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
  const apart = ours.reduce((most, entry, i) => Math.max(most, Math.abs(entry - theirs[i])), 0);
  if (!(apart <= 1e-5 * largest))
    throw new Error(`the two losses differ: gradients are ${apart} of ${largest} apart`);
}
