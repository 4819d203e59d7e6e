//! [`Error`]: what is wrong with the arguments of a call.

use core::fmt;

/// The fault in the arguments of a call. Nothing has been written when one is returned.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// Fewer than two classes, no column, or more than an index can name.
    Classes(usize),
    /// An array of the wrong length.
    Length {
        /// The argument.
        argument: &'static str,
        /// Its length.
        found: usize,
        /// The length it must have.
        expected: usize,
    },
    /// A number outside its range.
    Number {
        /// The argument or option.
        argument: &'static str,
        /// The value that it must have.
        must_be: &'static str,
        /// The value that it has.
        value: f64,
    },
    /// A target that is neither a class nor ignored.
    Target {
        /// Its row.
        row: usize,
        /// Its value.
        value: i32,
        /// Number of classes.
        classes: usize,
    },
    /// A row of probabilities of which one is negative or not finite, or whose sum is off 1 by more
    /// than 0.001.
    Probabilities {
        /// The row.
        row: usize,
    },
    /// A target of an element that is neither in [0, 1] nor ignored.
    Element {
        /// Its index.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// Options that have no meaning together.
    Unsupported(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Classes(classes) => {
                write!(f, "classes must be between 2 and {}, not {classes}", i32::MAX)
            }
            Self::Length { argument, found, expected } => {
                write!(f, "{argument} must have {expected} values, not {found}")
            }
            Self::Number { argument, must_be, value } => {
                write!(f, "{argument} must be {must_be}, not {value}")
            }
            Self::Target { row, value, classes } => {
                write!(f, "targets[{row}] must be in [0, {classes}), not {value}")
            }
            Self::Probabilities { row } => {
                write!(
                    f,
                    "targets must hold probabilities that sum to 1, which those of row {row} do not"
                )
            }
            Self::Element { index, value } => {
                write!(f, "targets[{index}] must be in [0, 1], not {value}")
            }
            Self::Unsupported(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for Error {}

/// `Ok` if an array has the length it must have.
pub(super) fn length(argument: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Length { argument, found, expected }) }
}

/// `Ok` if a number is finite and not negative.
pub(super) fn not_negative(argument: &'static str, value: f64) -> Result<(), Error> {
    let good = value.is_finite() && value >= 0.0;
    if good {
        Ok(())
    } else {
        Err(Error::Number { argument, must_be: "finite and not negative", value })
    }
}

/// `Ok` if a number is in [0, 1].
pub(super) fn fraction(argument: &'static str, value: f64) -> Result<(), Error> {
    let good = (0.0..=1.0).contains(&value);
    if good { Ok(()) } else { Err(Error::Number { argument, must_be: "in [0, 1]", value }) }
}

/// `Ok` if a number is finite and above 0.
pub(super) fn positive(argument: &'static str, value: f64) -> Result<(), Error> {
    let good = value.is_finite() && value > 0.0;
    if good {
        Ok(())
    } else {
        Err(Error::Number { argument, must_be: "finite and above 0", value })
    }
}
