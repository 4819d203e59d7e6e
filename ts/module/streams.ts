// A WebAssembly module as streams of numbers below 256: what repeats in its code is found by what
// compresses it only where numbers that differ from function to function lie elsewhere, and where
// an instruction is one number.
//
// | stream    | what of the module                                                         |
// |-----------|----------------------------------------------------------------------------|
// | code      | instructions, each by its place among the operations, and their integers;  |
// |           | in functions on float64 with the instructions on float32 in place of those |
// |           | on float64 and the other way round, so that the two of a source are alike  |
// | locals    | local variables: how many others were used since, in the function          |
// | offsets   | the offsets of what reads and writes memory, which has no other alignment  |
// |           | than 1                                                                     |
// | constants | of floating-point numbers and vectors, and the lanes of shuffles           |
// | frame     | all that is not in a function, and the beginnings of these; not their      |
// |           | size, but before it 1 where it is on float64                               |
// | list      | of all that an instruction may be: 0 where the module has none such, else  |
// |           | twice the kind of what follows it, and 1 if it is frequent, 2 if it is not |
//
// The operations are those in the list, the frequent ones first, which take one character each.

export const CODE = 0;
export const LOCALS = 1;
export const OFFSETS = 2;
export const CONSTANTS = 3;
export const FRAME = 4;
export const LIST = 5;
/** The request in place of the code where an instruction begins. */
export const OPERATION = 6;
/** The request in place of the frame whether a function is on float64. */
export const DOUBLE = 7;
/** The request where a function begins, before its size. Nothing waits for an answer. */
export const BODY = 8;

/** The section of a module that its functions lie in. */
const FUNCTIONS = 10;

/** The byte before an instruction on vectors. */
export const VECTORS = 0xfd;

/** The number of the first instruction on vectors, and how many numbers there are. */
export const VECTOR = 0x100;
export const INSTRUCTIONS = 0x200;

/**
 * The runs of instructions on float32 and on float64 that the same follows: where they begin,
 * and how many. The others are too few to make the text shorter.
 */
const TWINS = [
  [0x38, 0x39, 1],
  [0x113, 0x114, 1],
  [0x11f, 0x121, 1],
  [0x141, 0x147, 6],
  [0x1ab, 0x1cb, 7],
  [0x1e0, 0x1ec, 12],
] as const;

/** The instruction that stands for each in functions on float64. */
export const twins = () => {
  const twin = Array.from({ length: INSTRUCTIONS }, (_, code) => code);
  for (const [single, double, count] of TWINS) {
    for (let i = 0; i < count; i++) {
      twin[single + i] = double + i;
      twin[double + i] = single + i;
    }
  }
  return twin;
};

/** The instructions that begin a block, the first and the last, and the one that ends it. */
const BLOCK = 0x02;
const IF = 0x04;
const END = 0x0b;

/** The kinds of what follows an instruction; those from 6 on are 4, 8 and 16 bytes of constants. */
export const INTEGER = 1;
export const LOCAL = 2;
export const PLACE = 3;
export const PLACE_AND_LANE = 4;
export const TABLE = 5;
export const CONSTANT = 6;

/** The bytes that a module may have. */
const LARGEST = 2 ** 20;

/** The number of local variables that a function may have. */
const LOCAL_VARIABLES = 2 ** 10;

/** A number as WebAssembly writes it: seven bits a digit, the lowest first. */
export const digitsOf = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...digitsOf(value >> 7)];

/**
 * The module that `next` gives the numbers of, one of the stream that it is asked for, none where
 * the frame has come to its end. It may look at the function's local variables, those used last
 * first. The instructions are those that the module is made of. Written for engines that run it
 * once, which is before they compile it.
 */
export function assemble(
  next: (stream: number, recent: Uint16Array) => number | undefined,
): Uint8Array<ArrayBuffer> {
  const module = new Uint8Array(LARGEST);
  let at = 0;
  const unused = Uint16Array.from({ length: LOCAL_VARIABLES }, (_, i) => i);
  const recent = unused.slice();
  const take = next as (stream: number, recent: Uint16Array) => number;
  const keep = (stream: number, count: number) => {
    for (let i = 0; i < count; i++) module[at++] = take(stream, recent);
  };
  const integer = (stream: number) => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const digit = take(stream, recent);
      module[at++] = digit;
      value |= (digit & 127) << shift;
      if (digit < 128) return value;
    }
  };
  const integers = (stream: number, count: number) => {
    for (let i = 0; i < count; i++) integer(stream);
  };
  const local = () => {
    let place = take(LOCALS, recent);
    if (place > 127) place += 128 * (take(LOCALS, recent) - 1);
    const index = recent[place] as number;
    for (; place > 0; place--) recent[place] = recent[place - 1] as number;
    recent[0] = index;
    module[at++] = index < 128 ? index : (index & 127) | 128;
    if (index > 127) module[at++] = index >> 7;
  };
  const access = (hasLane: boolean) => {
    module[at++] = 0;
    integer(OFFSETS);
    if (hasLane) integer(CODE);
  };
  const list = Array.from({ length: INSTRUCTIONS }, () => take(LIST, recent));
  const operations = [1, 0].flatMap((rest) =>
    [...list.keys()].filter((code) => list[code] && (list[code] as number) % 2 === rest),
  );
  const meanings = [[...list.keys()], twins()];
  let meaning: readonly number[] | undefined;
  const instruction = () => {
    const name = operations[take(OPERATION, recent)] as number;
    const code = (meaning as readonly number[])[name] as number;
    if (code >= VECTOR) module[at++] = VECTORS;
    module[at++] = code & 0xff;
    if (code >= VECTOR + 128) module[at++] = 1;
    const kind = ((list[name] as number) - 1) >> 1;
    if (kind === LOCAL) local();
    else if (kind === INTEGER) integer(CODE);
    else if (kind === TABLE) integers(CODE, integer(CODE) + 1);
    else if (kind >= CONSTANT) keep(CONSTANTS, 1 << (kind - 4));
    else if (kind) access(kind === PLACE_AND_LANE);
    return code;
  };
  const body = () => {
    const start = at;
    recent.set(unused);
    take(BODY, recent);
    meaning = meanings[take(DOUBLE, recent)];
    // Local variables: how many, and of which type.
    integers(FRAME, 2 * integer(FRAME));
    for (let depth = 1; depth > 0; ) {
      const code = instruction();
      if (code === END) depth--;
      else if (code >= BLOCK && code <= IF) depth++;
    }
    const size = digitsOf(at - start);
    module.copyWithin(start + size.length, start, at);
    module.set(size, start);
    at += size.length;
  };
  keep(FRAME, 8);
  for (let section = take(FRAME, recent); section >= 0; section = take(FRAME, recent)) {
    module[at++] = section;
    const length = integer(FRAME);
    if (section !== FUNCTIONS) keep(FRAME, length);
    else for (let left = integer(FRAME); left > 0; left--) body();
  }
  return module.slice(0, at);
}

/** The module that streams are of. */
export function fromStreams(streams: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const taken = new Uint32Array(OPERATION);
  return assemble((stream) => {
    const from = [CODE, FRAME][stream - OPERATION] ?? stream;
    return streams[from]?.[(taken[from] as number)++];
  });
}
