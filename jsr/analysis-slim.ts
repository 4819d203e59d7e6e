// @ts-types="../dist/analysis-slim.d.ts"
export * from '../dist/analysis-slim.js';
