import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasConsumers } from '../../scripts/bootstrap/consumers.mjs';
import battery from '../determinism/battery.json' with { type: 'json' };
import { IS_SAMPLE } from '../support/sample.js';
import { BROWSERS, type Browser, visit } from './browsers.js';
import { BUNDLERS, build, makeBundlerProject, makePlainProject } from './bundlers.js';
import { analysisPrinted, poolAnalysisPrinted, poolPrinted } from './project.js';
import { serveFiles, serveVite } from './servers.js';

const POLICY = "script-src 'self' 'wasm-unsafe-eval'";
const POLICY_WITH_TEXTS = `${POLICY}; worker-src 'self' blob:`;
const POLICY_WITHOUT_WASM = "script-src 'self'";

/** The headers that isolate a page, which may share memory with its workers then. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * The main thread, a worker, focal-loss/slim with what fetch promised, focal-loss/analysis, and
 * focal-loss/pool, also with what it has of that: workers that are made from a text, which the
 * policy does not allow, and from a file.
 */
const ALL_RIGHT = {
  main: battery.hash,
  worker: battery.hash,
  slim: battery.hash,
  analysis: await analysisPrinted(),
  pool: await poolPrinted('0 false'),
  poolWorker: await poolPrinted('2 false'),
  poolSweep: await poolAnalysisPrinted('0 false'),
  poolSweepWorker: await poolAnalysisPrinted('2 false'),
  hasShared: false,
};

const isThere = hasConsumers();
const plain = makePlainProject();
const viteDev = makeBundlerProject('vite');
const bundlersTried = BUNDLERS.filter((bundler) => bundler === 'vite' || !IS_SAMPLE);
const built = Object.fromEntries(
  isThere ? bundlersTried.map((bundler) => [bundler, dirname(build(bundler))]) : [],
);

describe.each(Object.entries(BROWSERS))('%s', (name, start) => {
  // WebKit takes its time, half a minute for a page: it gets one that is built.
  const isSlow = name === 'WebKit';
  const bundlers = bundlersTried.filter((bundler) => bundler === 'vite' || !isSlow);

  describe.skipIf(!(isThere && start))(
    'gives the same bits on the main thread, in a worker and without the bytes:',
    () => {
      let browser: Browser;
      beforeAll(async () => {
        if (start) browser = await start();
      });
      afterAll(() => browser?.close());

      it('a page without a bundler', async () => {
        expect(await visit(browser, await serveFiles(plain, POLICY), 'index.html')).toEqual(
          ALL_RIGHT,
        );
      });

      it('a page that may share memory, and make workers from texts', async () => {
        const server = await serveFiles(plain, POLICY_WITH_TEXTS, ISOLATED);
        const report = await visit(browser, server, 'index.html');
        // WebKitGTK has no shared memory there, though it says that the page is isolated.
        const hasShared = !isSlow || (report as { hasShared: boolean }).hasShared;
        const pool = await poolPrinted(hasShared ? '2 true' : '2 false');
        const poolSweep = await poolAnalysisPrinted(hasShared ? '2 true' : '2 false');
        const pools = { pool, poolWorker: pool, poolSweep, poolSweepWorker: poolSweep };
        expect(report).toEqual({ ...ALL_RIGHT, ...pools, hasShared });
      });

      it.each(bundlers)('a page built by %s', async (bundler) => {
        const server = await serveFiles(built[bundler] ?? '', POLICY);
        expect(await visit(browser, server, 'built/index.html')).toEqual(ALL_RIGHT);
      });

      if (!isSlow) {
        it('a page that may make workers from texts', async () => {
          const server = await serveFiles(plain, POLICY_WITH_TEXTS);
          const pool = await poolPrinted('2 false');
          const report = await visit(browser, server, 'index.html');
          const poolSweep = await poolAnalysisPrinted('2 false');
          expect(report).toEqual({ ...ALL_RIGHT, pool, poolWorker: pool, poolSweep });
        });

        it("a page from Vite's server for development", async () => {
          // It sends no policy.
          const pool = await poolPrinted('2 false');
          const poolSweep = await poolAnalysisPrinted('2 false');
          const report = await visit(browser, await serveVite(viteDev));
          expect(report).toEqual({ ...ALL_RIGHT, pool, poolSweep });
        });
      }

      it('but a page that does not allow WebAssembly gets an error that says why', async () => {
        const policy = expect.stringMatching(/Content Security Policy|\bCSP\b/i);
        const report = await visit(
          browser,
          await serveFiles(plain, POLICY_WITHOUT_WASM),
          'index.html',
        );
        const names = Object.keys(ALL_RIGHT);
        const all = Object.fromEntries(names.map((name) => [name, policy]));
        expect(report).toEqual({ ...all, hasShared: false });
      });
    },
  );
});
