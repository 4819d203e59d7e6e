//! The meter: what the values of batches add up to without any rounding.

use super::abi::{flag, size::EXACT_DIGITS};
use crate::math::exact_sum::{Adder, BLOCK, DIGITS, ExactSum, Summand};

const _: () = assert!(DIGITS == EXACT_DIGITS);

/// The sums of a meter, as the host reads them.
#[derive(Debug)]
#[repr(C)]
pub struct Metered {
    /// The values of the rows.
    pub values: ExactSum,
    /// The weights of their classes, if these are what a mean divides by.
    pub weights: ExactSum,
    /// Number of rows that count.
    pub rows: i64,
}

/// The meter.
pub struct Meter {
    metered: Metered,
    pub(super) values: Adder,
    weights: Adder,
}

impl Meter {
    /// A meter that nothing has gone into.
    pub const fn new() -> Self {
        let metered = Metered { values: ExactSum::new(), weights: ExactSum::new(), rows: 0 };
        Self { metered, values: Adder::new(), weights: Adder::new() }
    }

    /// Begins with nothing, unless a call continues another.
    pub(super) fn begin(&mut self, flags: u32) -> &mut Self {
        if flags & flag::CONTINUES == 0 {
            *self = Self::new();
        }
        self
    }

    /// All that has gone into it since a call that did not continue another.
    pub fn end(&mut self) -> &Metered {
        self.metered.values.clone_from(self.values.sum());
        self.metered.weights.clone_from(self.weights.sum());
        &self.metered
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new()
    }
}

impl Meter {
    /// Counts rows whose values have gone into it.
    pub(super) fn count(&mut self, rows: usize) {
        self.metered.rows += rows as i64;
    }

    /// Adds the weights of rows.
    pub(super) fn add_weights<T: Summand>(&mut self, weights: impl Iterator<Item = T>) {
        add(&mut self.weights, weights);
    }
}

/// Adds numbers, of which a block at a time is collected.
fn add<T: Summand>(adder: &mut Adder, mut numbers: impl Iterator<Item = T>) {
    let mut block = [T::default(); BLOCK];
    loop {
        let mut n = 0;
        for (to, number) in block.iter_mut().zip(&mut numbers) {
            *to = number;
            n += 1;
        }
        if n == 0 {
            return;
        }
        adder.add_all(block.get(..n).unwrap_or_default());
    }
}
