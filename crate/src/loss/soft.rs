//! The focal loss on class probabilities: `ℓ = Σ_j q_j·(lse − x_j)`, `pt = e^{−ℓ}`, `L = a·(1 − pt)^γ·ℓ`.
//!
//! With `Q = Σ_j q_j`, which is 1 but for rounding or where the `q_j` carry class weights: `∂L/∂x_j = a·f′·(Q·p_j − q_j)`. With γ = 0
//! it is the cross-entropy on class probabilities.

use super::{
    focal::{Focusing, Hard, plus_zero},
    softmax::Row,
};
use crate::vector::Vector;

/// What the passes over the classes leave of a row, seen from its largest class `m`.
#[derive(Clone, Copy, Debug)]
pub struct SoftRow<V: Vector> {
    /// The softmax, with `m` as its target.
    pub softmax: Row<V>,
    /// `q_m`.
    pub own: V,
    /// `Σ_{j≠m} q_j`.
    pub rest: V,
    /// `Σ_{j≠m} q_j·(x_m − x_j)`, a sum of terms that are never negative.
    pub distance: V,
}

/// What the loss makes of a row: its value, and `∂L/∂x_j = factor·e^{x_j} − derivative·q_j` for all classes but `m`.
#[derive(Clone, Copy, Debug)]
pub struct SoftOutcome<V> {
    /// Value of the row.
    pub value: V,
    /// `a·f′·Q / Σ_j e^{x_j}`.
    pub factor: V,
    /// `a·f′`.
    pub derivative: V,
    /// `∂L/∂x_m`.
    pub largest: V,
}

impl<V: Vector> SoftRow<V> {
    /// The loss of a row that weighs `weight`, and its gradient times `scale`.
    #[inline(always)]
    pub fn outcome<P: Focusing<V>>(&self, loss: &Hard<V, P>, weight: V, scale: V) -> SoftOutcome<V> {
        let mass = self.own.add(self.rest);
        let nll = mass.mul(self.softmax.log_sum).add(self.distance);
        let [value, derivative] = loss.value_and_derivative(nll, weight, scale);
        // Q·p_m − q_m, from whichever of p_m and 1 − p_m is the smaller.
        let likely = self.softmax.miss.lt(V::constant(0.5));
        let near = self.rest.sub(mass.mul(self.softmax.miss));
        let far = mass.mul(self.softmax.hit).sub(self.own);
        SoftOutcome {
            value,
            factor: derivative.mul(mass).mul(self.softmax.inverse),
            derivative,
            largest: plus_zero(derivative.mul(near.select(far, likely))),
        }
    }
}
