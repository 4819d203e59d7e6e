import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import CliTable from 'cli-table3';
import { embeddedText } from '../build/embedded-text.js';
import { entries } from '../build/entries.mjs';
import { withoutLines } from '../build/text-lines.mjs';

/**
 * The size that the main entry may have as a web server sends it, in bytes: compressed by brotli.
 */
export const BUDGET = 35 * 1024;

/** Sizes in bytes. Compressed as well as gzip and brotli can. */
export interface Size {
  readonly raw: number;
  readonly gzip: number;
  readonly brotli: number;
}

function sizeOf(bytes: Uint8Array): Size {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }).length,
    brotli: brotliCompressSync(bytes, { params }).length,
  };
}

/** The main entry, what it consists of, and the other entries by their files. */
export interface Sizes {
  readonly module: Size;
  readonly code: Size;
  readonly entry: Size;
  readonly types: Size;
  readonly others: Readonly<Record<string, Size>>;
}

/** Measures what was built. */
export function measure(): Sizes {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url));
  const others = entries
    .filter(({ file }) => file !== 'index')
    .map(({ file }) => `dist/${file}.js`);
  const module = read('crate/pkg/focal_loss_bg.wasm');
  const entry = read('dist/index.js');
  const code = Buffer.from(withoutLines(entry.toString()).replace(embeddedText(module), ''));
  return {
    module: sizeOf(module),
    code: sizeOf(code),
    entry: sizeOf(entry),
    types: sizeOf(read('dist/index.d.ts')),
    others: Object.fromEntries(others.map((path) => [path, sizeOf(read(path))])),
  };
}

/** A line for each, and how the main entry keeps to its budget. */
export function sizeTable({ module, code, entry, types, others }: Sizes): string {
  const table = new CliTable({
    head: ['bytes', 'raw', 'gzip', 'brotli'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  const add = (name: string, { raw, gzip, brotli }: Size) => table.push([name, raw, gzip, brotli]);
  add('the WebAssembly module', module);
  add('dist/index.js without it', code);
  add('dist/index.js', entry);
  add('dist/index.d.ts', types);
  for (const [path, size] of Object.entries(others)) add(path, size);
  const share = ((100 * entry.brotli) / BUDGET).toFixed(1);
  return `${table}\ndist/index.js takes ${share} % of its budget of ${BUDGET} bytes, compressed by brotli.`;
}
