import fc from 'fast-check';
import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { type Dtype, dtypes } from '../support/dtypes.js';
import { IS_SAMPLE } from '../support/sample.js';
import { Numbers } from './calls.js';
import { focal } from './draws.js';
import { Worst } from './judge.js';

const RUNS = IS_SAMPLE ? 1000 : 6000;
const SEEDS = [20_261_127, Math.floor(Math.random() * 2 ** 31)];

const draws = fc.record({ ...focal, kind: fc.constantFrom('exact', 'gauss-newton') });

interface Curvature {
  gamma: number;
  labelSmoothing: number;
  kind: string;
}

/** The diagonal of a row's Hessian, by the definition, and the sizes of the terms of each entry. */
function curvature(x: number[], target: number, { gamma, labelSmoothing, kind }: Curvature) {
  const classes = x.length;
  const max = Math.max(...x);
  const exps = x.map((logit) => Math.exp(logit - max));
  const sumWithout = (left: number) => exps.reduce((sum, e, j) => (j === left ? sum : sum + e), 0);
  const total = sumWithout(-1);
  // Near a probability of 1, the sum of all has no digits of the others.
  const nllOf = (j: number) =>
    exps[j] > 0.5 * total ? Math.log1p(sumWithout(j) / exps[j]) : Math.log(total) + (max - x[j]);
  const aims = x.map((_, j) => (j === target ? 1 - labelSmoothing : 0) + labelSmoothing / classes);
  const terms = aims.map((aim, j) => (aim === 0 ? 0 : aim * nllOf(j)));
  const nll = terms.reduce((sum, term) => sum + term, 0);
  const isHard = labelSmoothing === 0;
  const pt = isHard ? exps[target] / total : Math.exp(-nll);
  const u = isHard ? sumWithout(target) / total : -Math.expm1(-nll);
  const power = u ** gamma;
  return {
    nll,
    entries: exps.map((e, j) => {
      const [p, rest] = [e / total, sumWithout(j) / total];
      const distance = aims[j] === 1 ? -rest : p - aims[j];
      const share = u === 0 ? 0 : distance / u;
      const bend = kind === 'exact' ? power * share * gamma * pt : 0;
      const turn = u === 0 ? 0 : (gamma * pt * nll) / u;
      const parts = [
        power * (1 + turn) * p * rest,
        2 * bend * distance,
        -bend * distance * nll,
        bend * (gamma - 1) * share * pt * nll,
      ];
      return {
        exact: parts.reduce((sum, part) => sum + part, 0),
        size: Math.max(...parts.map(Math.abs)),
      };
    }),
  };
}

/** The bound of a row's entries, but for their size. */
function boundOf(dtype: Dtype, gamma: number, labelSmoothing: number, nll: number): number {
  // In float64 the oracle, itself float64, sets the limit.
  const bound = dtype.name === 'float64' ? 1e-13 * (1 + gamma) : dtype.bound(gamma);
  return labelSmoothing === 0 ? bound : bound * (1 + nll);
}

describe.each(dtypes)('$name', { timeout: 120_000 }, (dtype) => {
  it.each(SEEDS)('hessianDiag agrees with the definition, seed %i', (seed) => {
    const worst = new Worst();
    const property = fc.property(draws, (drawn) => {
      const { classes, gamma, labelSmoothing, kind } = drawn;
      const numbers = new Numbers(dtype, drawn);
      const logits = numbers.logits(classes);
      const target = Math.floor(numbers.random() * classes);
      const criterion = new FocalLoss({ alpha: null, gamma, labelSmoothing, reduction: 'sum' });
      const entries = criterion.hessianDiag(dtype.array(logits), Uint8Array.of(target), {
        kind: kind as 'exact',
      });
      if (logits.some((x) => Number.isNaN(x) || x === Infinity)) {
        expect(Array.from(entries)).toEqual(logits.map(() => NaN));
        return;
      }
      const { nll, entries: expected } = curvature(logits, target, { gamma, labelSmoothing, kind });
      if (!Number.isFinite(nll)) return;
      const largest = Math.max(...expected.map(({ size }) => size));
      const bound = boundOf(dtype, gamma, labelSmoothing, nll);
      expected.forEach(({ exact }, j) => {
        // Beyond the type, and where terms are, nothing is promised.
        if (!(largest < dtype.largest)) return;
        const tolerance = bound * largest + 100 * dtype.smallest;
        worst.add(entries[j], exact, Math.abs(entries[j] - exact), tolerance, 'entry', 0, j);
        if (logits[j] === -Infinity && labelSmoothing === 0) expect(entries[j]).toBe(0);
      });
    });
    fc.assert(property, { numRuns: RUNS, seed });
    console.log(`seed ${seed}: ${worst}`);
    expect(worst.results).toBeGreaterThan(RUNS);
  });
});
