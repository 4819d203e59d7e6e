import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hasConsumers } from '../../scripts/lib/consumers.mjs';
import { type Page, PUPPETS, type Puppet } from '../consumers/browsers.js';
import type { Server } from '../consumers/servers.js';
import {
  choose,
  count,
  findBarriers,
  keepFiles,
  keptFiles,
  overhang,
  serveSite,
  textOf,
  until,
  type Visit,
  visit,
} from './site.js';

const isThere = hasConsumers();

describe.each(Object.entries(PUPPETS))('the playground in %s', (name, start) => {
  describe.skipIf(!(isThere && start))('driven by its controls:', () => {
    let site: Server;
    let browser: Puppet;
    const visits: Visit[] = [];
    const open = async (hash = '', width?: number): Promise<Page> => {
      const opened = await visit(browser, `${site.url}/index.html${hash}`, width);
      visits.push(opened);
      return opened.page;
    };
    beforeAll(async () => {
      site = await serveSite();
      if (start) browser = await start();
    });
    afterAll(async () => {
      await browser?.close();
      site?.close();
    });
    // Nothing may be complained about, whatever is done.
    afterEach(async () => {
      const complaints = visits.flatMap(({ complaints }) => complaints);
      for (const { page } of visits.splice(0)) await page.close();
      expect(complaints).toEqual([]);
    });

    it('the loss is drawn, and follows the sliders by keyboard, as does the address', async () => {
      const page = await open();
      const path = () => page.evaluate(() => document.querySelector('#curves [data-part="loss"] svg')?.innerHTML);
      const before = await path();
      expect(await textOf(page, '[data-value="gamma"]')).toBe('2');
      await page.focus('#gamma');
      await page.keyboard.press('ArrowRight');
      expect(await textOf(page, '[data-value="gamma"]')).toBe('2.1');
      expect(await page.evaluate(() => location.hash)).toBe('#gamma=2.1');
      expect(await path()).not.toBe(before);
    });

    it('an address that was shared brings its settings back, also into a page that is open', async () => {
      const page = await open('#alpha=1&gamma=0');
      expect(await textOf(page, '#curves [data-part="summary"]')).toContain('keeps 100.0 %');
      await page.evaluate(() => {
        location.hash = '#alpha=0.5&gamma=0';
      });
      await until(page, () =>
        document.querySelector('#curves [data-part="summary"]')?.textContent?.includes('keeps 50.0 %'),
      );
      expect(await page.evaluate(() => document.querySelector<HTMLInputElement>('#alpha')?.value)).toBe('0.5');
    });

    const status = (page: Page) => textOf(page, '#data [data-part="status"]');
    const isDone = (page: Page) =>
      until(page, () => document.querySelector('#data [data-part="status"]')?.textContent === 'Done.');

    it('an example is diagnosed, follows the sliders, and can be exported', async () => {
      const page = await open();
      await page.evaluate(keepFiles);
      await page.click('[data-example="1000"]');
      await isDone(page);
      const facts = () => textOf(page, '#data [data-part="facts"]');
      const before = await facts();
      expect(before).toContain('example of 1,000 rows: 1,000 rows of 3 classes.');
      expect(await count(page, '#data [data-part="hard"] tbody tr')).toBe(100);
      expect(await count(page, '#data [data-part="confusion"] td')).toBe(9);
      expect(await count(page, '#data [data-part="reliability"] svg')).toBe(1);
      expect(await count(page, '#data [data-part="sweep"] svg rect')).toBe(9 * 7);
      await page.focus('#smoothing');
      await page.keyboard.press('End');
      await until(
        page,
        (before: string) => document.querySelector('#data [data-part="facts"]')?.textContent !== before,
        before,
      );
      await isDone(page);
      expect(await findBarriers(page)).toEqual([]);

      await page.click('[data-part="export-sweep"]');
      await page.click('[data-part="export-rows"]');
      const [sweep, rows] = await keptFiles(page, 2);
      expect(sweep.split('\n').slice(0, 2)).toEqual([
        'alpha,gamma,labelSmoothing,loss',
        expect.stringMatching(/^0\.1,0,0\.3,0\.\d+$/),
      ]);
      expect(sweep.trim().split('\n')).toHaveLength(1 + 9 * 7);
      expect(rows.trim().split('\n')).toHaveLength(1001);
    });

    it('a million rows are diagnosed beside the page, and can be cancelled', async () => {
      const page = await open();
      await page.click('[data-example="1000000"]');
      await until(page, () => !document.querySelector<HTMLElement>('[data-part="work"]')?.hidden);
      await page.click('[data-part="cancel"]');
      expect(await status(page)).toBe('Cancelled.');
      expect(await count(page, '#data [data-part="work"]:not([hidden])')).toBe(0);
      await page.click('[data-example="1000000"]');
      await isDone(page);
      expect(await textOf(page, '#data [data-part="facts"]')).toContain('1,000,000 rows of 3 classes.');
      expect(await count(page, '#data [data-part="hard"] tbody tr')).toBe(100);
    });

    it('files are read, and bad ones get a message that says which line', async () => {
      const page = await open();
      await choose(page, { 'good.csv': 'a,b,target\n2.5,-1,0\n0.5,0.5,1\n-1,2,1\n' });
      await isDone(page);
      expect(await textOf(page, '#data [data-part="facts"]')).toContain('good.csv: 3 rows of 2 classes.');
      await choose(page, { 'bad.csv': 'a,b,target\n2.5,-1,0\n0.5,none,1\n' });
      const error = '#data [data-part="error"]';
      await until(page, (error: string) => document.querySelector(error)?.textContent !== '', error);
      expect(await textOf(page, error)).toBe('bad.csv, line 3, column 2 (b): "none" is not a number');
      expect(await count(page, '#data [data-part="results"]:not([hidden])')).toBe(0);
      expect(await findBarriers(page)).toEqual([]);
      // And it goes on as if nothing had been, also with a file that is dropped.
      await page.evaluate(() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['2.5,-1,0\n0.5,0.5,1\n'], 'good.csv'));
        document.querySelector('#data')?.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
      });
      await until(page, () => document.querySelector('#data [data-part="facts"]')?.textContent?.includes('2 rows of'));
    });

    it('the race can be stepped, played, paused, reset, and is the same for a seed', async () => {
      const page = await open('#seed=5&rare=10');
      const standings = () => textOf(page, '#race [data-part="standings"]');
      const epoch = async () => Number(await textOf(page, '#race [data-part="epoch"]'));
      const before = await standings();
      await page.click('#race [data-part="step"]');
      await page.click('#race [data-part="step"]');
      expect(await epoch()).toBe(2);
      expect(await textOf(page, '#race [data-part="status"]')).toMatch(
        /^Epoch 2: cross-entropy finds .* focal loss finds/,
      );
      const second = await standings();
      expect(second).not.toBe(before);

      const play = '#race [data-part="play"]';
      await page.focus(play);
      await page.keyboard.press('Enter');
      expect(await textOf(page, play)).toBe('Pause');
      await until(page, () => Number(document.querySelector('#race [data-part="epoch"]')?.textContent) >= 5);
      await page.keyboard.press('Enter');
      expect(await textOf(page, play)).toBe('Play');
      expect(await findBarriers(page)).toEqual([]);

      await page.click('#race [data-part="reset"]');
      expect(await epoch()).toBe(0);
      expect(await standings()).toBe(before);
      await page.click('#race [data-part="step"]');
      await page.click('#race [data-part="step"]');
      expect(await standings()).toBe(second);
      // Another seed is another race, and in the address.
      await page.focus('#seed');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => location.hash)).toBe('#seed=6&rare=10');
      expect(await standings()).not.toBe(before);
    });

    it('the benchmark of the browser shows medians and their spread, and can be cancelled', async () => {
      const page = await open();
      const text = () => textOf(page, '#benchmark [data-part="status"]');
      await page.select('#rows', '1024');
      expect(await page.evaluate(() => location.hash)).toBe('#rows=1024');
      await page.click('#benchmark [data-part="start"]');
      await page.click('#benchmark [data-part="cancel"]');
      expect(await text()).toBe('Cancelled.');
      await page.click('#benchmark [data-part="start"]');
      await until(page, () => document.querySelector('#benchmark [data-part="chart"] svg'));
      expect(await text()).toMatch(
        /^1,024 rows of 2 classes.*: the plain loop takes [\d.]+ times as long as focal-loss\.$/,
      );
      expect(await textOf(page, '#benchmark tbody')).toMatch(/focal-loss[\d.]+ µs[\d.]+ µs to [\d.]+ µs[\d.]+ ns/);
      expect(await findBarriers(page)).toEqual([]);
    });

    it('nothing keeps anybody out, and it fits into 360 pixels', async () => {
      const page = await open('', 360);
      await page.click('[data-example="1000"]');
      await isDone(page);
      await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) details.open = true;
      });
      expect(await findBarriers(page)).toEqual([]);
      expect(await overhang(page)).toBe(0);
    });

    if (name === 'Chromium') {
      it('in the dark as well', async () => {
        const page = await open();
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
        expect(await findBarriers(page)).toEqual([]);
      });
    }
  });
});
