import { readFile } from 'node:fs/promises';
import { slimHash } from './slim-hash.js';

console.log(await slimHash(readFile(new URL(import.meta.resolve('focal-loss/focal-loss.wasm')))));
