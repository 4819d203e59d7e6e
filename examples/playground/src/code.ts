// The loss that is set, as code.

import { panelOf, part } from './page.js';
import type { State } from './state.js';
import type { Store } from './store.js';

/** The code that makes the loss that is set. */
export function codeOf({
  alpha,
  gamma,
  smoothing,
}: Pick<State, 'alpha' | 'gamma' | 'smoothing'>): string {
  const smoothed = smoothing === 0 ? '' : `, labelSmoothing: ${smoothing}`;
  return `import { FocalLoss } from 'focal-loss';\n\nconst criterion = new FocalLoss({ alpha: ${alpha}, gamma: ${gamma}${smoothed} });`;
}

export function showCode(store: Store): void {
  const panel = panelOf('loss');
  const code = part(panel, 'code');
  const copied = part(panel, 'copied');
  store.watch(['alpha', 'gamma', 'smoothing'], (state) => {
    code.textContent = codeOf(state);
    copied.textContent = '';
  });
  part(panel, 'copy').addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code.textContent ?? '');
      copied.textContent = 'Copied.';
    } catch {
      // There is no clipboard without a secure address, or without the visitor's leave.
      getSelection()?.selectAllChildren(code);
      copied.textContent = 'Selected: copy it with the keyboard.';
    }
  });
}
