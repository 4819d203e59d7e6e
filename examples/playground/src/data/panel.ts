// The third panel: logits of one's own.

import type { SweepRow } from 'focal-loss/analysis';
import { Chart } from '../chart.js';
import { Client, type Listener, type Outcome } from '../client.js';
import { make, panelOf, part } from '../page.js';
import type { Store } from '../store.js';
import { takeFiles, WorkSign } from '../work.js';
import { type Findings, type LossSettings, sweepAsCsv } from './analyse.js';
import {
  classTable,
  confusionTable,
  describe,
  hardTable,
  reliabilityDrawing,
  sweepDrawing,
} from './drawings.js';
import type { Reply, Request } from './protocol.js';

export function showData(store: Store): void {
  const panel = panelOf('data');
  const view = new View(panel);
  const client = new Client<Request, Reply>(
    view,
    () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }),
  );
  const loss = (): LossSettings => store.state;
  takeFiles(panel, (files) => {
    view.clear();
    client.begin({ kind: 'open', files, loss: loss() });
  });
  for (const button of panel.querySelectorAll<HTMLButtonElement>('[data-example]')) {
    button.addEventListener('click', () => {
      view.clear();
      client.begin({ kind: 'example', rows: Number(button.dataset.example), loss: loss() });
    });
  }
  part(panel, 'cancel').addEventListener('click', () => {
    client.cancel();
    view.clear('Cancelled.');
    part(panel, 'files').focus();
  });
  part(panel, 'export-rows').addEventListener('click', () =>
    client.begin({ kind: 'export', loss: loss() }),
  );
  part(panel, 'export-sweep').addEventListener('click', () => {
    save('sweep.csv', new Blob([sweepAsCsv(view.sweep)], { type: 'text/csv' }));
  });

  store.watch(['alpha', 'gamma', 'smoothing'], () =>
    client.follow({ kind: 'analyse', loss: loss() }),
  );
}

/** The state that the panel shows. */
class View implements Listener<Reply> {
  /** The last sweep. */
  sweep: readonly SweepRow[] = [];
  readonly #panel: HTMLElement;
  readonly #sign: WorkSign;
  readonly #reliability: Chart;
  readonly #heat: Chart;

  constructor(panel: HTMLElement) {
    this.#panel = panel;
    this.#sign = new WorkSign(panel);
    this.#reliability = new Chart(part(panel, 'reliability'));
    this.#heat = new Chart(part(panel, 'sweep'));
  }

  /** Shows nothing but a sentence. */
  clear(status = ''): void {
    part(this.#panel, 'results').hidden = true;
    this.#sign.say(status);
  }

  busy(isBusy: boolean): void {
    this.#sign.busy(isBusy);
    part<HTMLButtonElement>(this.#panel, 'export-rows').disabled = isBusy;
  }

  reply(reply: Reply | Outcome): void {
    switch (reply.kind) {
      case 'progress':
        this.#sign.progress(reply.stage, reply.share);
        break;
      case 'findings':
        this.#showFindings(reply.findings);
        break;
      case 'sweep':
        this.sweep = reply.rows;
        this.#heat.show(sweepDrawing(reply.rows));
        break;
      case 'exported':
        save('rows.csv', reply.file);
        break;
      case 'failed':
        this.clear();
        this.#sign.say('', reply.message);
        break;
      case 'done':
        this.#sign.say('Done.');
    }
  }

  #showFindings(findings: Findings): void {
    part(this.#panel, 'results').hidden = false;
    part(this.#panel, 'facts').replaceChildren(describe(findings));
    part(this.#panel, 'classes').replaceChildren(classTable(findings));
    part(this.#panel, 'hard').replaceChildren(hardTable(findings));
    part(this.#panel, 'confusion').replaceChildren(confusionTable(findings));
    this.#reliability.show(reliabilityDrawing(findings.report.calibration));
  }
}

/** Gives the visitor a file. */
function save(name: string, file: Blob): void {
  const url = URL.createObjectURL(file);
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
