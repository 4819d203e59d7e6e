import type { Queue, QueueEvents } from 'bullmq';
import { type FocalLoss, LossMeter, ReportMeter } from 'focal-loss/analysis';
import type { Differentiation, Evaluated, Evaluation, Shard } from './jobs.ts';

/** A queue, the events of it, and a name that no other run has. */
export interface Run {
  readonly queue: Queue;
  readonly events: QueueEvents;
  readonly name: string;
}

/**
 * The answers to jobs. Of those that a run of this name had asked for, only what failed is done
 * again.
 */
async function ask<Answer>(
  { queue, events, name: run }: Run,
  name: string,
  jobs: readonly object[],
): Promise<Answer[]> {
  // Each job that is waited for listens to the queue; a warning would take that for a leak.
  queue.setMaxListeners(queue.getMaxListeners() + jobs.length);
  const added = await queue.addBulk(
    jobs.map((data, i) => ({ name, data, opts: { jobId: `${run}-${name}-${i}`, attempts: 3 } })),
  );
  return Promise.all(
    added.map(async (job) => {
      if (await job.isFailed()) await job.retry();
      return job.waitUntilFinished(events);
    }),
  );
}

/** Meters like these, which have seen nothing, after all shards. */
export async function evaluate(
  run: Run,
  shards: readonly Shard[],
  empty: { loss: LossMeter; report: ReportMeter },
) {
  const [loss, report] = [empty.loss.toJSON(), empty.report.toJSON()];
  const jobs = shards.map((shard): Evaluation => ({ shard, loss, report }));
  const whole = { loss: LossMeter.fromJSON(loss), report: ReportMeter.fromJSON(report) };
  for (const part of await ask<Evaluated>(run, 'evaluate', jobs)) {
    whole.loss.merge(LossMeter.fromJSON(part.loss));
    whole.report.merge(ReportMeter.fromJSON(part.report));
  }
  return whole;
}

/** The files of the gradient of the mean over all shards: a file for each. */
export async function differentiate(
  run: Run,
  shards: readonly Shard[],
  criterion: FocalLoss,
  normalizer: number,
) {
  const jobs = shards.map(
    (shard): Differentiation => ({
      shard,
      options: { ...criterion },
      normalizer,
      grad: `${shard.logits}.${run.name}.grad`,
    }),
  );
  await ask(run, 'differentiate', jobs);
  return jobs.map(({ grad }) => grad);
}
