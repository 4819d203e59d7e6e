import type { FocalLossOptions, MeterState, ReportMeterState } from 'focal-loss/analysis';

export const QUEUE = 'focal-loss';

/** A part of a set: files that every machine reaches under these names. */
export interface Shard {
  /** The logits in float32, row after row, lowest byte first. */
  readonly logits: string;
  /** The class of each row, a byte. */
  readonly targets: string;
}

/**
 * A job of the name `evaluate`: meters that have seen nothing, which say the loss and its options.
 */
export interface Evaluation {
  readonly shard: Shard;
  readonly loss: MeterState;
  readonly report: ReportMeterState;
}

/** The answer: the same meters, which have seen the shard. */
export type Evaluated = Pick<Evaluation, 'loss' | 'report'>;

/** A job of the name `differentiate`. */
export interface Differentiation {
  readonly shard: Shard;
  readonly options: FocalLossOptions;
  /** The divisor of the whole set's mean. */
  readonly normalizer: number;
  /** The file for the gradient, which has the form of the logits. */
  readonly grad: string;
}
