import { defineConfig } from 'vitest/config';

const consumers = 'test/consumers/**/*.test.ts';

export default defineConfig({
  test: {
    // Vitest leaves one processor free by itself: on two, that is half of them.
    maxWorkers: '100%',
    // A busy machine must not fail them: how long something takes is for the benchmark to say.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // The tests run against the built package, as Node loads it: not through Vite's transforms.
    server: { deps: { external: [/\/dist\//] } },
    projects: [
      {
        extends: true,
        test: { name: 'package', include: ['test/**/*.test.ts'], exclude: [consumers] },
      },
      {
        extends: true,
        test: { name: 'consumers', include: [consumers], globalSetup: 'test/consumers/set-up.ts' },
      },
    ],
  },
});
