// The settings of a visitor, and their form in the address.

/** The bounds of a setting: a number between bounds, in steps, or one of a few, by name or not. */
export type Setting =
  | { readonly initial: number; readonly min: number; readonly max: number; readonly step: number }
  | {
      readonly initial: number;
      readonly choices: readonly number[];
      readonly names?: readonly string[];
    };

/** All settings. Those of the loss come first; it is the same in all panels. */
export const SETTINGS = {
  alpha: { initial: 0.75, min: 0, max: 1, step: 0.05 },
  gamma: { initial: 2, min: 0, max: 5, step: 0.1 },
  smoothing: { initial: 0, min: 0, max: 0.3, step: 0.01 },
  seed: { initial: 1, min: 1, max: 9999, step: 1 },
  rare: { initial: 5, min: 1, max: 50, step: 1 },
  calibration: {
    initial: 4,
    choices: [0, 4, 1, 2, 3],
    names: ['none', 'by the loss (posterior)', 'temperature', 'Platt', 'isotonic'],
  },
  threshold: { initial: 0.5, min: 0, max: 1, step: 0.001 },
  rows: { initial: 65536, choices: [32, 1024, 65536] },
  classes: { initial: 2, choices: [2, 10, 100] },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
export type State = Readonly<Record<SettingName, number>>;

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

function makeState(read: (name: SettingName) => number): State {
  return Object.fromEntries(SETTING_NAMES.map((name) => [name, read(name)])) as Record<
    SettingName,
    number
  >;
}

export const INITIAL_STATE: State = makeState((name) => SETTINGS[name].initial);

/**
 * The next value that a setting can have; what it is at first where the value is no number, or none
 * of the choices.
 */
export function settle(name: SettingName, value: number): number {
  const setting: Setting = SETTINGS[name];
  if ('choices' in setting) return setting.choices.includes(value) ? value : setting.initial;
  if (!Number.isFinite(value)) return setting.initial;
  const { min, max, step } = setting;
  const steps = Math.round((Math.min(Math.max(value, min), max) - min) / step);
  return Number((min + steps * step).toFixed(10));
}

/** Reads the hash of an address. What it does not say, or not sensibly, is as at first. */
export function parseState(hash: string): State {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  return makeState((name) => {
    const text = given.get(name);
    return text === null || text.trim() === ''
      ? SETTINGS[name].initial
      : settle(name, Number(text));
  });
}

/** The hash for a state, which says what is not as at first; empty if there is nothing to say. */
export function formatState(state: State): string {
  const changed = SETTING_NAMES.filter((name) => state[name] !== SETTINGS[name].initial);
  return changed.length === 0
    ? ''
    : `#${changed.map((name) => `${name}=${state[name]}`).join('&')}`;
}
