import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { CALLS } from './stop-turns.mjs';

// Functions that work in turns are stopped in their later ones: in a context with jobs of its own,
// a turn is run by whatever script comes next, and its time ends there. Nothing waits for such work
// any more; all other calls must give what they gave before.

const program = fileURLToPath(new URL('stop-turns.mjs', import.meta.url));

it.each(Object.keys(CALLS))('%s, stopped in its later turns, leaves all as it was', (name) => {
  const { status, stderr } = spawnSync(process.execPath, [program, name], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
