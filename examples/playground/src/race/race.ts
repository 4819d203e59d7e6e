// Two networks that are alike but for their loss, trained side by side.

import {
  CrossEntropyLoss,
  classificationReport,
  diagnose,
  FocalLoss,
  type SoftmaxCriterion,
} from 'focal-loss/analysis';
import { Adam, Classifier } from '../../../train/model.js';
import { Random } from '../../../train/random.js';
import { type Cloud, EXTENT, makeCloud } from './cloud.js';

export interface RaceSettings {
  readonly seed: number;
  /** Rows of class 1, in per cent. */
  readonly rare: number;
  readonly alpha: number;
  readonly gamma: number;
  readonly smoothing: number;
}

/**
 * The progress of a network. All but the gradient's share is about rows that it does not learn
 * from.
 */
export interface Standing {
  readonly accuracy: number;
  readonly recall: number;
  readonly precision: number;
  readonly f1: number;
  /** The share of each class in the gradient. */
  readonly gradientShares: readonly number[];
}

const ROWS = 600;
const TEST_ROWS = 3000;
const BATCH = 50;
const HIDDEN = 12;
const RATE = 0.01;
/** Points in each direction at which a network is asked for its decision. */
export const GRID = 52;
/**
 * From where to where: beyond what is looked at, so that no line between the classes is closed
 * along its edge.
 */
export const REACH = 1.08 * EXTENT;

/** One of the two. */
export class Runner {
  readonly name: string;
  /** One for each epoch, and one before the first. */
  readonly standings: Standing[] = [];
  readonly #criterion: SoftmaxCriterion;
  readonly #model: Classifier;
  readonly #optimizer: Adam;

  constructor(name: string, criterion: SoftmaxCriterion, seed: number) {
    this.name = name;
    this.#criterion = criterion;
    this.#model = new Classifier(2, HIDDEN, 2, new Random(seed));
    this.#optimizer = new Adam(this.#model.parameters, RATE);
  }

  learn({ points, targets }: Cloud): void {
    const logits = this.#model.forward(points);
    const { grad } = this.#criterion.valueAndGrad(logits, targets);
    this.#model.backward(grad as Float32Array);
    this.#optimizer.step();
  }

  judge(train: Cloud, test: Cloud): void {
    const report = classificationReport(this.#model.forward(test.points), test.targets, {
      auc: false,
    });
    const { recall, precision, f1 } = report.classes[1];
    const { classes } = diagnose(this.#model.forward(train.points), train.targets, this.#criterion);
    const gradientShares = classes.map(({ gradientShare }) => gradientShare);
    this.standings.push({ accuracy: report.accuracy, recall, precision, f1, gradientShares });
  }

  /** By how much class 1 is preferred at each point of a grid, from the lower left, row by row. */
  preferences(): Float64Array {
    const logits = this.#model.forward(GRID_POINTS);
    return Float64Array.from({ length: GRID * GRID }, (_, i) => logits[2 * i + 1] - logits[2 * i]);
  }
}

const GRID_POINTS = Float32Array.from({ length: 2 * GRID * GRID }, (_, i) => {
  const point = i >> 1;
  const step = i % 2 === 0 ? point % GRID : Math.floor(point / GRID);
  return REACH * ((2 * step + 1) / GRID - 1);
});

export class Race {
  readonly train: Cloud;
  readonly runners: readonly [Runner, Runner];
  readonly #test: Cloud;
  readonly #order: Int32Array;
  readonly #random: Random;

  constructor({ seed, rare, alpha, gamma, smoothing }: RaceSettings) {
    this.#random = new Random(seed);
    this.train = makeCloud(this.#random, ROWS, rare / 100);
    this.#test = makeCloud(this.#random, TEST_ROWS, rare / 100);
    this.#order = Int32Array.from({ length: ROWS }, (_, row) => row);
    this.runners = [
      new Runner('cross-entropy', new CrossEntropyLoss(), seed),
      new Runner('focal loss', new FocalLoss({ alpha, gamma, labelSmoothing: smoothing }), seed),
    ];
    this.#judge();
  }

  /** The epochs that have been run. */
  get epoch(): number {
    return this.runners[0].standings.length - 1;
  }

  /** Runs an epoch: both see the same batches. */
  step(): void {
    this.#random.shuffle(this.#order);
    for (let from = 0; from < ROWS; from += BATCH) {
      const batch = pick(this.train, this.#order.subarray(from, from + BATCH));
      for (const runner of this.runners) runner.learn(batch);
    }
    this.#judge();
  }

  #judge(): void {
    for (const runner of this.runners) runner.judge(this.train, this.#test);
  }
}

function pick({ points, targets }: Cloud, rows: Int32Array): Cloud {
  return {
    points: Float32Array.from(
      { length: 2 * rows.length },
      (_, i) => points[2 * rows[i >> 1] + (i % 2)],
    ),
    targets: Uint8Array.from(rows, (row) => targets[row]),
  };
}
