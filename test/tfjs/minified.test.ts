import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { records, root } from '../../scripts/bootstrap/paths.mjs';

// Inside the clone, so that the packages are found by their names.
const folder = mkdtempSync(join(records, 'minified-'));
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * An application: it trains for at most 20 epochs, and for two where the accuracy that it monitors
 * stays the same.
 */
const APPLICATION = `
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { binaryLogitAccuracy, crossEntropy, focalLoss, logitAccuracy, sigmoidFocalLoss } from 'focal-loss/tfjs';

tf.enableProdMode();

function metricOfTheApplication(yTrue, yPred) {
  return tf.mean(tf.sub(yTrue, yPred), -1);
}

async function main() {
const model = tfl.sequential({ layers: [tfl.layers.dense({ inputShape: [1], units: 2, kernelInitializer: 'zeros' })] });
model.compile({ optimizer: tf.train.sgd(0), loss: focalLoss(), metrics: [logitAccuracy, binaryLogitAccuracy, metricOfTheApplication] });
const stop = tfl.callbacks.earlyStopping({ monitor: 'val_logitAccuracy' });
const inputs = tf.zeros([4, 1]);
const targets = tf.oneHot(tf.tensor1d([0, 1, 0, 1], 'int32'), 2);
const { history } = await model.fit(inputs, targets, { epochs: 20, verbose: 0, validationData: [inputs, targets], callbacks: stop });
const losses = [focalLoss(), crossEntropy(), sigmoidFocalLoss()].map(({ name }) => name);
console.log(JSON.stringify({ names: Object.keys(history), epochs: history.loss.length, losses }));
}
main();
`;

/**
 * Bundlers build for browsers. Where it finds Node, TensorFlow.js would require modules of it,
 * which they left out.
 */
const LIKE_A_BROWSER = `
Object.defineProperty(process, 'versions', { value: {} });
Object.assign(globalThis, { window: globalThis, document: {} });
`;

const OWN = ['logitAccuracy', 'binaryLogitAccuracy'];

describe('an application that is minified', () => {
  const source = join(folder, 'application.js');
  writeFileSync(source, APPLICATION);
  const preload = join(folder, 'browser.cjs');
  writeFileSync(preload, LIKE_A_BROWSER);

  function run(file: string): { names: string[]; epochs: number; losses: string[] } {
    const { stdout, stderr } = spawnSync(process.execPath, ['--require', preload, file], {
      encoding: 'utf8',
    });
    expect(stdout, stderr.slice(-2000)).not.toBe('');
    return JSON.parse(stdout);
  }

  it.each(['as it is', 'esbuild --minify', 'vite build'])(
    'has the names of metrics and losses: %s',
    async (way) => {
      let file = source;
      if (way === 'esbuild --minify') {
        const { build } = await import('esbuild');
        file = join(folder, 'esbuild.cjs');
        await build({
          entryPoints: [source],
          bundle: true,
          minify: true,
          format: 'iife',
          outfile: file,
          logLevel: 'error',
        });
      } else if (way === 'vite build') {
        const { build } = await import('vite');
        const output = { entryFileNames: 'vite.cjs', format: 'iife' as const };
        await build({
          root: folder,
          configFile: false,
          logLevel: 'error',
          build: {
            outDir: folder,
            emptyOutDir: false,
            target: 'es2022',
            rollupOptions: { input: source, output },
          },
        });
        file = join(folder, 'vite.cjs');
      }
      const { names, epochs, losses } = run(file);
      expect(names).toEqual(expect.arrayContaining(OWN.flatMap((name) => [name, `val_${name}`])));
      expect(epochs).toBe(2);
      expect(losses).toEqual(['focalLoss', 'crossEntropy', 'sigmoidFocalLoss']);
      // The minifier is one that renames functions: a metric of the application itself lost its
      // name.
      expect(names.includes('metricOfTheApplication')).toBe(way === 'as it is');
    },
  );

  it('holds no metric that it does not import', async () => {
    const { build } = await import('esbuild');
    const stdin = { contents: "export { focalLoss } from 'focal-loss/tfjs';", resolveDir: root };
    const external = ['@tensorflow/*'];
    const { outputFiles } = await build({
      stdin,
      bundle: true,
      minify: true,
      format: 'esm',
      external,
      write: false,
      logLevel: 'error',
    });
    const text = outputFiles[0]?.text ?? '';
    expect(text).toContain('focalLoss');
    expect(text).not.toContain('ogitAccuracy');
    expect(readFileSync(join(root, 'dist', 'tfjs.js'), 'utf8')).toContain('ogitAccuracy');
  });
});
