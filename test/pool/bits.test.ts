import type { FloatArray, GradientOptions } from 'focal-loss';
import type { Pool } from 'focal-loss/pool';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bitsOf } from '../fuzz/interrupted-calls.js';
import { type AnyCriterion, LOSSES } from '../losses/index.js';
import { generator } from '../support/random.js';
import { MANY, shared, WAYS } from './pools.js';

// Calls on workers give the bits of the synchronous call: of every loss, whatever goes with it.

type Array64 = Float32Array | Float64Array;

interface Call {
  readonly name: string;
  readonly criterion: AnyCriterion;
  readonly logits: Array64;
  readonly targets: FloatArray | Int32Array | BigInt64Array | Uint8Array;
  readonly options: GradientOptions;
}

const REDUCTIONS = ['mean', 'sum', 'none'] as const;

/** The shapes: classes, positions of a sample, samples. */
const SHAPES = [
  [2, 1, MANY / 2 + 4],
  [7, 1000, 21],
  [100, 440, 3],
  [1000, 140, 1],
] as const;

/** A call of a form, in which options take turns. */
function callOf(
  turn: number,
  { name, Loss, isSigmoid }: (typeof LOSSES)[number],
  { name: form, options, isSoft = false }: { name: string; options: object; isSoft?: boolean },
  alpha: number[],
): Call {
  const random = generator(turn);
  const [classes, positions, samples] = SHAPES[turn % SHAPES.length] ?? SHAPES[0];
  const rows = positions * samples;
  const Kind = turn % 3 === 1 ? Float64Array : Float32Array;
  const reduction = REDUCTIONS[turn % 3];
  const isFirst = !isSigmoid && turn % 2 === 1;
  const canIgnore = !(isSoft || isSigmoid) && turn % 5 < 2;
  const logits = Kind.from({ length: rows * classes }, () => 8 * random() - 4);
  const indices = Int32Array.from({ length: rows }, () =>
    canIgnore && random() < 0.1 ? -1 : Math.floor(classes * random()),
  );
  const soft = new Kind(rows * classes).fill(1 / classes);
  const yes = logits.map((x) => Number(x > 1));
  const criterion = new Loss({
    ...options,
    reduction,
    ...(canIgnore && { ignoreIndex: -1 }),
    ...(isFirst && { layout: 'channels-first' }),
  });
  const perRow = () => Kind.from({ length: rows }, () => random());
  return {
    name: `${form} of ${name}, [${rows}, ${classes}], ${reduction}${isFirst ? ', classes first' : ''} (${alpha.length})`,
    criterion,
    logits,
    targets: isSigmoid
      ? yes
      : isSoft
        ? soft
        : turn % 4 === 3
          ? BigInt64Array.from(indices, BigInt)
          : indices,
    options: {
      numClasses: classes,
      ...(isFirst && { spatialSize: positions }),
      ...(turn % 2 === 0 && { sampleWeights: perRow() }),
      ...(reduction === 'none' && !isSigmoid && { gradOutput: perRow() }),
      ...(reduction !== 'none' && turn % 4 === 0 && { gradOutput: 3.7 }),
      ...(reduction === 'mean' && turn % 6 === 3 && { normalizer: 12.5 }),
    },
  };
}

let turn = 0;
const calls = LOSSES.flatMap((loss) =>
  SHAPES.flatMap(([classes], shape) => {
    const alpha = Array.from({ length: classes }, (_, j) => ((j * 7) % 10) / 10);
    // Each form in one of the shapes.
    return loss.forms(alpha).flatMap((form, i) => {
      if (i % SHAPES.length !== shape) return [];
      while (turn % SHAPES.length !== shape) turn++;
      return [callOf(turn++, loss, form, alpha)];
    });
  }),
);

const bitsOfCall = async (result: unknown) => bitsOf(await result);

describe.each(WAYS)('with %s', (way, makePool) => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await makePool({ size: 3 });
  });
  afterAll(() => pool.close());

  it('has the workers that it is asked for', () => {
    expect(pool.size).toBe(3);
    expect(pool.isShared).toBe(way === 'shared memory');
  });

  it.each(calls)('$name', async ({ criterion, logits, targets, options }) => {
    const { numClasses, spatialSize, sampleWeights, normalizer } = options;
    const forForward = { numClasses, spatialSize, sampleWeights, normalizer };
    const expected = criterion.valueAndGrad(logits, targets, options);
    const before = bitsOf([logits, targets]);
    const grad = logits.slice().fill(1);
    const [both, value, gradient] = await Promise.all([
      pool.valueAndGrad(criterion, logits, targets, options),
      pool.forward(criterion, logits, targets, forForward),
      pool.backward(criterion, logits, targets, { ...options, grad }),
    ]);
    expect(bitsOf(both)).toBe(bitsOf(expected));
    expect(bitsOf(value)).toBe(bitsOf(expected.value));
    expect(bitsOf(gradient)).toBe(bitsOf(expected.grad));
    expect(gradient).toBe(grad);
    expect(bitsOf([logits, targets])).toBe(before);
  });

  it('arrays on shared memory', async () => {
    const { criterion, logits, options } = calls[0] as Call;
    const targets = Int32Array.from({ length: logits.length / 2 }, (_, i) => i % 2);
    const buffer = shared(logits);
    const grad = buffer.subarray(0, 0).length === 0 ? shared(logits) : buffer;
    const expected = criterion.valueAndGrad(logits, targets, options);
    const result = await pool.valueAndGrad(criterion, buffer, shared(targets), {
      ...options,
      grad,
    });
    expect(bitsOf(result)).toBe(bitsOf(expected));
    expect(result.grad).toBe(grad);
  });

  it('parts of arrays, and tensors', async () => {
    const { criterion } = calls[0] as Call;
    const rows = MANY / 2;
    const logits = Float32Array.from({ length: 2 * rows + 9 }, (_, i) => Math.sin(i));
    const targets = Uint8Array.from({ length: rows + 3 }, (_, i) => i % 2);
    const x = logits.subarray(5, 5 + 2 * rows);
    const y = targets.subarray(3);
    const expected = bitsOf(criterion.valueAndGrad(x, y));
    expect(await bitsOfCall(pool.valueAndGrad(criterion, x, y))).toBe(expected);
    const tensor = { data: x, dims: [rows, 2] };
    expect(await bitsOfCall(pool.valueAndGrad(criterion, tensor, y))).toBe(expected);
  });

  it('small calls, and calls without rows', async () => {
    const { criterion } = calls[0] as Call;
    const small = Float64Array.of(1, 2, 3, 4);
    const targets = Uint8Array.of(0, 1);
    expect(await bitsOfCall(pool.valueAndGrad(criterion, small, targets))).toBe(
      bitsOf(criterion.valueAndGrad(small, targets)),
    );
    const none = new Float32Array(0);
    expect(await bitsOfCall(pool.valueAndGrad(criterion, none, new Uint8Array(0)))).toBe(
      bitsOf(criterion.valueAndGrad(none, new Uint8Array(0))),
    );
  });
});
