import { define } from '../arrays/own.js';

/**
 * The function under a name that minifiers of applications leave alone: TensorFlow.js takes names
 * of metrics and losses from `name`, for a model's history, for what `earlyStopping` monitors, and
 * for what `save` writes.
 */
export function named<F extends (...args: never[]) => unknown>(name: string, f: F): F {
  return define(f, 'name', name);
}
