import { analyse } from './analysis.js';

console.log(await analyse());
