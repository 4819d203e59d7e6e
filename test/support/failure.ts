import { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { expect } from 'vitest';

/** Expects a call to throw just this, and the module to work as ever afterwards. */
export function expectFailure(call: () => unknown, kind: ErrorConstructor, message: string): void {
  let error: unknown;
  try {
    call();
  } catch (thrown) {
    error = thrown;
  }
  expect(error, 'nothing was thrown').toBeDefined();
  expect((error as Error).constructor).toBe(kind);
  expect((error as Error).message).toBe(message);
  expectWorking();
}

/** Expects a known result of every loss, of float64, and of float32. */
export function expectWorking(): void {
  const criterion = new FocalLoss();
  const logits = [2.5, -1, 0.5, 0.5, -1, 2];
  const targets = new Int32Array([0, 1, 1]);
  const grad = new Float64Array(6).fill(NaN);
  const result = criterion.valueAndGrad(Float64Array.from(logits), targets, { grad });
  expect(result.value).toBeCloseTo(0.014456063646326968, 15);
  expect(grad[3]).toBeCloseTo(-0.02485723292833219, 15);
  expect(criterion.forward(Float32Array.from(logits), targets)).toBeCloseTo(
    0.014456063646326968,
    7,
  );
  expect(new CrossEntropyLoss().forward(Float64Array.from(logits), targets)).toBeCloseTo(
    0.257161650135436,
    13,
  );
  expect(
    new SigmoidFocalLoss().forward(
      Float64Array.from([2, -1, 0.5, -3]),
      new Uint8Array([1, 0, 0, 1]),
    ),
  ).toBeCloseTo(0.24801831118525836, 13);
}
