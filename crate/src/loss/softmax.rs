//! The softmax of a row as every loss needs it: cross-entropy, probability of the target and of all
//! other classes.

use super::guards::positive;
use crate::math::Real;
use crate::{
    math::{
        exp::{self, ExpTable},
        log::finite_log_1p,
    },
    simd::vector::{Scalar, stored},
};

/// Exponentials are in units of `2^N / UNIT`, `2^N` being the power of two nearest to that of the
/// largest logit but the target's. So a class may lie that far below the normal range and still be
/// multiplied up into it, by weights, `γ` or an upstream gradient.
pub const UNIT: f64 = exp::two_to(UNIT_EXPONENT);

/// The exponent of [`UNIT`].
pub const UNIT_EXPONENT: i64 = 20;

/// The factor that [`Others::factor`] carries above its worth, so that it is a normal number where
/// its products with exponentials are.
pub const LIFT: f64 = 1_099_511_627_776.0;

/// The unit of [`RowSums::spread`]: so large that differences between finite logits, added up, stay
/// finite. What is lost below is nothing beside the rest of a smoothed cross-entropy.
pub const SPREAD_UNIT: f64 = 18_446_744_073_709_551_616.0;

/// The sums that the passes over the classes leave of a row.
///
/// The target is left out of all of them, never subtracted: so the probabilities of the other
/// classes keep every digit, however close the target's is to 1.
#[derive(Clone, Copy, Debug)]
pub struct RowSums<V> {
    /// The target's logit `x_t`.
    pub target: V,
    /// `M`, the largest logit of the other classes, below [`ExpTable::EXACT_LIMIT`] in magnitude.
    pub max: V,
    /// `Σ_{j≠t} e^{x_j}` in units of `2^N / `[`UNIT`], where `2^N` is nearest to `e^M`: 0 where
    /// there is no other class.
    pub others: V,
    /// `Σ_{j≠t} (M − x_j)` in units of [`SPREAD_UNIT`]; only where the loss asks for it.
    pub spread: V,
}

/// Softmax of a row, seen from its target.
#[derive(Clone, Copy, Debug)]
pub struct Softmax<V> {
    /// `M − x_t`.
    pub gap: V,
    /// `lse − M` where the target is below, `lse − x_t` elsewhere: never negative.
    pub log_sum: V,
    /// `p_t`.
    pub pt: V,
    /// `1 − p_t`, as a sum of the other classes.
    pub one_minus_pt: V,
}

/// The odds of the target against the other classes: halfway from [`RowSums`] to a [`Softmax`].
#[derive(Clone, Copy, Debug)]
pub struct TargetOdds<V> {
    gap: V,
    /// The others' weight; the larger of this and the target's is about 1.
    others: V,
    /// The target's weight.
    own: V,
    /// The argument of the logarithm, less 1.
    ratio: V,
    /// The addend to the logarithm.
    fraction: V,
}

/// Half of the exponents above 1.
const fn half<V: Real>() -> i64 {
    ((V::Scalar::BIAS + 1.0) / 2.0) as i64
}

impl<V: Real> TargetOdds<V> {
    /// With `x_t = n·ln 2 + g` and `D = N − n`, the others weigh `w = others·e^{−g}·2^D` beside the
    /// target's 1. Where the target is the largest, `lse − x_t = log1p(w)`, exact to the last
    /// bits however small it is. Elsewhere both are divided by `2^D`, the loss is at least log
    /// 2, and a logarithm of their sum is good enough.
    #[inline(always)]
    pub fn new(sums: &RowSums<V>) -> Self {
        let gap = sums.max.sub(sums.target);
        let below = gap.gt(V::constant(0.0));
        // Beyond this it lies so far from the rest that its probability is 0 or 1 whatever its
        // logit.
        let end = stored!(V, 1.4 * V::Scalar::EXACT_LIMIT);
        let target = exp::reduce(sums.target.pmax(end.neg()).pmin(end));
        let max = exp::reduce(sums.max);
        // 2^(half − |D|). Where that is 0, so is what it weighs; `half` keeps it normal a little
        // longer than its product with a weight.
        let end = stored!(V, V::Scalar::BIAS + half::<V>() as f64);
        let distance = max.exponent.sub(target.exponent).abs().pmin(end);
        let power = end.add(stored!(V, V::Scalar::MAGIC)).sub(distance).bits_to_exponent();
        let weight =
            sums.others.mul(stored!(V, 1.0 / UNIT)).mul(exp::fraction_exp(target.fraction.neg()));
        // The one that is nearer to the largest keeps its weight.
        let (whole, back) =
            (stored!(V, exp::two_to(half::<V>())), stored!(V, exp::two_to(-half::<V>())));
        let (by, own) = power.exchange(whole, below);
        let (others, own) = (weight.mul(by).mul(back), own.mul(back));
        let fraction = target.fraction.sub(max.fraction).keep(below);
        Self { gap, others, own, ratio: others.add(own.sub(stored!(V, 1.0))), fraction }
    }

    /// The softmax.
    #[inline(always)]
    pub fn row(&self) -> Softmax<V> {
        let inverse = stored!(V, 1.0).div(self.others.add(self.own));
        let log_sum = finite_log_1p(self.ratio).add(self.fraction);
        Softmax {
            gap: self.gap,
            log_sum,
            pt: self.own.mul(inverse),
            one_minus_pt: self.others.mul(inverse),
        }
    }
}

impl<V: Real> Softmax<V> {
    /// The softmax of a row, from its sums.
    #[inline(always)]
    pub fn new(sums: &RowSums<V>) -> Self {
        TargetOdds::new(sums).row()
    }

    /// `lse − x_t`, the cross-entropy.
    #[inline(always)]
    pub fn cross_entropy(&self) -> V {
        self.log_sum.add(self.gap.pmax(V::constant(0.0)))
    }
}

/// The loss of a row, and its gradient in parts.
#[derive(Clone, Copy, Debug)]
pub struct RowLoss<V> {
    /// Value of the row.
    pub value: V,
    /// `∂L/∂x_t`.
    pub target: V,
    /// The common part of the gradients of the other classes, see [`Others::of_row`].
    pub common: V,
    /// `1 − pt`, of which a power is the focusing factor.
    pub one_minus_pt: V,
}

/// The gradients of all classes but the target: `∂L/∂x_j = factor · lower · e^{x_j} + offset`.
#[derive(Clone, Copy, Debug)]
pub struct Others<V> {
    /// Factor of `e^{x_j}`, times [`LIFT`] unless it would be too large for that.
    pub factor: V,
    /// The number that makes the factor of it, `1 / `[`LIFT`] or 1.
    pub lower: V,
    /// The addend for every class.
    pub offset: V,
}

impl<V: Real> Others<V> {
    /// Leaves exponentials as they are.
    #[inline(always)]
    pub fn none() -> Self {
        let one = V::constant(1.0);
        Self { factor: one, lower: one, offset: V::constant(0.0) }
    }

    /// For gradients that add up to `shared`, each with its share `e^{x_j} / others`, and `offset`
    /// besides.
    #[inline(always)]
    pub fn new(shared: V, others: V, offset: V) -> Self {
        let (one, lift) = (stored!(V, 1.0), stored!(V, LIFT));
        let huge = shared.abs().gt(stored!(V, V::Scalar::HUGE / LIFT));
        let factor = shared.mul(one.select(lift, huge)).div(positive(others));
        Self { factor, lower: one.select(stored!(V, 1.0 / LIFT), huge), offset }
    }

    /// The rows whose factor is below the normal range without its [`LIFT`].
    #[inline(always)]
    pub fn tiny(&self) -> V::Mask {
        let size = self.factor.abs();
        let some = size.gt(V::constant(0.0));
        size.select(stored!(V, f64::INFINITY), some).lt(stored!(V, V::Scalar::TINY * LIFT))
    }

    /// By what the exponentials are multiplied, one after the other, in rows that are `tiny`.
    #[inline(always)]
    pub fn factors(&self, tiny: V::Mask) -> (V, V) {
        (
            self.factor.select(stored!(V, 1.0), tiny),
            self.lower.select(self.factor.mul(self.lower), tiny),
        )
    }
}
