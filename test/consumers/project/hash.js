// What every consumer computes: the hash of the determinism battery.
import * as library from 'focal-loss';
import { battery, runBattery } from './battery.js';

export const hash = () => runBattery(library, battery);
