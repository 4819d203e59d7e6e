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
/** The loss is the asymmetric one. */
export const ASYMMETRIC = 1 << 18;

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
/** Float64 numbers in whose room those that are sorted are counted. */
export const SORT_COUNTS = 3072;

// Forms of a softmax.

/** Probabilities. */
export const OUTPUT_PROBABILITIES = 0;
/** Their logarithms. */
export const OUTPUT_LOGARITHMS = 1;
/** The probability of the likeliest class alone. */
export const OUTPUT_CONFIDENCE = 2;

// Elementary functions.

/** The natural logarithm. */
export const ELEMENTARY_LOG = 0;
/** The exponential of a number that is not above 0, less 1. */
export const ELEMENTARY_EXP_M1 = 1;

// Figures of rows, by their places: each has room for as many float64 numbers as the call says.

/** The probability of the likeliest class. */
export const FIGURE_CONFIDENCE = 0;
/** That class, as an integer of 32 bits. */
export const FIGURE_PREDICTED = 1;
/** Softmax: minus the logarithm of the confidence. */
export const FIGURE_NEG_LOG_CONFIDENCE = 2;
/** Softmax: the cross-entropy with the target. */
export const FIGURE_CROSS_ENTROPY = 3;
/** Softmax: the squared distance of the probabilities from the target. */
export const FIGURE_DISTANCE = 4;
/** Softmax: of two classes the log-odds of the second, NaN where there are none. */
export const FIGURE_SCORE = 5;
/** Softmax: in, the weights of the rows. */
export const FIGURE_WEIGHTS = 6;
/** Softmax: room for the kernel, a number for each class and one more. */
export const FIGURE_SCRATCH = 7;
/** Loss: the size of the gradient. */
export const FIGURE_GRADIENT = 2;
/** Loss: the focusing factor. */
export const FIGURE_FACTOR = 3;
/** Loss: the weight of the cross-entropy in it. */
export const FIGURE_WEIGHT = 4;
/** Loss: the class of the row, -1 where it does not count; an integer of 32 bits. */
export const FIGURE_LABEL = 5;

// Lists of rows, by their places in halves of float64 numbers: each has room for as many as the
// call says.

/** The losses of the rows that are added up, as float64 numbers. */
export const LIST_LOSS = 0;
/** The numbers of these rows; integers of 32 bits, as are those of the next two. */
export const LIST_NUMBER = 2;
/** The numbers of those that are overconfident. */
export const LIST_SURE = 3;
/** The numbers of rows that count and whose loss or gradient is not finite. */
export const LIST_NON_FINITE = 4;

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
/** The focusing parameter of negatives, of the asymmetric loss. */
export const NUMBER_GAMMA_NEGATIVE = 6;
/** The margin that comes off the probabilities of negatives. */
export const NUMBER_MARGIN = 7;
/** The target of what does not count. */
export const NUMBER_IGNORED = 8;
/** The upstream gradient. */
export const NUMBER_UPSTREAM = 9;
/** The denominator of the reduction. */
export const NUMBER_DENOMINATOR = 10;

// Places of the running numbers of a batch in their record.

/** The sum of the values of all rows since the last tile that did not continue another. */
export const TOTAL_VALUES = 0;
/** Rows that count, of those whose targets have been checked. */
export const TOTAL_ROWS = 1;
/** The weights of their classes, added up. */
export const TOTAL_WEIGHTS = 2;

// Places of what rows add up to under a loss, of those that count and whose loss and gradient are
// finite.

/** The number of those whose confidence is above the threshold. */
export const TALLY_SURE = 0;
/** The number of rows that count but whose loss or gradient is not finite. */
export const TALLY_NON_FINITE = 1;
/** The threshold. */
export const TALLY_THRESHOLD = 2;
/** The number of logits, of rows that count, that are not finite. */
export const TALLY_LOGITS = 3;
/** The number of rows that are added up. */
export const TALLY_ROWS = 4;
/** The number of those that are predicted right. */
export const TALLY_RIGHT = 5;
/** The number of those with a confidence above 1/2 besides. */
export const TALLY_EASY = 6;
/** Their losses. */
export const TALLY_EASY_LOSS = 7;
/** The number of overconfident rows that are predicted wrong. */
export const TALLY_SURE_AND_WRONG = 8;
/** The losses. */
export const TALLY_LOSS = 9;
/** The smallest of them. */
export const TALLY_LEAST_LOSS = 10;
/** The largest of them. */
export const TALLY_MOST_LOSS = 11;
/** The confidences. */
export const TALLY_CONFIDENCE = 12;
/** The smallest of them. */
export const TALLY_LEAST_CONFIDENCE = 13;
/** The largest of them. */
export const TALLY_MOST_CONFIDENCE = 14;
/** The focusing factors. */
export const TALLY_FACTOR = 15;
/** The weights. */
export const TALLY_WEIGHT = 16;
/** The squares of the weights. */
export const TALLY_SQUARES = 17;

// Places of what the rows of a class, or column, add up to.

/** Their number. */
export const GROUP_ROWS = 0;
/** The number of those that are predicted right. */
export const GROUP_RIGHT = 1;
/** The number of those whose class is 1. */
export const GROUP_ONES = 2;
/** Their losses. */
export const GROUP_LOSS = 3;
/** The sizes of their gradients. */
export const GROUP_GRADIENT = 4;

// Places of what decisions for classes add up to, each by the weight of its row.

/** The weights. */
export const DECISIONS_WEIGHT = 0;
/** Those of right decisions. */
export const DECISIONS_RIGHT = 1;
/** Those of wrong ones. */
export const DECISIONS_WRONG = 2;
/** The number of those without a probability. */
export const DECISIONS_NON_FINITE = 3;
/** The cross-entropies. */
export const DECISIONS_CROSS_ENTROPY = 4;
/** The squared distances from the targets. */
export const DECISIONS_DISTANCE = 5;

// Places of what the decisions of a bin of confidence add up to.

/** Their weights. */
export const BIN_WEIGHT = 0;
/** Their confidences. */
export const BIN_CONFIDENCE = 1;
/** The weights of right ones. */
export const BIN_RIGHT = 2;

// Places of what the rows of a class come to.

/** The weights of those of the class. */
export const COUNTS_SUPPORT = 0;
/** Those of them that are predicted to be. */
export const COUNTS_RIGHT = 1;
/** Those that are predicted to be, and are not. */
export const COUNTS_WRONG = 2;
/** 1 where the class is the target or the prediction of a row. */
export const COUNTS_OCCURS = 3;

// Places of what the rows of a class, and the others, come to in the order of their scores.

/** The number of rows of the class there are in all. */
export const RANKED_OWN = 0;
/** The number of others. */
export const RANKED_OTHERS = 1;
/** The number of rows of the class that have been passed, from the lowest score on. */
export const RANKED_OWN_PASSED = 2;
/** The number of others. */
export const RANKED_OTHERS_PASSED = 3;
/** Twice the number of pairs in which a row of the class comes behind another. */
export const RANKED_BEHIND = 4;
/** The sum over the rows of the class of their share in all rows with as high a score. */
export const RANKED_PRECISIONS = 5;
/** The sum over the others of their share in all rows with as low a score. */
export const RANKED_PRECISIONS_OF_OTHERS = 6;

// Places of what numbers above a threshold come to.

/** The threshold. */
export const ABOVE_THRESHOLD = 0;
/** Their sum. */
export const ABOVE_SUM = 1;
