/**
 * The probabilities that fixed logits, made from integers alone, stand for under the losses, hashed
 * bit by bit. The file imports nothing but the package and the hash, so that any runtime can run
 * it.
 */

import * as library from '../../dist/analysis.js';
import { generator, Hash } from './battery.ts';

const SCALES = [2 ** -13, 2 ** -9, 2 ** -5];

/** The losses for so many classes. */
function criteria(classes: number) {
  const weights = Array.from({ length: classes }, (_, j) => (1 + (j % 4)) / 4);
  const losses = [];
  for (const focusOn of ['smoothed', 'target', 'class'] as const)
    for (const labelSmoothing of [0, 0.1])
      for (const gamma of [0, 0.5, 2, 2.2]) {
        losses.push(new library.FocalLoss({ alpha: weights, gamma, labelSmoothing, focusOn }));
        losses.push(new library.PolyFocalLoss({ gamma, labelSmoothing, focusOn }));
      }
  const gamma = weights.map((weight) => 4 * weight);
  losses.push(new library.FocalLoss({ gamma }), new library.FocalLoss({ alpha: null }));
  losses.push(new library.CrossEntropyLoss({ weight: weights, labelSmoothing: 0.1 }));
  return losses;
}

/** Those under the asymmetric loss. */
function* ofAsymmetric(logits: Float32Array | Float64Array): Generator<Iterable<number>> {
  for (const [gammaPositive, gammaNegative, margin] of [
    [1, 4, 0.05],
    [0, 2.7, 0],
    [1.3, 0, 0.5],
  ]) {
    const options = { gammaPositive, gammaNegative, margin };
    const asymmetric = new library.AsymmetricLoss(options);
    const centred = logits.map((x, i) => (i % 2 === 0 ? x : -x));
    yield library.posterior(centred, asymmetric);
    yield library.posterior(centred, asymmetric, {
      priors: { training: 0.5, deployment: 0.1 },
    });
  }
}

/** The results of all calls. */
function* results(): Generator<Iterable<number>> {
  for (const Type of [Float32Array, Float64Array])
    for (const classes of [2, 3, 4, 5, 17, 130])
      for (const scale of SCALES) {
        const next = generator(classes);
        const draw = () => ((next() >>> 8) % 65536) * scale;
        const logits = new Type(Array.from({ length: 9 * classes }, draw));
        const priors = {
          training: Array.from({ length: classes }, (_, j) => 1 + (j % 3)),
          deployment: Array.from({ length: classes }, (_, j) => 1 + (j % 5)),
        };
        for (const criterion of criteria(classes)) {
          yield library.posterior(logits, criterion, { numClasses: classes });
          yield library.posterior(logits, criterion, { numClasses: classes, priors });
        }
        for (const [gamma, labelSmoothing] of [
          [0, 0],
          [2, 0.1],
          [2.2, 0],
        ] as const) {
          const sigmoid = new library.SigmoidFocalLoss({ gamma, labelSmoothing, posWeight: 3 });
          yield library.posterior(logits, sigmoid);
          yield library.posterior(
            logits.map((x) => -x),
            sigmoid,
            { priors: { training: 0.5, deployment: 0.1 } },
          );
        }
        yield* ofAsymmetric(logits);
      }
}

/** The hash of all results. */
export function hashOfPosteriors(): string {
  const hash = new Hash();
  for (const result of results()) for (const number of result) hash.add(number);
  return hash.toString();
}
