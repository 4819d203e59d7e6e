import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The tests run against the built package, as Node loads it: not through Vite's transforms.
    server: { deps: { external: [/\/dist\//] } },
  },
});
