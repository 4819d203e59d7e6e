import { execFileSync } from 'node:child_process';
import { runInNewContext } from 'node:vm';
import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { float32 } from '../support/dtypes.js';
import { expectFailure } from '../support/failure.js';

const criterion = new FocalLoss();
const { logits, targets } = randomBatch(float32, 3, 2);
const expected = criterion.valueAndGrad(logits, targets);

/** The typed arrays' memory is taken away, as by `postMessage` with a transfer list. */
function detach<A extends ArrayBufferView>(array: A): A {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}

/** TypeScript's library for ES2023 does not know the option. */
const Resizable = ArrayBuffer as unknown as new (
  length: number,
  options: { maxByteLength: number },
) => ArrayBuffer & { resize(length: number): void };

describe('memory that is gone', () => {
  const gone = (name: string) =>
    `${name}: its buffer is detached, or has shrunk so that the array lies outside`;

  it('is reported when a buffer is detached', () => {
    expectFailure(
      () => criterion.forward(detach(logits.slice()), targets),
      TypeError,
      gone('logits'),
    );
    expectFailure(
      () => criterion.forward(logits, detach(targets.slice())),
      TypeError,
      gone('targets'),
    );
    const grad = detach(new Float32Array(6));
    expectFailure(() => criterion.backward(logits, targets, { grad }), TypeError, gone('grad'));
  });

  it('is reported when a buffer has shrunk', () => {
    const shrunk = new Resizable(24, { maxByteLength: 64 });
    const array = new Float32Array(shrunk, 0, 6);
    const indices = new Int32Array(shrunk, 0, 3);
    shrunk.resize(4);
    expectFailure(() => criterion.forward(array, targets), TypeError, gone('logits'));
    expectFailure(() => criterion.forward(logits, indices), TypeError, gone('targets'));
    expectFailure(
      () => criterion.backward(logits, targets, { grad: array }),
      TypeError,
      gone('grad'),
    );
  });

  it('is reported when an array that follows its buffer no longer has the length', () => {
    const buffer = new Resizable(24, { maxByteLength: 64 });
    const array = new Float32Array(buffer);
    array.set(logits);
    expect(criterion.forward(array, targets)).toBe(expected.value);
    buffer.resize(20);
    const message = 'logits.length must be a multiple of targets.length, 3, got 5';
    expectFailure(() => criterion.forward(array, targets), RangeError, message);
  });

  it('is reported when an option takes it away in the middle of the call', () => {
    const array = logits.slice();
    const options = {
      get gradOutput(): number {
        detach(array);
        return 1;
      },
    };
    expectFailure(() => criterion.backward(array, targets, options), TypeError, gone('logits'));
  });
});

describe('memory that overlaps', () => {
  const buffer = new ArrayBuffer(256);
  const shared = new Float32Array(buffer, 64, 6);
  shared.set(logits);

  it('is rejected, wherever the gradient would lie in the logits or targets', () => {
    for (const offset of [44, 64, 84]) {
      const grad = new Float32Array(buffer, offset, 6);
      expectFailure(
        () => criterion.valueAndGrad(shared, targets, { grad }),
        RangeError,
        'grad must not share memory with logits',
      );
    }
    const indices = new Int32Array(buffer, 128, 3);
    indices.set(targets);
    for (const offset of [108, 128, 136]) {
      const grad = new Float32Array(buffer, offset, 6);
      expectFailure(
        () => criterion.valueAndGrad(shared, indices, { grad }),
        RangeError,
        'grad must not share memory with targets',
      );
    }
    expect(shared).toEqual(logits);
    expect(indices).toEqual(targets);
  });

  it('is fine side by side in one buffer', () => {
    const indices = new Int32Array(buffer, 128, 3);
    for (const offset of [40, 88, 104, 140]) {
      const grad = new Float32Array(buffer, offset, 6);
      expect(criterion.valueAndGrad(shared, indices, { grad }).grad).toEqual(expected.grad);
    }
  });
});

describe('arrays that are not what they look like', () => {
  it('count by what they hold, not by what they say', () => {
    class Lying extends Float32Array {
      override get length(): number {
        return 1000;
      }
      override subarray(): never {
        throw new Error('called');
      }
      override set(): never {
        throw new Error('called');
      }
    }
    const grad = new Lying(6);
    const result = criterion.valueAndGrad(Lying.from(logits) as Float32Array, targets, { grad });
    expect(result.value).toBe(expected.value);
    expect([...Float32Array.prototype.slice.call(grad)]).toEqual([...expected.grad]);
  });

  it('may come from another realm', () => {
    const foreign = runInNewContext(
      '[new Float32Array(6), new Uint32Array(3), new Float32Array(6)]',
    );
    foreign[0].set(logits);
    foreign[1].set(targets);
    const { value, grad } = criterion.valueAndGrad(foreign[0], foreign[1], { grad: foreign[2] });
    expect(value).toBe(expected.value);
    expect([...grad]).toEqual([...expected.grad]);
  });

  it('may lie in shared memory', () => {
    const share = (bytes: number) => new SharedArrayBuffer(bytes);
    const { logits, targets } = randomBatch(float32, 9000, 2);
    const expected = criterion.backward(logits, targets);
    const shared = new Float32Array(share(logits.byteLength));
    shared.set(logits);
    const indices = new Int32Array(share(targets.byteLength));
    indices.set(targets);
    const grad = new Float32Array(share(logits.byteLength));
    expect([...criterion.backward(shared, indices, { grad })]).toEqual([...expected]);
  });
});

describe('memory that cannot be had', () => {
  it('is a RangeError, and the module works on', () => {
    const script = `
      import { FocalLoss } from 'focal-loss';
      const criterion = new FocalLoss();
      const small = () => criterion.forward(new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]), new Int32Array([0, 1, 1]));
      const before = small();
      const results = [];
      for (const kind of [Float32Array, Float64Array]) {
        const grad = new kind(4e6).fill(9);
        try {
          criterion.valueAndGrad(new kind(4e6), new Int32Array(1), { grad });
        } catch (error) {
          results.push(error.name + ': ' + error.message, grad.every((x) => x === 9), small() === before);
        }
      }
      console.log(JSON.stringify(results));
    `;
    // 64 pages are 4 MiB: less than the row has.
    const output = execFileSync(
      process.execPath,
      ['--wasm-max-mem-pages=64', '--input-type=module', '--eval', script],
      { encoding: 'utf8', cwd: new URL('../..', import.meta.url) },
    );
    const message = 'RangeError: not enough memory for rows of 4000000 classes';
    expect(JSON.parse(output)).toEqual([message, true, true, message, true, true]);
  });
});
