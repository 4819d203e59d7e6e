// The losses on the backends of GPUs, in Chromium, whose GPU is a program (SwiftShader): its
// numbers are float32 like those of others, and it takes subnormals for 0 as they do.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasConsumers } from '../../scripts/bootstrap/consumers.mjs';
import { records, root } from '../../scripts/bootstrap/paths.mjs';
import { GPU_CHROMIUM, type Page, type Puppet } from '../consumers/browsers.js';
import { type Server, serveFiles } from '../consumers/servers.js';
import { IS_SAMPLE } from '../support/sample.js';
import { BOUNDS } from './comparison.js';
import type { GpuPage } from './gpu-page.js';
import { lossesInPages } from './losses-in-pages.mjs';

const isThere = hasConsumers();

const BACKENDS: [string, string, Record<string, boolean>][] = [
  ['webgl', 'webgl', {}],
  ['webgpu', 'webgpu', {}],
  ['webgl in half precision', 'webgl', { WEBGL_FORCE_F16_TEXTURES: true }],
];

describe.skipIf(!(isThere && GPU_CHROMIUM))('in Chromium, with the backend', () => {
  let folder: string;
  let site: Server;
  let browser: Puppet;

  beforeAll(async () => {
    folder = mkdtempSync(join(records, 'gpu-'));
    await build({
      entryPoints: [join(root, 'test', 'tfjs', 'gpu-page.ts')],
      bundle: true,
      format: 'esm',
      outfile: join(folder, 'page.js'),
      plugins: [lossesInPages],
      logLevel: 'error',
    });
    writeFileSync(join(folder, 'index.html'), '<script type="module" src="page.js"></script>');
    site = await serveFiles(folder, "script-src 'self' 'wasm-unsafe-eval'");
    if (GPU_CHROMIUM) browser = await GPU_CHROMIUM();
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
    if (folder) rmSync(folder, { recursive: true });
  });

  describe.each(IS_SAMPLE ? BACKENDS.slice(0, 2) : BACKENDS)('%s', (name, backend, flags) => {
    const isHalf = name !== backend;
    let page: Page;
    let lost: number;
    const call = <Name extends keyof GpuPage>(
      name: Name,
      ...args: Parameters<GpuPage[Name]>
    ): Promise<Awaited<ReturnType<GpuPage[Name]>>> =>
      page.evaluate((name, args) => Reflect.get(globalThis, 'page')[name](...args), name, args);

    beforeAll(async () => {
      page = await browser.newPage();
      await page.goto(`${site.url}/index.html`, { waitUntil: 'load' });
      lost = await call('use', backend, flags);
    });
    afterAll(() => page?.close());

    it('it reads nothing in a training step', async () => {
      const { steps, reading, data } = await call('reads');
      expect(reading).toEqual([]);
      expect(steps).toBeGreaterThan(60);
      // Reads are counted. WebGPU of Chromium ends where it has to wait for the kernels' reads.
      expect(data).toBeGreaterThan(0);
      if (backend === 'webgl') expect(await call('readsOfKernel')).toBeGreaterThan(0);
    });

    it('steps leave no tensor behind', async () => {
      expect(await call('left')).toBe(0);
    });

    it('a model learns', async () => {
      const { loss = [], logitAccuracy = [] } = await call('train');
      const losses = loss.map(Number);
      expect(losses).toHaveLength(10);
      for (const [epoch, value] of losses.slice(1).entries())
        expect(value).toBeLessThan(losses[epoch] as number);
      expect(Number(logitAccuracy.at(-1))).toBeGreaterThan(2 * Number(logitAccuracy[0]));
    });

    const expectMasked = async (mask: string, digits: number) => {
      const { actual, expected } = await call('masked', mask);
      for (const [i, result] of actual.entries())
        for (const [j, entry] of result.entries())
          expect(entry).toBeCloseTo(expected[i]?.[j] as number, digits);
    };

    if (isHalf) {
      it('the losses have the digits of it', async () => {
        expect(lost).toBe(2 ** -11);
        const [error, loss] = await call('softmaxError', 1);
        console.log(`${name}: at most ${error} ${loss}`);
        expect(error, loss).toBeLessThan(4e-3);
        // From a distance of 17 logits on a loss is 0.
        expect((await call('small')).indexOf(0)).toBe(17);
      });

      it('classes may be masked by a finite logit, as what is infinite becomes NaN', async () => {
        await expectMasked('-10000', 2);
        await expect(expectMasked('-Infinity', 2)).rejects.toThrow('null');
      });
      return;
    }

    it('the losses are what the kernels give', async () => {
      expect(lost).toBe(2 ** -24);
      const errors = await call('errors', IS_SAMPLE ? 4 : 1);
      console.log(name, errors);
      for (const [which, bound] of Object.entries(BOUNDS)) {
        const [error, loss] = errors[which as keyof typeof BOUNDS];
        expect(error, `${which}: ${loss}`).toBeLessThan(bound);
      }
    });

    it('classes may be masked', async () => {
      await expectMasked('-Infinity', 5);
    });

    it('losses below 2.4e-38 are 0, as the GPU has no subnormals', async () => {
      const losses = await call('small');
      let largest = 0;
      for (const [gap, loss] of losses.entries()) {
        const exact = Math.log1p(Math.exp(-gap));
        if (exact < 2.4e-38) expect(loss).toBe(0);
        else largest = Math.max(largest, Math.abs(loss / exact - 1));
      }
      expect(losses.at(-1)).toBe(0);
      // The error is that of the GPU's exp, which grows with its argument.
      console.log(`${name}: small losses to ${largest}`);
      expect(largest).toBeLessThan(3.5e-6);
    });
  });
});
