import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { FocalLoss } from 'focal-loss';
import { poolAnalysis, sweep } from 'focal-loss/analysis';
import { createPool } from 'focal-loss/pool';
import { describe, expect, it, vi } from 'vitest';
import { bitsOf, MANY, shared, sharesMemory, WAYS } from './pools.js';

const code = new URL(import.meta.resolve('focal-loss/worker'));
const criterion = new FocalLoss();
const ROWS = 2 * MANY;
const logits = Float32Array.from({ length: 2 * ROWS }, (_, i) => 4 * Math.sin(i));
const targets = Int32Array.from({ length: ROWS }, (_, i) => i % 2);
const expected = bitsOf(criterion.valueAndGrad(logits, targets));

/** A function that makes workers, and those that it has made. */
function workers(from = code) {
  const made: Worker[] = [];
  const worker = () => {
    const one = new Worker(from);
    made.push(one);
    return one;
  };
  return { made, worker };
}

const right = async (result: Promise<unknown>) => expect(bitsOf(await result)).toBe(expected);

describe.each(WAYS)('with %s', (way, makePool) => {
  const isShared = sharesMemory(way);

  it('a target that is none: the error is that of the synchronous call, and nothing is written', async () => {
    await using pool = await makePool({ size: 2 });
    const wrong = targets.slice();
    wrong[ROWS - 5] = 2;
    wrong[ROWS - 1000] = -7;
    const grad = shared(new Float32Array(2 * ROWS).fill(5));
    const message = `targets[${ROWS - 1000}] must be a class in [0, 2), got -7`;
    for (const buffer of [grad, new Float32Array(2 * ROWS).fill(5)]) {
      const call = pool.valueAndGrad(criterion, logits, wrong, { grad: buffer });
      await expect(call).rejects.toThrow(new RangeError(message));
      expect(buffer.every((x) => x === 5)).toBe(true);
    }
    await right(pool.valueAndGrad(criterion, logits, targets));
  });

  it('a target that is none: the error is of what was given, also if that is changed or gone since', async () => {
    await using pool = await makePool({ size: 2 });
    const changes = [
      (_: Float32Array, y: Int32Array) => y.fill(0),
      (_: Float32Array, y: Int32Array) => y.fill(9),
      (x: Float32Array, y: Int32Array) => structuredClone(0, { transfer: [x.buffer, y.buffer] }),
    ];
    // The first rows are for workers, the last ones for the thread that is called.
    for (const row of [5, ROWS - 1000]) {
      for (const change of changes) {
        const [x, y] = [logits.slice(), targets.slice()];
        for (const wrong of [row, ROWS - 5]) y[wrong] = 2;
        const grad = new Float32Array(2 * ROWS).fill(5);
        const calls = Promise.allSettled(
          [{}, { grad }].map((options) => pool.valueAndGrad(criterion, x, y, options)),
        );
        change(x, y);
        const reason = new RangeError(`targets[${row}] must be a class in [0, 2), got 2`);
        expect(await calls).toEqual([1, 2].map(() => ({ status: 'rejected', reason })));
        expect(grad.every((entry) => entry === 5)).toBe(true);
      }
    }
    await right(pool.valueAndGrad(criterion, logits, targets));
  });

  it('probabilities that are none: the error names the row of the batch', async () => {
    await using pool = await makePool({ size: 2 });
    const y = Float32Array.from({ length: 2 * ROWS }, (_, i) => i % 2);
    y[2 * (ROWS - 1000)] = 3;
    const call = pool.forward(criterion, logits, y, { numClasses: 2 });
    const expected = `targets: the probabilities of row ${ROWS - 1000} must add up to 1`;
    y.fill(0);
    await expect(call).rejects.toThrow(expected);
  });

  it('options are read once, and a signal that is aborted meanwhile is seen', async () => {
    await using pool = await makePool({ size: 2 });
    let reads = 0;
    const rows = (length: number) => Array.from({ length }, (_, i) => [i % 3, 1]);
    const tensor = (length: number) => ({
      shape: [length, 2],
      data: logits.subarray(0, 2 * length),
    });
    const options = {
      get normalizer() {
        return ++reads;
      },
    };
    for (const count of [8, MANY]) {
      for (const x of [logits.subarray(0, 2 * count), rows(count), tensor(count)]) {
        const y = targets.subarray(0, count);
        reads = 0;
        const value = await pool.forward(criterion, x as never, y, options);
        expect(reads).toBe(1);
        expect(value).toBe(criterion.forward(x as never, y, { normalizer: 1 }));
      }
    }
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = pool.forward(criterion, logits, targets, {
      signal,
      get normalizer() {
        controller.abort(new Error('enough'));
        return 1;
      },
    });
    await expect(aborted).rejects.toThrow('enough');
  });

  it('of data: options follow it, and say no less than those of a call', async () => {
    await using pool = await makePool({ size: 1 });
    const data = await pool.load(logits, targets);
    const calls = [
      () => pool.forward(criterion, data as never, undefined as never, {}),
      () => pool.forward(criterion, data, { numClasses: null } as never),
    ];
    const messages = [
      'options must be the argument after data, which has targets of its own',
      'numClasses must be a number, got null',
    ];
    for (const [i, call] of calls.entries())
      await expect(call()).rejects.toThrow(new TypeError(messages[i]));
  });

  it('arguments are refused as by the synchronous call', async () => {
    await using pool = await makePool({ size: 1 });
    const short = new Float32Array(5);
    const calls: [object, object][] = [
      [{ grad: short }, {}],
      [{ sampleWeights: short }, {}],
      [{ gradOutput: short }, {}],
      [{ spatialSize: 3 }, {}],
      [{ numClasses: 3 }, {}],
      [{ grad: logits }, {}],
    ];
    for (const [options] of calls) {
      let error: unknown;
      try {
        criterion.valueAndGrad(logits, targets, options);
      } catch (thrown) {
        error = thrown;
      }
      const call = pool.valueAndGrad(criterion, logits, targets, options);
      await expect(call).rejects.toThrow(error as Error);
    }
    const unknown = pool.forward(criterion, logits, targets, { grad: logits } as object);
    await expect(unknown).rejects.toThrow('unknown option "grad"');
    const signal = pool.forward(criterion, logits, targets, { signal: 1 as never });
    await expect(signal).rejects.toThrow('signal must be an AbortSignal, got 1');
    await expect(pool.forward({} as never, logits, targets)).rejects.toThrow(
      'criterion must be a loss of this package, got an object',
    );
  });

  it('a worker that is ended in the middle of a call is replaced', async () => {
    const { made, worker } = workers();
    await using pool = await makePool({ size: 2, worker });
    const call = pool.valueAndGrad(criterion, logits, targets);
    void made[0]?.terminate();
    if (isShared) await right(call);
    else await call.catch(({ message }) => expect(message).toContain('workers ended while'));
    // The calling thread may have done it all before it hears of the end.
    await vi.waitFor(async () => {
      await right(pool.valueAndGrad(criterion, logits, targets));
      expect(made.length).toBe(3);
    }, 60_000);
    expect(pool.size).toBe(2);
  });

  it('workers that end while targets are refused: none of the next ones waits for anything', async () => {
    const { made, worker } = workers(new URL('analysis-worker.mjs', import.meta.url));
    await using pool = await makePool({ size: 3, worker, analysis: poolAnalysis });
    const wrong = targets.slice();
    wrong[ROWS - 1] = 2;
    const grad = shared(new Float32Array(2 * ROWS).fill(5));
    const ends = made.map((one) => one.terminate());
    await expect(pool.valueAndGrad(criterion, logits, wrong, { grad })).rejects.toThrow();
    await Promise.all(ends);
    const { losses } = await pool.sweep(logits, targets, { gamma: [0, 1] });
    expect(losses).toEqual(sweep(logits, targets, { gamma: [0, 1] }).losses);
    expect(grad.every((x) => x === 5)).toBe(true);
  });

  it('a target that is none, where no worker can be had: nothing is written', async () => {
    const { made, worker } = workers();
    let areBad = false;
    await using pool = await makePool({
      size: 2,
      worker: () => (areBad ? new Worker('process.exit(3)', { eval: true }) : worker()),
    });
    for (const one of made) await one.terminate();
    areBad = true;
    const wrong = targets.slice();
    wrong[ROWS - 1] = 2;
    const grad = shared(new Float32Array(2 * ROWS).fill(5));
    const message = `targets[${ROWS - 1}] must be a class in [0, 2), got 2`;
    for (const x of [logits, shared(logits)]) {
      const call = pool.valueAndGrad(criterion, x, wrong, { grad });
      await expect(call).rejects.toThrow(new RangeError(message));
      expect(grad.every((entry) => entry === 5)).toBe(true);
    }
  });

  it('workers that end whenever they compute: the call is rejected, and the next ones are not', async () => {
    const { made, worker } = workers();
    let areBad = false;
    await using pool = await makePool({
      size: 2,
      worker: () =>
        areBad ? new Worker('setTimeout(() => process.exit(3), 20)', { eval: true }) : worker(),
    });
    for (const one of made) await one.terminate();
    areBad = true;
    // None of them starts, so that this thread computes.
    await right(pool.valueAndGrad(criterion, logits, targets));
    areBad = false;
    await right(pool.valueAndGrad(criterion, logits, targets));
  });

  it('workers get calls from so many logits on', async () => {
    const { made, worker } = workers();
    await using pool = await makePool({ size: 2, worker });
    await right(pool.valueAndGrad(criterion, logits, targets));
    const posts = made.map((one) => vi.spyOn(one, 'postMessage'));
    const areGiven = async (x: Float32Array) => {
      for (const post of posts) post.mockClear();
      await pool.forward(criterion, x, targets.subarray(0, x.length / 2));
      return posts.some(({ mock }) => mock.calls.length > 0);
    };
    const isMoved = way === 'shared memory';
    for (const [count, isEnough] of [
      [MANY / 2 - 2, false],
      [MANY / 2, !isMoved],
      [MANY - 2, !isMoved],
      [MANY, true],
    ] as const) {
      const x = logits.subarray(0, count);
      expect(await areGiven(x)).toBe(isEnough);
      expect(await areGiven(shared(x))).toBe(count >= MANY / 2);
    }
  });

  it('calls beside each other do not mix', async () => {
    await using pool = await makePool({ size: 2 });
    const others = [1, 2, 3].map((gamma) => new FocalLoss({ gamma, reduction: 'sum' }));
    const parts = [logits, logits.map((x) => -x), logits.subarray(0, 1.5 * MANY)];
    const calls = others.flatMap((loss) =>
      parts.map((x) => [loss, x, targets.subarray(0, x.length / 2)] as const),
    );
    const results = await Promise.all(calls.map((call) => pool.valueAndGrad(...call)));
    for (const [i, [loss, x, y]] of calls.entries())
      expect(bitsOf(results[i])).toBe(bitsOf(loss.valueAndGrad(x, y)));
  });

  it('a signal aborts, also while others compute; what is aborted before is not begun', async () => {
    await using pool = await makePool({ size: 2 });
    const first = pool.valueAndGrad(criterion, logits, targets);
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [0, 1].map(() => pool.valueAndGrad(criterion, logits, targets, { signal }));
    const outcomes = Promise.allSettled(calls);
    controller.abort(new Error('enough'));
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'enough' } });
    await right(first);
    const late = pool.forward(criterion, logits, targets, { signal });
    await expect(late).rejects.toThrow('enough');
    await right(pool.valueAndGrad(criterion, logits, targets));
  });

  it('an abort leaves a buffer alone from then on', async () => {
    await using pool = await makePool({ size: 2 });
    const controller = new AbortController();
    const grad = shared(new Float32Array(2 * ROWS));
    const { signal } = controller;
    const call = pool.valueAndGrad(criterion, logits, targets, { signal, grad });
    setTimeout(() => controller.abort(), 3);
    await call.then(
      () => expect(bitsOf(grad)).toBe(bitsOf(criterion.backward(logits, targets))),
      () => {},
    );
    grad.fill(7);
    await right(pool.valueAndGrad(criterion, logits, targets));
    expect(grad.every((x) => x === 7)).toBe(true);
  });

  it('close rejects what is under way, and all that follows', async () => {
    const pool = await makePool({ size: 2 });
    const call = pool.valueAndGrad(criterion, logits, targets);
    const outcome = expect(call).rejects.toThrow('the pool has been closed');
    await pool.close();
    await outcome;
    const late = pool.forward(criterion, logits, targets);
    await expect(late).rejects.toThrow('the pool has been closed');
    await pool.close();
  });

  it('a shared input that changes all the time never does more than change numbers', async () => {
    await using pool = await makePool({ size: 2 });
    const restless = shared(targets);
    const call = pool.valueAndGrad(criterion, logits, restless);
    for (let i = 0; i < 200; i++) restless.fill(i % 2 === 0 ? 2 ** 31 - 1 : 0);
    await call.catch((error) => expect(error).toBeInstanceOf(Error));
    await right(pool.valueAndGrad(criterion, logits, targets));
  });
});

describe('workers that take nothing up', () => {
  // They start, and are at a standstill from the first call on.
  const program = `
    const { parentPort } = require('node:worker_threads');
    const { on } = parentPort;
    const stand = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    parentPort.on = (name, hear) =>
      on.call(parentPort, name, (order) => (order.type === 'run' ? stand() : hear(order)));
    import(${JSON.stringify(code.href)});`;
  const worker = () => new Worker(program, { eval: true });

  it.each([
    ['ordinary arrays', logits, targets],
    ['shared arrays', shared(logits), shared(targets)],
  ])('the calling thread computes all of it: %s', async (_, x, y) => {
    await using pool = await createPool({ size: 3, worker });
    expect(pool.size).toBe(3);
    for (const grad of [undefined, logits.slice(), shared(logits)])
      await right(pool.valueAndGrad(criterion, x, y, { grad }));
    const wrong = y.slice();
    wrong[0] = 9;
    const refused = pool.forward(criterion, x, wrong);
    await expect(refused).rejects.toThrow('targets[0] must be a class in [0, 2), got 9');
  });

  it('alone, they can be left', async () => {
    await using pool = await createPool({ size: 2, worker, useCallingThread: false });
    expect(pool.size).toBe(2);
    const signal = AbortSignal.timeout(50);
    const call = pool.valueAndGrad(criterion, logits, targets, { signal });
    await expect(call).rejects.toThrow('timeout');
  });
});

describe('pools that do not start', () => {
  it.each([
    [
      'the worker tells nothing',
      () => new Worker('setInterval(() => {}, 1000)', { eval: true }),
      'it did not start within 100 milliseconds',
    ],
    [
      'the worker throws',
      () => new Worker('throw new Error("no luck")', { eval: true }),
      'no luck',
    ],
    [
      'none is made',
      () => {
        throw new Error('a policy');
      },
      'a policy',
    ],
  ])('%s: they say why, once, and compute on the calling thread', async (_, worker, reason) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const startTimeout = reason.includes('100') ? 100 : 60_000;
    await using pool = await createPool({ size: 2, worker, startTimeout });
    expect(pool.size).toBe(0);
    await right(pool.valueAndGrad(criterion, logits, targets));
    await right(pool.valueAndGrad(criterion, logits, targets));
    expect(warn.mock.calls).toEqual([
      [`focal-loss/pool computes on the calling thread: ${reason}`],
    ]);
    warn.mockRestore();
  });

  it.each([
    [{ size: 0 }, 'size must be an integer in [1, 256], got 0'],
    [{ size: 1.5 }, 'size must be an integer in [1, 256], got 1.5'],
    [{ size: '2' }, 'size must be a number, got "2"'],
    [{ worker: 1 }, 'worker must be a function that makes a worker, got 1'],
    [{ startTimeout: -1 }, 'startTimeout must be an integer in [1, 2147483647], got -1'],
    [{ useCallingThread: 1 }, 'useCallingThread must be a boolean, got 1'],
    [{ workers: 2 }, 'unknown option "workers"; known are size, worker, startTimeout'],
    [null, 'options must be an object, got null'],
  ])('%o is refused', async (options, message) => {
    await expect(createPool(options as object)).rejects.toThrow(message);
  });
});

it('workers go after some seconds without calls, and come again', async () => {
  const { made, worker } = workers();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  await using pool = await createPool({ size: 2, worker });
  const ends = made.map((one) => once(one, 'exit'));
  vi.advanceTimersByTime(3000);
  await right(pool.valueAndGrad(criterion, logits, targets));
  vi.advanceTimersByTime(4900);
  await right(pool.valueAndGrad(criterion, logits, targets));
  expect(made).toHaveLength(2);
  vi.advanceTimersByTime(5000);
  vi.useRealTimers();
  await Promise.all(ends);
  await right(pool.valueAndGrad(criterion, logits, targets));
  expect(made).toHaveLength(4);
});

it('pools that are closed leave no thread', async () => {
  const { made, worker } = workers();
  const ends: Promise<unknown>[] = [];
  for (let i = 0; i < 12; i++) {
    const pool = await createPool({ size: 2, worker });
    ends.push(...made.splice(0).map((one) => once(one, 'exit')));
    if (i % 3 === 0) await right(pool.valueAndGrad(criterion, logits, targets));
    await pool.close();
  }
  expect(await Promise.all(ends)).toHaveLength(24);
});

it('a pool that is left open lets the process end', () => {
  const program = `
    import { createPool } from 'focal-loss/pool';
    import { FocalLoss } from 'focal-loss';
    const pool = await createPool({ size: 2 });
    const logits = new Float32Array(${2 * MANY});
    console.log(await pool.forward(new FocalLoss(), logits, new Uint8Array(${MANY})));`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { encoding: 'utf8' },
  );
  expect({ stdout, stderr, status }).toEqual({
    stdout: '0.12996509671211243\n',
    stderr: '',
    status: 0,
  });
});
