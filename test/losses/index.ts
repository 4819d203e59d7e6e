import { readdirSync } from 'node:fs';
import * as library from 'focal-loss';
import type { LossTests } from './loss-tests.js';

export type { AnyCriterion, AnyLoss, LossTests } from './loss-tests.js';

/** Every loss of the package, for the tests of all losses. Each has a file here to itself. */
export const LOSSES: readonly LossTests[] = (
  await Promise.all(
    readdirSync(new URL('.', import.meta.url))
      .filter((file) => !/^(?:index|loss-tests)\.|\.test\./.test(file))
      .map((file) => import(/* @vite-ignore */ `./${file}`) as Promise<Record<string, LossTests>>),
  )
).flatMap((module) => Object.values(module));

/** The losses that the package exports, by the names of their classes. */
export const EXPORTED = Object.entries(library)
  .filter(
    ([, value]) => typeof value === 'function' && value.prototype instanceof library.Criterion,
  )
  .map(([name]) => name);
