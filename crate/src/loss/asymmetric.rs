//! The asymmetric loss on sigmoid logits, element by element (Ridnik et al., "Asymmetric Loss For
//! Multi-Label Classification", 2021).
//!
//! `L = y·u^γ₊·softplus(−x) + (1 − y)·v^γ₋·ℓ` with `u = σ(−x)`, `v = max(σ(x) − m, 0)` and
//! `ℓ = −log(1 − v)`. Its derivative goes through the focusing and the clipping:
//! `−y·u^γ₊·[u + γ₊·σ(x)·softplus(−x)] + (1 − y)·v^γ₋·[γ₋·u·ℓ·σ(x)/v + σ(x)·u/(u + m)]`, of which
//! the second part is 0 where `σ(x) ≤ m`.
//!
//! `1 − v` is `u + m`, a sum of positive terms, and `ℓ = log1p(v/(1 − v))`. `σ(x) − m` is a
//! difference: it has the error of `σ(x)`, which is `σ(x)/v` times as large relative to `v`.

use super::{
    focal::Hard,
    focusing::Focusing,
    guards::{finite, positive},
    sigmoid::Logistic,
    softmax::RowLoss,
};
use crate::{
    math::{Real, log::finite_log_1p},
    simd::vector::Scalar,
};

/// The parameters of the asymmetric loss beside the focusing parameter of positives.
#[derive(Clone, Copy, Debug)]
pub struct Asymmetric {
    /// Focusing parameter of negatives, at least 0.
    pub gamma: f64,
    /// The amount that comes off their probabilities, in [0, 1).
    pub margin: f64,
}

/// The margin that comes off the probability of negatives.
#[derive(Clone, Copy, Debug)]
pub struct Margin<V> {
    /// `m`.
    least: V,
    /// Where there is no margin, the smallest normal number, and otherwise 0.
    floor: V,
    /// Where there is none, the logit from which on `1 − v` is below it; otherwise none.
    end: V,
}

impl<V: Real> Margin<V> {
    /// With `m` in [0, 1).
    #[inline(always)]
    pub fn new(margin: f64) -> Self {
        let tiny = V::Scalar::TINY;
        let (least, floor, end) = if margin == 0.0 {
            (0.0, tiny, (V::Scalar::BIAS - 1.0) * core::f64::consts::LN_2)
        } else {
            (margin.max(tiny), 0.0, f64::INFINITY)
        };
        Self { least: V::constant(least), floor: V::constant(floor), end: V::constant(end) }
    }
}

/// The two parts of the loss of logits `x`, for targets of 1 and of 0, each with its weight and its
/// focusing, and each still to be multiplied by that power of its [`RowLoss::one_minus_pt`]. The
/// gradient is the second [`RowLoss::target`] less the first.
#[inline(always)]
pub fn parts<V: Real, P: Focusing<V>>(
    (x, logistic): (V, Logistic<V>),
    losses: [&Hard<V, P>; 2],
    margin: &Margin<V>,
    weights: [V; 2],
    scale: V,
) -> [RowLoss<V>; 2] {
    let zero = V::constant(0.0);
    let gammas = losses.map(|loss| loss.gamma);
    let (pt, one_minus_pt) = logistic.unlikely.exchange(logistic.likely, x.gt(zero));
    let nll = logistic.log_sum.add(zero.sub(x).pmax(zero));
    let slope = gammas[0].mul(finite(nll).mul(pt)).add(one_minus_pt);
    // Without a share it is 0 also where the cross-entropy is infinite.
    let value = weights[0].mul(nll).keep(weights[0].gt(zero));
    let yes =
        RowLoss { value, target: slope.mul(weights[0].mul(scale)), common: zero, one_minus_pt };

    let clipped = pt.sub(margin.least).pmax(zero);
    let rest = positive(one_minus_pt.add(margin.least));
    let nll = finite_log_1p(clipped.div(rest)).add(x.sub(margin.end).pmax(zero));
    let turn = gammas[1].mul(one_minus_pt.mul(nll)).mul(pt.div(positive(clipped)));
    let slope =
        turn.add(pt.mul(one_minus_pt.pmax(margin.floor).div(rest))).clear(clipped.equals(zero));
    [
        yes,
        RowLoss {
            value: weights[1].mul(nll),
            target: slope.mul(weights[1].mul(scale)),
            common: zero,
            one_minus_pt: clipped,
        },
    ]
}
