// @ts-types="../dist/index.d.ts"
export * from '../dist/index.js';
