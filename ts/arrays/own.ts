// The properties that an object says of itself. A property of `Object.prototype`, which every
// object inherits, is nobody's option.

/**
 * The value of a property, which has been read, if the object has it itself or by a class of its
 * own, as a getter; `otherwise` if it is undefined, or something that was added to all objects.
 */
export function said<T>(object: object, name: string, value: T): T | undefined;
export function said<T, D>(
  object: object,
  name: string,
  value: T,
  otherwise: D,
): Exclude<T, undefined> | D;
export function said(object: object, name: string, value: unknown, otherwise?: unknown): unknown {
  return value !== undefined && (Object.hasOwn(object, name) || isOfClass(object, name))
    ? value
    : otherwise;
}

/**
 * A test whether a property that is not an object's own comes from anywhere but the
 * `Object.prototype` of some realm.
 */
function isOfClass(object: object, name: string): boolean {
  let holder: unknown = Object.getPrototypeOf(object);
  while (holder !== null && !Object.hasOwn(holder as object, name))
    holder = Object.getPrototypeOf(holder);
  return (
    holder === null ||
    Object.getPrototypeOf(holder) !== null ||
    !Object.hasOwn(holder as object, 'hasOwnProperty')
  );
}

/** A test whether an object says anything under a name. */
export function says(object: object, name: string): boolean {
  return said(object, name, (object as Record<string, unknown>)[name]) !== undefined;
}

/**
 * Defines a property that does not change, by a descriptor that inherits nothing. Returns the
 * object.
 */
export function define<T extends object>(
  object: T,
  name: PropertyKey,
  value: unknown,
  enumerable = false,
): T {
  const descriptor = { __proto__: null, value, enumerable };
  return Object.defineProperty(object, name, descriptor as PropertyDescriptor);
}

/** The values of options, of the names that are known. Nothing is inherited. */
export function readOptions<O extends object>(options: O, names: readonly string[]): O {
  const read: Record<string, unknown> = Object.create(null);
  for (const name of names)
    read[name] = said(options, name, (options as Record<string, unknown>)[name]);
  return read as O;
}
