import { FocalLoss } from 'focal-loss';

/** The shortest examples: three rows, two classes, and what the loss says about them. */
export function quickExamples(): void {
  // Float64Array for all digits; Float32Array is twice as fast.
  const logits = new Float64Array([2.5, -1.0, 0.5, 0.5, -1.0, 2.0]); // [3, 2]
  const targets = new Int32Array([0, 1, 1]); // [3]

  // The defaults: alpha 0.25, gamma 2, the mean of the rows.
  const criterion = new FocalLoss({ alpha: 0.25, gamma: 2 });
  console.log('Loss:', criterion.forward(logits, targets));

  // Value and gradient in one pass: what a training loop asks for.
  const { value, grad } = criterion.valueAndGrad(logits, targets);
  console.log('Value and gradient:', value, grad);

  // Label smoothing keeps the model from growing too sure.
  const smoothed = criterion.with({ labelSmoothing: 0.1 });
  console.log('Smoothed loss:', smoothed.forward(logits, targets));
  const alzheimer = new FocalLoss({ alpha: 0.4, gamma: 2, labelSmoothing: 0.1 });
  console.log('alpha 0.4, smoothing 0.1:', alzheimer.forward(logits, targets));
  const severe = new FocalLoss({ alpha: 0.1, gamma: 3, labelSmoothing: 0.05 });
  console.log('alpha 0.1, gamma 3, smoothing 0.05:', severe.forward(logits, targets));

  // One loss per row, and the rows that are harder than the average.
  const losses = new FocalLoss({ alpha: 0.25, gamma: 2, reduction: 'none' }).forward(
    logits,
    targets,
  );
  console.log('Per-sample losses:', losses);
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  const hard = [...losses.keys()].filter((row) => losses[row] > mean);
  console.log('Hard examples:', hard);
}
