// The one list of the losses: what is exported here is a loss of the package, under the name of its class.

export * from './cross-entropy.js';
export * from './focal.js';
export * from './sigmoid-focal.js';
