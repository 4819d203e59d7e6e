import { poolAnalysisHash } from './pool.js';

// The pool finds focal-loss/analysis by its name.
console.log(await poolAnalysisHash());
