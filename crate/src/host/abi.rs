//! The numbers that both sides of the seam know. `ts/module/abi.ts` has the same ones, and
//! `tests/abi.rs` compares them.

/// Defines numbers, and a list of them by the names that TypeScript has for them.
macro_rules! shared {
    ($prefix:literal $type:ty { $($(#[$doc:meta])* $name:ident = $value:expr;)* }) => {
        $($(#[$doc])* pub const $name: $type = $value;)*
        /// All of them, by the names that TypeScript has for them.
        pub const ALL: &[(&str, i64)] = &[$((concat!($prefix, stringify!($name)), $name as i64)),*];
    };
}

/// Defines a record of float64 numbers in memory, and a list of their places.
macro_rules! record {
    ($prefix:literal $(#[$outer:meta])* $record:ident { $($(#[$doc:meta])* $name:ident,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, Default)]
        #[repr(C)]
        pub struct $record { $($(#[$doc])* pub $name: f64,)* }

        impl $record {
            /// All of them 0.
            #[allow(dead_code, reason = "records of a host's memory begin as its zeros")]
            pub(super) const ZERO: Self = Self { $($name: 0.0),* };
            /// The place of each number, by the names that TypeScript has for them.
            pub const ALL: &[(&str, i64)] = &[
                $((concat!($prefix, stringify!($name)), (core::mem::offset_of!($record, $name) / 8) as i64)),*
            ];
        }
    };
}

/// The requests of a call, as bits of a number.
pub mod flag {
    shared! { "" u32 {
        /// Each class, or column, has a weight.
        ALPHA_PER_CLASS = 1 << 0;
        /// Each class has a γ.
        GAMMA_PER_CLASS = 1 << 1;
        /// The focusing looks at the target's own probability.
        FOCUS_TARGET = 1 << 2;
        /// Every class is focused by itself.
        FOCUS_CLASS = 1 << 3;
        /// The number of what to ignore is meant.
        IGNORE = 1 << 4;
        /// Each row has a weight.
        ROW_WEIGHTS = 1 << 5;
        /// Each row has a factor for its gradient.
        ROW_SCALES = 1 << 6;
        /// The targets are probabilities.
        SOFT = 1 << 7;
        /// The value of each row is wanted.
        VALUES = 1 << 8;
        /// The rows are in float64.
        FLOAT64 = 1 << 9;
        /// The rows follow those of the call before.
        CONTINUES = 1 << 10;
        /// The gradient is the diagonal of the Hessian instead.
        HESSIAN = 1 << 11;
        /// The Hessian is the Gauss-Newton approximation.
        GAUSS_NEWTON = 1 << 12;
        /// The values are their derivatives with respect to γ instead.
        GAMMA_GRAD = 1 << 13;
        /// Each column has a weight of its positives.
        POS_WEIGHT_PER_COLUMN = 1 << 14;
        /// Nothing is weighed by alpha.
        NO_ALPHA = 1 << 15;
        /// The loss is the cross-entropy.
        CROSS_ENTROPY = 1 << 16;
        /// The values go to the meter, in the module that has one.
        METER = 1 << 17;
        /// The loss is the asymmetric one.
        ASYMMETRIC = 1 << 18;
    } }
}

/// The further room of a tile beside that for every row and class, as bits of a number.
pub mod extra {
    shared! { "" u32 {
        /// A probability for each logit.
        PROBABILITIES = 1 << 0;
        /// The stage.
        STAGE = 1 << 1;
        /// Values, weights and scales for each logit instead of each row.
        ELEMENTS = 1 << 2;
    } }
}

/// The areas of a tile, and the records behind them.
pub mod area {
    shared! { "AREA_" usize {
        /// In: logits. Out: gradients.
        LOGITS = 0;
        /// A probability for each logit; for losses on elements its target.
        PROBABILITIES = 1;
        /// Logits and gradients with the classes first.
        STAGE = 2;
        /// A class index for each row.
        TARGETS = 3;
        /// Out: a value for each row.
        VALUES = 4;
        /// A weight for each row.
        ROW_WEIGHTS = 5;
        /// A factor for each row's gradient.
        ROW_SCALES = 6;
        /// A weight for each class; for losses on elements one for each column, in float64.
        WEIGHTS = 7;
        /// A weight of the positives for each column, in float64.
        POSITIVE_WEIGHTS = 8;
        /// A γ for each class, in float64.
        GAMMAS = 9;
        /// The [`Numbers`](super::Numbers).
        NUMBERS = 10;
        /// The [`Totals`](super::Totals).
        TOTALS = 11;
    } }

    /// Number of areas that lie in the tile.
    pub const COUNT: usize = NUMBERS;
}

/// Sizes.
pub mod size {
    shared! { "" usize {
        /// Rows that a tile holds at most: their targets, values, weights and scales.
        TILE_ROWS = 4096;
        /// Float64 numbers that a sweep keeps of each sum.
        SWEEP_STATE = 4;
        /// Float64 numbers that the weights of a sweep's block take, for each weighting.
        SWEEP_WEIGHTS = 64;
        /// Multiples of ½ up to here are powers by multiplication; others take longer.
        LARGEST_PRODUCT = crate::loss::focusing::LARGEST_PRODUCT as usize;
        /// Digits of 32 bits that an exact sum has, each in an integer of 64 bits. Two integers
        /// follow: how many terms were NaN, and how many infinite.
        EXACT_DIGITS = 67;
        /// Float64 numbers in whose room those that are sorted are counted.
        SORT_COUNTS = 3072;
    } }
}

/// The form of a softmax, as a number.
pub mod output {
    shared! { "OUTPUT_" u32 {
        /// Their probabilities.
        PROBABILITIES = 0;
        /// The logarithms of these.
        LOGARITHMS = 1;
        /// The probability of the likeliest class alone.
        CONFIDENCE = 2;
    } }
}

/// An elementary function, as a number.
pub mod elementary {
    shared! { "ELEMENTARY_" u32 {
        /// The natural logarithm.
        LOG = 0;
        /// The exponential of a number that is not above 0, less 1.
        EXP_M1 = 1;
    } }
}

/// The places of figures of rows: one after the other, each with room for as many float64 numbers
/// as the host says.
pub mod figure {
    shared! { "FIGURE_" usize {
        /// The probability of the likeliest class.
        CONFIDENCE = 0;
        /// That class, as an integer of 32 bits.
        PREDICTED = 1;
        /// Softmax: minus the logarithm of the confidence.
        NEG_LOG_CONFIDENCE = 2;
        /// Softmax: the cross-entropy with the target.
        CROSS_ENTROPY = 3;
        /// Softmax: the squared distance of the probabilities from the target.
        DISTANCE = 4;
        /// Softmax: of two classes the log-odds of the second, NaN where there are none.
        SCORE = 5;
        /// Softmax: in, the weights of the rows.
        WEIGHTS = 6;
        /// Softmax: room for the kernel, a number for each class and one more.
        SCRATCH = 7;
        /// Loss: the size of the gradient.
        GRADIENT = 2;
        /// Loss: the focusing factor.
        FACTOR = 3;
        /// Loss: the weight of the cross-entropy in it.
        WEIGHT = 4;
        /// Loss: the class of the row, −1 where it does not count; an integer of 32 bits.
        LABEL = 5;
    } }
}

/// The places of lists of rows, in halves of float64 numbers: one after the other, each with room
/// for as many as the host says.
pub mod list {
    shared! { "LIST_" usize {
        /// The losses of the rows that are added up, as float64 numbers.
        LOSS = 0;
        /// The numbers of these rows; integers of 32 bits, as are those of the next two.
        NUMBER = 2;
        /// The numbers of those that are overconfident.
        SURE = 3;
        /// The numbers of rows that count and whose loss or gradient is not finite.
        NON_FINITE = 4;
    } }
}

/// The weightings of a sweep that are no tables, as a number.
pub mod weighting {
    shared! { "WEIGHTING_" i32 {
        /// All rows weigh the same.
        EVEN = -1;
        /// Rows weigh their probability of class 1; the next weighting is `OTHERS`.
        ONE = -2;
        /// Rows weigh their probability of the other classes.
        OTHERS = -3;
        /// As `ONE`, where the others weigh nothing.
        ONE_ALONE = -4;
        /// As `OTHERS`, where class 1 weighs nothing.
        OTHERS_ALONE = -5;
    } }
}

record! { "NUMBER_"
    /// The numbers that a loss is made of: as arguments, engines might have to allocate each.
    Numbers {
        /// Focusing parameter; of positives, where negatives have their own.
        gamma,
        /// ε.
        label_smoothing,
        /// Weight of every class but 1.
        alpha_other,
        /// Weight of class 1, or of positives.
        alpha_one,
        /// Factor of the positive term.
        positive_weight,
        /// The `ε` of poly-1.
        epsilon,
        /// Focusing parameter of negatives, of the asymmetric loss.
        gamma_negative,
        /// The margin that comes off the probabilities of negatives.
        margin,
        /// The target of what does not count.
        ignored,
        /// The upstream gradient.
        upstream,
        /// The divisor of it.
        denominator,
    }
}

record! { "TOTAL_"
    /// The running numbers of a batch.
    Totals {
        /// The sum of the values of all rows.
        values,
        /// Rows that count, of those whose targets have been checked.
        rows,
        /// The weights of their classes, added up.
        weights,
    }
}

record! { "TALLY_"
    /// What rows add up to under a loss, since zeros: of those that count and whose loss and
    /// gradient are finite.
    Tally {
        /// The number of those whose confidence is above the threshold.
        sure,
        /// The number of rows that count but whose loss or gradient is not finite.
        non_finite,
        /// The threshold.
        threshold,
        /// The number of logits, of rows that count, that are not finite.
        logits,
        /// The number of rows that are added up.
        rows,
        /// The number of those that are predicted right.
        right,
        /// The number of those with a confidence above ½ besides.
        easy,
        /// Their losses.
        easy_loss,
        /// The number of overconfident rows that are predicted wrong.
        sure_and_wrong,
        /// The losses.
        loss,
        /// The smallest of them.
        least_loss,
        /// The largest of them.
        most_loss,
        /// The confidences.
        confidence,
        /// The smallest of them.
        least_confidence,
        /// The largest of them.
        most_confidence,
        /// The focusing factors.
        factor,
        /// The weights.
        weight,
        /// The squares of the weights.
        squares,
    }
}

record! { "GROUP_"
    /// What the rows of a class, or column, add up to.
    Group {
        /// Their number.
        rows,
        /// The number of those that are predicted right.
        right,
        /// The number of those whose class is 1, of a column.
        ones,
        /// Their losses.
        loss,
        /// The sizes of their gradients.
        gradient,
    }
}

record! { "DECISIONS_"
    /// What decisions for classes add up to: each by the weight of its row. Behind it there is a
    /// [`Bin`] for each bin of confidence.
    Decisions {
        /// The weights.
        weight,
        /// Those of right decisions.
        right,
        /// Those of wrong ones.
        wrong,
        /// The number of those without a probability.
        non_finite,
        /// The cross-entropies.
        cross_entropy,
        /// The squared distances from the targets.
        distance,
    }
}

record! { "BIN_"
    /// What the decisions of a bin of confidence add up to.
    Bin {
        /// Their weights.
        weight,
        /// Their confidences.
        confidence,
        /// The weights of right ones.
        right,
    }
}

record! { "COUNTS_"
    /// The rows of a class, by their weights.
    Counts {
        /// Those of the class.
        support,
        /// Those of them that are predicted to be.
        right,
        /// Those that are predicted to be, and are not.
        wrong,
        /// 1 where the class is the target or the prediction of a row, whatever it weighs.
        occurs,
    }
}

record! { "RANKED_"
    /// What the rows of a class, and the others, come to in the order of their scores.
    Ranked {
        /// The number of rows of the class there are in all.
        own,
        /// The number of others.
        others,
        /// The number of rows of the class that have been passed, from the lowest score on.
        own_passed,
        /// The number of others.
        others_passed,
        /// Twice the number of pairs in which a row of the class comes behind another, those with
        /// equal scores counted once.
        behind,
        /// The sum over the rows of the class of their share in all rows with as high a score.
        precisions,
        /// The sum over the others of their share in all rows with as low a score.
        precisions_of_others,
    }
}

record! { "ABOVE_"
    /// What numbers above a threshold come to.
    Above {
        /// The threshold.
        threshold,
        /// Their sum.
        sum,
    }
}

/// Every number that both sides know.
pub const ALL: &[&[(&str, i64)]] = &[
    flag::ALL,
    extra::ALL,
    area::ALL,
    size::ALL,
    output::ALL,
    elementary::ALL,
    figure::ALL,
    list::ALL,
    weighting::ALL,
    Numbers::ALL,
    Totals::ALL,
    Tally::ALL,
    Group::ALL,
    Decisions::ALL,
    Bin::ALL,
    Counts::ALL,
    Ranked::ALL,
    Above::ALL,
];
