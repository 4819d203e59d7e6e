import { Worker } from 'node:worker_threads';

new Worker(new URL('./print.js', import.meta.url));
