// Yarn's Plug'n'Play, where a package finds what it declares, and of its peers what the application
// declares. The network is not needed: what the applications depend on is taken from the clone.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { consumerBin, hasConsumers } from '../../scripts/bootstrap/consumers.mjs';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { mustRun, run } from './project.js';

const CORE = '@tensorflow/tfjs-core';
const BACKEND = '@tensorflow/tfjs-backend-cpu';

const TWO_ENTRIES =
  "import { FocalLoss } from 'focal-loss';\nimport { softmax } from 'focal-loss/analysis';";
const SLIM = `import { FocalLoss, init } from 'focal-loss/slim';
  await init(new URL(import.meta.resolve('focal-loss/focal-loss.wasm')));`;
const LOSS = 'console.log(new FocalLoss({ alpha: null }).forward([0, 0], [1])';
const TENSORS =
  'console.log(focalLoss({ alpha: null })(tf.tensor1d([0], "int32"), tf.zeros([1, 2])).dataSync()[0]);';

/** The loss of two equal logits, log 2 / 4, which has these bits everywhere. */
const VALUE = 0.17328679513998635;

/** The output of the program of each name, on tensors in float32. */
const PRINTED = {
  'entries.mjs': `${VALUE} 0.5\n`,
  'slim.mjs': `${VALUE}\n`,
  'tensors.mjs': `${Math.fround(VALUE)}\n`,
  'tensors.cjs': `${Math.fround(VALUE)}\n`,
};

const PROGRAMS = {
  'entries.mjs': `${TWO_ENTRIES}\n${LOSS}, softmax(new Float32Array(2), 2)[0]);`,
  'slim.mjs': `${SLIM}\n${LOSS});`,
  'tensors.mjs': `import * as tf from '${CORE}';\nimport '${BACKEND}';\nimport { focalLoss } from 'focal-loss/tfjs';\n${TENSORS}`,
  'tensors.cjs': `const tf = require('${CORE}');\nrequire('${BACKEND}');\nconst { focalLoss } = require('focal-loss/tfjs');\n${TENSORS}`,
  'peer.mjs': "import 'focal-loss/tfjs';",
  'peer.cjs': "require('focal-loss/tfjs');",
};

/** Adds the folder of a package in the clone, and those of all that it depends on. */
function addInstalled(name: string, found: Record<string, string>): Record<string, string> {
  if (name in found) return found;
  const folder = join(root, 'node_modules', name);
  found[name] = `file:${folder}`;
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  for (const other of Object.keys(dependencies)) addInstalled(other, found);
  return found;
}

/**
 * Installs an application that depends on the package and on others. Returns what runs its
 * programs.
 */
function install(others: Record<string, string>) {
  const project = mkdtempSync(join(dirname(inject('project')), 'yarn-'));
  const manifest = {
    name: 'application',
    dependencies: { 'focal-loss': `file:${inject('tarball')}`, ...others },
    resolutions: [CORE, BACKEND].reduce((found, name) => addInstalled(name, found), {}),
  };
  const files = {
    ...PROGRAMS,
    'package.json': JSON.stringify(manifest),
    '.yarnrc.yml':
      'nodeLinker: pnp\nenableNetwork: false\nenableTelemetry: false\nenableGlobalCache: false\n',
    'yarn.lock': '',
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(project, file), text);
  const yarn = [process.execPath, consumerBin('yarn')] as const;
  mustRun(project, ...yarn, 'install');
  return (program: keyof typeof PROGRAMS) => run(project, ...yarn, 'node', program);
}

/** A package that brings what it depends on, but not to those that depend on it. */
function makeModels(): string {
  const folder = mkdtempSync(join(dirname(inject('project')), 'models-'));
  const manifest = { name: 'models', version: '1.0.0', dependencies: { [CORE]: '4' } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  return `file:${folder}`;
}

describe.skipIf(!hasConsumers())('Yarn PnP', () => {
  describe(`with ${CORE} among the dependencies of the application`, () => {
    let run: ReturnType<typeof install>;
    beforeAll(() => {
      run = install({ [CORE]: '4', [BACKEND]: '4' });
    });

    it.each(Object.entries(PRINTED))('%s', (program, stdout) => {
      const outcome = run(program as keyof typeof PROGRAMS);
      expect(outcome, outcome.stderr).toMatchObject({ status: 0, stdout });
    });
  });

  describe.each([
    ['without it', () => ({})],
    ['with it only in a package that the application depends on', () => ({ models: makeModels() })],
  ])('%s', (_, others) => {
    let run: ReturnType<typeof install>;
    beforeAll(() => {
      run = install(others());
    });

    it.each(['peer.mjs', 'peer.cjs'] as const)('%s names it', (program) => {
      const { status, stderr } = run(program);
      expect(status).toBe(1);
      expect(stderr).toContain(`focal-loss tried to access ${CORE} (a peer dependency)`);
      expect(stderr).toContain("it isn't provided by your application");
    });

    it.each(['entries.mjs', 'slim.mjs'] as const)('%s does not need it', (program) => {
      const outcome = run(program);
      expect(outcome, outcome.stderr).toMatchObject({ status: 0, stdout: PRINTED[program] });
    });
  });
});
