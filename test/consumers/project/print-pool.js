import { poolHash } from './pool.js';

console.log(await poolHash());
