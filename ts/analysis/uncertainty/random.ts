// Random numbers of integers alone, which are the same in every engine.

/** A generator of uniform 32-bit integers for a seed: xoshiro128** (Blackman and Vigna, 2018). */
export function integersOf(seed: number): () => number {
  let state = seed >>> 0;
  // splitmix32 fills the state, which must not be all zeros.
  const mixed = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let bits = state ^ (state >>> 16);
    bits = Math.imul(bits, 0x21f0aaad);
    bits ^= bits >>> 15;
    bits = Math.imul(bits, 0x735a2d97);
    return bits ^ (bits >>> 15);
  };
  let [a, b, c, d] = [mixed(), mixed(), mixed(), mixed() | 1];
  return () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
}

/** An integer in [0, n), to within a bias of n / 2 ** 32. */
export function below(n: number, integer: () => number): number {
  return Math.floor((integer() * n) / 2 ** 32);
}
