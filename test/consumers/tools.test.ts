// Tools that load packages in their own ways: test runners, linters, bundlers that know no exports
// of packages or load WebAssembly themselves, and runtimes that take a compiled module.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  consumerBin,
  consumersHome,
  hasConsumers,
  nodeOf,
} from '../../scripts/bootstrap/consumers.mjs';
import { makeProject, mustRun, NODES_TRIED, run } from './project.js';

const LOSS = 'new FocalLoss().forward(new Float32Array(2), new Uint8Array(1))';
const VALUE = '0.12996509671211243';

/** A program that starts the module with a source, and prints a loss. */
const program = (source: string) =>
  `${source}\nimport { FocalLoss, init } from 'focal-loss/slim';\ninit(source).then(() => console.log(${LOSS}));\n`;

const JEST = `
  const tool = (name, ...options) => [require.resolve(name), ...options];
  const presets = [tool('@babel/preset-env', { targets: { node: 'current' } })];
  const babel = { '[.]js$': tool('babel-jest', { presets, configFile: false, babelrc: false }) };
  const tsconfig = { module: 'node16', target: 'es2022', lib: ['es2022'], types: [], esModuleInterop: true };
  const project = (displayName, transform, testMatch, testEnvironment = 'node') =>
    ({ displayName, rootDir: __dirname, testMatch: ['<rootDir>/' + testMatch], transform, testEnvironment });
  module.exports = { projects: [
    project('babel-jest', babel, 'loss.test.js'),
    project('jsdom', babel, 'loss.test.js', require.resolve('jest-environment-jsdom')),
    project('swc', { '[.]js$': tool('@swc/jest', { module: { type: 'commonjs' } }) }, 'loss.test.js'),
    project('ts-jest', { '[.]ts$': tool('ts-jest', { tsconfig }) }, 'loss.test.ts'),
  ] };`;

const TEST = `
  import { FocalLoss } from 'focal-loss';
  import { softmax } from 'focal-loss/analysis';
  import { NotInitializedError } from 'focal-loss/analysis/slim';
  import { FocalLoss as Slim } from 'focal-loss/slim';
  declare const test: (name: string, run: () => void) => void;
  test('computes', () => {
    if (${LOSS} !== ${VALUE} || softmax(new Float32Array(2), 2)[0] !== 0.5) throw new Error('wrong');
    let name = '';
    try { new Slim().forward(new Float32Array(2), new Uint8Array(1)); } catch (error) { name = (error as Error).name; }
    if (name !== NotInitializedError.name) throw new Error(name);
  });`;

describe.skipIf(!hasConsumers())('Jest, with babel-jest, swc, ts-jest and jsdom', () => {
  const project = makeProject('jest', {
    'package.json': '{ "private": true }',
    'jest.config.cjs': JEST,
    'loss.test.ts': TEST,
    'loss.test.js': TEST.replaceAll(/^ *declare.*$/gm, '').replace('(error as Error)', 'error'),
  });

  it.each(NODES_TRIED)('in Node %i', (major) => {
    const { status, stderr } = run(project, nodeOf(major), consumerBin('jest'), '--no-cache');
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('4 passed, 4 total');
  });
});

describe.skipIf(!hasConsumers())('what knows no exports of packages', () => {
  const ENTRIES = [
    'focal-loss',
    'focal-loss/slim',
    'focal-loss/analysis',
    'focal-loss/analysis/slim',
    'focal-loss/pool',
    'focal-loss/worker',
    'focal-loss/tfjs',
  ];

  it('eslint-plugin-import finds every entry', () => {
    const project = makeProject('eslint', {
      'lint.js': [...ENTRIES, 'focal-loss/none'].map((entry) => `import '${entry}';`).join('\n'),
      'eslint.config.js': `import plugin from 'eslint-plugin-import';
        const rules = { 'import/no-unresolved': 'error' };
        export default [{ files: ['lint.js'], plugins: { import: plugin }, rules }];`,
    });
    const { stdout } = run(
      project,
      process.execPath,
      consumerBin('eslint'),
      '--format',
      'json',
      'lint.js',
    );
    const [{ messages }] = JSON.parse(stdout);
    expect(messages.map(({ message }: { message: string }) => message)).toEqual([
      "Unable to resolve path to module 'focal-loss/none'.",
    ]);
  });

  it('Parcel builds a program of several entries', () => {
    const project = makeProject('parcel', {
      'package.json': '{ "private": true }',
      'app.mjs': `import { FocalLoss } from 'focal-loss';
        import { softmax } from 'focal-loss/analysis';
        console.log(${LOSS}, softmax(new Float32Array(2), 2)[0]);`,
    });
    const options = ['--no-cache', '--no-source-maps', '--dist-dir', 'built'];
    mustRun(project, process.execPath, consumerBin('parcel'), 'build', 'app.mjs', ...options);
    expect(mustRun(project, process.execPath, 'built/app.js')).toBe(`${VALUE} 0.5\n`);
  });
});

describe.skipIf(!hasConsumers())('bundlers load the WebAssembly file', () => {
  it.each([
    [
      'as a module',
      '{ experiments: { asyncWebAssembly: true } }',
      'import * as source from "focal-loss/focal-loss.wasm";',
    ],
    [
      'as an asset',
      "{ module: { rules: [{ test: /[.]wasm$/, type: 'asset/resource' }] } }",
      'import url from "focal-loss/focal-loss.wasm";\nconst source = "file://" + __dirname + "/" + url;',
    ],
  ])('webpack, %s', (_, config, source) => {
    const project = makeProject('webpack', {
      'package.json': '{ "private": true }',
      'app.js': program(source),
      'webpack.config.js': `module.exports = { mode: 'production', target: 'node', entry: './app.js', node: { __dirname: false },
        output: { filename: 'app.js', publicPath: '', path: __dirname + '/built' }, ...${config} };`,
    });
    mustRun(project, process.execPath, consumerBin('webpack'), '--config', 'webpack.config.js');
    expect(mustRun(project, process.execPath, 'built/app.js')).toBe(`${VALUE}\n`);
  });

  it('esbuild, as bytes', () => {
    const project = makeProject('esbuild', {
      'app.js': program('import source from "focal-loss/focal-loss.wasm";'),
    });
    const options = [
      '--bundle',
      '--loader:.wasm=binary',
      '--format=esm',
      '--target=es2022',
      '--outfile=built.js',
      '--log-level=warning',
    ];
    mustRun(project, consumerBin('esbuild'), 'app.js', ...options);
    expect(mustRun(project, process.execPath, 'built.js')).toBe(`${VALUE}\n`);
  });
});

describe.skipIf(!hasConsumers())('runtimes that compile modules beforehand', () => {
  it.each([
    ['focal-loss/slim', 'slim', 'focal-loss'],
    ['focal-loss/analysis/slim', 'analysis-slim', 'focal-loss-analysis'],
  ])('workerd starts %s, and says so where another entry does not start', (_, slim, file) => {
    const project = makeProject('workerd', {
      'worker.js': `
        import source from '${file}.wasm';
        import { FocalLoss, init } from '${slim}.js';
        import * as whole from 'index.js';
        export default {
          async test() {
            let message;
            try { new whole.FocalLoss().forward(new Float32Array(2), new Uint8Array(1)); } catch (error) { message = String(error); }
            await init(source);
            console.log(message, ${LOSS});
          },
        };`,
      'config.capnp': `using Workerd = import "/workerd/workerd.capnp";
        const config :Workerd.Config = (services = [(name = "main", worker = (compatibilityDate = "2026-01-01", modules = [
          (name = "worker.js", esModule = embed "worker.js"), (name = "index.js", esModule = embed "index.js"),
          (name = "${slim}.js", esModule = embed "${slim}.js"), (name = "${file}.wasm", wasm = embed "${file}.wasm")]))]);`,
    });
    for (const name of ['index.js', `${slim}.js`, `${file}.wasm`]) {
      copyFileSync(join(project, 'node_modules', 'focal-loss', 'dist', name), join(project, name));
    }
    const { default: workerd } = createRequire(join(consumersHome, 'package.json'))('workerd');
    const { status, stdout, stderr } = run(project, workerd, 'test', 'config.capnp');
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/ModuleError: .*focal-loss\/slim with a compiled module/);
    expect(stdout).toContain(VALUE);
  });

  it('Next builds and serves edge routes, routes of Node and pages', async () => {
    const respond = `Response.json(${LOSS})`;
    const project = makeProject('next', {
      'next.config.js': "export default { turbopack: { root: '/' } };",
    });
    const files = {
      'app/layout.js': 'export default ({ children }) => <html><body>{children}</body></html>;',
      'app/page.js': `'use client';\nimport { FocalLoss } from 'focal-loss';\nexport default () => <p>{${LOSS}}</p>;`,
      'app/node/route.js': `import { FocalLoss } from 'focal-loss';\nexport const dynamic = 'force-dynamic';
        export const GET = () => ${respond};`,
      'app/exports/route.js': `import * as source from 'focal-loss/focal-loss.wasm';
        import { FocalLoss, init } from 'focal-loss/slim';\nexport const dynamic = 'force-dynamic';
        export const GET = async () => { await init(source); return ${respond}; };`,
      'app/edge/route.js': `import source from 'focal-loss/focal-loss.wasm?module';
        import { FocalLoss, init } from 'focal-loss/slim';\nexport const runtime = 'edge';
        export const GET = async () => { await init(source); return ${respond}; };`,
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(project, name)), { recursive: true });
      writeFileSync(join(project, name), text);
    }
    const next = [process.execPath, consumerBin('next')] as const;
    mustRun(project, 'env', 'NEXT_TELEMETRY_DISABLED=1', ...next, 'build');
    const server = spawn(next[0], [next[1], 'start', '--port', '0', '--hostname', '127.0.0.1'], {
      cwd: project,
      env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1' },
    });
    try {
      let output = '';
      for await (const text of server.stdout) {
        output += text;
        if (/Ready/.test(output)) break;
      }
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? [];
      for (const path of ['', 'node', 'exports', 'edge']) {
        expect(await (await fetch(`${url}/${path}`)).text(), `/${path}`).toContain(VALUE);
      }
    } finally {
      server.kill();
      await once(server, 'exit');
    }
  });
});
