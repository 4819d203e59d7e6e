import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { inkOn } from '../../examples/playground/src/ink.js';
import { hasConsumers } from '../../scripts/bootstrap/consumers.mjs';
import { type Page, PUPPETS, type Puppet } from '../consumers/browsers.js';
import type { Server } from '../consumers/servers.js';
import {
  choose,
  click,
  clickBoth,
  count,
  findBarriers,
  hover,
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
      const path = () =>
        page.evaluate(() => document.querySelector('#curves [data-part="loss"] svg')?.innerHTML);
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
        document
          .querySelector('#curves [data-part="summary"]')
          ?.textContent?.includes('keeps 50.0 %'),
      );
      expect(
        await page.evaluate(() => document.querySelector<HTMLInputElement>('#alpha')?.value),
      ).toBe('0.5');
    });

    it('the code of the loss follows, and can be copied', async () => {
      const page = await open('#gamma=1&smoothing=0.1');
      const code =
        "import { FocalLoss } from 'focal-loss';\n\nconst criterion = new FocalLoss({ alpha: 0.75, gamma: 1, labelSmoothing: 0.1 });";
      expect(await textOf(page, '[data-part="code"]')).toBe(code);
      // Clipboards differ from browser to browser; so it is another one here.
      const put = (isAllowed: boolean) =>
        page.evaluate((isAllowed: boolean) => {
          const writeText = async (text: string) => {
            if (!isAllowed) throw new Error('not allowed');
            Object.assign(window, { copied: text });
          };
          Object.defineProperty(navigator, 'clipboard', {
            value: { writeText },
            configurable: true,
          });
        }, isAllowed);
      const told = (text: string) =>
        until(
          page,
          (text: string) => document.querySelector('[data-part="copied"]')?.textContent === text,
          text,
        );
      await put(true);
      await click(page, '[data-part="copy"]');
      await told('Copied.');
      expect(await page.evaluate(() => (window as unknown as { copied: string }).copied)).toBe(
        code,
      );
      await put(false);
      await click(page, '[data-part="copy"]');
      await told('Selected: copy it with the keyboard.');
      expect(await page.evaluate(() => String(getSelection()).replace(/\s+/g, ' '))).toBe(
        code.replace(/\s+/g, ' '),
      );
      await page.focus('#gamma');
      await page.keyboard.press('ArrowRight');
      await told('');
    });

    it('the sliders stay in sight, in little room, and cover no heading that is gone to', async () => {
      const page = await open();
      for (const id of ['race', 'data', 'decisions', 'benchmark']) {
        const places = await page.evaluate((id: string) => {
          const section = document.getElementById(id) as HTMLElement;
          section.scrollIntoView();
          const top = (selector: string) =>
            document.querySelector(selector)?.getBoundingClientRect() as DOMRect;
          const { top: from, height } = top('.settings');
          return { from, height, heading: top(`#${id} h2`).top };
        }, id);
        expect(places.height).toBeLessThan(120);
        expect(places.heading).toBeGreaterThan(places.from < 1 ? places.height : 0);
        if (id !== 'benchmark') expect(Math.abs(places.from)).toBeLessThan(1);
      }
    });

    it('the pointer shows values', async () => {
      const page = await open('#gamma=1');
      /** The text that is shown where the pointer is in the middle of a chart. */
      const shown = async (chart: string) => {
        const tip = `${chart} svg g[aria-label="tip"] text`;
        await hover(page, `${chart} svg`, tip);
        // Lines are parted by spaces without width.
        return (await textOf(page, tip)).replace(/\u200b/g, ' ').trim();
      };
      expect(await shown('#curves [data-part="loss"]')).toMatch(
        /^probability 0\.\d+.*focal loss [\d.e-]+$/,
      );
      expect(await shown('#curves [data-part="gammas"]')).toMatch(
        /^probability 0\.\d+.*γ = 5 [\d.e-]+$/,
      );
      expect(await shown('#curves [data-part="gradient"]')).toMatch(
        /cross-entropy -0\.\d+.*focal loss -0\.\d+$/,
      );
      await click(page, '[data-example="1000"]');
      await isDone(page);
      await decided(page);
      const chart = (name: string) => shown(`#decisions [data-part="${name}"]`);
      expect(await chart('reliability')).toMatch(/^(before|calibrated) probability .* rows?$/);
      expect(await chart('roc')).toMatch(/^false positive rate [\d.]+ % recall [\d.]+ %$/);
      expect(await chart('precision-recall')).toMatch(/^recall [\d.]+ % precision [\d.]+ %$/);
      expect(await chart('benefit')).toMatch(/^threshold 0\.\d+ before .* treating none 0$/);
      expect(await shown('#data [data-part="sweep"]')).toMatch(
        /^alpha 0\.\d.*gamma [\d.]+.*loss 0\.\d+$/,
      );
      expect(await shown('#data [data-part="reliability"]')).toMatch(
        /^confidence [\d.]+ %.*accuracy .* %.*rows?$/,
      );
    });

    const status = (page: Page) => textOf(page, '#data [data-part="status"]');
    const isDone = (page: Page) =>
      until(
        page,
        () => document.querySelector('#data [data-part="status"]')?.textContent === 'Done.',
      );

    it('an example is diagnosed, follows the sliders, and can be exported', async () => {
      const page = await open();
      await page.evaluate(keepFiles);
      await click(page, '[data-example="1000"]');
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
        (before: string) =>
          document.querySelector('#data [data-part="facts"]')?.textContent !== before,
        before,
      );
      await isDone(page);
      expect(await findBarriers(page)).toEqual([]);

      await click(page, '[data-part="export-sweep"]');
      await click(page, '[data-part="export-rows"]');
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
      await clickBoth(page, '[data-example="1000000"]', '#data [data-part="cancel"]');
      expect(await status(page)).toBe('Cancelled.');
      expect(await count(page, '#data [data-part="work"]:not([hidden])')).toBe(0);
      await click(page, '[data-example="1000000"]');
      await isDone(page);
      expect(await textOf(page, '#data [data-part="facts"]')).toContain(
        '1,000,000 rows of 3 classes.',
      );
      expect(await count(page, '#data [data-part="hard"] tbody tr')).toBe(100);
    });

    it('files are read, and bad ones get a message that says which line', async () => {
      const page = await open();
      await choose(page, { 'good.csv': 'a,b,target\n2.5,-1,0\n0.5,0.5,1\n-1,2,1\n' });
      await isDone(page);
      expect(await textOf(page, '#data [data-part="facts"]')).toContain(
        'good.csv: 3 rows of 2 classes.',
      );
      await choose(page, { 'bad.csv': 'a,b,target\n2.5,-1,0\n0.5,none,1\n' });
      const error = '#data [data-part="error"]';
      await until(
        page,
        (error: string) => document.querySelector(error)?.textContent !== '',
        error,
      );
      expect(await textOf(page, error)).toBe(
        'bad.csv, line 3, column 2 (b): "none" is not a number',
      );
      expect(await count(page, '#data [data-part="results"]:not([hidden])')).toBe(0);
      expect(await findBarriers(page)).toEqual([]);
      // And it goes on as if nothing had been, also with a file that is dropped.
      await page.evaluate(() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['2.5,-1,0\n0.5,0.5,1\n'], 'good.csv'));
        document
          .querySelector('#data')
          ?.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
      });
      await until(page, () =>
        document.querySelector('#data [data-part="facts"]')?.textContent?.includes('2 rows of'),
      );
    });

    it('files with labels and an id are read, and the classes have their names', async () => {
      const page = await open();
      await choose(page, {
        'adni.csv': ',subject_id,CN,AD,diagnosis\n0,S1,2.5,-1,CN\n1,S2,0.5,0.7,AD\n2,S3,-1,2,CN\n',
      });
      await isDone(page);
      const facts = await textOf(page, '#data [data-part="facts"]');
      expect(facts).toContain('adni.csv: 3 rows of 2 classes.');
      expect(facts).toContain('Column 1 and column 2 (subject_id) are no logits, and left out.');
      expect(facts).toContain('The labels are the names of the columns: CN and AD.');
      expect(facts).toContain('1 hard row makes');
      expect(await textOf(page, '#data [data-part="confusion"] thead')).toBe('classas CNas AD');
      expect(await textOf(page, '#data [data-part="hard"] tbody')).toMatch(/^2CNAD/);
    });

    it.each([1280, 360])(
      'files with one logit per row are read, in a window of %i',
      async (width) => {
        const page = await open('', width);
        await choose(page, { 'one.csv': 'id,logit_AD,dx\na,2.5,AD\nb,-1,CN\nc,3,CN\nd,0.5,AD\n' });
        await isDone(page);
        const facts = await textOf(page, '#data [data-part="facts"]');
        expect(facts).toContain('one.csv: 4 rows of 2 classes.');
        expect(facts).toContain('Class 1 is AD, as the name of logit_AD says.');
        expect(facts).toContain(
          'There is one logit per row, that of class AD: the loss is SigmoidFocalLoss',
        );
        expect(await textOf(page, '#data [data-part="confusion"]')).toContain('as CNas ADCN11AD02');
        expect(await textOf(page, '#data [data-part="hard"] tbody')).toBe('2CNAD95.3 %0.69163');
        expect(await count(page, '#data [data-part="sweep"] svg rect')).toBe(9 * 7);
        await page.evaluate(keepFiles);
        await click(page, '[data-part="export-rows"]');
        const [rows] = await keptFiles(page, 1);
        expect(rows.split('\n').map((line) => line.split(',').slice(0, 3).join())).toEqual([
          'row,target,predicted',
          '0,1,1',
          '1,0,0',
          '2,0,1',
          '3,1,1',
          '',
        ]);
        expect(await overhang(page)).toBe(0);
        expect(await findBarriers(page)).toEqual([]);
      },
    );

    it('numbers on the heat map can be read, dark cells or light', async () => {
      const page = await open();
      await click(page, '[data-example="1000"]');
      await isDone(page);
      const cells = await page.evaluate(() => {
        const all = (selector: string) =>
          Array.from(document.querySelectorAll(`#data [data-part="sweep"] svg ${selector}`));
        const fills = all('rect').map((cell) => cell.getAttribute('fill') ?? '');
        const inks = all('text[fill="black"], text[fill="white"]').map(
          (text) => text.getAttribute('fill') ?? '',
        );
        return { fills, inks };
      });
      expect(cells.fills).toHaveLength(63);
      expect(cells.inks).toEqual(cells.fills.map(inkOn));
      expect(new Set(cells.inks)).toEqual(new Set(['black', 'white']));
    });

    it('before the race there is a sentence in place of empty charts', async () => {
      const page = await open();
      const drawn = () => count(page, '#race [data-part="courses"]:not([hidden]) svg');
      const waiting = () => count(page, '#race [data-part="waiting"]:not([hidden])');
      expect([await drawn(), await waiting()]).toEqual([0, 1]);
      await click(page, '#race [data-part="step"]');
      await until(
        page,
        () =>
          document.querySelectorAll('#race [data-part="courses"]:not([hidden]) svg').length === 3,
      );
      expect(await waiting()).toBe(0);
      expect(await textOf(page, '#race [data-part="standings"] .caption')).toContain(
        'After 1 epoch:',
      );
      await click(page, '#race [data-part="reset"]');
      expect([await drawn(), await waiting()]).toEqual([0, 1]);
    });

    it('the race can be stepped, played, paused, reset, and is the same for a seed', async () => {
      const page = await open('#seed=5&rare=10');
      const standings = () => textOf(page, '#race [data-part="standings"]');
      const epoch = async () => Number(await textOf(page, '#race [data-part="epoch"]'));
      const before = await standings();
      await click(page, '#race [data-part="step"]');
      await click(page, '#race [data-part="step"]');
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
      await until(
        page,
        () => Number(document.querySelector('#race [data-part="epoch"]')?.textContent) >= 5,
      );
      await page.keyboard.press('Enter');
      expect(await textOf(page, play)).toBe('Play');
      expect(await findBarriers(page)).toEqual([]);

      await click(page, '#race [data-part="reset"]');
      expect(await epoch()).toBe(0);
      expect(await standings()).toBe(before);
      await click(page, '#race [data-part="step"]');
      await click(page, '#race [data-part="step"]');
      expect(await standings()).toBe(second);
      // Another seed is another race, and in the address.
      await page.focus('#seed');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => location.hash)).toBe('#seed=6&rare=10');
      expect(await standings()).not.toBe(before);
    });

    const decided = (page: Page) =>
      until(
        page,
        () => document.querySelector('#decisions [data-part="status"]')?.textContent === 'Done.',
      );
    const drawn = (page: Page) =>
      page.evaluate(() =>
        Array.from(document.querySelectorAll('#decisions .charts svg'), (svg) => svg.outerHTML),
      );

    it('on a phone, upright or on its side, decisions have room', async () => {
      const page = await open('', 375);
      await decided(page);
      const beyond = await page.evaluate(() => {
        const table = document.querySelector('#decisions [data-part="honesty"] .scroll') as Element;
        return table.scrollWidth - table.clientWidth;
      });
      expect(beyond).toBe(0);
      const position = () =>
        page.evaluate(
          () =>
            getComputedStyle(document.querySelector('#decisions .threshold') as Element).position,
        );
      expect(await position()).toBe('sticky');
      await page.setViewport({ width: 720, height: 360 });
      expect(await position()).toBe('static');
    });

    it('one threshold moves through all charts of decisions and the confusion matrix', async () => {
      const page = await open('#threshold=0.2');
      await decided(page);
      const summary = () => textOf(page, '#decisions [data-part="summary"]');
      const matrix = () => textOf(page, '#decisions [data-part="confusion"] tbody');
      expect(await summary()).toMatch(/^From 0\.2 on, a row is taken for ill: recall \d/);
      const before = [...(await drawn(page)), await matrix(), await summary()];
      expect(before).toHaveLength(4 + 2);
      await page.focus('#threshold');
      // Chromium moves a tenth of the way, Firefox as well.
      await page.keyboard.press('PageUp');
      const threshold = await textOf(page, '[data-value="threshold"]');
      expect(await page.evaluate(() => location.hash)).toBe(`#threshold=${threshold}`);
      expect(await summary()).toContain(`From ${threshold} on`);
      const after = [...(await drawn(page)), await matrix(), await summary()];
      for (const [i, part] of after.entries()) expect(part, `part ${i}`).not.toBe(before[i]);
      // And one that is the best by some figure can be had by a button.
      await click(page, '#decisions [data-part="proposals"] button');
      const best = await textOf(page, '#decisions [data-part="proposals"] button');
      expect(best).toMatch(/^Best F1: 0\.\d{3}$/);
      expect(Number(await textOf(page, '[data-value="threshold"]'))).toBe(Number(best.slice(9)));
      expect(await findBarriers(page)).toEqual([]);
    });

    it('calibration is chosen, and the built-in model learns from the loss that is set', async () => {
      const page = await open('#calibration=0');
      await decided(page);
      const honesty = () => textOf(page, '#decisions [data-part="honesty"] table');
      expect(await honesty()).toMatch(/^figureas they are/);
      const charts = await drawn(page);
      await page.select('#calibration', '3');
      await until(page, () =>
        document
          .querySelector('#decisions [data-part="honesty"] table')
          ?.textContent?.includes('calibrated'),
      );
      expect(await page.evaluate(() => location.hash)).toBe('#calibration=3');
      const calibrated = await drawn(page);
      expect(calibrated[0]).not.toBe(charts[0]);
      await page.focus('#gamma');
      await page.keyboard.press('Home');
      await until(
        page,
        (before: string) => document.querySelector('#decisions .charts svg')?.outerHTML !== before,
        calibrated[0],
      );
      await decided(page);
    });

    it.each([1280, 390])(
      "a file's logits are decided on, for each of its classes, in a window of %i",
      async (width) => {
        const page = await open('', width);
        await decided(page);
        const lines = ['CN,MCI,AD,diagnosis'];
        for (let row = 0; row < 60; row++) {
          const j = row % 10 === 0 ? 2 : row % 3 === 0 ? 1 : 0;
          const logit = (k: number) => (k === j ? 1 : 0) + ((row * 7 + k * 5) % 11) / 8;
          lines.push([logit(0), logit(1), logit(2), ['CN', 'MCI', 'AD'][j]].join());
        }
        lines.push('nan,0,0,AD');
        await choose(page, { 'three.csv': `${lines.join('\n')}\n` }, '#decision-files');
        await until(page, () =>
          document
            .querySelector('#decisions [data-part="facts"]')
            ?.textContent?.includes('of three.csv'),
        );
        await decided(page);
        const facts = await textOf(page, '#decisions [data-part="facts"]');
        expect(facts).toContain('The labels are the names of the columns: CN, MCI and AD.');
        expect(facts).toContain('1 row with logits that are not finite is left out.');
        const matrix = () => textOf(page, '#decisions [data-part="confusion"] thead');
        // The rarest class is looked for, unless another is chosen.
        expect(await matrix()).toBe('classas ADas not AD');
        await page.select('#positive', '0');
        await until(page, () =>
          document
            .querySelector('#decisions [data-part="confusion"] thead')
            ?.textContent?.includes('as CN'),
        );
        expect(await drawn(page)).toHaveLength(4);
        expect(await overhang(page)).toBe(0);
        expect(await findBarriers(page)).toEqual([]);

        await choose(page, { 'few.csv': 'a,b,target\n1,2,0\n2,1,1\n' }, '#decision-files');
        const error = '#decisions [data-part="error"]';
        await until(
          page,
          (error: string) => document.querySelector(error)?.textContent !== '',
          error,
        );
        expect(await textOf(page, error)).toBe(
          'few.csv: there must be two rows or more of class 1, and of others, but there are 1 and 1',
        );
        expect(await count(page, '#decisions [data-part="results"]:not([hidden])')).toBe(0);
        await click(page, '#decisions [data-part="built-in"]');
        await decided(page);
        expect(await count(page, '#decisions [data-part="results"]:not([hidden])')).toBe(1);
      },
    );

    it('the benchmark of the browser shows medians and their spread, and can be cancelled', async () => {
      const page = await open();
      const text = () => textOf(page, '#benchmark [data-part="status"]');
      await page.select('#rows', '1024');
      expect(await page.evaluate(() => location.hash)).toBe('#rows=1024');
      await clickBoth(page, '#benchmark [data-part="start"]', '#benchmark [data-part="cancel"]');
      expect(await text()).toBe('Cancelled.');
      await click(page, '#benchmark [data-part="start"]');
      await until(page, () => document.querySelector('#benchmark [data-part="chart"] svg'));
      expect(await text()).toMatch(
        /^1,024 rows of 2 classes.*: the plain loop takes [\d.]+ times as long as focal-loss\.$/,
      );
      expect(await textOf(page, '#benchmark tbody')).toMatch(
        /focal-loss[\d.]+ µs[\d.]+ µs to [\d.]+ µs[\d.]+ ns/,
      );
      expect(await findBarriers(page)).toEqual([]);
    });

    it('nothing keeps anybody out, and it fits into 360 pixels', async () => {
      const page = await open('', 360);
      await click(page, '[data-example="1000"]');
      await isDone(page);
      await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) details.open = true;
      });
      expect(await findBarriers(page)).toEqual([]);
      expect(await overhang(page)).toBe(0);
      // Tables that are wider say so; those that are not do not.
      const tables = await page.evaluate(() =>
        Array.from(document.querySelectorAll<HTMLElement>('.table'), (table) => {
          const scroll = table.querySelector('.scroll') as HTMLElement;
          const isSaid = table.querySelector<HTMLElement>('.hint')?.hidden === false;
          return [scroll.scrollWidth > scroll.clientWidth, isSaid];
        }),
      );
      expect(tables.length).toBeGreaterThan(4);
      for (const [isWider, isSaid] of tables) expect(isSaid).toBe(isWider);
      expect(tables.map(([isWider]) => isWider)).toContain(true);
      expect(tables.map(([isWider]) => isWider)).toContain(false);
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
