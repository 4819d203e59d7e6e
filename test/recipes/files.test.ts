import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { consumersHome } from '../../scripts/bootstrap/consumers.mjs';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { blocksOf, runProgram } from '../support/program.js';

// The functions of docs/recipes.md on files that other software wrote: fixtures/make.py, and
// DuckDB-Wasm.

const page = readFileSync(join(root, 'docs', 'recipes.md'), 'utf8');

/** The imports and functions, and what these need, of the program under a heading. */
function functionsUnder(heading: string): string {
  const [program = ''] = blocksOf(page.slice(page.indexOf(`\n## ${heading}\n`)), 'ts');
  return Array.from(
    program.matchAll(/^(?:import .*;$|(?:function|const \w+ = \{)[\s\S]*?^\};?$)/gm),
    ([text]) => text,
  ).join('\n');
}

const BYTES = `
import { readFileSync } from 'node:fs';
const files = JSON.parse(readFileSync(${JSON.stringify(join(root, 'test/recipes/fixtures/files.json'))}, 'utf8'));
const bytes = (name: string) => Uint8Array.from(Buffer.from(files[name], 'base64')).buffer;
`;

/**
 * The values of expressions, which see the functions under a heading: their value, or the message
 * of what they throw.
 */
function evaluate(heading: string, setting: string, expressions: readonly string[]): unknown[] {
  const tries = expressions.map((expression) => `attempt(() => ${expression})`);
  const { stdout, stderr } = runProgram(`${functionsUnder(heading)}${BYTES}
const plain = (_: string, value: unknown) => ArrayBuffer.isView(value) ? Array.from(value as never, String).join(' ') : value;
const attempt = (f: () => unknown) => { try { return f(); } catch (error) { return (error as Error).message; } };
${setting}
console.log(JSON.stringify([${tries}], plain));`);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** Expects each expression to give the value beside it. */
function expectEach(heading: string, setting: string, expected: Record<string, unknown>): void {
  const expressions = Object.keys(expected);
  const values = evaluate(heading, setting, expressions);
  expect(Object.fromEntries(expressions.map((expression, i) => [expression, values[i]]))).toEqual(
    expected,
  );
}

const NO_LABEL = 'must be a label, as there is no ignoreIndex for missing ones, got null';
const NO_INDEX = 'must be a class index, an integer in [0, 1048576), without classes, got';

describe('Arrow columns', () => {
  const expected = {
    "logitsOf(table, ['half', 'decimal']).data": '0.5 2.5 -2 -0.75 65504 12345679395506094000',
    "logitsOf(table, ['decimal256']).data": '2.5 -0.75 12345679395506094000',
    "logitsOf(table, ['decimal64', 'long'])": { data: '2.5 1 -0.75 -2 1 3', shape: [3, 2] },
    "logitsOf(table.slice(1), ['decimal', 'long']).data": '-0.75 -2 12345679395506094000 3',
    "logitsOf(table.slice(0, 2), ['whole'])": { data: '1 0', shape: [2, 1] },
    "logitsOf(table, ['whole'])": 'whole must be a column without nulls',
    "logitsOf(table, ['holes'])": 'holes must be a column without nulls',
    "logitsOf(table, ['text'])": 'text must hold numbers, not Utf8',
    "logitsOf(table, ['dictionary'])": 'dictionary must hold numbers, not Dictionary<Int32, Utf8>',
    "logitsOf(table, ['flag'])": 'flag must hold numbers, not Bool',
    "logitsOf(table, ['half', 'nothing'])":
      'There is no column nothing among decimal, decimal256, decimal64, half, long, text, dictionary, flag, whole, broken, fraction, holes',
    "labelsOf(table, 'text', { ignoreIndex: -1 })": '0 1 -1',
    "labelsOf(table, 'dictionary', { ignoreIndex: -1 })": '0 1 -1',
    "labelsOf(table, 'dictionary', { ignoreIndex: -1, classes: ['yes', 'no'] })": '1 0 -1',
    "labelsOf(table, 'dictionary')": `values[2] ${NO_LABEL}`,
    "labelsOf(table.slice(1), 'dictionary', { ignoreIndex: -1, classes: ['no', 'yes'] })": '1 -1',
    "labelsOf(table.slice(0, 2), 'dictionary')": '0 1',
    "labelsOf(table.slice(1, 2), 'dictionary', { classes: ['no', 'yes'] })": '1',
    "labelsOf(table, 'flag', { ignoreIndex: -1 })": '1 0 -1',
    "labelsOf(table, 'whole', { ignoreIndex: -1 })": '1 0 -1',
    "labelsOf(table, 'holes', { ignoreIndex: -1 })": '1 -1 0',
    "labelsOf(table.slice(1), 'holes')": `values[0] ${NO_LABEL}`,
    "labelsOf(table, 'broken', { ignoreIndex: -1 })": 'values[1] must be finite, got NaN',
    "labelsOf(table, 'fraction')": `values[1] ${NO_INDEX} 0.7`,
    "labelsOf(table, 'long')": `values[1] ${NO_INDEX} -2`,
    "labelsOf(table, 'decimal')":
      'values[0] must be a string, a number, a BigInt or a boolean, got a Uint32Array',
  };

  it.each(['columns', 'chunks'])('of pyarrow: %s', (name) => {
    const setting = `import { tableFromIPC } from 'apache-arrow'; const table = tableFromIPC(bytes('${name}.arrows'));`;
    expectEach('Arrow columns', setting, expected);
  });

  const duckdb = join(consumersHome, 'node_modules', '@duckdb', 'duckdb-wasm', 'dist');
  it.skipIf(!existsSync(duckdb))('of DuckDB-Wasm, as it is installed', () => {
    const setting = `
import { createRequire } from 'node:module';
const dist = ${JSON.stringify(`${duckdb}/`)};
const duckdb = createRequire(import.meta.url)(dist + 'duckdb-node-blocking.cjs');
const bundle = { mainModule: dist + 'duckdb-mvp.wasm', mainWorker: dist + 'duckdb-node-mvp.worker.cjs' };
const database = await duckdb.createDuckDB({ mvp: bundle }, new duckdb.VoidLogger(), duckdb.NODE_RUNTIME);
await database.instantiate(() => {});
const table = database.connect().query(\`SELECT * FROM (VALUES
  (0.5, 2.25::FLOAT, 'no',  'no'::ENUM('yes', 'no'), 1::BIGINT, 'NaN'::DOUBLE, true,  1::HUGEINT),
  (-1.5, -1,         'yes', 'yes',                   0,         0,             false, -2),
  (99.5, 0,          NULL,  NULL,                    NULL,      1,             NULL,  12345678901234567890)
) AS t(decimal, float, text, enum, long, nan, flag, huge)\`);`;
    expectEach('Arrow columns', setting, {
      "logitsOf(table, ['decimal', 'float'])": { data: '0.5 2.25 -1.5 -1 99.5 0', shape: [3, 2] },
      "logitsOf(table, ['huge']).data": '1 -2 12345679395506094000',
      "logitsOf(table, ['long'])": 'long must be a column without nulls',
      "labelsOf(table, 'text', { ignoreIndex: -1 })": '0 1 -1',
      "labelsOf(table, 'enum', { ignoreIndex: -1, classes: ['yes', 'no'] })": '1 0 -1',
      "labelsOf(table, 'long', { ignoreIndex: -1 })": '1 0 -1',
      "labelsOf(table, 'flag', { ignoreIndex: -1 })": '1 0 -1',
      "labelsOf(table, 'nan')": 'values[0] must be finite, got NaN',
      "labelsOf(table, 'text')": `values[2] ${NO_LABEL}`,
    });
  });
});

it('.npy files of NumPy', () => {
  expectEach('.npy', '', {
    "logitsOf(bytes('logits.npy'))": { data: '2.5 -1 0.5 0.5 -1 2', shape: [3, 2] },
    "logitsOf(bytes('half.npy')).data": '2.5 -1 0.5 0.5 -1 2',
    "logitsOf(bytes('bool.npy'))": 'Logits must be floats: save x.astype(np.float32)',
    "logitsOf(bytes('complex.npy'))": 'Complex numbers (c8): save x.real, or what else is meant',
    "logitsOf(bytes('fortran.npy'))": 'In Fortran order: save np.ascontiguousarray(x) instead',
    "logitsOf(bytes('transposed.npy'))": 'In Fortran order: save np.ascontiguousarray(x) instead',
    "labelsOf(bytes('bool.npy'))": '0 1 1',
    "labelsOf(bytes('float-labels.npy'))": '0 1 1',
    "labelsOf(bytes('text.npy'))": '0 1 1',
    "labelsOf(bytes('complex.npy'))": 'Complex numbers (c8): save x.real, or what else is meant',
    "labelsOf(bytes('logits.npy'))": 'Labels must be one per row, not of the shape [3,2]',
  });
});

it('safetensors files of safetensors for Python', () => {
  const setting = `
const read = readSafetensors(bytes('tensors.safetensors'));
const transposed = readSafetensors(bytes('transposed.safetensors'));
const contiguous = readSafetensors(bytes('contiguous.safetensors'));
const loss = (logits: string, targets: string) => new FocalLoss().forward(read(logits), read(targets)).toFixed(6);`;
  expectEach('safetensors', setting, {
    "read('logits')": { data: '2.5 -1 0.5 0.5 -1 2', shape: [3, 2] },
    "read('half')": { data: '2.5 -1 0.5 0.5 -1 2', shape: [3, 2] },
    "read('bfloat')": { data: '2.5 -1 0.5 0.5 -1 2', shape: [3, 2] },
    "read('extremes').data": '65504 5.960464477539063e-8 -0.00006103515625 Infinity -Infinity NaN',
    "read('labels').data": '0 1 1',
    "read('flags').data": '0 1 1',
    "read('words').data": '0 65535',
    "loss('half', 'flags')": '0.014456',
    "loss('bfloat', 'labels')": '0.014456',
    "read('eighth')":
      'eighth is F8_E4M3: it must be one of F16, BF16, F64, F32, I64, I32, I16, I8, U64, U32, U16, U8, BOOL',
    "read('nothing')": 'There is no tensor nothing in the file',
    "read('toString')": 'There is no tensor toString in the file',
    "read('__metadata__')": 'There is no tensor __metadata__ in the file',
    // The fault that the page warns of: the shape is that of the transposed array, the numbers are
    // in the order of the other one.
    "transposed('transposed')": { data: '2.5 -1 0.5 0.5 -1 2', shape: [2, 3] },
    "contiguous('transposed')": { data: '2.5 0.5 -1 -1 0.5 2', shape: [2, 3] },
  });
});
