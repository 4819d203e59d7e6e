// @ts-types="../dist/pool.d.ts"
export * from '../dist/pool.js';
