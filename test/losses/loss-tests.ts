// A loss as the tests of all losses know it.

import fc from 'fast-check';
import type { Criterion, Reduction } from 'focal-loss';
import type { Call } from '../property/calls.js';
import type { AnyCall } from '../property/draws.js';
import type { Dtype } from '../support/dtypes.js';

/** A criterion as all losses make it. */
export type AnyCriterion<R extends Reduction = Reduction> = Criterion<R> & {
  with(changes: object): AnyCriterion<Reduction>;
};

export type AnyLoss = new (options?: object) => AnyCriterion;

/** A case of options that are refused: a title, the options, the error and its message. */
export type Refused = [string, unknown, ErrorConstructor, string];

/** The options of a criterion that takes a way of its own through the code. */
export interface Form {
  readonly name: string;
  readonly options: object;
  /** True for losses with probability targets. */
  readonly isSoft?: boolean;
}

/** All that the tests of a loss need to know, beside what they find out from its criteria. */
export interface LossTests {
  readonly name: string;
  readonly Loss: AnyLoss;
  /** True where each logit is a row by itself, with a target of its own. */
  readonly isSigmoid: boolean;
  /** The options that not all losses have, as they are when they are left out, in their order. */
  readonly defaults: Record<string, unknown>;
  /** Other values for most of them, for two classes. */
  readonly others: Record<string, unknown>;
  /** Options that are refused by this loss, in ways that not all losses have. */
  readonly refused: readonly Refused[];
  /** Its forms, given a weight for each class. */
  forms(perClass: readonly number[]): readonly Form[];
  /**
   * The golden vectors in test/golden: of each file, the number of its cases. A case has the
   * options of the loss, and `classes`, `logits`, `targets`, the `loss` of each row, their `grad`,
   * and where targets are probabilities `soft`.
   */
  readonly golden: Readonly<Record<string, number>>;
  /** The draws for calls of property tests. */
  readonly calls: fc.Arbitrary<AnyCall>;
  /** The call of a draw, and what an oracle says of it. */
  makeCall(dtype: Dtype, drawn: AnyCall): Call;
}

interface Described<R> extends Omit<LossTests, 'Loss' | 'isSigmoid' | 'calls' | 'makeCall'> {
  readonly Loss: new (options?: never) => Criterion;
  readonly calls: { [Name in keyof R]: fc.Arbitrary<R[Name]> };
  makeCall(dtype: Dtype, drawn: R): Call;
}

export function lossTests<R extends AnyCall>({ makeCall, ...described }: Described<R>): LossTests {
  const Loss = described.Loss as unknown as AnyLoss;
  return {
    ...described,
    Loss,
    isSigmoid: !('layout' in new Loss()),
    calls: fc.record(described.calls) as fc.Arbitrary<R>,
    makeCall: makeCall as LossTests['makeCall'],
  };
}
