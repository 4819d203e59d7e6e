// Data that was loaded for the workers of a pool: on shared memory, where all of them read it, or a
// copy, of which each is sent its part once.

import { define } from '../arrays/own.js';
import type { Logits, Targets } from '../arrays/tensor-types.js';
import { copyOf, lengthOf, type NumberArray } from '../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../arrays/types.js';
import {
  checkLength,
  checkLogits,
  checkNumClasses,
  checkOptions,
  checkSameShape,
  checkShape,
  checkTargets,
} from '../call/checks.js';
import { unpack } from '../call/tensor-like.js';
import { isOnShared, roomFor, Staging } from './staging.js';
import type { LoadedData, LoadOptions, PoolData } from './types.js';

/** The arrays of data that was loaded. */
export interface Held {
  /** Its number, of those of all pools. */
  readonly id: number;
  readonly logits: FloatArray;
  readonly targets: ClassIndices | FloatArray;
  readonly numClasses: number | undefined;
}

/** The arrays of an object of {@link load}, unless it is none. */
export let heldBy: (data: unknown) => Held | 'disposed' | undefined;

class Data implements LoadedData {
  #held: Held | undefined;
  readonly #free: (held: Held) => void;

  static {
    heldBy = (data) =>
      typeof data === 'object' && data !== null && #held in data
        ? (data.#held ?? 'disposed')
        : undefined;
  }

  constructor(held: Held, free: (held: Held) => void) {
    this.#held = held;
    this.#free = free;
    const { dispose } = Symbol as { readonly dispose?: symbol };
    if (dispose !== undefined) define(this, dispose, this.dispose);
  }

  dispose(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#free(held);
  }
}

let loaded = 0;

/** The form of the logits, as far as it is not the loss that says. */
const PLAIN = { columns: 0, channelsFirst: false };

/** Takes a batch, checked as far as can be without a loss. */
export function load(
  givenLogits: Logits,
  givenTargets: Targets,
  options: LoadOptions,
  isShared: boolean,
  free: (held: Held) => void,
): { data: PoolData; held: Held } {
  const given = checkOptions(options, ['numClasses']);
  const open = unpack(PLAIN, givenLogits, givenTargets, given.numClasses, undefined);
  const numClasses = checkNumClasses(open.numClasses, 1);
  checkLogits(open.logits);
  checkTargets(open.targets, true);
  const size = checkLength('logits', open.logits);
  const entries = checkLength('targets', open.targets);
  checkShapes(size, entries, numClasses);
  const { logits, targets } = isShared ? onShared(open) : copied(open);
  const held: Held = {
    id: loaded++,
    logits,
    targets: targets as ClassIndices | FloatArray,
    numClasses,
  };
  return { data: new Data(held, free) as LoadedData as PoolData, held };
}

interface Arrays {
  readonly logits: FloatArray;
  readonly targets: NumberArray;
}

function onShared({ logits, targets }: Arrays): Arrays {
  const room = [logits, targets].map((array) => (isOnShared(array) ? 0 : roomFor(array)));
  const staging = new Staging(new SharedArrayBuffer(room.reduce((sum, bytes) => sum + bytes)));
  return { logits: staging.share(logits), targets: staging.share(targets) };
}

function copied({ logits, targets }: Arrays): Arrays {
  const copy = <A extends NumberArray>(array: A) => copyOf(array, 0, lengthOf(array));
  return { logits: copy(logits), targets: copy(targets) };
}

/** There is a target for each logit, or for each row. */
function checkShapes(size: number, entries: number, numClasses: number | undefined): void {
  if (size === entries) checkSameShape(size, entries, numClasses);
  else checkShape(size, entries, numClasses);
}
