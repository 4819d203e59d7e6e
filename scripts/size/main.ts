import { measure, sizeTable } from './sizes.js';

console.log(sizeTable(measure()));
