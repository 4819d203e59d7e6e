/**
 * How `focal-loss/slim` knows its own module: the file has a section that says which one it is, made from its bytes.
 */
import { sha256 } from './fingerprint.mjs';

/** The same name is in ts/slim-init.ts. */
const SECTION = 'focal-loss';

/**
 * @param {Uint8Array} module
 */
export function moduleId(module) {
  return sha256(module).slice(0, 16);
}

/**
 * The module with its identity in it.
 * @param {Uint8Array} module
 */
export function withModuleId(module) {
  const text = new TextEncoder();
  const name = text.encode(SECTION);
  const content = [name.length, ...name, ...text.encode(moduleId(module))];
  // A custom section, number 0. Lengths below 128 are a byte.
  return Buffer.concat([module, Uint8Array.of(0, content.length, ...content)]);
}
