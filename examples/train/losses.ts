import { FocalLoss } from 'focal-loss';

export interface NamedLoss {
  readonly name: string;
  readonly criterion: FocalLoss;
}

/**
 * Focal loss, and what to compare it with: the same without focusing (gamma 0), with and without
 * the class weights.
 */
export function comparedLosses(alpha: number, gamma: number): NamedLoss[] {
  return [
    { name: 'Cross-entropy', criterion: new FocalLoss({ alpha: null, gamma: 0 }) },
    { name: 'Weighted cross-entropy', criterion: new FocalLoss({ alpha, gamma: 0 }) },
    { name: 'Focal loss', criterion: new FocalLoss({ alpha, gamma }) },
  ];
}
