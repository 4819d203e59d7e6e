// The way from focal-loss/analysis to focal-loss/worker in a thread that runs both.

import { define } from '../arrays/own.js';
import type { Tasks } from './serve.js';

const NAME = Symbol.for('focal-loss.tasks');

/** Has workers of this thread know these functions. */
export function provide(tasks: Tasks): void {
  if (provided() === undefined) define(globalThis, NAME, tasks);
}

/** The functions that have been provided in this thread, if any have. */
export function provided(): Tasks | undefined {
  return (globalThis as { [NAME]?: Tasks })[NAME];
}
