export default {
  base: './',
  logLevel: 'warn',
  worker: { format: 'es' },
  build: {
    outDir: 'built',
    // Two entries: the page, and what Node runs.
    rolldownOptions: { input: ['index.html', 'print.js'], output: { entryFileNames: '[name].js' } },
  },
};
