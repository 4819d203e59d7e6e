// The same from CommonJS, where TypeScript knows that it may require ES modules.
import focalLoss = require('focal-loss');
import slim = require('focal-loss/slim');

const mean: number = new focalLoss.FocalLoss().forward(new Float32Array(4), new Int32Array(2));
const started: Promise<void> = slim.init('focal-loss.wasm');
export = { mean, started };
