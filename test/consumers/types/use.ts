// The types that an importer gets to see, with all of the package's declarations checked.
import {
  allocate,
  type Criterion,
  CrossEntropyLoss,
  FocalLoss,
  init,
  SigmoidFocalLoss,
} from 'focal-loss';
import * as slim from 'focal-loss/slim';

const logits = new Float32Array(4);
const targets = new Int32Array(2);

const mean: number = new FocalLoss({ gamma: 2 }).forward(logits, targets);
const rows: Float32Array<ArrayBuffer> = new FocalLoss({ reduction: 'none' }).forward(
  logits,
  targets,
);
const { value, grad }: { value: number; grad: Float32Array<ArrayBuffer> } =
  new SigmoidFocalLoss().valueAndGrad(logits, logits);
const criterion: Criterion<'sum'> = new CrossEntropyLoss({ reduction: 'sum' });
const resident: Float64Array<ArrayBuffer> = allocate(2, 2, 'float64').logits;
const started: Promise<void> = init();
const startedSlim: Promise<void> = slim.init(new Uint8Array(8));
const error: Error = new slim.NotInitializedError();

export { criterion, error, grad, mean, resident, rows, started, startedSlim, value };

// @ts-expect-error: no such option
new FocalLoss({ gama: 2 });
// @ts-expect-error: one value per row
export const wrong: number = new slim.FocalLoss({ reduction: 'none' }).forward(logits, targets);
