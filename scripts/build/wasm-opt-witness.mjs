/**
 * Stands before the real wasm-opt on PATH while wasm-pack runs: closes the module, passes it on,
 * and writes down the hash of what wasm-opt made. wasm-pack goes on without optimizing when it
 * finds no wasm-opt; with this record the build can tell.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { sha256 } from '../bootstrap/sha256.mjs';
import { closed } from './close-wasm.mjs';

const wasmOpt = createRequire(import.meta.url).resolve('binaryen/bin/wasm-opt');
const args = process.argv.slice(2);
const [input] = args.filter((arg) => arg.endsWith('.wasm'));
if (input) writeFileSync(input, await closed(readFileSync(input)));
const { status } = spawnSync(process.execPath, [wasmOpt, ...args], { stdio: 'inherit' });
const output = args[args.indexOf('-o') + 1];
const record = process.env.WASM_OPT_RECORD;
if (status === 0 && output && record) writeFileSync(record, sha256(readFileSync(output)));
process.exitCode = status ?? 1;
