import * as library from 'npm:focal-loss';
import { battery, runBattery } from './battery.js';

console.log(runBattery(library, battery));
