#!/usr/bin/env bash
# TensorFlow.js 4.22.0 saves the training state of a model whose loss is a function, and cannot train with what it saved.
#
# Input: a model compiled with a loss that is a function, saved with includeOptimizer: true, and loaded again.
# Expected: an error from save, as there is for a list of such losses ("Serialization of non-string loss is not supported"), or
#   a warning that the loaded model has to be compiled.
# Seen: save succeeds and writes "loss": {}. The loaded model has an optimizer, counts as compiled, and fit fails with a
#   TypeError from within. With a metric that is a function, loading fails: "Unknown metric".
#
# Needs Node 20 and the npm registry. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(@tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-layers@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0)
npm install --prefix "$folder" --no-save --no-audit --no-fund --silent "${packages[@]}"
cd "$folder"

cat > save.mjs <<'JS'
import assert from 'node:assert';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';

console.warn = () => {};
const squares = (targets, outputs) => tf.mean(tf.square(tf.sub(targets, outputs)), -1);
const distance = (targets, outputs) => tf.mean(tf.abs(tf.sub(targets, outputs)), -1);
const inputs = tf.zeros([2, 1]);
const targets = tf.ones([2, 1]);

async function saved(loss, metrics) {
  const model = sequential({ layers: [layers.dense({ inputShape: [1], units: 1 })] });
  model.compile({ optimizer: 'sgd', loss, metrics });
  await model.fit(inputs, targets, { verbose: 0 });
  let artifacts;
  const handler = tf.io.withSaveHandler(async (given) => {
    artifacts = given;
    return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(given) };
  });
  await model.save(handler, { includeOptimizer: true });
  return artifacts;
}

const failure = (promise) => promise.then(() => 'none', (error) => `${error.name}: ${error.message}`);

const artifacts = await saved(squares);
const loaded = await loadLayersModel(tf.io.fromMemory(artifacts));
const outcome = await failure(loaded.fit(inputs, targets, { verbose: 0 }));
console.log('saved', JSON.stringify(artifacts.trainingConfig.loss), 'and after loading, fit says', outcome);
assert.deepStrictEqual(artifacts.trainingConfig.loss, {});
assert.notStrictEqual(loaded.optimizer, undefined);
assert.match(outcome, /^TypeError: .* is not a function$/);

const unloadable = await failure(loadLayersModel(tf.io.fromMemory(await saved(squares, [distance]))));
console.log('with a metric that is a function, loading says', unloadable);
assert.match(unloadable, /Unknown metric distance/);

assert.match(await failure(saved([squares])), /Serialization of non-string loss is not supported/);
JS
node save.mjs
echo "TensorFlow.js 4.22.0: expected an error from save; what it saved still cannot be trained on."
