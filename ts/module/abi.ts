// The numbers that both sides of the seam know. crate/src/host/abi.rs has the same ones, and
// crate/tests/abi.rs compares them: each is a line of its own, with a plain number or a bit.

// Bits of what a call is asked for.

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
/** The values go to the meter, in the module that has one. */
export const METER = 1 << 17;

// Bits of what the tile has room for beside what every row and class has.

/** Probabilities. */
export const PROBABILITIES = 1 << 0;
/** The stage. */
export const STAGE = 1 << 1;
/** Values, weights and scales for each logit instead of each row. */
export const ELEMENTS = 1 << 2;

// Areas of the tile, by their numbers; the last two are records of numbers behind them.

/** In: logits. Out: gradients. */
export const AREA_LOGITS = 0;
/** A probability for each logit; for losses on elements its target. */
export const AREA_PROBABILITIES = 1;
/**
 * Logits or probabilities class by class, on the way from or to memory that has the classes first.
 */
export const AREA_STAGE = 2;
/** A class index for each row. */
export const AREA_TARGETS = 3;
/** Out: a value for each row. */
export const AREA_VALUES = 4;
/** A weight for each row. */
export const AREA_ROW_WEIGHTS = 5;
/** A factor of each row's gradient. */
export const AREA_ROW_SCALES = 6;
/** A weight for each class; for losses on elements one for each column, in float64. */
export const AREA_WEIGHTS = 7;
/** A weight of the positive term for each column, in float64. */
export const AREA_POSITIVE_WEIGHTS = 8;
/** An exponent for each class, in float64. */
export const AREA_GAMMAS = 9;
/** The numbers of a loss. */
export const AREA_NUMBERS = 10;
/** The running numbers of a batch. */
export const AREA_TOTALS = 11;

// Sizes.

/** Rows that the tile has room for, if their logits are few enough. */
export const TILE_ROWS = 4096;
/** Float64 numbers that a sweep keeps of each sum. */
export const SWEEP_STATE = 4;
/** Float64 numbers that the weights of a sweep's block take, for each weighting. */
export const SWEEP_WEIGHTS = 64;
/** Multiples of ½ up to here are powers by multiplication; others take longer. */
export const LARGEST_PRODUCT = 8;
/**
 * Digits of 32 bits that an exact sum has, each in an integer of 64 bits. Two integers follow: how
 * many terms were NaN, and how many infinite.
 */
export const EXACT_DIGITS = 67;

// Forms of a softmax.

/** Probabilities. */
export const OUTPUT_PROBABILITIES = 0;
/** Their logarithms. */
export const OUTPUT_LOGARITHMS = 1;
/** The probability of the likeliest class alone. */
export const OUTPUT_CONFIDENCE = 2;

// Weightings of a sweep that are no tables.

/** All rows weigh the same. */
export const WEIGHTING_EVEN = -1;
/** Rows weigh their probability of class 1; the next weighting is `OTHERS`. */
export const WEIGHTING_ONE = -2;
/** Rows weigh their probability of the other classes. */
export const WEIGHTING_OTHERS = -3;
/** As `ONE`, where the others weigh nothing. */
export const WEIGHTING_ONE_ALONE = -4;
/** As `OTHERS`, where class 1 weighs nothing. */
export const WEIGHTING_OTHERS_ALONE = -5;

// Places of the numbers of a loss in their record.

/** The focusing parameter. */
export const NUMBER_GAMMA = 0;
/** The label smoothing. */
export const NUMBER_LABEL_SMOOTHING = 1;
/** The weight of every class but 1. */
export const NUMBER_ALPHA_OTHER = 2;
/** The weight of class 1, or of positives. */
export const NUMBER_ALPHA_ONE = 3;
/** The factor of the positive term. */
export const NUMBER_POSITIVE_WEIGHT = 4;
/** The epsilon of poly-1. */
export const NUMBER_EPSILON = 5;
/** The target of what does not count. */
export const NUMBER_IGNORED = 6;
/** The upstream gradient. */
export const NUMBER_UPSTREAM = 7;
/** The denominator of the reduction. */
export const NUMBER_DENOMINATOR = 8;

// Places of the running numbers of a batch in their record.

/** The sum of the values of all rows since the last tile that did not continue another. */
export const TOTAL_VALUES = 0;
/** Rows that count, of those whose targets have been checked. */
export const TOTAL_ROWS = 1;
/** The weights of their classes, added up. */
export const TOTAL_WEIGHTS = 2;
