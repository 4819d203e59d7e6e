//! The focal loss on sigmoid logits, element by element, as torchvision's `sigmoid_focal_loss` has it.
//!
//! `n = y·σ(−x) + (1 − y)·σ(x)`, `ℓ = w·y·softplus(−x) + (1 − y)·softplus(x)` (`w`: the weight of positives, 1 there),
//! `L = a·n^γ·ℓ`, and `∂L/∂x = a·n^γ·[(1 − y)·σ(x) − w·y·σ(−x) + γ·(1 − 2y)·(σ(x)·σ(−x)/n)·ℓ]`.

use super::focal::{Focusing, Hard, finite, plus_zero, positive};
use crate::{
    math::{exp, log::unit_log_1p},
    vector::{Scalar, Vector},
};

/// What an element is aimed at, and how much it weighs.
#[derive(Clone, Copy, Debug)]
pub struct Aim<V> {
    /// `y`, smoothed.
    pub positive: V,
    /// `1 − y`, smoothed.
    pub negative: V,
    /// `w`.
    pub positive_weight: V,
    /// `a`.
    pub weight: V,
}

/// The value of logits `x`, and their gradients times `scale`.
#[inline(always)]
pub fn value_and_grad<V: Vector, P: Focusing<V>>(loss: &Hard<V, P>, x: V, aim: &Aim<V>, scale: V) -> [V; 2] {
    let (zero, one) = (V::constant(0.0), V::constant(1.0));
    // e^{−|x|}, and with it σ and softplus of |x| and of −|x|.
    let distance = x.abs().neg();
    let e = exp::exp(distance);
    let quotient = one.div(e.add(one));
    let (large, small) = (quotient, e.mul(quotient));
    let soft_small = unit_log_1p(e, e.div(e.add(V::constant(2.0))));
    let soft_large = soft_small.sub(distance);
    let above = x.gt(zero);
    let (sigma, sigma_neg) = (large.select(small, above), small.select(large, above));
    let (softplus, softplus_neg) = (soft_large.select(soft_small, above), soft_small.select(soft_large, above));

    let (y, rest) = (aim.positive, aim.negative);
    // A part without weight is 0 also where the other is infinite.
    let part = |share: V, loss: V| share.mul(loss).keep(share.gt(zero));
    let pulled = y.mul(aim.positive_weight);
    let nll = part(pulled, softplus_neg).add(part(rest, softplus));
    let miss = y.mul(sigma_neg).add(rest.mul(sigma));
    let spread = large.mul(small.div(positive(miss)));
    let turn = loss.gamma.mul(spread.mul(finite(nll))).mul(rest.sub(y));
    let slope = rest.mul(sigma).sub(pulled.mul(sigma_neg)).add(turn).mul(aim.weight.mul(scale));
    let [value, grad] = loss.power.focus([aim.weight.mul(nll), slope], miss);
    // +Inf makes the element NaN, as it does a row of a softmax.
    let broken = V::constant(f64::NAN);
    let infinite = x.gt(V::constant(V::Scalar::HUGE));
    [broken.select(value, infinite), broken.select(plus_zero(grad), infinite)]
}
