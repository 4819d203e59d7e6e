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
  /** Of the sum of `loss`. */
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
