//! Exponentials of a row's logits, relative to a power of two.
//!
//! No maximum is subtracted from the logits. Each is reduced by itself, `e^x = P(g)·2^n`, and the
//! integer of the row's largest logit is taken off the exponent, so that nothing is lost to the
//! rounding of `x − max`.

use crate::math::Real;
use crate::{
    loss::softmax::UNIT_EXPONENT,
    math::exp::{self, ExpTable, FractionExp, Reduction},
    simd::vector::{Scalar, stored},
};

/// The way from logits to exponentials in units of `2^N / `[`UNIT`](crate::loss::softmax::UNIT),
/// `2^N` being the power of two of the largest of them.
#[derive(Clone, Copy)]
pub(super) struct Exponential<V> {
    /// See [`exp::reduce_by`].
    magic: V,
    lowest: V,
}

impl<V: Real> Exponential<V> {
    /// For logits of at most `max`, below [`ExpTable::EXACT_LIMIT`] in magnitude.
    #[inline(always)]
    pub(super) fn new(max: V) -> Self {
        let magic = stored!(V, V::Scalar::MAGIC);
        // The addend to the exponent n of a logit that is to give the bits of the power of two in
        // that unit.
        let bias = magic
            .sub(exp::reduce(max).exponent)
            .add(stored!(V, V::Scalar::BIAS + UNIT_EXPONENT as f64));
        // The logit for which those bits are 0: so is the exponential, also of all that lie below
        // it.
        let lowest = bias.mul(stored!(V, -core::f64::consts::LN_2));
        Self { magic: magic.add(bias), lowest }
    }

    /// `e^x` in that unit; +0 where that is below the normal range, also for −Inf. NaN stays.
    #[inline(always)]
    pub(super) fn of(&self, x: V) -> V {
        let (fraction, power) = self.split(&Reduction::stored(), x);
        FractionExp::stored().of(fraction).mul(power)
    }

    /// `x` as a number whose exponential is about 1 and a power of two; their product is `e^x`.
    #[inline(always)]
    pub(super) fn split(&self, reduction: &Reduction<V>, x: V) -> (V, V) {
        let exp::Reduced { fraction, exponent } =
            reduction.reduce_by(self.magic, x.pmax(self.lowest));
        (fraction, exponent.bits_to_exponent())
    }
}

/// True where logits of at most `max`, and `target`, can be reduced by themselves in every row.
#[inline(always)]
pub(super) fn within_range<V: Real>(max: V, target: V) -> bool {
    V::all(max.abs().pmax(target).lt(stored!(V, V::Scalar::EXACT_LIMIT)))
}

/// `max` and `target` for rows of which some are out of range, and what is to be taken off each
/// logit of a row.
///
/// That is 0, or so large that the difference is exact where it matters: a logit for which it would
/// be rounded lies hundreds below the largest.
#[cold]
#[inline(never)]
pub(super) fn bring_into_range<V: Real>(max: V, target: V) -> (V, V, V) {
    let limit = V::constant(V::Scalar::EXACT_LIMIT);
    let lowest = V::constant(f64::NEG_INFINITY);
    let huge = V::constant(V::Scalar::HUGE);
    // Where every other class is masked, the target is all there is; where that is too, nothing is
    // to be taken off.
    let top = target.select(max, max.equals(lowest));
    let shift = top.clear(top.abs().lt(limit)).keep(top.gt(lowest));
    // A sum cannot see that the target's logit is infinite; the row is NaN. A difference too large
    // for the type is not infinite.
    let infinite = target.gt(huge);
    let target = V::constant(f64::NAN).select(target.sub(shift).pmin(huge), infinite);
    (max.sub(shift).pmax(limit.neg()), target, shift)
}
