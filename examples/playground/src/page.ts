// Small helpers for the elements of the page.

/** The element of a panel that is named so in `data-part`. */
export function part<E extends HTMLElement = HTMLElement>(panel: ParentNode, name: string): E {
  const element = panel.querySelector<E>(`[data-part="${name}"]`);
  if (!element) throw new Error(`no part "${name}" in the page`);
  return element;
}

/** The panel with an id. */
export function panelOf(id: string): HTMLElement {
  const panel = document.getElementById(id);
  if (!panel) throw new Error(`no panel "${id}" in the page`);
  return panel;
}

/** Makes an element. Text is text, whatever is in it. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

let tables = 0;

/**
 * A table whose first column names the rows. Where it is too wide it says so, and can be scrolled,
 * with the keyboard as well.
 */
export function makeTable(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): HTMLElement {
  const id = `table-${++tables}`;
  const line = ([first = '', ...cells]: readonly string[]) =>
    make(
      'tr',
      {},
      make('th', { scope: 'row' }, first),
      ...cells.map((cell) => make('td', {}, cell)),
    );
  const table = make(
    'table',
    { 'aria-labelledby': id },
    make('thead', {}, make('tr', {}, ...head.map((name) => make('th', { scope: 'col' }, name)))),
    make('tbody', {}, ...rows.map(line)),
  );
  const scroll = make(
    'div',
    { class: 'scroll', role: 'region', 'aria-labelledby': id, tabindex: '0' },
    table,
  );
  const hint = make(
    'p',
    { class: 'hint', hidden: '' },
    'There is more to the right: scroll the table sideways.',
  );
  new ResizeObserver(() => {
    hint.hidden = scroll.scrollWidth <= scroll.clientWidth;
  }).observe(scroll);
  return make(
    'div',
    { class: 'table' },
    make('p', { class: 'caption', id }, caption),
    hint,
    scroll,
  );
}

/** Gives each cell of a table of counts a tint, by its share of its line. */
export function tint(table: HTMLElement, lines: readonly (readonly number[])[]): void {
  const cells = table.querySelectorAll<HTMLElement>('td');
  let cell = 0;
  for (const line of lines) {
    const total = line.reduce((sum, count) => sum + count, 0);
    for (const count of line) {
      const share = total === 0 ? '0%' : percent(count / total).replace(' ', '');
      cells[cell++].style.setProperty('--share', share);
    }
  }
  table.classList.add('confusion');
}

/** A number for people: a few digits. */
export function short(value: number, digits = 3): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : '–';
}

export function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : '–';
}

/** The visitor's wish for little motion. */
export function wantsLittleMotion(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
