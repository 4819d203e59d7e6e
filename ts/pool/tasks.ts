// The things that workers can do with the analysis.

import { meterRows } from '../analysis/meter/loss-meter.js';
import { seePart } from '../analysis/meter/see-batch.js';
import { sweepBlocks } from '../analysis/sweep/sweep.js';
import type { Tasks } from './serve.js';

export const TASKS: Tasks = { sweep: sweepBlocks, loss: meterRows, report: seePart };
