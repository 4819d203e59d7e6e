import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cache } from '../bootstrap/paths.mjs';
import { fingerprint } from '../build/fingerprint.mjs';
import { countCargoTests } from './checks.mjs';

/** @typedef {import('../bootstrap/rust.mjs').Toolchain} Toolchain */
/** @typedef {import('./checks.mjs').Check} Check */
/** @typedef {import('./extra-checks.mjs').Missed} Missed */

export const EVERY_FLOAT32 = 'elementary functions, every float32';

/** The files that decide the results: the functions, what they are written in, and the test. */
const INPUTS = [
  'crate/src/math',
  'crate/src/simd',
  'crate/tests/every_float32.rs',
  'crate/tests/support/float32.rs',
  'Cargo.toml',
];

/**
 * The elementary functions over all 2³² inputs: minutes, in which nothing new can be found unless
 * they or the compiler have changed since this machine last did it.
 * @param {Toolchain} toolchain
 * @param {string} [record] where the state that passed is remembered
 * @returns {{ checks: Check[], missed: Missed[] }}
 */
export function everyFloat32({ env, cargo, version }, record = join(cache, 'every-float32.json')) {
  const state = fingerprint(INPUTS, version);
  if (readRecord(record).includes(state)) {
    const reason = 'it passed on this machine with these functions and this compiler';
    return { checks: [], missed: [{ name: EVERY_FLOAT32, reason, counts: false }] };
  }
  const args = [
    'test',
    '--release',
    '--package',
    'focal-loss',
    '--locked',
    '--test',
    'every_float32',
  ];
  const onPassed = () => {
    mkdirSync(dirname(record), { recursive: true });
    writeFileSync(record, JSON.stringify([...readRecord(record), state].slice(-20)));
  };
  const check = {
    name: EVERY_FLOAT32,
    command: cargo,
    args,
    env,
    count: countCargoTests,
    onPassed,
  };
  return { checks: [check], missed: [] };
}

/**
 * @param {string} record
 * @returns {string[]}
 */
function readRecord(record) {
  try {
    return JSON.parse(readFileSync(record, 'utf8'));
  } catch {
    return [];
  }
}
