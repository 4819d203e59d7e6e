//! Label smoothing: `q_j = (1 − ε)·[j = t] + ε/C`.

use super::softmax::{Others, RowLoss, RowSums, SPREAD_UNIT, Softmax};
use crate::{math::Real, simd::vector::Scalar};

/// The shares of a smoothed target: `q_j = (1 − ε)·[j = t] + ε/C`.
#[derive(Clone, Copy, Debug)]
pub struct Smoothing<V> {
    /// `ε/C`.
    each: V,
    /// `ε/C`, times [`SPREAD_UNIT`].
    spread: V,
    /// `q_t = 1 − ε + ε/C`.
    target: V,
    /// `1 − q_t = ε·(C − 1)/C`.
    rest: V,
}

impl<V: Real> Smoothing<V> {
    /// With `ε` in `(0, 1]`.
    #[inline(always)]
    pub fn new(smoothing: f64, classes: usize) -> Self {
        let each = smoothing / classes as f64;
        // Every class has a share, which a masked one makes infinite.
        let least = V::constant(V::Scalar::TINY * V::Scalar::EPSILON);
        Self {
            each: V::constant(each).pmax(least),
            spread: V::constant(smoothing * SPREAD_UNIT / classes as f64).pmax(least),
            target: V::constant(1.0 - smoothing + each),
            rest: V::constant(each * (classes - 1) as f64).pmax(least),
        }
    }

    /// `ℓ = Σ_j q_j·(lse − x_j)` of a group of rows. `spread` is that of [`RowSums`].
    #[inline(always)]
    pub fn cross_entropy(&self, row: &Softmax<V>, spread: V) -> V {
        // Terms that are never negative, so that nothing cancels: the others, each with ε/C, are
        // counted from the target or from the largest of them, whichever is the larger; so
        // is the target, if it is not that itself.
        let below = row.gap.gt(V::constant(0.0));
        let distance = self.target.select(self.rest, below).mul(row.gap.abs());
        row.log_sum.add(distance).add(self.spread.mul(spread))
    }

    /// `p_t − q_t`, from whichever of `p_t` and `1 − p_t` is the smaller.
    #[inline(always)]
    pub fn difference(&self, row: &Softmax<V>) -> V {
        let likely = row.one_minus_pt.lt(V::constant(0.5));
        self.rest.sub(row.one_minus_pt).select(row.pt.sub(self.target), likely)
    }
}

impl<V: Real> Others<V> {
    /// The gradients that the loss of a row leads to, under a loss that smooths its targets so.
    #[inline(always)]
    pub fn of_row(
        smoothing: Option<&Smoothing<V>>,
        sums: &RowSums<V>,
        row: &Softmax<V>,
        row_loss: &RowLoss<V>,
    ) -> Self {
        let (shared, offset) = match smoothing {
            None => (row_loss.common, V::constant(0.0)),
            // The derivative times p_j − q_j.
            Some(smoothing) => {
                (row_loss.common.mul(row.one_minus_pt), row_loss.common.mul(smoothing.each).neg())
            }
        };
        Others::new(shared, sums.others, offset)
    }
}
