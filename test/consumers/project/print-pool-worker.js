import { Worker } from 'node:worker_threads';
import { poolHash } from './pool.js';

const worker = () => new Worker(new URL('./pool-worker.js', import.meta.url));
console.log(await poolHash({ worker }));
