/**
 * The changes to the module that wasm-bindgen makes, before it is optimized. Its functions take
 * numbers only, so that nothing of JavaScript has to be handed to it: it imports nothing then, and
 * every way to load a WebAssembly file loads it.
 */
import { readFileSync } from 'node:fs';
import { sha256 } from '../bootstrap/sha256.mjs';

/** The imports that wasm-bindgen needs for values of JavaScript, and for panics. There are none. */
const UNUSED = [
  '__wbindgen_start',
  '__wbindgen_externrefs',
  '__abort_handler',
  '__instance_terminated',
];

/**
 * The beginning of the export's name that says which module it is, from which `focal-loss/slim`
 * knows its own.
 */
const ID_PREFIX = 'id_';

/** The functions that stand in for bulk-memory instructions. */
const BULK_MEMORY = new URL('./bulk-memory.wat', import.meta.url);

/**
 * A module without the instructions that fill and copy memory: on ARM processors that have such
 * instructions themselves, V8 14.6 goes on using a register that they count down, and numbers come
 * out wrong. They become calls of functions. Alignments become 1: they are hints that no engine
 * takes, and ts/module/streams.ts leaves them out of the bundle.
 * @param {typeof import('binaryen').default} binaryen
 * @param {Uint8Array} bytes
 */
export function simplified(binaryen, bytes) {
  const module = binaryen.readBinary(bytes);
  const text = module
    .emitText()
    .replaceAll(/\(memory\.(fill|copy)\b/g, '(call $memory_$1')
    .replaceAll(/(\(\w+\.(?:load|store)\w*(?: offset=\d+)?)(?: align=\d+)?/g, '$1 align=1');
  module.dispose();
  return binaryen.parseText(text.replace(/\)\s*$/, () => `${readFileSync(BULK_MEMORY, 'utf8')})`));
}

/**
 * The module without imports and bulk-memory instructions, with a function that empties its stack
 * in place of the stack's pointer, and with an identity.
 * @param {Uint8Array} bytes
 * @returns {Promise<Uint8Array>}
 */
export async function closed(bytes) {
  // Imported here, because the scripts start before npm packages are installed.
  const { default: binaryen } = await import('binaryen');
  const module = simplified(binaryen, bytes);
  const { SIMD128, NontrappingFPToInt, SignExt, MutableGlobals, Multivalue, ReferenceTypes } =
    binaryen.Features;
  module.setFeatures(
    SIMD128 | NontrappingFPToInt | SignExt | MutableGlobals | Multivalue | ReferenceTypes,
  );
  for (const name of UNUSED) module.removeExport(name);
  const { value: pointer } = binaryen.getExportInfo(module.getExport('__stack_pointer'));
  const { init } = binaryen.getGlobalInfo(module.getGlobal(pointer));
  const { value: top } = /** @type {{ value?: unknown }} */ (binaryen.getExpressionInfo(init));
  module.removeExport('__stack_pointer');
  const reset = module.global.set(pointer, module.i32.const(Number(top)));
  module.addFunction('reset_stack', binaryen.none, binaryen.none, [], reset);
  module.addFunctionExport('reset_stack', 'reset_stack');
  module.runPasses(['remove-unused-module-elements']);
  // The hash is of what is emitted, in which functions have no names: these would depend on where
  // the clone lies.
  const id = sha256(module.emitBinary()).slice(0, 12);
  module.addGlobal('id', binaryen.i32, false, module.i32.const(0));
  module.addGlobalExport('id', ID_PREFIX + id);
  const closed = module.emitBinary();
  module.dispose();
  return closed;
}

/**
 * The name of the export that says which module it is.
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
export function moduleId(bytes) {
  const names = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(({ name }) => name);
  return names.find((name) => name.startsWith(ID_PREFIX)) ?? '';
}
