// @ts-types="../dist/slim.d.ts"
export * from '../dist/slim.js';
