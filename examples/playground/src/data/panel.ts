// The third panel: logits of one's own.

import type { SweepRow } from 'focal-loss/analysis';
import { Chart } from '../chart.js';
import { make, panelOf, part } from '../page.js';
import type { Store } from '../store.js';
import { type Findings, type LossSettings, sweepAsCsv } from './analyse.js';
import { Client } from './client.js';
import {
  classTable,
  confusionTable,
  describe,
  hardTable,
  reliabilityDrawing,
  sweepDrawing,
} from './drawings.js';
import type { Reply } from './protocol.js';

export function showData(store: Store): void {
  const panel = panelOf('data');
  const view = new View(panel);
  const client = new Client(view);
  const loss = (): LossSettings => store.state;
  const open = (files: readonly File[]) => {
    if (files.length === 0) return;
    view.clear();
    client.begin({ kind: 'open', files, loss: loss() });
  };

  const chooser = part<HTMLInputElement>(panel, 'files');
  chooser.addEventListener('change', () => open([...(chooser.files ?? [])]));
  for (const button of panel.querySelectorAll<HTMLButtonElement>('[data-example]')) {
    button.addEventListener('click', () => {
      view.clear();
      client.begin({ kind: 'example', rows: Number(button.dataset.example), loss: loss() });
    });
  }
  part(panel, 'cancel').addEventListener('click', () => {
    client.cancel();
    view.clear('Cancelled.');
    chooser.focus();
  });
  part(panel, 'export-rows').addEventListener('click', () =>
    client.begin({ kind: 'export', loss: loss() }),
  );
  part(panel, 'export-sweep').addEventListener('click', () => {
    save('sweep.csv', new Blob([sweepAsCsv(view.sweep)], { type: 'text/csv' }));
  });

  panel.addEventListener('dragover', (event) => {
    event.preventDefault();
    panel.classList.add('dropping');
  });
  panel.addEventListener('dragleave', () => panel.classList.remove('dropping'));
  panel.addEventListener('drop', (event) => {
    event.preventDefault();
    panel.classList.remove('dropping');
    open([...(event.dataTransfer?.files ?? [])]);
  });

  store.watch(['alpha', 'gamma', 'smoothing'], () => client.analyse(loss()));
}

/** The state that the panel shows. */
class View {
  /** The last sweep. */
  sweep: readonly SweepRow[] = [];
  readonly #panel: HTMLElement;
  readonly #reliability: Chart;
  readonly #heat: Chart;

  constructor(panel: HTMLElement) {
    this.#panel = panel;
    this.#reliability = new Chart(part(panel, 'reliability'));
    this.#heat = new Chart(part(panel, 'sweep'));
  }

  /** Shows nothing but a sentence. */
  clear(status = ''): void {
    part(this.#panel, 'results').hidden = true;
    part(this.#panel, 'error').textContent = '';
    part(this.#panel, 'status').textContent = status;
  }

  busy(isBusy: boolean): void {
    part(this.#panel, 'work').hidden = !isBusy;
    part<HTMLButtonElement>(this.#panel, 'export-rows').disabled = isBusy;
    this.#panel.setAttribute('aria-busy', String(isBusy));
  }

  reply(reply: Reply): void {
    switch (reply.kind) {
      case 'progress':
        this.#showProgress(reply.stage, reply.share);
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
        part(this.#panel, 'error').textContent = reply.message;
        break;
      case 'done':
        part(this.#panel, 'status').textContent = 'Done.';
    }
  }

  #showProgress(stage: string, share?: number): void {
    const progress = part<HTMLProgressElement>(this.#panel, 'progress');
    if (share === undefined) progress.removeAttribute('value');
    else progress.value = share;
    const status = part(this.#panel, 'status');
    // Said once for each stage, not for each step of the bar.
    if (status.textContent !== `${stage} …`) status.textContent = `${stage} …`;
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
