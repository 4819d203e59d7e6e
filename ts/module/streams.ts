// A WebAssembly module as four streams of bytes: what repeats in its code is found by what
// compresses it only where numbers that differ from function to function lie elsewhere.
// scripts/build/embedded-text.ts takes the module apart by the same walk.
//
// | stream    | what of the module                                                  |
// |-----------|---------------------------------------------------------------------|
// | code      | all that is in no other                                             |
// | locals    | the indices of local variables                                      |
// | offsets   | the offsets of what reads and writes memory                         |
// | constants | of floating-point numbers and vectors, and the lanes of shuffles    |

const CODE = 0;
const LOCALS = 1;
const OFFSETS = 2;
const CONSTANTS = 3;

/** The number of streams. */
export const STREAMS = 4;

/** The section of a module that its functions lie in. */
const FUNCTIONS = 10;

/** The byte before an instruction on vectors, whose numbers begin at 0x100 here. */
const VECTORS = 0xfd;

/** The kinds of what follows an instruction; a number from 4 to 16 is one of bytes of constants. */
const INTEGER = 1;
const LOCAL = 2;
const PLACE = 3;
const PLACE_AND_LANE = 17;
const TABLE = 18;

/** The instructions that something follows: the first and the last of a run, and what. */
const RUNS = [
  [0x02, 0x04, INTEGER],
  [0x0c, 0x0d, INTEGER],
  [0x0e, 0x0e, TABLE],
  [0x10, 0x10, INTEGER],
  [0x20, 0x22, LOCAL],
  [0x23, 0x24, INTEGER],
  [0x28, 0x3e, PLACE],
  [0x3f, 0x42, INTEGER],
  [0x43, 0x43, 4],
  [0x44, 0x44, 8],
  [0xfc, 0xfc, INTEGER],
  [0x100, 0x10b, PLACE],
  [0x10c, 0x10d, 16],
  [0x115, 0x122, INTEGER],
  [0x154, 0x15b, PLACE_AND_LANE],
  [0x15c, 0x15d, PLACE],
] as const;

/**
 * Goes through a module of `size` bytes in their order. `next` moves one, which belongs to a
 * stream, and returns it. The instructions are those that the module is made of. After any other
 * the walk is out of step, and compression is worse; yet what was taken apart is put together by
 * the same walk, and nothing is lost.
 */
export function walkModule(size: number, next: (stream: number) => number): void {
  const following = new Uint8Array(0x200);
  for (const [first, last, what] of RUNS) following.fill(what, first, last + 1);
  let at = 0;
  const bytes = (count: number, stream: number) => {
    at += count;
    for (let i = 0; i < count; i++) next(stream);
  };
  const integer = (stream: number) => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const digit = next(stream);
      at++;
      value |= (digit & 127) << shift;
      if (digit < 128) return value;
    }
  };
  const integers = (count: number) => {
    for (let i = 0; i < count; i++) integer(CODE);
  };
  const instruction = () => {
    const code = next(CODE);
    at++;
    const what = following[code === VECTORS ? 0x100 + integer(CODE) : code] ?? 0;
    switch (what) {
      case LOCAL:
        integer(LOCALS);
        break;
      case INTEGER:
        integer(CODE);
        break;
      case PLACE:
      case PLACE_AND_LANE:
        integer(CODE);
        integer(OFFSETS);
        if (what === PLACE_AND_LANE) integer(CODE);
        break;
      case TABLE:
        integers(integer(CODE) + 1);
        break;
      default:
        bytes(what, CONSTANTS);
    }
  };
  bytes(8, CODE);
  while (at < size) {
    const section = integer(CODE);
    const length = integer(CODE);
    if (section !== FUNCTIONS) {
      bytes(length, CODE);
      continue;
    }
    for (let left = integer(CODE); left > 0; left--) {
      const body = integer(CODE);
      const end = at + body;
      // Local variables: how many, and of which type.
      integers(2 * integer(CODE));
      while (at < end) instruction();
    }
  }
}

/** The module that streams are of. */
export function fromStreams(streams: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const module = new Uint8Array(streams.reduce((sum, { length }) => sum + length, 0));
  const taken = new Uint32Array(STREAMS);
  let at = 0;
  walkModule(module.length, (stream) => {
    const byte = (streams[stream] as Uint8Array)[(taken[stream] as number)++] as number;
    module[at++] = byte;
    return byte;
  });
  return module;
}
