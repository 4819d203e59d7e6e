import { part } from './page.js';

/** The place in a panel that says what its worker does, and what went wrong. */
export class WorkSign {
  readonly #panel: HTMLElement;

  constructor(panel: HTMLElement) {
    this.#panel = panel;
  }

  busy(isBusy: boolean): void {
    part(this.#panel, 'work').hidden = !isBusy;
    this.#panel.setAttribute('aria-busy', String(isBusy));
  }

  /** Says what goes on. A share is missing where nobody knows how far it is. */
  progress(stage: string, share?: number): void {
    const progress = part<HTMLProgressElement>(this.#panel, 'progress');
    if (share === undefined) progress.removeAttribute('value');
    else progress.value = share;
    const status = part(this.#panel, 'status');
    // Said once for each stage, not for each step of the bar.
    if (status.textContent !== `${stage} …`) status.textContent = `${stage} …`;
  }

  /** Says a sentence, in the place of what was said before. */
  say(status: string, error = ''): void {
    part(this.#panel, 'status').textContent = status;
    part(this.#panel, 'error').textContent = error;
  }
}

/** Takes files that a visitor chooses, or drops on a panel. */
export function takeFiles(panel: HTMLElement, open: (files: readonly File[]) => void): void {
  const chooser = part<HTMLInputElement>(panel, 'files');
  const take = (files: FileList | undefined | null) => {
    if (files && files.length > 0) open([...files]);
  };
  chooser.addEventListener('change', () => take(chooser.files));
  panel.addEventListener('dragover', (event) => {
    event.preventDefault();
    panel.classList.add('dropping');
  });
  panel.addEventListener('dragleave', () => panel.classList.remove('dropping'));
  panel.addEventListener('drop', (event) => {
    event.preventDefault();
    panel.classList.remove('dropping');
    take(event.dataTransfer?.files);
  });
}
