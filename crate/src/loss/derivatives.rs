//! Second derivatives of the focal loss with respect to the logits, and its derivative with respect
//! to γ.
//!
//! With `u = 1 − pt`, `E = expm1(ℓ) = u/pt` and `r = ℓ/E`: `f′ = u^γ·(1 + γ·r)`,
//! `f″ = (γ·u^γ/E)·(2 + (γ − 1)·r − ℓ)`, and
//! `∂²L/∂x_j² = a·[f″·(p_j − q_j)² + f′·p_j·(1 − p_j)]`. `dL/dγ = L·log(1 − pt)`.

use super::{focal::Hard, focusing::Focusing, guards::positive};
use crate::math::Real;
use crate::math::log::{finite_log, finite_log_1p};

/// The coefficients of the diagonal of the Hessian.
#[derive(Clone, Copy, Debug)]
pub struct Curvature<V> {
    /// The coefficient of the square of the difference, see [`Self::new`].
    pub square: V,
    /// The coefficient of the variance, see [`Self::new`].
    pub variance: V,
}

impl<V: Real> Curvature<V> {
    /// `a·f″·v²` and `a·f′·v` for rows that weigh `weight`. With `v = u` for a hard target, where
    /// every `p_j − q_j` is `u` times the share of class `j`, nothing is infinite at `pt = 1`,
    /// whatever γ; with `v = 1` for a smoothed one. The Gauss-Newton approximation leaves out
    /// `f″`, and so is never negative.
    #[inline(always)]
    pub fn new<P: Focusing<V>>(
        loss: &Hard<V, P>,
        (nll, pt, one_minus_pt): (V, V, V),
        weight: V,
        hard: bool,
        gauss_newton: bool,
    ) -> Self {
        let square = loss.curvature(nll, (pt, one_minus_pt)).mul(weight);
        let square =
            if hard { square.mul(one_minus_pt) } else { square.div(positive(one_minus_pt)) };
        let variance = if hard {
            one_minus_pt.add(loss.pull(nll, (pt, one_minus_pt)))
        } else {
            loss.terms(nll, (pt, one_minus_pt))[1]
        };
        let [square, variance] = loss.power.focus([square, variance.mul(weight)], one_minus_pt);
        Self { square: if gauss_newton { V::constant(0.0) } else { square }, variance }
    }
}

/// `dL/dγ = a·u^γ·ℓ·log u`.
#[inline(always)]
pub fn gamma_grad<V: Real, P: Focusing<V>>(
    loss: &Hard<V, P>,
    (nll, pt, one_minus_pt): (V, V, V),
    weight: V,
) -> V {
    // log(1 − pt), from whichever of pt and 1 − pt is the smaller.
    let focus =
        finite_log_1p(pt.neg()).select(finite_log(positive(one_minus_pt)), pt.lt(V::constant(0.5)));
    let [value, _] = loss.terms(nll, (pt, one_minus_pt));
    let [value] = loss.power.focus([weight.mul(value)], one_minus_pt);
    // −0 where pt is 0.
    value.mul(focus).add(V::constant(0.0))
}
