/**
 * Prints the hash of the battery: run by runtimes.test.ts in runtimes that take TypeScript as it
 * is.
 */

import * as library from '../../dist/index.js';
import battery from './battery.json' with { type: 'json' };
import { runBattery } from './battery.ts';

// Nothing is awaited: the WebAssembly module is compiled synchronously, by the first loss.
console.log(runBattery(library as never, battery));
