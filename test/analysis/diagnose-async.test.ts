import {
  CrossEntropyLoss,
  classificationReportAsync,
  compareLosses,
  compareLossesAsync,
  type Diagnosis,
  diagnose,
  diagnoseAsync,
  FocalLoss,
  SigmoidFocalLoss,
  sweepAsync,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { float32, float64 } from '../support/dtypes.js';

// Two parts of 2^19 logits, the second of them short.
const ROWS = 200_003;
const { logits, targets } = randomBatch(float32, ROWS, 3, 81, 3);
const short = { logits: logits.subarray(0, 900), targets: targets.subarray(0, 300) };

/** The same figures and rows: `toEqual` takes long for long arrays. */
function expectSame(actual: Diagnosis, expected: Diagnosis): void {
  const bare = ({ hard, overconfident, ...rest }: Diagnosis) => ({
    ...rest,
    hard: { ...hard, rows: Buffer.from(hard.rows.buffer).toString('base64') },
    overconfident: {
      ...overconfident,
      rows: Buffer.from(overconfident.rows.buffer).toString('base64'),
    },
  });
  expect(bare(actual)).toEqual(bare(expected));
}

describe('a diagnosis in turns', () => {
  it('is the same, and says how far it is', async () => {
    const criterion = new FocalLoss({ labelSmoothing: 0.1 });
    const progress: [number, number][] = [];
    const onProgress = (done: number, rows: number) => progress.push([done, rows]);
    const expected = diagnose(logits, targets, criterion);
    expectSame(await diagnoseAsync(logits, targets, criterion, { onProgress }), expected);
    expect(progress.length).toBeGreaterThanOrEqual(2);
    expect(progress.at(-1)).toEqual([ROWS, ROWS]);
    progress.forEach(([done, rows], i) => {
      expect(rows).toBe(ROWS);
      if (i > 0) expect(done).toBeGreaterThanOrEqual(progress[i - 1][0]);
    });
  });

  it('is the same for what is of one part', async () => {
    for (const criterion of [new FocalLoss(), new CrossEntropyLoss({ weight: [1, 2, 3] })]) {
      const options = { overconfidence: 0.6 };
      expect(await diagnoseAsync(short.logits, short.targets, criterion, options)).toEqual(
        diagnose(short.logits, short.targets, criterion, options),
      );
    }
    expect(await diagnoseAsync(new Float32Array(0), new Uint8Array(0), new FocalLoss())).toEqual(
      diagnose(new Float32Array(0), new Uint8Array(0), new FocalLoss()),
    );
    const y = Uint8Array.from(short.logits, (x) => Number(x > 1));
    const criterion = new SigmoidFocalLoss({ numClasses: 3 });
    expect(await diagnoseAsync(short.logits, y, criterion)).toEqual(
      diagnose(short.logits, y, criterion),
    );
  });

  it('stops where it is aborted', async () => {
    const controller = new AbortController();
    let calls = 0;
    const onProgress = () => {
      calls++;
      controller.abort(new Error('enough'));
    };
    const options = { signal: controller.signal, onProgress };
    await expect(diagnoseAsync(logits, targets, new FocalLoss(), options)).rejects.toThrow(
      'enough',
    );
    expect(calls).toBe(1);
    await expect(diagnoseAsync(logits, targets, new FocalLoss(), options)).rejects.toThrow(
      'enough',
    );
    expect(calls).toBe(1);
  });

  it('lets others have their turn, and is not disturbed by them', async () => {
    const criterion = new FocalLoss();
    const expected = diagnose(short.logits, short.targets, criterion);
    let turns = 0;
    const timer = setInterval(() => {
      turns++;
      expect(diagnose(short.logits, short.targets, criterion)).toEqual(expected);
    });
    const whole = await diagnoseAsync(logits, targets, criterion);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
    expectSame(whole, diagnose(logits, targets, criterion));
  });

  it('rejects what it cannot take, by the number of the row', async () => {
    const wrong = targets.slice();
    wrong[ROWS - 1] = 3;
    await expect(diagnoseAsync(logits, wrong, new FocalLoss())).rejects.toThrow(
      `targets[${ROWS - 1}] must be a class in [0, 3), got 3`,
    );
    await expect(
      diagnoseAsync(logits, targets, new FocalLoss(), { gamma: 1 } as never),
    ).rejects.toThrow(
      'unknown option "gamma"; known are overconfidence, numClasses, spatialSize, signal, onProgress',
    );
    await expect(diagnoseAsync(logits, targets, {} as never)).rejects.toThrow(TypeError);
  });
});

describe('a comparison in turns', () => {
  const losses = {
    focal: new FocalLoss(),
    plain: new CrossEntropyLoss(),
    other: { criterion: new FocalLoss(), logits: short.logits.map((x) => 2 * x) },
  };

  it('is the same, and says how far it is', async () => {
    const progress: number[] = [];
    const compared = await compareLossesAsync(short.logits, short.targets, losses, {
      onProgress: (done, rows) => {
        expect(rows).toBe(900);
        progress.push(done);
      },
    });
    const expected = compareLosses(short.logits, short.targets, losses);
    expect(compared).toEqual(expected);
    expect(`${compared}`).toBe(`${expected}`);
    expect(progress.at(-1)).toBe(900);
    expect(compared[0].report).toBe(compared[1].report);
  });

  it('lets others have their turn, and stops where it is aborted', async () => {
    const controller = new AbortController();
    const calls: number[] = [];
    const onProgress = (done: number) => {
      calls.push(done);
      if (calls.length === 1) controller.abort(new Error('enough'));
    };
    const options = { signal: controller.signal, onProgress };
    await expect(
      compareLossesAsync(logits, targets, { focal: new FocalLoss() }, options),
    ).rejects.toThrow('enough');
    expect(calls).toHaveLength(1);
  });

  it('rejects what it cannot take', async () => {
    await expect(
      compareLossesAsync(short.logits, short.targets, { mine: 3 as never }),
    ).rejects.toThrow('losses.mine must be a loss of this package, got 3');
    await expect(
      compareLossesAsync(short.logits, short.targets, losses, { bins: 3 } as never),
    ).rejects.toThrow('unknown option "bins"');
  });
});

it('takes batches with the classes first part by part, also of one sample', () => {
  const last = randomBatch(float64, 250_000, 3, 82, 3);
  const criterion = new FocalLoss({ numClasses: 3 });
  const expected = diagnose(last.logits, last.targets, criterion);
  for (const spatialSize of [250_000, 50_000]) {
    const first = new Float64Array(750_000);
    for (let row = 0; row < 250_000; row++) {
      const sample = Math.floor(row / spatialSize);
      for (let j = 0; j < 3; j++) {
        first[(3 * sample + j) * spatialSize + (row % spatialSize)] = last.logits[3 * row + j];
      }
    }
    const actual = diagnose(first, last.targets, criterion.with({ layout: 'channels-first' }), {
      spatialSize,
    });
    expectSame(actual, expected);
  }
});

it('is a table as text', () => {
  const y = Uint8Array.of(1, 0, 0, 1);
  const text = `${diagnose(Float64Array.of(2, -1, 0.5, -3), y, new SigmoidFocalLoss({ numClasses: 2 }))}`;
  expect(text).toBe(
    `rows                          4
not finite                    0
accuracy                 0.5000
mean loss                0.2480
least mean loss          0.0000
mean confidence          0.7967
overconfident rows            1
wrong among them              1
hard rows                     2
their share of the loss  0.9824
easy rows                     2
their share of the loss  0.0176
focal weight             0.3453
effective sample size    2.3830

class  rows  accuracy  mean loss  share of loss  of gradient
0         2    0.5000     0.1500         0.3024       0.6054
1         2    0.5000     0.3460         0.6976       0.3946

column  rows  positives  accuracy  mean loss  share of loss  of gradient
0          2          1    0.5000     0.1418         0.2858       0.5521
1          2          1    0.5000     0.3543         0.7142       0.4479

overconfident: Of 1 rows with a confidence above 0.95, 100 % are wrong: labelSmoothing, such as 0.1, helps.`,
  );
});

it.each([
  [{ signal: new AbortController() as never }, 'signal must be an AbortSignal, got an object'],
  [{ signal: null as never }, 'signal must be an AbortSignal, got null'],
  [{ onProgress: 3 as never }, 'onProgress must be a function, got 3'],
])('everything in turns rejects options that are none %#', async (options, message) => {
  const { logits, targets } = randomBatch(float32, 4, 3);
  const criterion = new FocalLoss();
  for (const promise of [
    classificationReportAsync(logits, targets, options),
    compareLossesAsync(logits, targets, { criterion }, options),
    diagnoseAsync(logits, targets, criterion, options),
    sweepAsync(logits, targets, options),
  ]) {
    await expect(promise).rejects.toThrow(new TypeError(message));
  }
});
