import { SETTINGS, type Setting, type SettingName } from './state.js';
import type { Store } from './store.js';

/** Ties the inputs and lists of the page to the settings that they name in `data-setting`. */
export function bindControls(store: Store): void {
  for (const control of document.querySelectorAll<HTMLInputElement | HTMLSelectElement>(
    '[data-setting]',
  )) {
    const name = control.dataset.setting as SettingName;
    prepare(control, SETTINGS[name]);
    // A range tells of each step of the way. A number is being typed until it is left.
    const event =
      control instanceof HTMLInputElement && control.type === 'range' ? 'input' : 'change';
    control.addEventListener(event, () => {
      store.set(name, control.value === '' ? Number.NaN : Number(control.value));
      // The number typed may have been brought between the bounds.
      control.value = String(store.state[name]);
    });
    store.watch([name], (state) => {
      control.value = String(state[name]);
    });
  }
  for (const output of document.querySelectorAll<HTMLOutputElement>('[data-value]')) {
    const name = output.dataset.value as SettingName;
    store.watch([name], (state) => {
      output.textContent = String(state[name]);
    });
  }
}

function prepare(control: HTMLInputElement | HTMLSelectElement, setting: Setting): void {
  if (control instanceof HTMLSelectElement) {
    const { choices, names } = 'choices' in setting ? setting : { choices: [] };
    control.replaceChildren(
      ...choices.map(
        (value, i) => new Option(names?.[i] ?? value.toLocaleString('en'), String(value)),
      ),
    );
  } else if ('min' in setting) {
    control.min = String(setting.min);
    control.max = String(setting.max);
    control.step = String(setting.step);
  }
}
