// @ts-types="../dist/analysis.d.ts"
export * from '../dist/analysis.js';
