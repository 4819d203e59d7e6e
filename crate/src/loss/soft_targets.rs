//! The focal loss on class probabilities: `ℓ = Σ_j q_j·(lse − x_j)`, `pt = e^{−ℓ}`, `L = a·(1 −
//! pt)^γ·ℓ`.
//!
//! With `Q = Σ_j q_j`, which is 1 but for rounding or where the `q_j` carry class weights: `∂L/∂x_j
//! = a·f′·(Q·p_j − q_j)`. With γ = 0 it is the cross-entropy on class probabilities.

use super::{
    focal::{Hard, probabilities},
    focusing::Focusing,
    softmax::{RowLoss, Softmax},
};
use crate::math::Real;
use crate::simd::vector::Scalar;

/// The sums that the passes over the classes leave of a row, seen from one of its classes, `m`:
/// that with the largest logit, or the largest share.
#[derive(Clone, Copy, Debug)]
pub struct SoftRow<V: Real> {
    /// The softmax, with `m` as its target.
    pub softmax: Softmax<V>,
    /// `q_m`.
    pub own: V,
    /// `Σ_{j≠m} q_j`.
    pub rest: V,
    /// `Σ_j q_j·(M − x_j)`, `M` being the largest logit: a sum of terms that are never negative.
    pub distance: V,
}

impl<V: Real> SoftRow<V> {
    /// `ℓ`.
    #[inline(always)]
    fn cross_entropy(&self) -> V {
        self.mass().mul(self.softmax.log_sum).add(self.distance)
    }

    /// `Q`.
    #[inline(always)]
    pub fn mass(&self) -> V {
        self.own.add(self.rest)
    }

    /// `Q·p_m − q_m`, from whichever of `p_m` and `1 − p_m` is the smaller.
    #[inline(always)]
    pub fn largest_difference(&self) -> V {
        let likely = self.softmax.one_minus_pt.lt(V::constant(0.5));
        let near = self.rest.sub(self.mass().mul(self.softmax.one_minus_pt));
        let far = self.mass().mul(self.softmax.pt).sub(self.own);
        near.select(far, likely)
    }

    /// The loss with this derivative by the cross-entropy, see [`Hard::value_and_derivative`].
    #[inline(always)]
    fn row_loss_of(&self, [value, derivative]: [V; 2], one_minus_pt: V) -> RowLoss<V> {
        RowLoss {
            value,
            target: derivative.mul(self.largest_difference()),
            common: derivative,
            one_minus_pt,
        }
    }

    /// The loss of a row that weighs `weight`, and its gradient times `scale`: `∂L/∂x_m`, and in
    /// common the `a·f′` of `∂L/∂x_j = a·f′·(Q·p_j − q_j)`.
    #[inline(always)]
    pub fn row_loss<P: Focusing<V>>(&self, loss: &Hard<V, P>, weight: V, scale: V) -> RowLoss<V> {
        let nll = self.cross_entropy();
        let (pt, one_minus_pt) = probabilities(nll);
        let terms = loss.value_and_derivative(nll, (pt, one_minus_pt), weight, scale);
        self.row_loss_of(terms, one_minus_pt)
    }

    /// The same with the focus on the target class, `L = a·(1 − p_t)^γ·ℓ`, given `p_t` and `1 −
    /// p_t`; and its pull: what is taken from `∂L/∂x_t`, and given to the other classes in
    /// proportion to their probabilities, `γ·a·u^γ·p_t·ℓ`.
    #[inline(always)]
    pub fn focus_on_target<P: Focusing<V>>(
        &self,
        loss: &Hard<V, P>,
        (pt, one_minus_pt): (V, V),
        weight: V,
        scale: V,
    ) -> (RowLoss<V>, V) {
        let nll = self.cross_entropy();
        let scaled = weight.mul(scale);
        let pull = loss.pull(nll, (pt, one_minus_pt)).mul(scaled);
        let [value, _] = loss.terms(nll, (pt, one_minus_pt));
        let weighted = weight.mul(value);
        let [value, derivative, pull] = loss.power.focus([weighted, scaled, pull], one_minus_pt);
        // A masked class that has a share makes the value infinite, also where the target is
        // certain; and the pull, where it is not: there u^γ goes to 0 faster than ℓ to
        // infinity.
        let infinite = nll.gt(V::constant(V::Scalar::HUGE));
        let value = weighted.select(value, infinite);
        let pull = pull
            .mul(V::constant(V::Scalar::HUGE).select(V::constant(1.0), infinite))
            .keep(one_minus_pt.gt(V::constant(0.0)));
        (self.row_loss_of([value, derivative], one_minus_pt), pull)
    }
}
