import { readOptions } from '../../arrays/own.js';
import { kindOf, lengthOf } from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray, Layout } from '../../arrays/types.js';
import type { SigmoidCriterion } from '../criteria/criterion.js';
import { type AnyCriterion, nameOf, wrongLoss } from '../criteria/own-criterion.js';
import type { RowOptions } from '../rows/rows.js';
import { type Logits, opened, type Targets } from '../rows/tensors.js';

/** A batch as its options and its criterion say. */
export interface JudgedBatch {
  readonly logits: FloatArray;
  readonly targets: ClassIndices | FloatArray;
  readonly options: RowOptions;
  /** True where each logit is that of a label, of which a row has several. */
  readonly isMultiLabel: boolean;
}

/**
 * Refuses a loss on yes-or-no logits where rows of one class have several logits each, by the name
 * of the argument that it is.
 */
export function checkKind(
  argument: string,
  { logits, targets, isMultiLabel }: JudgedBatch,
  criterion: AnyCriterion | undefined,
): void {
  if (criterion === undefined || !OF_SIGMOIDS.includes(nameOf(criterion, argument))) return;
  if (isMultiLabel || kindOf(logits) === undefined || kindOf(targets) === undefined) return;
  const [size, rows] = [lengthOf(logits), lengthOf(targets)];
  if (rows > 0 && rows < size && size % rows === 0) throw wrongLoss(argument, SEVERAL, criterion);
}

/** The losses of rows that have several logits. */
export const SEVERAL = 'a loss on softmax logits where rows have several';

/** The losses whose logits are yes or no each by itself. */
const OF_SIGMOIDS: readonly string[] = ['SigmoidFocalLoss', 'AsymmetricLoss'];

/** Everything that a criterion says of logits and targets. */
interface Said extends AnyCriterion, Pick<SigmoidCriterion, 'alpha' | 'posWeight'> {
  readonly layout: Layout;
}

const SAID: readonly (keyof Said)[] = ['numClasses', 'ignoreIndex', 'layout', 'alpha', 'posWeight'];

/** The number of labels of a loss that has something for each of them. */
function columnsOf({ alpha, posWeight }: Partial<Said>): number | undefined {
  return [alpha, posWeight].find((numbers) => typeof numbers === 'object' && numbers !== null)
    ?.length;
}

/** The options of rows as they are given, or else as the criterion says. */
export function rowOptionsOf(given: RowOptions & { criterion?: AnyCriterion | undefined }): {
  readonly asked: RowOptions;
  readonly isSigmoid: boolean;
} {
  const said: Partial<Said> = given.criterion ?? {};
  const criterion = readOptions(said, SAID);
  const isSigmoid = given.criterion !== undefined && OF_SIGMOIDS.includes(nameOf(given.criterion));
  const asked: RowOptions = {
    numClasses:
      given.numClasses ?? criterion.numClasses ?? (isSigmoid ? columnsOf(criterion) : undefined),
    ignoreIndex: given.ignoreIndex ?? criterion.ignoreIndex,
    layout: given.layout ?? criterion.layout,
    spatialSize: given.spatialSize,
  };
  return { asked, isSigmoid };
}

/** Opens a batch. What the options leave out, the criterion may say. */
export function openBatch(
  givenLogits: Logits,
  givenTargets: Targets,
  given: RowOptions & { criterion?: AnyCriterion | undefined },
): JudgedBatch {
  const { asked, isSigmoid } = rowOptionsOf(given);
  const { logits, targets, options } = opened(
    givenLogits,
    givenTargets,
    asked,
    asked.layout,
    isSigmoid ? 1 : 0,
  );
  const { numClasses = isSigmoid ? 1 : undefined } = options;
  const isMultiLabel = isSigmoid && numClasses !== 1;
  if (isMultiLabel && (given.layout === 'channels-first' || given.spatialSize !== undefined)) {
    throw new TypeError('layout and spatialSize are for rows of one class each, not for labels');
  }
  return { logits, targets, options: { ...options, numClasses }, isMultiLabel };
}
