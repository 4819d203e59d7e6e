/** Prints the hash of the decisions, in runtimes that take TypeScript as it is. */

import { hashOfDecisions } from './decisions.ts';

console.log(hashOfDecisions());
