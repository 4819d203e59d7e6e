// Real browsers, each of which opens one page after the other.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  consumersHome,
  findBrowsers,
  findOldChromium,
} from '../../scripts/bootstrap/consumers.mjs';
import { type Server, takeReport } from './servers.js';

/** A browser that has been started. */
export interface Browser {
  open(url: string): Promise<unknown>;
  close(): Promise<void>;
}

const requireTool = createRequire(join(consumersHome, 'package.json'));

/** The part of a page that is used: there are no types of what lies in the cache. */
export interface Page {
  goto(url: string, options: object): Promise<unknown>;
  evaluate<A extends unknown[], R>(
    run: string | ((...args: A) => R),
    ...args: A
  ): Promise<Awaited<R>>;
  waitForFunction<A extends unknown[]>(
    run: (...args: A) => unknown,
    options: object,
    ...args: A
  ): Promise<unknown>;
  focus(selector: string): Promise<void>;
  click(selector: string): Promise<void>;
  hover(selector: string): Promise<void>;
  select(selector: string, ...values: string[]): Promise<unknown>;
  $(selector: string): Promise<{ uploadFile(...paths: string[]): Promise<void> } | null>;
  readonly keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
  setViewport(size: { width: number; height: number }): Promise<void>;
  emulateMediaFeatures(features: { name: string; value: string }[]): Promise<void>;
  screenshot(options: object): Promise<unknown>;
  on(event: 'console', listener: (message: { type(): string; text(): string }) => void): unknown;
  on(event: 'pageerror', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

/** A browser with pages that can be driven. */
export interface Puppet {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

/** The part of puppeteer-core that is used. */
interface Puppeteer {
  launch(options: object): Promise<Puppet>;
}

/** The part of selenium-webdriver that is used. */
interface Selenium {
  Builder: new () => {
    usingServer(url: string): InstanceType<Selenium['Builder']>;
    withCapabilities(capabilities: object): InstanceType<Selenium['Builder']>;
    build(): Promise<{ get(url: string): Promise<void>; quit(): Promise<void> }>;
  };
}

function launch(options: object): Promise<Puppet> {
  return (requireTool('puppeteer-core') as Puppeteer).launch(options);
}

async function opener(browser: Puppet): Promise<Browser> {
  const page = await browser.newPage();
  return {
    open: (url) => page.goto(url, { waitUntil: 'domcontentloaded' }),
    close: () => browser.close(),
  };
}

const CHROMIUM_ARGS =
  '--no-sandbox --disable-gpu --disable-quic --disable-background-networking --disable-component-update --disable-sync';

/** What makes Chromium compute like a GPU on the processor, for WebGL and WebGPU. */
const SOFTWARE_GPU =
  '--use-angle=swiftshader --enable-unsafe-swiftshader --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader';

/** A port that nothing listens on. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Waits until a server answers. */
async function answering(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const isThere = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    await sleep(200);
  }
  throw new Error(`nothing answers at ${url}`);
}

/** A screen that nobody sees. Returns its number, which the server finds for itself. */
async function startScreen(program: string): Promise<{ screen: ChildProcess; number: string }> {
  const screen = spawn(program, ['-displayfd', '3', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const [number] = await Promise.race([
    once(screen.stdio[3] as Readable, 'data'),
    once(screen, 'exit'),
  ]);
  return { screen, number: String(number).trim() };
}

async function webkit(programs: {
  driver: string;
  screen: string;
  browser: string;
}): Promise<Browser> {
  const { Builder } = requireTool('selenium-webdriver') as Selenium;
  const { screen, number } = await startScreen(programs.screen);
  const port = await freePort();
  const server = spawn(programs.driver, [`--port=${port}`], {
    stdio: 'ignore',
    env: {
      ...process.env,
      DISPLAY: `:${number}`,
      // It does not run as root otherwise, nor without a graphics card.
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
      WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    },
  });
  const stop = () => {
    server.kill();
    screen.kill();
  };
  try {
    const url = `http://127.0.0.1:${port}`;
    await answering(`${url}/status`);
    const driver = await new Builder()
      .usingServer(url)
      .withCapabilities({
        browserName: 'MiniBrowser',
        'webkitgtk:browserOptions': { binary: programs.browser, args: ['--automation'] },
      })
      .build();
    return { open: (page) => driver.get(page), close: () => driver.quit().finally(stop) };
  } catch (error) {
    stop();
    throw error;
  }
}

const programs = findBrowsers();

/** Starts something with the program it needs, where that is installed. */
function starter<T, B>(program: T | undefined, start: (program: T) => Promise<B>) {
  return program === undefined ? undefined : () => start(program);
}

/** The way to start each browser whose pages can be driven, where it is installed. */
export const PUPPETS = {
  Chromium: starter(programs.chromium, (executablePath) =>
    launch({ executablePath, args: CHROMIUM_ARGS.split(' ') }),
  ),
  Firefox: starter(programs.firefox, (executablePath) =>
    launch({ browser: 'firefox', executablePath }),
  ),
};

/** The way to start Chromium with WebGL and WebGPU, which the processor computes. */
export const GPU_CHROMIUM = starter(programs.chromium, (executablePath) => {
  const args = CHROMIUM_ARGS.replace('--disable-gpu', SOFTWARE_GPU).split(' ');
  return launch({ executablePath, args });
});

/**
 * Chromium 113. Drivers of today wait for pages that it does not tell them of: each page is a
 * process of its own. It stays only where it can be debugged.
 */
function oldChromium(program: string): Browser {
  const profile = mkdtempSync(join(tmpdir(), 'focal-loss-chromium-'));
  let browser: ChildProcess | undefined;
  const stop = async () => {
    if (browser?.kill()) await once(browser, 'exit');
  };
  return {
    open: async (url) => {
      await stop();
      const args = ['--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
      browser = spawn(program, [...CHROMIUM_ARGS.split(' '), ...args, url], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let output = '';
      browser.stderr?.on('data', (text) => {
        output += text;
      });
      const ended = once(browser, 'exit').then(() => Promise.reject(new Error(output)));
      ended.catch(() => {});
      while (!/^DevTools listening/m.test(output)) await Promise.race([sleep(50), ended]);
    },
    close: async () => {
      await stop();
      rmSync(profile, { recursive: true, maxRetries: 5 });
    },
  };
}

/** The way to start Chromium 113, where it is installed. */
export const OLD_CHROMIUM = starter(findOldChromium(), async (program) => oldChromium(program));

/** The way to start each browser, where it is installed. */
export const BROWSERS = {
  Chromium: starter(PUPPETS.Chromium, async (start) => opener(await start())),
  Firefox: starter(PUPPETS.Firefox, async (start) => opener(await start())),
  WebKit: starter(programs.webkit, webkit),
};

/** Opens a page, and waits for what it reports. */
export async function visit(browser: Browser, { url, close }: Server, path = ''): Promise<unknown> {
  const { url: reportTo, close: closeReport, report } = await takeReport();
  try {
    await browser.open(`${url}/${path}?report=${reportTo}`);
    return await report;
  } finally {
    closeReport();
    close();
  }
}
