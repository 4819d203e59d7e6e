// @ts-types="../dist/worker.d.ts"
import '../dist/worker.js';
