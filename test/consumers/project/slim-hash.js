import * as library from 'focal-loss/slim';
import { battery, runBattery } from './battery.js';

/** The same with the module from elsewhere. */
export async function slimHash(source) {
  await library.init(source);
  return runBattery(library, battery);
}
