import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import binaryen from 'binaryen';
import { afterAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../scripts/bootstrap/sha256.mjs';
import { checkOptimized } from '../../scripts/build/build.mjs';
import { checkClosed, checkInstructions, checkPanics } from '../../scripts/build/check-wasm.mjs';
import { simplified } from '../../scripts/build/close-wasm.mjs';

const built = readFileSync(new URL('../../crate/pkg/focal_loss_bg.wasm', import.meta.url));

/** A module with one function of these instructions, which take and leave a vector. */
function assemble(instructions: string): Uint8Array {
  const module = binaryen.parseText(`(module
    (memory 1)
    (data (i32.const 0) "\\n(f32x4.relaxed_madd\\n (f32x4.add")
    (func (export "f") (param $x v128) (result v128) ${instructions})
    (func (export "scalar") (param $x f32) (result f32) (f32.add (local.get $x) (local.get $x))))`);
  module.setFeatures(binaryen.Features.All);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

describe('the instructions of the module', () => {
  it('are counted in the code alone, not in its data', async () => {
    expect(
      await checkInstructions(assemble('(f32x4.add (local.get $x) (v128.not (local.get $x)))')),
    ).toBe(2);
  });

  it('must hold SIMD', async () => {
    await expect(checkInstructions(assemble('(local.get $x)'))).rejects.toThrow(
      /holds no SIMD128 instruction/,
    );
  });

  it.each([
    ['f32x4.relaxed_madd', '(local.get $x) (local.get $x) (local.get $x)'],
    ['f64x2.relaxed_nmadd', '(local.get $x) (local.get $x) (local.get $x)'],
    ['f32x4.relaxed_min', '(local.get $x) (local.get $x)'],
    ['i8x16.relaxed_swizzle', '(local.get $x) (local.get $x)'],
    ['i8x16.relaxed_laneselect', '(local.get $x) (local.get $x) (local.get $x)'],
    ['i32x4.relaxed_trunc_f32x4_s', '(local.get $x)'],
    ['i16x8.relaxed_dot_i8x16_i7x16_s', '(local.get $x) (local.get $x)'],
  ])('must not hold %s', async (name, operands) => {
    const bytes = assemble(`(f32x4.add (local.get $x) (${name} ${operands}))`);
    await expect(checkInstructions(bytes)).rejects.toThrow(`relaxed SIMD instructions: ${name}.`);
  });

  it.each(['memory.fill', 'memory.copy'])('must not hold %s', async (name) => {
    const scalar = '(i32.const 16) (i32.const 0) (i32.const 16)';
    const bytes = assemble(`(f32x4.add (local.get $x) (local.get $x)) (${name} ${scalar})`);
    await expect(checkInstructions(bytes)).rejects.toThrow(`holds ${name}: `);
  });

  it('are as they must be in the module that was built', async () => {
    expect(await checkInstructions(built)).toBeGreaterThan(100);
  });
});

describe('filling and copying memory', () => {
  const BYTES = 96;
  const bulk = binaryen.parseText(`(module
    (memory (export "memory") 1)
    (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2))))`);
  bulk.setFeatures(binaryen.Features.All);
  const lowered = simplified(binaryen, bulk.emitBinary());
  lowered.setFeatures(binaryen.Features.SIMD128);
  const source = lowered.emitBinary() as Uint8Array<ArrayBuffer>;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(source));
  const { memory, fill, copy } = instance.exports as unknown as {
    memory: WebAssembly.Memory;
    fill(to: number, value: number, size: number): void;
    copy(to: number, from: number, size: number): void;
  };
  const view = new Uint8Array(memory.buffer, 0, BYTES);
  const numbers = () => view.set(Uint8Array.from(view, (_, i) => 7 * i + 1));

  it('is that of the instructions, for all sizes and overlaps', () => {
    for (let size = 0; size <= 50; size++) {
      for (let to = 0; to + size <= BYTES; to += 3) {
        numbers();
        const filled = view.slice().fill(0xa5, to, to + size);
        fill(to, 0xa5, size);
        expect(view).toEqual(filled);
        for (let from = 0; from + size <= BYTES; from += 7) {
          numbers();
          const copied = view.slice().copyWithin(to, from, from + size);
          copy(to, from, size);
          expect(Buffer.compare(view, copied)).toBe(0);
        }
      }
    }
  });

  it('leaves all other instructions as they were', () => {
    const again = simplified(binaryen, built);
    again.setFeatures(binaryen.Features.All);
    // The functions are added, and called by nobody.
    again.runPasses(['remove-unused-module-elements']);
    const once = binaryen.readBinary(built);
    const instructions = ({ emitText }: binaryen.Module) =>
      // The one table may be named.
      emitText()
        .replaceAll(/call_indirect \$\w+ /g, 'call_indirect ')
        .match(/^ *\((?!type|func|export)[a-z].*$/gm);
    expect(instructions(again)).toEqual(instructions(once));
    for (const module of [again, once]) module.dispose();
  });
});

describe('imports', () => {
  it('are refused', () => {
    const module = binaryen.parseText('(module (import "./focal_loss_bg.js" "init" (func)))');
    expect(() => checkClosed(module.emitBinary() as Uint8Array<ArrayBuffer>)).toThrow(
      'imports ./focal_loss_bg.js init.',
    );
    module.dispose();
  });

  it.each(['pkg', 'pkg-analysis'])('are none in the module of %s', (folder) => {
    checkClosed(readFileSync(new URL(`../../crate/${folder}/focal_loss_bg.wasm`, import.meta.url)));
  });
});

describe('panics', () => {
  it('are found by the source files that they name', async () => {
    const module = binaryen.parseText(
      '(module (memory 1) (data (i32.const 0) "\\00crate/src/a.rs\\00") (data (i32.const 99) "b/c.rs\\03"))',
    );
    await expect(checkPanics(module.emitBinary())).rejects.toThrow(
      'can panic, in crate/src/a.rs, b/c.rs.',
    );
    module.dispose();
  });

  it('are not to be found in the module that was built', async () => {
    await expect(checkPanics(built)).resolves.toBeUndefined();
  });
});

describe('wasm-opt', () => {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-'));
  const record = join(folder, 'wasm-opt.sha256');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('must have run', () => {
    expect(() => checkOptimized(built, record)).toThrow(/did not go through wasm-opt/);
  });

  it('must have made this very module', () => {
    writeFileSync(record, sha256('another module'));
    expect(() => checkOptimized(built, record)).toThrow(/did not go through wasm-opt/);
    writeFileSync(record, sha256(built));
    expect(() => checkOptimized(built, record)).not.toThrow();
  });
});
