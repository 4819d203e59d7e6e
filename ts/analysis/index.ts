export * from '../api.js';
export { init } from '../init.js';
export { logSoftmax, type Prediction, type PredictOptions, predict, type SoftmaxOutput, softmax } from './softmax.js';
