import { readFileSync } from 'node:fs';

export interface GoldenCase {
  classes: number;
  alpha: number | number[] | null;
  gamma: number;
  labelSmoothing: number;
  logits: number[][];
  targets: number[];
  /** Per row. */
  loss: number[];
  /** The gradient of the sum of `loss`. */
  grad: number[][];
}

/** Targets are class indices, or where `soft` probabilities. */
export interface FamilyCase extends Omit<GoldenCase, 'targets'> {
  focusOn?: 'smoothed' | 'target' | 'class';
  soft?: boolean;
  targets: number[] | number[][];
}

export interface SecondCase extends Omit<GoldenCase, 'grad'> {
  hessianDiag: number[][];
  gammaGrad: number[];
}

export interface SigmoidCase {
  classes?: number;
  alpha: number | number[] | null;
  gamma: number;
  posWeight?: number | number[] | null;
  labelSmoothing?: number;
  logits: number[];
  targets: number[];
  loss: number[];
  grad: number[];
}

export interface CrossEntropyCase {
  classes: number;
  weight: number[] | null;
  labelSmoothing: number;
  reduction: 'mean' | 'sum' | 'none';
  soft: boolean;
  ignoreIndex: number | null;
  logits: number[][];
  targets: number[] | number[][];
  loss: number | number[];
  /** The gradient of the reduced value. */
  grad: number[][];
}

export interface ReferenceResult {
  loss: number | number[];
  grad: number[][];
}

export interface ReferenceCase {
  C: number;
  alpha: number;
  gamma: number;
  label_smoothing: number;
  reduction: 'mean' | 'sum' | 'none';
  logits: number[][];
  targets: number[];
  f64: ReferenceResult;
  f32: ReferenceResult;
}

/** The cases of test/golden/`name`.json. */
export function golden<Case = GoldenCase>(name: string): Case[] {
  return JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), 'utf8')).cases;
}

/**
 * The targets of a case as the losses take them: in the integers, or where they are probabilities
 * in floats.
 */
export function targetsOf(targets: number[] | number[][], soft = false): Int32Array | Float64Array {
  return soft ? Float64Array.from(targets.flat()) : Int32Array.from(targets.flat());
}

/** The largest entry by size, which the errors of soft rows are measured by. */
export function largestOf(row: number[]): number {
  return Math.max(...row.map(Math.abs));
}
