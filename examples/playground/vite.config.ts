import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // The built files work in any folder of any server.
  base: './',
  build: {
    outDir: fileURLToPath(new URL('../../playground-build', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    // With it, the script would have to be allowed to fetch what the browser loads anyway.
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
  // Found before the page is opened; else the server would load it anew when the first worker is
  // started.
  optimizeDeps: { entries: ['index.html', 'src/*/worker.ts'] },
});
