// Plain loops over as many entries as there are rows. The methods of typed arrays that take a
// function, and all that iterates, need ten times as long for a million of them.

/** The numbers that a function gives for 0, 1, 2, … */
export function tabulate(length: number, at: (k: number) => number): Float64Array {
  const numbers = new Float64Array(length);
  for (let k = 0; k < length; k++) numbers[k] = at(k);
  return numbers;
}

/** Those of 0, 1, 2, … for which something is true. */
export function placesWhere(length: number, isTrue: (k: number) => boolean): Uint32Array {
  const places = new Uint32Array(length);
  let count = 0;
  for (let k = 0; k < length; k++) if (isTrue(k)) places[count++] = k;
  return places.slice(0, count);
}

/** The entries at these places. */
export function pick<A extends Int32Array | Uint32Array | Float64Array>(
  values: ArrayLike<number>,
  places: Uint32Array,
  into: A,
): A {
  for (let k = 0; k < places.length; k++) into[k] = values[places[k] as number] as number;
  return into;
}

export function sum(numbers: ArrayLike<number>): number {
  let total = 0;
  for (let k = 0; k < numbers.length; k++) total += numbers[k] as number;
  return total;
}

/** All numbers of several arrays, one array behind the other. */
export function joined<A extends Int32Array | Uint32Array | Float64Array>(
  Kind: new (length: number) => A,
  arrays: readonly A[],
): A {
  const all = new Kind(arrays.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const array of arrays) {
    all.set(array, start);
    start += array.length;
  }
  return all;
}
