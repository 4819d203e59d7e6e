// The fourth panel: what logits mean, and what can be decided by them.

import { Chart } from '../chart.js';
import { Client, type Listener, type Outcome } from '../client.js';
import { make, panelOf, part } from '../page.js';
import type { Store } from '../store.js';
import { takeFiles, WorkSign } from '../work.js';
import type { DecisionSettings, Decisions, Proposal } from './decide.js';
import { confusionTable, DRAWINGS, describeThreshold, honestyTable } from './drawings.js';
import type { Reply, Request } from './protocol.js';

export function showDecisions(store: Store): void {
  const panel = panelOf('decisions');
  const view = new View(panel, store);
  const client = new Client<Request, Reply>(
    view,
    () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }),
  );
  const settings = (): DecisionSettings => ({ ...store.state, ...view.choice });
  const begin = (files?: readonly File[]) => {
    view.clear();
    client.begin(
      files
        ? { kind: 'open', files, settings: settings() }
        : { kind: 'cohort', settings: settings() },
    );
  };
  takeFiles(panel, begin);
  part(panel, 'built-in').addEventListener('click', () => begin());
  part(panel, 'cancel').addEventListener('click', () => {
    client.cancel();
    view.clear('Cancelled.');
    part(panel, 'files').focus();
  });
  const follow = () => client.follow({ kind: 'decide', settings: settings() });
  part(panel, 'positive').addEventListener('change', follow);
  begin();
  store.watch(['alpha', 'gamma', 'smoothing', 'calibration'], follow);
  store.watch(['threshold'], () => view.showThreshold());
}

/** What the ends of a fit mean, but for the usual one. */
const OUTCOMES: Readonly<Record<string, string>> = {
  separable:
    'In the half for the calibration all rows are right: nothing keeps probabilities away from 0 and 1.',
  reversed: 'In the half for the calibration a higher logit means a class less.',
  constant: 'In the half for the calibration the logits are the same for all rows.',
  'one-class': 'In the half for the calibration all rows are of a class, or none is.',
};

/** The state that the panel shows. */
class View implements Listener<Reply> {
  readonly #panel: HTMLElement;
  readonly #store: Store;
  readonly #sign: WorkSign;
  readonly #classes: HTMLSelectElement;
  readonly #charts: ReadonlyMap<string, Chart>;
  #decisions: Decisions | undefined;

  constructor(panel: HTMLElement, store: Store) {
    this.#panel = panel;
    this.#store = store;
    this.#sign = new WorkSign(panel);
    this.#classes = part<HTMLSelectElement>(panel, 'positive');
    this.#charts = new Map(
      Object.keys(DRAWINGS).map((name) => [name, new Chart(part(panel, name))]),
    );
  }

  /** The class that is chosen, of what is shown. */
  get choice(): { readonly positive?: number } {
    return this.#classes.value === '' ? {} : { positive: Number(this.#classes.value) };
  }

  /** Shows nothing but a sentence. */
  clear(status = ''): void {
    this.#decisions = undefined;
    this.#classes.replaceChildren();
    part(this.#panel, 'results').hidden = true;
    this.#sign.say(status);
  }

  busy(isBusy: boolean): void {
    this.#sign.busy(isBusy);
  }

  reply(reply: Reply | Outcome): void {
    switch (reply.kind) {
      case 'progress':
        this.#sign.progress(reply.stage, reply.share);
        break;
      case 'decisions':
        this.#show(reply.decisions);
        break;
      case 'failed':
        part(this.#panel, 'results').hidden = true;
        this.#sign.say('', reply.message);
        break;
      case 'done':
        this.#sign.say('Done.');
    }
  }

  /** Shows what changes with the threshold. */
  showThreshold(): void {
    const decisions = this.#decisions;
    if (!decisions) return;
    const { threshold } = this.#store.state;
    for (const [name, chart] of this.#charts) chart.show(DRAWINGS[name](decisions, threshold));
    part(this.#panel, 'confusion').replaceChildren(confusionTable(decisions, threshold));
    part(this.#panel, 'summary').textContent = describeThreshold(decisions, threshold);
  }

  #show(decisions: Decisions): void {
    const { names, positive, notes, outcome, proposals } = decisions;
    this.#decisions = decisions;
    this.#classes.replaceChildren(
      ...names.map((name, j) => new Option(name, String(j), j === positive, j === positive)),
    );
    const ending = OUTCOMES[outcome ?? ''];
    const facts = ending === undefined ? notes : [...notes, ending];
    part(this.#panel, 'facts').replaceChildren(
      make('ul', {}, ...facts.map((fact) => make('li', {}, fact))),
    );
    part(this.#panel, 'honesty').replaceChildren(honestyTable(decisions));
    part(this.#panel, 'proposals').replaceChildren(...proposals.map((one) => this.#button(one)));
    part(this.#panel, 'results').hidden = false;
    this.showThreshold();
  }

  #button({ by, threshold }: Proposal): HTMLElement {
    // Above all probabilities it is Infinity.
    const value = Math.min(threshold, 1);
    const button = make('button', { type: 'button' }, `${by}: ${value.toFixed(3)}`);
    button.addEventListener('click', () => this.#store.set('threshold', value));
    return button;
  }
}
