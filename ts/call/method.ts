// The methods of criteria, as a call knows them.

import { GAMMA_GRAD, GAUSS_NEWTON, HESSIAN } from '../module/abi.js';
import type { Batch } from './batch.js';
import { FORWARD_OPTIONS, GRADIENT_OPTIONS, HESSIAN_OPTIONS } from './options.js';

/** A kernel that takes the place of that of the loss. */
export interface OwnKernel {
  /** Puts into the module's memory what the kernel looks for there. */
  prepare(): void;
  /**
   * Runs over rows of the batch, whose logits and targets lie at these addresses. Returns the first
   * row whose target is not a class, or -1.
   */
  run(batch: Batch, logits: number, targets: number, rows: number, flags: number): number;
}

/** The things that a method of a criterion asks for. */
export interface Method {
  /** The names of its options. */
  readonly options: readonly string[];
  /** The bits that tell the kernel what is asked for. */
  readonly flags: number;
  readonly wantsValue: boolean;
  /** True where it wants a result of the shape of the logits. */
  readonly wantsGrad: boolean;
  /** The name of the option that says where that goes. */
  readonly buffer: 'grad' | 'out';
  /** The reason why targets cannot be probabilities, if there is one. */
  readonly indicesOnly: string | undefined;
  readonly kernel: OwnKernel | undefined;
  /**
   * Takes what else the kernel has left in the module, once it has run over all rows, of which
   * there is one or more.
   */
  readonly collect: ((batch: Batch) => void) | undefined;
}

const plain = {
  flags: 0,
  buffer: 'grad',
  indicesOnly: undefined,
  kernel: undefined,
  collect: undefined,
} as const;

export const FORWARD: Method = {
  ...plain,
  options: FORWARD_OPTIONS,
  wantsValue: true,
  wantsGrad: false,
};
export const BACKWARD: Method = {
  ...plain,
  options: GRADIENT_OPTIONS,
  wantsValue: false,
  wantsGrad: true,
};
export const VALUE_AND_GRAD: Method = {
  ...plain,
  options: GRADIENT_OPTIONS,
  wantsValue: true,
  wantsGrad: true,
};
export const HESSIAN_DIAG: Method = {
  ...plain,
  options: HESSIAN_OPTIONS,
  flags: HESSIAN,
  wantsValue: false,
  wantsGrad: true,
  buffer: 'out',
  indicesOnly: 'for hessianDiag',
};
export const GAUSS_NEWTON_DIAG: Method = { ...HESSIAN_DIAG, flags: HESSIAN | GAUSS_NEWTON };
export const GAMMA_GRADIENT: Method = {
  ...FORWARD,
  flags: GAMMA_GRAD,
  indicesOnly: 'for gammaGrad',
};
