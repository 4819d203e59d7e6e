import type { Run } from './contender.js';
import type { Workload } from './workload.js';

/** Contenders may round as float32 does, at every step; anything more is another function. */
const RELATIVE = 1e-4;
/** Of the largest entry of the gradient. */
const ABSOLUTE = 1e-6;

/** Throws unless two runs of a workload give the same value and the same gradient. Calls both. */
export function checkAgreement(workload: Workload, name: string, run: Run, trustedName: string, trusted: Run): void {
  const where = `${name} against ${trustedName} at [${workload.rows}, ${workload.classes}]`;
  const value = run.call();
  const wanted = trusted.call();
  if (!(Math.abs(value - wanted) <= RELATIVE * Math.abs(wanted))) {
    throw new Error(`${where}: value ${value}, wanted ${wanted}`);
  }

  const grad = run.grad();
  const wantedGrad = trusted.grad();
  if (grad.length !== wantedGrad.length) {
    throw new Error(`${where}: ${grad.length} gradient entries, wanted ${wantedGrad.length}`);
  }
  const largest = wantedGrad.reduce((max, entry) => Math.max(max, Math.abs(entry)), 0);
  for (const [i, entry] of wantedGrad.entries()) {
    const tolerance = RELATIVE * Math.abs(entry) + ABSOLUTE * largest;
    if (!(Math.abs(grad[i] - entry) <= tolerance))
      throw new Error(`${where}: gradient[${i}] ${grad[i]}, wanted ${entry}`);
  }
}
