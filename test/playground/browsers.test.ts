import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hasConsumers } from '../../scripts/lib/consumers.mjs';
import { type Page, PUPPETS, type Puppet } from '../consumers/browsers.js';
import type { Server } from '../consumers/servers.js';
import { findBarriers, overhang, serveSite, textOf, until, type Visit, visit } from './site.js';

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

    it('nothing keeps anybody out, and it fits into 360 pixels', async () => {
      const page = await open('', 360);
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
