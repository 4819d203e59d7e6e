// Chromium 113. Before version 115, a page's main thread starts modules of this size only
// asynchronously; workers start them as they do everywhere.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OLD_CHROMIUM_EXISTS } from '../../scripts/bootstrap/consumers.mjs';
import battery from '../determinism/battery.json' with { type: 'json' };
import { type Browser, OLD_CHROMIUM, visit } from './browsers.js';
import { makePlainProject } from './bundlers.js';
import { analysisPrinted } from './project.js';
import { serveFiles } from './servers.js';

/**
 * A page that tells what is thrown before `init`, what is computed after it, and what a worker
 * computes that never calls it.
 */
const PAGE = `
  import { analyse } from './analysis.js';
  import { hash } from './hash.js';
  import { moduleUrl } from './module-url.js';
  import { slimHash } from './slim-hash.js';
  import * as analysis from 'focal-loss/analysis';
  import * as index from 'focal-loss';
  import * as slim from 'focal-loss/slim';

  const outcome = (compute) => new Promise((resolve) => resolve(compute())).catch(String);
  const loss = ({ FocalLoss }) => new FocalLoss().forward(new Float32Array(2), new Uint8Array(1));
  const worker = new Promise((resolve, reject) => {
    const thread = new Worker('./worker.js', { type: 'module' });
    thread.onmessage = ({ data }) => resolve(data);
    thread.onerror = ({ message }) => reject(new Error(message));
  });

  const before = {
    index: await outcome(() => loss(index)),
    analysis: await outcome(() => loss(analysis)),
    softmax: await outcome(() => analysis.softmax(new Float32Array(2), 2)),
    slim: await outcome(() => loss(slim)),
  };
  await Promise.all([index.init(), analysis.init()]);
  const after = {
    index: await outcome(hash),
    analysis: await outcome(analyse),
    slim: await outcome(() => slimHash(fetch(moduleUrl))),
    worker: await worker.catch(String),
  };
  const body = JSON.stringify({ engine: navigator.userAgent, before, after });
  await fetch(new URLSearchParams(location.search).get('report'), { method: 'POST', mode: 'no-cors', body });
`;

// Elsewhere there is no such browser to be had.
if (OLD_CHROMIUM_EXISTS) {
  describe.skipIf(!OLD_CHROMIUM)('Chromium 113', () => {
    let browser: Browser;
    beforeAll(async () => {
      if (OLD_CHROMIUM) browser = await OLD_CHROMIUM();
    });
    afterAll(() => browser?.close());

    it('asks for init on the main thread, and computes after it, and in a worker without', async () => {
      const project = makePlainProject({ 'page.js': PAGE });
      const initFirst = expect.stringMatching(
        /^ModuleError: await init\(\) first: on a page's main thread, /,
      );
      expect(
        await visit(
          browser,
          await serveFiles(project, "script-src 'self' 'wasm-unsafe-eval'"),
          'index.html',
        ),
      ).toEqual({
        engine: expect.stringContaining('Chrome/113.'),
        before: {
          index: initFirst,
          analysis: initFirst,
          softmax: initFirst,
          slim: expect.stringMatching(
            /^NotInitializedError: .*await init\(source\), of focal-loss\/slim/,
          ),
        },
        after: {
          index: battery.hash,
          analysis: await analysisPrinted(),
          slim: battery.hash,
          worker: battery.hash,
        },
      });
    });
  });
}
