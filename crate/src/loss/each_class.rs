//! The focal loss of every class by itself, `L = Σ_j a_j·(1 − p_j)^γ·q_j·(−log p_j)`, as Keras'
//! `CategoricalFocalCrossentropy` has it.
//!
//! With `d_j = p_j·∂L/∂p_j = −a_j·q_j·u_j^γ·(1 + γ·p_j·ℓ_j/u_j)`, `u_j = 1 − p_j` and `ℓ_j = −log
//! p_j`: `∂L/∂x_k = d_k − p_k·Σ_j d_j`.

use super::{focal::Hard, focusing::Focusing};
use crate::math::Real;

/// A class of a row.
#[derive(Clone, Copy, Debug)]
pub struct Class<V> {
    /// `p_j`.
    pub pt: V,
    /// `1 − p_j`.
    pub one_minus_pt: V,
    /// `−log p_j`.
    pub nll: V,
    /// `a_j·q_j`.
    pub weight: V,
}

impl<V: Real> Class<V> {
    /// The class's part of the value, and `−d_j`. Both are 0 where the class has no weight.
    #[inline(always)]
    pub fn value_and_pull<P: Focusing<V>>(&self, loss: &Hard<V, P>) -> [V; 2] {
        let terms = loss.terms(self.nll, (self.pt, self.one_minus_pt)).map(|x| x.mul(self.weight));
        let weighs = self.weight.gt(V::constant(0.0));
        loss.power.focus(terms, self.one_minus_pt).map(|x| x.keep(weighs))
    }
}
