// The seam to what the module of this entry has beside that of the others: see tsup.config.ts.

import type { InitOutput } from '../../crate/pkg-analysis/focal_loss.js';
import { load, wasm } from './instance.js';

/** The functions of the module, started if it has not been. */
export function kernels(): InitOutput {
  load();
  return wasm as unknown as InitOutput;
}
