// This package in a process of its own: see child.ts for what it is asked.

import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Case, makeWorkload } from '../cases.js';
import type { Run } from '../contender.js';
import { focalLoss } from './focal-loss.js';

/** A request: to get ready for a case, and to write its gradient; or to make calls. */
type Request = { prepare: Case & { grad: string } } | { time: number };

let run: Run | undefined;

async function answer(request: Request) {
  if ('time' in request) return { seconds: await run?.time(request.time) };
  run = await focalLoss.prepare(makeWorkload(request.prepare));
  const outcome = await run?.outcome?.();
  if (outcome?.grad) writeFileSync(request.prepare.grad, outcome.grad);
  return { value: outcome?.value };
}

console.log(JSON.stringify({ about: focalLoss.about }));
for await (const line of createInterface(process.stdin))
  console.log(JSON.stringify(await answer(JSON.parse(line))));
