import { FocalLoss, stages } from 'focal-loss/analysis';

/** A loss to train with, which may change as training goes on. */
export interface ScheduledLoss {
  readonly name: string;
  /** The criterion of an epoch, counted from 0; the same object as long as it stays. */
  readonly criterionOf: (epoch: number) => FocalLoss;
}

export interface LossSettings {
  readonly alpha: number;
  readonly gamma: number;
  readonly smoothing: number;
  readonly epochs: number;
}

/**
 * The losses that are compared: cross-entropy and weighted cross-entropy first, then three kinds of
 * focal loss.
 */
export function scheduledLosses({
  alpha,
  gamma,
  smoothing,
  epochs,
}: LossSettings): ScheduledLoss[] {
  const focal = new FocalLoss({ alpha, gamma });
  const warm = Math.max(1, Math.round(epochs / 3));
  const staged = stages(
    [
      { until: warm, gamma: Math.max(0, gamma - 1) },
      { until: Math.max(warm + 1, Math.round((2 * epochs) / 3)), gamma },
      { gamma: gamma + 1, labelSmoothing: smoothing },
    ],
    focal,
  );
  const always = (criterion: FocalLoss) => () => criterion;
  return [
    { name: 'Cross-entropy', criterionOf: always(focal.with({ alpha: null, gamma: 0 })) },
    { name: 'Weighted cross-entropy', criterionOf: always(focal.with({ gamma: 0 })) },
    { name: 'Focal loss', criterionOf: always(focal) },
    { name: 'Focal + smoothing', criterionOf: always(focal.with({ labelSmoothing: smoothing })) },
    { name: 'Staged focal', criterionOf: staged },
  ];
}
