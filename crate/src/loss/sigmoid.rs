//! The focal loss on sigmoid logits, element by element, as torchvision's `sigmoid_focal_loss` has
//! it.
//!
//! `n = y·σ(−x) + (1 − y)·σ(x)`, `ℓ = w·y·softplus(−x) + (1 − y)·softplus(x)` (`w`: the weight of
//! positives, 1 there), `L = a·n^γ·ℓ`, and `∂L/∂x = a·n^γ·[(1 − y)·σ(x) − w·y·σ(−x) + γ·(1 −
//! 2y)·(σ(x)·σ(−x)/n)·ℓ]`.

use super::{
    focal::Hard,
    focusing::Focusing,
    guards::{finite, plus_zero, positive},
    softmax::RowLoss,
};
use crate::math::Real;
use crate::math::{exp, log::unit_log_1p};
use crate::simd::vector::stored;

/// The aim of an element, and its weight.
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

/// The odds `e^{−|x|}` of logits: NaN for +Inf, which makes the element NaN, as it does a row of a
/// softmax.
#[inline(always)]
pub fn odds<V: Real>(x: V) -> V {
    let above = x.pmax(V::constant(0.0));
    exp::decay(x.abs().neg()).0.add(above.sub(above))
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

impl<V: Real> Logistic<V> {
    /// From the odds.
    #[inline(always)]
    pub fn new(e: V) -> Self {
        let one = stored!(V, 1.0);
        let likely = one.div(e.add(one));
        Self {
            likely,
            unlikely: e.mul(likely),
            log_sum: unit_log_1p(e, e.div(e.add(stored!(V, 2.0)))),
        }
    }
}

/// The loss and gradient of logits `x` with the [`odds`] of `logistic`: the gradient, times
/// `scale`, is [`RowLoss::target`].
#[inline(always)]
pub fn row_loss<V: Real, P: Focusing<V>>(
    loss: &Hard<V, P>,
    (x, logistic): (V, Logistic<V>),
    aim: &Aim<V>,
    scale: V,
) -> RowLoss<V> {
    let zero = V::constant(0.0);
    let above = x.gt(zero);
    let Logistic { likely, unlikely, log_sum } = logistic;
    let (sigma, sigma_neg) = unlikely.exchange(likely, above);

    let (y, rest) = (aim.positive, aim.negative);
    let pulled = y.mul(aim.positive_weight);
    // The one of softplus(x) and softplus(−x) that is not log_sum alone is |x| more. Without a
    // share it is 0 also where x is infinite.
    let share = rest.select(pulled, above);
    let nll = pulled.add(rest).mul(log_sum).add(share.mul(x.abs()).keep(share.gt(zero)));
    let one_minus_pt = y.mul(sigma_neg).add(rest.mul(sigma));
    let spread = likely.mul(unlikely.div(positive(one_minus_pt)));
    let turn = loss.gamma.mul(spread.mul(finite(nll))).mul(rest.sub(y));
    let slope = rest.mul(sigma).sub(pulled.mul(sigma_neg)).add(turn).mul(aim.weight.mul(scale));
    let [value, grad] = loss.power.focus([aim.weight.mul(nll), slope], one_minus_pt);
    RowLoss { value, target: plus_zero(grad), common: zero, one_minus_pt }
}
