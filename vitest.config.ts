import { defineConfig } from 'vitest/config';

const consumers = 'test/consumers/**/*.test.ts';

export default defineConfig({
  test: {
    // The tests run against the built package, as Node loads it: not through Vite's transforms.
    server: { deps: { external: [/\/dist\//] } },
    projects: [
      { extends: true, test: { name: 'package', include: ['test/**/*.test.ts'], exclude: [consumers] } },
      { extends: true, test: { name: 'consumers', include: [consumers], globalSetup: 'test/consumers/set-up.ts' } },
    ],
  },
});
