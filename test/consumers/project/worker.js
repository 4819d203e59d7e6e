import { hash } from './hash.js';

/** The hash, or what was thrown. */
function outcome() {
  try {
    return hash();
  } catch (error) {
    return String(error);
  }
}

self.postMessage(outcome());
