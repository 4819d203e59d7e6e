// Sorting rows by a number of each. Engines sort typed arrays by value quickly; indices by something else only through a
// comparison that they call for every pair. So indices are put under the numbers' upper halves, into integers of 64 bits.

/** The indices of keys, from the smallest key to the largest; those of equal keys in the order in which they come. No NaN. */
export function ascending(keys: Float64Array): Uint32Array {
  const { length } = keys;
  const pairs = new BigUint64Array(length);
  const halves = new Uint32Array(pairs.buffer);
  const number = new Float64Array(1);
  const bits = new Int32Array(number.buffer);
  for (let i = 0; i < length; i++) {
    number[0] = (keys[i] as number) + 0; // -0 becomes 0
    const upper = bits[1] as number;
    // In the order of the keys, if all bits of negative ones are turned over, and the sign of the others.
    halves[2 * i + 1] = upper ^ ((upper >> 31) | 0x80000000);
    halves[2 * i] = i;
  }
  pairs.sort();
  const order = new Uint32Array(length);
  for (let place = 0; place < length; place++) order[place] = halves[2 * place] as number;
  let start = 0;
  for (let end = 1; end <= length; end++) {
    if (end < length && halves[2 * end + 1] === halves[2 * start + 1]) continue;
    if (end - start > 1) sortRun(order.subarray(start, end), keys);
    start = end;
  }
  return order;
}

/** Sorts ascending indices of keys whose upper halves are the same. */
function sortRun(indices: Uint32Array, keys: Float64Array): void {
  for (let place = 1; place < indices.length; place++) {
    if (compare(indices[place - 1] as number, indices[place] as number) <= 0) continue;
    indices.sort(compare);
    return;
  }

  function compare(a: number, b: number): number {
    return (keys[a] as number) - (keys[b] as number) || a - b;
  }
}
