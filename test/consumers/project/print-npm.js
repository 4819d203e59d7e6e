import * as library from 'npm:focal-loss@0.1.0';
import { battery, runBattery } from './battery.js';

console.log(runBattery(library, battery));
