//! The meter: what the values of batches add up to without any rounding.

use core::slice;

use super::{
    abi::{area, flag, size::EXACT_DIGITS},
    call::{Float, by_float},
    state::State,
};
use crate::{
    arch::{F32x4, F64x2},
    exact::{Adder, BLOCK, DIGITS, ExactSum, Summand},
    kernels::{self, Look},
};

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

impl State {
    /// Counts the rows of a call whose values have gone to the meter, and adds up their weights
    /// where these are what a mean divides by.
    ///
    /// # Safety
    /// As for [`Self::solve`], with targets that have been checked.
    pub(super) unsafe fn count_metered(&mut self, targets: *const u8, rows: usize, classes: usize, flags: u32) {
        let has = |bit: u32| flags & bit != 0;
        let mut counted = rows;
        if !has(flag::SOFT) {
            let ignored = self.ignored(flags).map(|ignored| ignored as i32);
            // SAFETY: the caller vouches for the targets.
            let targets = unsafe { slice::from_raw_parts(targets.cast::<i32>(), rows) };
            if let (Some(_), Look::Counted(rows)) = (ignored, kernels::look_over(targets, classes, ignored)) {
                counted = rows;
            }
            if has(flag::CROSS_ENTROPY) && has(flag::ALPHA_PER_CLASS) {
                by_float!(flags, V => {
                    let weights = self.tile.address(area::WEIGHTS).cast::<Float<V>>();
                    let counting = targets.iter().filter(|&&target| Some(target) != ignored);
                    // SAFETY: every target that is not ignored is a class, and has a weight.
                    add(&mut self.meter.weights, counting.map(|&target| unsafe { *weights.add(target as usize) }));
                });
            }
        }
        self.meter.metered.rows += counted as i64;
    }

    /// Counts the elements of a call whose values have gone to the meter.
    ///
    /// # Safety
    /// As for [`Self::sigmoid`].
    pub(super) unsafe fn count_metered_elements(&mut self, targets: *const u8, count: usize, flags: u32) {
        by_float!(flags, V => {
            // SAFETY: the caller vouches for the targets.
            let targets = unsafe { slice::from_raw_parts(targets.cast::<Float<V>>(), count) };
            let counted = kernels::look_over_elements(targets, self.ignored(flags)).unwrap_or(0);
            self.meter.metered.rows += counted as i64;
        });
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
