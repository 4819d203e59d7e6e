// Reads, trains and computes beside the page, which stays quick.

import type { LossSettings } from '../data/analyse.js';
import type { Batch } from '../data/batch.js';
import { openFiles } from '../data/open.js';
import { serve } from '../serve.js';
import { makeCohort } from './cohort.js';
import { type DecisionSettings, decide, dependsOnLoss } from './decide.js';
import type { Reply, Request } from './protocol.js';

type Tell = (reply: Reply) => void;

/** The rows of a file that was opened; without one, the built-in data are looked at. */
let opened: Batch | undefined;
/** The built-in data, and the loss that their model was trained with. */
let cohort: { readonly batch: Batch; readonly loss: LossSettings } | undefined;
/** The settings of the last decisions. */
let last: DecisionSettings | undefined;

serve<Request, Reply>(answer);

async function answer(request: Request, tell: Tell): Promise<void> {
  const { kind, settings } = request;
  if (kind === 'open') {
    tell({ kind: 'progress', stage: 'Reading', share: 0 });
    opened = await openFiles(request.files, (share) =>
      tell({ kind: 'progress', stage: 'Reading', share }),
    );
  } else if (kind === 'cohort') {
    opened = undefined;
  } else if (last && isAlike(last, settings)) {
    return;
  }
  last = undefined;
  const batch = opened ?? cohortOf(settings, tell);
  tell({ kind: 'progress', stage: 'Deciding' });
  tell({ kind: 'decisions', decisions: decide(batch, settings) });
  last = settings;
}

function cohortOf(loss: LossSettings, tell: Tell): Batch {
  if (!(cohort && isSameLoss(cohort.loss, loss))) {
    tell({ kind: 'progress', stage: 'Training' });
    cohort = { batch: makeCohort(loss), loss };
  }
  return cohort.batch;
}

/** True where nothing has changed that makes a difference. */
function isAlike(a: DecisionSettings, b: DecisionSettings): boolean {
  if (a.calibration !== b.calibration || a.positive !== b.positive) return false;
  return (opened && !dependsOnLoss(b)) || isSameLoss(a, b);
}

function isSameLoss(a: LossSettings, b: LossSettings): boolean {
  return a.alpha === b.alpha && a.gamma === b.gamma && a.smoothing === b.smoothing;
}
