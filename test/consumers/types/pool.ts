// The types of focal-loss/pool, in whatever runtime.
import { FocalLoss } from 'focal-loss';
import { createPool, type Pool } from 'focal-loss/pool';
import 'focal-loss/worker';

declare const logits: Float32Array;
declare const targets: Int32Array;

export async function use(): Promise<number> {
  const pool: Pool = await createPool({ size: 2, startTimeout: 1000, worker: () => ({}) });
  const grad: Float32Array = new Float32Array(4);
  const mean: number = await pool.forward(new FocalLoss(), logits, targets);
  const each = new FocalLoss({ reduction: 'none' });
  const losses: Float32Array = await pool.forward(each, logits, targets, { numClasses: 2 });
  const both = await pool.valueAndGrad(each, logits, targets, { grad, gradOutput: losses });
  const value: Float32Array = both.value;
  const buffer: Float32Array = await pool.backward(new FocalLoss(), logits, targets, { grad });
  // @ts-expect-error: the value is an array.
  const wrong: number = both.value;
  // @ts-expect-error: an upstream gradient for each row goes with reduction 'none'.
  void pool.backward(new FocalLoss(), logits, targets, { gradOutput: losses });
  await pool.close();
  return pool.isShared ? mean + value.length + buffer.length + wrong : pool.size;
}
