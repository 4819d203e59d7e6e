/** Prints the hash of the posteriors, in runtimes that take TypeScript as it is. */

import { hashOfPosteriors } from './posteriors.ts';

console.log(hashOfPosteriors());
