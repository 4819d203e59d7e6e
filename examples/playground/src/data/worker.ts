// Reads and computes beside the page, which stays quick. To cancel, the page ends the worker.

import { serve } from '../serve.js';
import { analyse, type LossSettings, rowsAsCsv, sweepBatch } from './analyse.js';
import type { Batch } from './batch.js';
import { makeExample } from './example.js';
import { openFiles } from './open.js';
import type { Reply, Request } from './protocol.js';

type Tell = (reply: Reply) => void;

let batch: Batch | undefined;
/** The smoothing of the last sweep, which depends on nothing else of the loss. */
let swept: number | undefined;

serve<Request, Reply>(answer);

async function answer(request: Request, tell: Tell): Promise<void> {
  switch (request.kind) {
    case 'open':
      tell({ kind: 'progress', stage: 'Reading', share: 0 });
      batch = await openFiles(request.files, (share) =>
        tell({ kind: 'progress', stage: 'Reading', share }),
      );
      swept = undefined;
      return study(batch, request.loss, tell);
    case 'example':
      tell({ kind: 'progress', stage: 'Making the example' });
      batch = makeExample(request.rows);
      swept = undefined;
      return study(batch, request.loss, tell);
    case 'analyse':
      if (batch) await study(batch, request.loss, tell);
      return;
    case 'export':
      if (!batch) return;
      tell({ kind: 'progress', stage: 'Writing' });
      tell({
        kind: 'exported',
        file: new Blob([...rowsAsCsv(batch, request.loss)], { type: 'text/csv' }),
      });
  }
}

async function study(batch: Batch, loss: LossSettings, tell: Tell): Promise<void> {
  tell({ kind: 'progress', stage: 'Diagnosing' });
  tell({ kind: 'findings', findings: analyse(batch, loss) });
  if (swept === loss.smoothing) return;
  const onProgress = (share: number) => tell({ kind: 'progress', stage: 'Sweeping', share });
  tell({ kind: 'sweep', rows: await sweepBatch(batch, loss.smoothing, onProgress) });
  swept = loss.smoothing;
}
