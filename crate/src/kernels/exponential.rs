//! Exponentials of a row's logits, relative to a power of two.
//!
//! No maximum is subtracted from the logits. Each is reduced by itself, `e^x = P(g)·2^n`, and the integer of the row's
//! largest logit is taken off the exponent, so that nothing is lost to the rounding of `x − max`.

use crate::{
    math::exp,
    vector::{Scalar, Vector},
};

/// What turns logits into exponentials relative to the power of two of the row's largest.
#[derive(Clone, Copy)]
pub(super) struct Exponential<V> {
    origin: V,
    lowest: V,
}

impl<V: Vector> Exponential<V> {
    /// For rows whose largest logit is `max`, below [`ExpTable::EXACT_LIMIT`](exp::ExpTable::EXACT_LIMIT) in magnitude.
    #[inline(always)]
    pub(super) fn new(max: V) -> Self {
        let origin = exp::origin(exp::reduce(max).exponent);
        // The logit whose exponential has the exponent −bias, and so is 0: also for all that lie below it.
        let lowest = origin.sub(V::constant(V::Scalar::MAGIC)).mul(V::constant(core::f64::consts::LN_2));
        Self { origin, lowest }
    }

    /// `e^x` relative to the power of two of `max`; +0 where that is below the normal range, also for −Inf. NaN stays.
    #[inline(always)]
    pub(super) fn of(&self, x: V) -> V {
        let exp::Reduced { fraction, exponent } = exp::reduce(x.pmax(self.lowest));
        exp::fraction_exp(fraction).mul(exp::power_of_two(exponent, self.origin))
    }
}
