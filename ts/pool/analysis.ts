// The side of pools that focal-loss/analysis has: the code of workers that know it, its module, and
// the calls that only it knows.

import { REPORT_METER_OPTIONS, ReportMeter } from '../analysis/meter/report-meter.js';
import type { ClassificationReport } from '../analysis/report/result.js';
import type { PoolAnalysis } from '../analysis/rows/pooled.js';
import type { Logits, Targets } from '../analysis/rows/tensors.js';
import type { SweepTable } from '../analysis/sweep/result.js';
import { SWEEP_ASYNC_OPTIONS, sweepAsync } from '../analysis/sweep/sweep.js';
import { checkOptions } from '../call/checks.js';
import { moduleBytes } from '../module/embedded.js';
import { ModuleError } from '../module/module-error.js';
import { provide } from './provided.js';
import type { Tasks } from './serve.js';
import { TASKS } from './tasks.js';
import type { PoolReportOptions, PoolSweepOptions, WorkerPool } from './types.js';
import { codeOf } from './worker-text.js';

/** The code of a worker that knows the analysis. */
declare const ANALYSIS_WORKER_CODE: string;

/** All that a pool uses. */
export interface FullAnalysis extends PoolAnalysis {
  code(): string;
  moduleBytes(): Uint8Array<ArrayBuffer>;
  readonly tasks: Tasks;
  sweep(
    pool: WorkerPool,
    logits: Logits,
    targets: Targets,
    options: PoolSweepOptions,
    numClasses: number | undefined,
  ): Promise<SweepTable>;
  report(
    pool: WorkerPool,
    logits: Logits,
    targets: Targets,
    options: PoolReportOptions,
    numClasses: number | undefined,
  ): Promise<ClassificationReport>;
}

const OWN_REPORT_OPTIONS: readonly (keyof PoolReportOptions)[] = ['spatialSize', 'signal'];

/**
 * Everything that the workers of a pool have to know of this entry: for the option `analysis` of
 * `createPool`, in a bundle. Without a bundle a pool finds it.
 *
 * That of `focal-loss/analysis/slim` is refused there, with a ModuleError: workers are sent the
 * bytes of the module, and a slim entry does not have them: it may have been started with a module
 * that was compiled elsewhere.
 *
 * @example
 * ```ts
 * import { LossMeter, FocalLoss, poolAnalysis } from 'focal-loss/analysis';
 * import { createPool } from 'focal-loss/pool';
 *
 * const pool = await createPool({ size: 2, analysis: poolAnalysis });
 * const logits = new Float32Array(400_000);
 * const targets = new Uint8Array(200_000);
 * const meter = new LossMeter(new FocalLoss());
 * await meter.update(logits, targets, { pool });
 * meter.result().rows; // => 200000
 * await pool.close();
 * ```
 */
export const poolAnalysis: PoolAnalysis = {
  provide: () => provide(TASKS),
  code: () => codeOf(ANALYSIS_WORKER_CODE),
  moduleBytes: () => {
    try {
      return moduleBytes();
    } catch (cause) {
      throw new ModuleError(
        'poolAnalysis must be that of focal-loss/analysis, which has the module for workers',
        { cause },
      );
    }
  },
  tasks: TASKS,
  sweep: (pool, logits, targets, options, numClasses) => {
    const given = checkOptions(options, SWEEP_ASYNC_OPTIONS);
    return sweepAsync(logits, targets, {
      ...given,
      numClasses: given.numClasses ?? numClasses,
      signal: given.signal as never,
      pool,
    });
  },
  report: async (pool, logits, targets, options, numClasses) => {
    const given = checkOptions(options, [...REPORT_METER_OPTIONS, ...OWN_REPORT_OPTIONS]);
    const { spatialSize, signal, ...settings } = given;
    const meter = new ReportMeter({
      ...settings,
      numClasses: settings.numClasses ?? numClasses,
    });
    await meter.update(logits, targets, { spatialSize, signal, pool });
    return meter.result();
  },
} as FullAnalysis;
