// What losses give on workers, as a hash, with how many there are; and whether that is what they
// give without.
import { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { LossMeter, ReportMeter, sweep } from 'focal-loss/analysis';
import { createPool } from 'focal-loss/pool';
import { Hash } from './battery.js';

const ROWS = 106_000;
const CLASSES = 5;

const at = (i) => ((Math.imul(i, 0x9e3779b1) >>> 0) / 2 ** 32) * 8 - 4;
const logits = Float32Array.from({ length: ROWS * CLASSES }, (_, i) => at(i));
const targets = Uint8Array.from({ length: ROWS }, (_, i) => (i * i) % CLASSES);
const yes = logits.map((x) => Number(x > 1));

const CALLS = [
  [new FocalLoss(), logits, targets],
  [new FocalLoss({ reduction: 'none', gamma: 1.3 }), Float64Array.from(logits), targets],
  [new CrossEntropyLoss({ layout: 'channels-first' }), logits, targets],
  [new SigmoidFocalLoss({ reduction: 'sum' }), logits, yes],
];

const spread = (numbers) => (typeof numbers === 'number' ? [numbers] : numbers);

function hashOf(results) {
  const hash = new Hash();
  for (const { value, grad } of results) for (const x of [...spread(value), ...grad]) hash.add(x);
  return `${hash}`;
}

export async function poolHash(options) {
  const pool = await createPool({ size: 2, ...options });
  const given = { numClasses: CLASSES };
  const { size, isShared } = pool;
  const results = await Promise.all(CALLS.map((call) => pool.valueAndGrad(...call, given)));
  await pool.close();
  const hash = hashOf(results);
  const isSame = hash === hashOf(CALLS.map(([loss, x, y]) => loss.valueAndGrad(x, y, given)));
  return `${size} ${isShared} ${isSame} ${hash}`;
}

const GRID = { alpha: [null, 0.25], gamma: [0, 1.5, 2], labelSmoothing: [0, 0.1] };

/** The same of what focal-loss/analysis has workers do, of a batch that was loaded. */
export async function poolAnalysisHash(options) {
  const pool = await createPool({ size: 2, ...options });
  const { size, isShared } = pool;
  const data = await pool.load(logits, targets);
  const [loss, meter] = [new LossMeter(new FocalLoss()), new ReportMeter({ auc: false })];
  const table = await pool.sweep(data, GRID);
  const report = await pool.report(data);
  const mean = await pool.forward(new FocalLoss(), data);
  await loss.update(logits, targets, { pool });
  await meter.update(logits, targets, { pool });
  data.dispose();
  await pool.close();
  const results = (...tables) => JSON.stringify(tables);
  const hash = hashOf([
    { value: table.losses, grad: [mean, loss.result().sum, report.auc, report.logLoss] },
  ]);
  const isSame =
    results(table.rows, report, loss, meter) ===
    results(
      sweep(logits, targets, GRID).rows,
      new ReportMeter().update(logits, targets).result(),
      new LossMeter(new FocalLoss()).update(logits, targets),
      new ReportMeter({ auc: false }).update(logits, targets),
    );
  return `${size} ${isShared} ${isSame} ${hash}`;
}
