/** Prints the hash of the figures, in runtimes that take TypeScript as it is. */

import { hashOfFigures } from './figures.ts';

console.log(hashOfFigures());
