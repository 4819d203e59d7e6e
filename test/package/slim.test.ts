import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import * as main from 'focal-loss';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { runBattery } from '../determinism/battery.js';
import battery from '../determinism/battery.json' with { type: 'json' };

type Slim = typeof import('focal-loss/slim');

const url = new URL(import.meta.resolve('focal-loss/focal-loss.wasm'));
const bytes = Uint8Array.from(readFileSync(url));
const dataUrl = `data:application/octet-stream;base64,${Buffer.from(bytes).toString('base64')}`;

/** A module without anything in it. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

let slim: Slim;
let copies = 0;

// A module of its own for each test, since a started one stays so.
beforeEach(async () => {
  slim = await import(`${pathToFileURL('dist/slim.js')}?${copies++}`);
});

const compute = () => new slim.FocalLoss().forward(new Float64Array([2.5, -1]), new Uint8Array(1));
const expected = new main.FocalLoss().forward(new Float64Array([2.5, -1]), new Uint8Array(1));

it('has the same API, and an error of its own', () => {
  expect(Object.keys(slim).sort()).toEqual([...Object.keys(main), 'NotInitializedError'].sort());
});

it('says before the start that there has to be one', () => {
  const criterion = new slim.FocalLoss({ reduction: 'none' });
  const logits = new Float32Array(4);
  const targets = new Uint8Array(2);
  for (const call of [
    () => criterion.forward(logits, targets),
    () => criterion.backward(logits, targets),
    () => criterion.valueAndGrad(logits, targets),
    () => criterion.hessianDiag(logits, targets),
    () => criterion.gammaGrad(logits, targets),
    () => new slim.CrossEntropyLoss().forward(logits, targets),
    () => new slim.SigmoidFocalLoss().forward(logits, logits),
    () => slim.allocate(2, 2),
  ]) {
    expect(call).toThrow(slim.NotInitializedError);
    expect(call).toThrow(
      expect.objectContaining({
        name: 'NotInitializedError',
        message: expect.stringContaining('await init(source)'),
      }),
    );
  }
});

it('computes after calls that came too early', async () => {
  expect(compute).toThrow(slim.NotInitializedError);
  await slim.init(bytes);
  expect(compute()).toBe(expected);
});

describe('starts with', () => {
  const padded = new Uint8Array([1, 2, 3, ...bytes, 4, 5]);
  it.each([
    ['a compiled module', () => new WebAssembly.Module(bytes)],
    ['the promise of a compiled module', () => WebAssembly.compile(bytes)],
    ['an ArrayBuffer', () => bytes.buffer],
    ['a view of a part of a buffer', () => padded.subarray(3, -2)],
    ['a DataView', () => new DataView(padded.buffer, 3, bytes.length)],
    [
      'a view of shared memory',
      () => {
        const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
        shared.set(bytes);
        return shared;
      },
    ],
    ['what readFile promises', () => readFile(url)],
    ['a Response', () => new Response(bytes, { headers: { 'Content-Type': 'application/wasm' } })],
    ['the promise of a Response without a type', () => Promise.resolve(new Response(bytes))],
    ['a URL', () => new URL(dataUrl)],
    ['a string', () => dataUrl],
    ['the URL of a file', () => url],
    ['the URL of a file, as a string', () => url.href],
    ['an instance', () => new WebAssembly.Instance(new WebAssembly.Module(bytes))],
    [
      'what an instance exports',
      () => new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports,
    ],
    ['the promise of what importing the file gives', () => Promise.resolve({ default: bytes })],
  ])('%s', async (_, source) => {
    expect(await slim.init(source())).toBeUndefined();
    expect(compute()).toBe(expected);
  });
});

it('gives the bits of the native crate', async () => {
  await slim.init(new WebAssembly.Module(bytes));
  expect(runBattery(slim as never, battery)).toBe(battery.hash);
});

describe('rejects, and starts with the next call,', () => {
  it.each<[string, () => unknown, string | RegExp]>([
    [
      'nothing',
      () => undefined,
      'source must be a WebAssembly.Module, bytes, a Response, a URL or a string, got Undefined',
    ],
    ['an object', () => ({}), /of this very version/],
    ['a Map', () => new Map(), /got Map$/],
    ['an array of numbers', () => [...EMPTY], /got Array$/],
    ['what was rejected', () => Promise.reject(new Error('no luck')), 'no luck'],
    [
      'a Response that says no',
      () => new Response('', { status: 404 }),
      /could not be fetched: 404/,
    ],
    [
      'a URL without anything behind it',
      () => 'http://localhost:1/',
      /could not be fetched from http:\/\/localhost:1\/: fetch failed: /,
    ],
    [
      'a relative URL, which Node has no base for',
      () => 'focal-loss.wasm',
      /could not be fetched from focal-loss.wasm: .*URL/,
    ],
    [
      'the URL of a file that is not there',
      () => new URL('none.wasm', url),
      /could not be fetched from file:.*ENOENT/,
    ],
    [
      'a Response that was read',
      async () => {
        const response = new Response(bytes);
        await response.arrayBuffer();
        return response;
      },
      /body/i,
    ],
    ['bytes that are no module', () => new Uint8Array(8), /magic/],
    ['no bytes', () => new ArrayBuffer(0), /empty/],
    ['another module', () => EMPTY, /of this very version/],
    ['another module, compiled', () => new WebAssembly.Module(EMPTY), /of this very version/],
    [
      'the module of another entry',
      () => readFileSync('dist/focal-loss-analysis.wasm'),
      /the file focal-loss.wasm of this very version/,
    ],
  ])('%s', async (_, source, message) => {
    await expect(slim.init(source() as never)).rejects.toThrow(message);
    expect(compute).toThrow(slim.NotInitializedError);
    await slim.init(bytes);
    expect(compute()).toBe(expected);
  });
});

it('starts once, with the first of several sources', async () => {
  const compile = vi.spyOn(WebAssembly, 'compile');
  const pending = [
    slim.init(bytes),
    slim.init(readFile(url)),
    slim.init(Promise.reject(new Error('unused'))),
  ];
  expect(await Promise.all(pending)).toEqual([undefined, undefined, undefined]);
  await slim.init(EMPTY);
  expect(compile).toHaveBeenCalledTimes(1);
  compile.mockRestore();
  expect(compute()).toBe(expected);
});

it('fails all calls at the same time alike', async () => {
  const pending = [slim.init(EMPTY), slim.init(bytes)];
  const outcomes = await Promise.allSettled(pending);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
