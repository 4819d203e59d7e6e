/**
 * A mistake in what the reader gave an example (arguments, data): reported as one plain message,
 * without a stack trace.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
}
