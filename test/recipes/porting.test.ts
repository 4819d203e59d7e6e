import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { blocksOf, runProgram } from '../support/program.js';
import fixture from './fixtures/porting.json';

const page = readFileSync(join(root, 'docs', 'porting.md'), 'utf8');

const { batch, results, versions } = fixture;
const logits = Float64Array.from(batch.logits.flat());
const TARGETS: Record<string, Int32Array | Float64Array> = {
  classes: Int32Array.from(batch.classes),
  ignored: Int32Array.from(batch.ignored),
  oneHot: Float64Array.from(
    batch.classes.flatMap((target) => [0, 1, 2].map((j) => Number(j === target))),
  ),
  soft: Float64Array.from(batch.soft.flat()),
};

/**
 * These compute in float32, whatever they are given; mmdetection adds its epsilon to `avg_factor`.
 */
const IN_FLOAT32 = /^(keras|monai|optax)\.|avg_factor/;

/**
 * The rows of the page's tables: a call of another library, its value, a loss here and its targets.
 */
const rows = Array.from(
  page.matchAll(/^\| `(.+)` \| ([\d.]+) \| `(new .+)` \| `(\w+)` \|$/gm),
  ([, ...cells]) => cells as [string, string, string, string],
);

describe('docs/porting.md', () => {
  it('has every call that was made, and no other', () => {
    expect(rows.map(([call]) => call)).toEqual(results.map(({ call }) => call));
    const headings = Array.from(page.matchAll(/^## (.+) ([\d.]+)$/gm), ([, , version]) => version);
    expect(headings).toEqual(Object.values(versions));
  });

  it('shows the batch', () => {
    const [program = ''] = blocksOf(page, 'ts');
    const { stdout, stderr } = runProgram(
      `${program}console.log(JSON.stringify([logits, classes, ignored, oneHot, soft], (_, x) => ArrayBuffer.isView(x) ? [...(x as never)] : x));`,
    );
    expect(stderr).toBe('');
    const [value, arrays = ''] = stdout.split('\n');
    expect(`${value}\n`).toBe(blocksOf(page, 'text')[0]);
    expect(JSON.parse(arrays)).toEqual(
      [logits, ...Object.values(TARGETS)].map((array) => [...array]),
    );
  });

  it.each(rows)('%s is %s', (call, shown, loss, targets) => {
    const made = results.find((result) => result.call === call);
    expect(made?.value.toFixed(5)).toBe(shown);
    const criterion = new Function(
      'FocalLoss',
      'SigmoidFocalLoss',
      'CrossEntropyLoss',
      `return ${loss};`,
    )(FocalLoss, SigmoidFocalLoss, CrossEntropyLoss);
    const { value, grad } = criterion.valueAndGrad(logits, TARGETS[targets]);
    const tolerance = IN_FLOAT32.test(call) ? 2e-7 : 1e-15;
    const largest = Math.max(...Array.from(grad as Float64Array, Math.abs));
    expect(Math.abs(value / (made?.value ?? NaN) - 1)).toBeLessThan(tolerance);
    made?.grad?.forEach((entry, i) => {
      expect(Math.abs(grad[i] - entry) / largest).toBeLessThan(tolerance);
    });
  });
});

describe('where CrossEntropyLoss differs from PyTorch 2.15', () => {
  const of = (...numbers: number[]) => Float64Array.from(numbers);
  const nll = (gap: number) => Math.log1p(Math.exp(gap));

  it('has no ignored index but the one that is given', () => {
    expect(() => new CrossEntropyLoss().forward(of(1, 2), Int32Array.of(-100))).toThrow(
      'targets[0] must be a class in [0, 2), got -100',
    );
  });

  it('gives the gradient 0 to an ignored row with a NaN', () => {
    const { value, grad } = new CrossEntropyLoss({ ignoreIndex: -100 }).valueAndGrad(
      of(NaN, 1, 1, 2),
      Int32Array.of(-100, 0),
    );
    expect(value).toBeCloseTo(nll(1), 14);
    expect([...grad.subarray(0, 2)]).toEqual([0, 0]);
    expect(grad[2]).toBeCloseTo(-1 / (1 + Math.exp(-1)), 14);
  });

  it('leaves out a logit of -Infinity whose class has the probability 0, or with smoothing the weight 0', () => {
    expect(
      new CrossEntropyLoss({ numClasses: 3 }).forward(of(-Infinity, 1, 2), of(0, 0.5, 0.5)),
    ).toBeCloseTo(nll(1) - 0.5, 14);
    const smoothed = new CrossEntropyLoss({ labelSmoothing: 0.1, weight: [0, 1, 1] }).forward(
      of(-Infinity, 1, 2),
      Int32Array.of(1),
    );
    expect(smoothed).toBeCloseTo((0.9 + 0.1 / 3) * nll(1) + (0.1 / 3) * nll(-1), 14);
  });

  it('gives the value NaN and the gradient 0 where all targets have the weight 0', () => {
    const { value, grad } = new CrossEntropyLoss({ weight: [0, 1] }).valueAndGrad(
      of(1, 2),
      Int32Array.of(0),
    );
    expect([value, ...grad]).toEqual([NaN, 0, 0]);
  });

  it('refuses what is no distribution, negative weights and a single class', () => {
    const soft = new CrossEntropyLoss({ numClasses: 2 });
    expect(() => soft.forward(of(1, 2), of(1, 1))).toThrow('must add up to 1');
    expect(() => soft.forward(of(1, 2), of(1.5, -0.5))).toThrow('must be finite and not negative');
    expect(() => new CrossEntropyLoss({ weight: [-1, 1] })).toThrow(
      'weight[0] must be finite and not negative, got -1',
    );
    expect(() => new CrossEntropyLoss().forward(of(1), Int32Array.of(0))).toThrow(
      'must be in [2, ',
    );
  });

  it('keeps the digits of float32 logits that are 17 apart', () => {
    const { value, grad } = new CrossEntropyLoss().valueAndGrad(
      Float32Array.of(17, 0),
      Int32Array.of(0),
    );
    expect(value / nll(-17)).toBeCloseTo(1, 6);
    expect((grad[0] as number) / nll(-17)).toBeCloseTo(-1, 6);
  });
});
