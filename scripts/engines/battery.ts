/** The program that every engine runs: it prints the hash of the battery, or the error. */
import * as library from '../../dist/index.js';
import { type Battery, type Library, runBattery } from '../../test/determinism/battery.js';
import battery from '../../test/determinism/battery.json' with { type: 'json' };

declare const print: (text: string) => void;

/** Shells of engines have no console. */
const say = typeof console === 'undefined' ? print : console.log;

try {
  const hash = runBattery(library as unknown as Library, battery as unknown as Battery);
  say(hash === battery.hash ? 'SAME' : hash);
} catch (error) {
  say(String(error));
}
