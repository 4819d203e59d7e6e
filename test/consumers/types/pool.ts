// The types of focal-loss/pool, in whatever runtime.
import { FocalLoss } from 'focal-loss';
import {
  LossMeter,
  poolAnalysis,
  ReportMeter,
  type SweepTable,
  sweepAsync,
} from 'focal-loss/analysis';
import { createPool, type Pool, type PoolData } from 'focal-loss/pool';
import 'focal-loss/worker';

declare const logits: Float32Array;
declare const targets: Int32Array;

export async function use(): Promise<number> {
  const pool: Pool = await createPool({
    size: 2,
    startTimeout: 1000,
    worker: () => ({}),
    analysis: poolAnalysis,
  });
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
  const data: PoolData<Float32Array> = await pool.load(logits, targets, { numClasses: 2 });
  const values: Float32Array = await pool.forward(each, data);
  const ofData: Float32Array = await pool.backward(each, data, { grad });
  const swept: SweepTable = await pool.sweep(data, { gamma: [0, 2] });
  const { accuracy } = await pool.report(logits, targets, { auc: false });
  const meter = new LossMeter(new FocalLoss());
  const same: LossMeter = await meter.update(logits, targets, { pool });
  const now: LossMeter = meter.update(logits, targets);
  const report: ReportMeter = await new ReportMeter().update(logits, targets, { pool });
  const table: SweepTable = await sweepAsync(logits, targets, { gamma: [1, 2], pool });
  data.dispose();
  void [values, ofData, swept, accuracy, same, now, report, table];
  await pool.close();
  return pool.isShared ? mean + value.length + buffer.length + wrong : pool.size;
}
