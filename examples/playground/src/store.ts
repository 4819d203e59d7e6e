import { formatState, parseState, type SettingName, type State, settle } from './state.js';

/** The state of the page, which the address shows, and who wants to know of its changes. */
export class Store {
  #state: State = parseState(location.hash);
  readonly #listeners: (() => void)[] = [];

  constructor() {
    addEventListener('hashchange', () => this.#become(parseState(location.hash)));
  }

  get state(): State {
    return this.#state;
  }

  /** Changes a setting; the address follows, without a step in the browser's history for each. */
  set(name: SettingName, value: number): void {
    const state = { ...this.#state, [name]: settle(name, value) };
    history.replaceState(null, '', `${location.pathname}${location.search}${formatState(state)}`);
    this.#become(state);
  }

  /** Calls the listener now, and whenever one of the settings has changed. */
  watch(names: readonly SettingName[], listener: (state: State) => void): void {
    let seen: State | undefined;
    const look = () => {
      const state = this.#state;
      if (names.every((name) => seen?.[name] === state[name])) return;
      seen = state;
      listener(state);
    };
    this.#listeners.push(look);
    look();
  }

  #become(state: State): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
