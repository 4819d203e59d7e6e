// The promises of the types of `focal-loss/slim`. Nothing here runs: `tsc -p tsconfig.json` checks
// it.

import { readFile } from 'node:fs/promises';
import type * as main from 'focal-loss';
import source from 'focal-loss/focal-loss.wasm';
import type * as slim from 'focal-loss/slim';
import { FocalLoss, init, type ModuleSource, NotInitializedError } from 'focal-loss/slim';
import { expectTypeOf } from 'vitest';

declare const module: WebAssembly.Module;
declare const response: Response;

// The module may come from anywhere, also later.
expectTypeOf(init(module)).toEqualTypeOf<Promise<void>>();
init(WebAssembly.compile(new Uint8Array(8)));
init(new ArrayBuffer(8));
init(new Uint8Array(8));
init(readFile('focal-loss.wasm'));
init(response);
init(fetch('focal-loss.wasm'));
init(new URL('https://example.com/focal-loss.wasm'));
init('focal-loss.wasm');
// Whatever a bundler makes of the file.
init(source);
expectTypeOf(source).toEqualTypeOf<ModuleSource>();

// @ts-expect-error: from somewhere it must come
init();
// @ts-expect-error: numbers are no bytes
init(0x6d736100);
// @ts-expect-error: a file is read, or fetched
init(null);

// All else is as in the main entry.
expectTypeOf<Exclude<keyof typeof slim, 'NotInitializedError'>>().toEqualTypeOf<
  keyof typeof main
>();
expectTypeOf(
  new FocalLoss({ reduction: 'none' }).forward(new Float32Array(2), new Uint8Array(1)),
).toEqualTypeOf<Float32Array<ArrayBuffer>>();
expectTypeOf(new NotInitializedError()).toExtend<Error>();
expectTypeOf<NotInitializedError['name']>().toEqualTypeOf<'NotInitializedError'>();
// @ts-expect-error: no such option
new FocalLoss({ gama: 2 });
