import { FocalLoss, type GradientOptions } from 'focal-loss';
import type { Pool } from 'focal-loss/pool';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AnyCriterion, LOSSES, type LossTests } from '../losses/index.js';
import { generator } from '../support/random.js';
import { bitsOf, MANY, shared, sharesMemory, WAYS } from './pools.js';

// Calls on workers give the bits of the synchronous call: of every loss, whatever goes with it.

type Array64 = Float32Array | Float64Array;

interface Call {
  readonly name: string;
  readonly criterion: AnyCriterion;
  readonly logits: Array64;
  readonly targets: Array64 | Int32Array | BigInt64Array;
  readonly options: GradientOptions<Array64>;
}

const REDUCTIONS = ['mean', 'sum', 'none'] as const;

/** The shapes: classes, positions of a sample, samples. */
const SHAPES = [
  [2, 1, MANY / 2 + 4],
  [7, 1000, 75],
  [100, 440, 12],
  [1000, 263, 2],
] as const;

type Form = ReturnType<LossTests['forms']>[number];

/** The targets of a batch, as a loss takes them. */
function targetsOf(turn: number, logits: Array64, classes: number, isSigmoid: boolean, form: Form) {
  if (isSigmoid) return logits.map((x) => Number(x > 1));
  if (form.isSoft) return logits.slice().fill(1 / classes);
  const random = generator(turn + 1000);
  const indices = Int32Array.from({ length: logits.length / classes }, () =>
    ignores(turn) && random() < 0.1 ? -1 : Math.floor(classes * random()),
  );
  return turn % 4 === 3 ? BigInt64Array.from(indices, BigInt) : indices;
}

const ignores = (turn: number) => turn % 5 < 2;

/** Options of a call, which take turns. */
function optionsOf(
  turn: number,
  reduction: string,
  isSigmoid: boolean,
  perRow: () => Array64,
): GradientOptions<Array64> {
  const isEach = reduction === 'none';
  return {
    ...(turn % 2 === 0 && { sampleWeights: perRow() }),
    ...(isEach && !isSigmoid && { gradOutput: perRow() }),
    ...(!isEach && turn % 4 === 0 && { gradOutput: 3.7 }),
    ...(reduction === 'mean' && turn % 6 === 3 && { normalizer: 12.5 }),
  };
}

/** A call of a form, in which options take turns. */
function callOf(turn: number, { name, Loss, isSigmoid }: LossTests, form: Form): Call {
  const random = generator(turn);
  const [classes, positions, samples] = SHAPES[turn % SHAPES.length] ?? SHAPES[0];
  const rows = positions * samples;
  const Kind = turn % 3 === 1 ? Float64Array : Float32Array;
  const reduction = REDUCTIONS[turn % 3] ?? 'mean';
  const isFirst = !isSigmoid && turn % 2 === 1;
  const canIgnore = !(form.isSoft || isSigmoid) && ignores(turn);
  const logits = new Kind(rows * classes).map(() => 8 * random() - 4) as Array64;
  const perRow = () => new Kind(rows).map(() => random()) as Array64;
  return {
    name: `${form.name} of ${name}, [${rows}, ${classes}], ${reduction}${isFirst ? ', classes first' : ''}`,
    criterion: new Loss({
      ...form.options,
      reduction,
      ...(canIgnore && { ignoreIndex: -1 }),
      ...(isFirst && { layout: 'channels-first' }),
    }),
    logits,
    targets: targetsOf(turn, logits, classes, isSigmoid, form),
    options: {
      numClasses: classes,
      ...(isFirst && { spatialSize: positions }),
      ...optionsOf(turn, reduction, isSigmoid, perRow),
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
      return [callOf(turn++, loss, form)];
    });
  }),
);

const focal = new FocalLoss({ gamma: 1.3 });

const bitsOfCall = async (result: unknown) => bitsOf(await result);

describe.each(WAYS)('with %s', (way, makePool) => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await makePool({ size: 3 });
  });
  afterAll(() => pool.close());

  it('has the workers that it is asked for', () => {
    expect(pool.size).toBe(3);
    expect(pool.isShared).toBe(sharesMemory(way));
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
    const logits = Float64Array.from({ length: 2 * MANY }, (_, i) => Math.sin(i));
    const targets = Int32Array.from({ length: MANY }, (_, i) => i % 2);
    const sampleWeights = shared(logits.subarray(0, MANY).map(Math.abs));
    const buffer = shared(logits);
    const grad = shared(logits);
    const expected = focal.valueAndGrad(logits, targets, { sampleWeights });
    const options = { sampleWeights, grad };
    const result = await pool.valueAndGrad(focal, buffer, shared(targets), options);
    expect(bitsOf(result)).toBe(bitsOf(expected));
    expect(result.grad).toBe(grad);
  });

  it('parts of arrays, and tensors', async () => {
    const rows = MANY / 2;
    const logits = Float32Array.from({ length: 2 * rows + 9 }, (_, i) => Math.sin(i));
    const targets = Uint8Array.from({ length: rows + 3 }, (_, i) => i % 2);
    const x = logits.subarray(5, 5 + 2 * rows);
    const y = targets.subarray(3);
    const expected = bitsOf(focal.valueAndGrad(x, y));
    expect(await bitsOfCall(pool.valueAndGrad(focal, x, y))).toBe(expected);
    const tensor = { data: x, dims: [rows, 2] };
    expect(await bitsOfCall(pool.valueAndGrad(focal, tensor, y))).toBe(expected);
  });

  it('small calls, and calls without rows', async () => {
    const small = Float64Array.of(1, 2, 3, 4);
    const targets = Uint8Array.of(0, 1);
    expect(await bitsOfCall(pool.valueAndGrad(focal, small, targets))).toBe(
      bitsOf(focal.valueAndGrad(small, targets)),
    );
    const none = new Float32Array(0);
    expect(await bitsOfCall(pool.valueAndGrad(focal, none, new Uint8Array(0)))).toBe(
      bitsOf(focal.valueAndGrad(none, new Uint8Array(0))),
    );
  });
});
