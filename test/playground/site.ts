// The playground as visitors get it: built, served, opened in a browser.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'vite';
import { expect } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';
import type { Page, Puppet } from '../consumers/browsers.js';
import { type Server, serveFiles } from '../consumers/servers.js';

/** Builds it into a folder of its own, and serves that under the policy that the page asks for. */
export async function serveSite(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-playground-'));
  const configFile = join(root, 'examples', 'playground', 'vite.config.ts');
  await build({ configFile, logLevel: 'warn', build: { outDir: folder } });
  const { url, close } = await serveFiles(folder, "script-src 'self' 'wasm-unsafe-eval'");
  return {
    url,
    close: () => {
      close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A page that is open, and what has gone wrong in it. */
export interface Visit {
  readonly page: Page;
  /** The errors and warnings that the console shows. */
  readonly complaints: string[];
}

export async function visit(browser: Puppet, url: string, width = 1280): Promise<Visit> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warn', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.setViewport({ width, height: 900 });
  await page.goto(url, { waitUntil: 'load' });
  await until(page, (selector) => document.querySelector(selector) !== null, '#curves svg');
  return { page, complaints };
}

/** Waits until something holds in the page. */
export async function until<A extends unknown[]>(
  page: Page,
  run: (...args: A) => unknown,
  ...args: A
): Promise<void> {
  await page.waitForFunction(run, { timeout: 100_000, polling: 50 }, ...args);
}

/** The text of an element. */
export function textOf(page: Page, selector: string): Promise<string> {
  return page.evaluate(
    (selector: string) => document.querySelector(selector)?.textContent ?? '',
    selector,
  );
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The faults that axe-core finds in a page: each rule, and where. */
export async function findBarriers(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    interface Found {
      violations: { id: string; nodes: { html: string }[] }[];
    }
    const { axe } = window as unknown as { axe: { run(): Promise<Found> } };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`),
    );
  });
}

/** By how many pixels the page is wider than the window. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
}

/** The attempts to click or to point at what may move away, until it counts as unreachable. */
const CLICKS = 20;
const HOVERS = 1000;

/**
 * Clicks an element with the mouse. What fills a panel further up may move it between the driver's
 * look at its place and the click, which then is kept from what lies there now, and made again.
 */
export async function click(page: Page, selector: string): Promise<void> {
  let cause: unknown;
  for (let made = 0; made < CLICKS; made++) {
    await page.evaluate((selector: string) => {
      const { dataset } = document.documentElement;
      delete dataset.isHit;
      const listener = (event: Event) => {
        if (document.querySelector(selector)?.contains(event.target as Node)) dataset.isHit = '';
        else {
          event.preventDefault();
          event.stopImmediatePropagation();
        }
      };
      document.addEventListener('click', listener, { capture: true, once: true });
    }, selector);
    // The driver refuses to click what has left the window meanwhile.
    await page.click(selector).catch((error: unknown) => {
      cause = error;
    });
    if (await page.evaluate(() => 'isHit' in document.documentElement.dataset)) return;
  }
  throw new Error(`no click reaches ${selector}`, { cause });
}

/** Points at an element, and again where it has moved away, until there is a text that it shows. */
export async function hover(page: Page, selector: string, text: string): Promise<void> {
  for (let made = 0; made < HOVERS && (await textOf(page, text)) === ''; made++) {
    await page.hover(selector);
    await sleep(50);
  }
  expect(await textOf(page, text)).not.toBe('');
}

/**
 * Clicks an element, and another as soon as it is to be seen. The page does it by itself: what the
 * first one begins may have come to its end, and the other be gone, before a driver is back.
 */
export async function clickBoth(page: Page, first: string, second: string): Promise<void> {
  await page.evaluate(
    async (first: string, second: string) => {
      const find = (selector: string) => document.querySelector(selector) as HTMLElement;
      find(first).click();
      while (find(second).offsetParent === null) await new Promise(requestAnimationFrame);
      find(second).click();
    },
    first,
    second,
  );
}

/** The number of elements. */
export function count(page: Page, selector: string): Promise<number> {
  return page.evaluate((selector: string) => document.querySelectorAll(selector).length, selector);
}

/** Chooses files, as a visitor does. */
export async function choose(
  page: Page,
  files: Readonly<Record<string, string>>,
  selector = '#files',
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-files-'));
  const paths = Object.keys(files).map((name) => join(folder, name));
  for (const path of paths) writeFileSync(path, files[basename(path)]);
  const input = await page.$(selector);
  await input?.uploadFile(...paths);
}

/** Run in the page: keeps what it gives to the visitor as files. */
export function keepFiles(): void {
  const kept: Promise<string>[] = [];
  Object.assign(window, { kept });
  const makeUrl = URL.createObjectURL;
  URL.createObjectURL = (file: Blob) => {
    kept.push(file.text());
    return makeUrl(file);
  };
}

/** The files that have been kept, once there are so many. */
export async function keptFiles(page: Page, number: number): Promise<string[]> {
  await until(
    page,
    (number: number) => (window as unknown as { kept: unknown[] }).kept.length === number,
    number,
  );
  return page.evaluate(() => Promise.all((window as unknown as { kept: Promise<string>[] }).kept));
}
