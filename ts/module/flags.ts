// What a kernel is asked for, as bits. They are the same in crate/src/bindings.rs.

/** The alpha area holds one weight per class, or per column. */
export const ALPHA_PER_CLASS = 1 << 0;
/** The gammas area holds one exponent per class. */
export const GAMMA_PER_CLASS = 1 << 1;
export const FOCUS_TARGET = 1 << 2;
export const FOCUS_CLASS = 1 << 3;
/** There is an index of what to ignore. */
export const IGNORE = 1 << 4;
/** The row weights area holds a factor of each row's value and gradient. */
export const ROW_WEIGHTS = 1 << 5;
/** The row scales area holds a factor of each row's gradient. */
export const ROW_SCALES = 1 << 6;
/** The targets are the probabilities in the soft area. */
export const SOFT = 1 << 7;
/** Write the value of each row. */
export const VALUES = 1 << 8;
/** The rows are in float64. */
export const FLOAT64 = 1 << 9;
/** Add to the totals of the tile before. */
export const CONTINUES = 1 << 10;
/** The gradient is the diagonal of the Hessian instead. */
export const HESSIAN = 1 << 11;
/** With HESSIAN: its Gauss-Newton part alone. */
export const GAUSS_NEWTON = 1 << 12;
/** The values are derivatives with respect to gamma. */
export const GAMMA_GRAD = 1 << 13;
/** The positive weights area holds one per column. */
export const POS_WEIGHT_PER_COLUMN = 1 << 14;
/** No weights: neither those of the alpha area, nor alpha and 1 - alpha. */
export const NO_ALPHA = 1 << 15;
/** The loss is the cross-entropy. */
export const CROSS_ENTROPY = 1 << 16;

// What room is made for beside the logits and what there is of per row and per class, as bits.

/** Probabilities. */
export const PROBABILITIES = 1 << 0;
/** The stage. */
export const STAGE = 1 << 1;
/** What there is of per row, for every logit. */
export const ELEMENTS = 1 << 2;
