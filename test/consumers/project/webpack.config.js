import { fileURLToPath } from 'node:url';

export default {
  mode: 'production',
  target: ['web', 'es2022'],
  entry: { page: './page.js', print: './print.js' },
  experiments: { outputModule: true },
  output: {
    module: true,
    filename: '[name].js',
    path: fileURLToPath(new URL('./built', import.meta.url)),
  },
};
