/** A mistake in what the reader gave the demo (arguments, data): reported as one plain message, without a stack trace. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
