//! The focal loss on sigmoid logits, element by element, as torchvision's `sigmoid_focal_loss` has it.
//!
//! `n = y·σ(−x) + (1 − y)·σ(x)`, `ℓ = w·y·softplus(−x) + (1 − y)·softplus(x)` (`w`: the weight of positives, 1 there),
//! `L = a·n^γ·ℓ`, and `∂L/∂x = a·n^γ·[(1 − y)·σ(x) − w·y·σ(−x) + γ·(1 − 2y)·(σ(x)·σ(−x)/n)·ℓ]`.

use super::{
    focal::{Focusing, Hard, finite, plus_zero, positive},
    softmax::Outcome,
};
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

/// The odds `e^{−|x|}` of logits.
#[inline(always)]
pub fn odds<V: Vector>(x: V) -> V {
    exp::exp(x.abs().neg())
}

/// Two classes with odds `e` of at most 1 for one of them.
#[derive(Clone, Copy, Debug)]
pub struct Logistic<V> {
    /// `1/(1 + e)`.
    pub likely: V,
    /// `e/(1 + e)`.
    pub unlikely: V,
    /// `log(1 + e)`.
    pub log_sum: V,
}

impl<V: Vector> Logistic<V> {
    /// From the odds.
    #[inline(always)]
    pub fn new(e: V) -> Self {
        let one = V::constant(1.0);
        // 1/(1 + e) and e/(2 + e) from one division.
        let plus_one = e.add(one);
        let plus_two = e.add(V::constant(2.0));
        let quotient = one.div(plus_one.mul(plus_two));
        let likely = plus_two.mul(quotient);
        Self { likely, unlikely: e.mul(likely), log_sum: unit_log_1p(e, e.mul(plus_one).mul(quotient)) }
    }
}

/// What becomes of logits `x`, whose odds are `e`: the gradient, times `scale`, is [`Outcome::target`].
#[inline(always)]
pub fn outcome<V: Vector, P: Focusing<V>>(loss: &Hard<V, P>, (x, e): (V, V), aim: &Aim<V>, scale: V) -> Outcome<V> {
    let zero = V::constant(0.0);
    let above = x.gt(zero);
    let Logistic { likely, unlikely, log_sum } = Logistic::new(e);
    let (sigma, sigma_neg) = unlikely.exchange(likely, above);
    let (softplus, softplus_neg) = log_sum.exchange(log_sum.add(x.abs()), above);

    let (y, rest) = (aim.positive, aim.negative);
    // A part without weight is 0 also where the other is infinite.
    let part = |share: V, loss: V| share.mul(loss).keep(share.gt(zero));
    let pulled = y.mul(aim.positive_weight);
    let nll = part(pulled, softplus_neg).add(part(rest, softplus));
    let miss = y.mul(sigma_neg).add(rest.mul(sigma));
    let spread = likely.mul(unlikely.div(positive(miss)));
    let turn = loss.gamma.mul(spread.mul(finite(nll))).mul(rest.sub(y));
    let slope = rest.mul(sigma).sub(pulled.mul(sigma_neg)).add(turn).mul(aim.weight.mul(scale));
    let [value, grad] = loss.power.focus([aim.weight.mul(nll), slope], miss);
    // +Inf makes the element NaN, as it does a row of a softmax.
    let broken = V::constant(f64::NAN);
    let infinite = x.gt(V::constant(V::Scalar::HUGE));
    Outcome { value: broken.select(value, infinite), target: broken.select(plus_zero(grad), infinite), common: zero, miss }
}
