import { FocalLoss } from 'focal-loss/analysis';
import { Adam, Classifier } from '../../../train/model.js';
import { Random } from '../../../train/random.js';
import type { LossSettings } from '../data/analyse.js';
import type { Batch } from '../data/batch.js';

/** Patients that the network learns from, and others that its logits are shown of. */
const LEARNED = 1500;
const SHOWN = 4000;
/** One patient in so many is of class 1. */
const ONE_IN = 10;
/** By how much each measurement is higher in class 1, of a deviation of 1. */
const LEADS = [1, 0.8, 0.6, 0.4, 0, 0];
const HIDDEN = 6;
const RATE = 0.03;
const STEPS = 120;

/**
 * The logits of a small network for patients that it has not seen, of whom one in ten is ill,
 * trained here and now with a loss. They are the same each time.
 */
export function makeCohort({ alpha, gamma, smoothing }: LossSettings): Batch {
  const random = new Random(11);
  const learned = measure(random, LEARNED);
  const shown = measure(random, SHOWN);
  const criterion = new FocalLoss({ alpha, gamma, labelSmoothing: smoothing });
  const model = new Classifier(LEADS.length, HIDDEN, 2, random);
  const optimizer = new Adam(model.parameters, RATE);
  for (let step = 0; step < STEPS; step++) {
    const { grad } = criterion.valueAndGrad(model.forward(learned.features), learned.targets);
    model.backward(grad as Float32Array);
    optimizer.step();
  }
  return {
    title: 'built-in data',
    logits: model.forward(shown.features) as Float32Array<ArrayBuffer>,
    targets: shown.targets,
    classes: 2,
    columns: 2,
    names: ['healthy', 'ill'],
  };
}

function measure(random: Random, rows: number) {
  const targets = Int32Array.from({ length: rows }, (_, row) => Number(row % ONE_IN === 0));
  const features = new Float32Array(rows * LEADS.length);
  for (let i = 0; i < features.length; i++) {
    const isIll = targets[Math.floor(i / LEADS.length)] === 1;
    features[i] = random.normal() + (isIll ? LEADS[i % LEADS.length] : 0);
  }
  return { features, targets };
}
