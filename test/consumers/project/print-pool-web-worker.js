import { poolHash } from './pool.js';

const worker = () => new Worker(new URL('./pool-worker.js', import.meta.url), { type: 'module' });
console.log(await poolHash({ worker }));
