//! The focal loss on softmax logits, `L = a·(1 − pt)^γ·ℓ` (Lin et al., "Focal Loss for Dense Object
//! Detection", 2017).
//!
//! With `u = 1 − pt` and `f(ℓ) = u^γ·ℓ`: `f′ = u^γ·(1 + γ·r)`, `r = ℓ / expm1(ℓ) = ℓ·pt/u`, and
//! `∂L/∂x_j = a·f′·(p_j − q_j)`. No `u^{γ−1}` appears, so nothing is infinite at `pt = 1`, whatever
//! γ.
//!
//! Products are formed from the weights down, one factor of at most 1 after the other: every
//! intermediate is at least as large as the result, so a result in the normal range was never
//! rounded below it.

use super::{
    focusing::{Focusing, Gamma, LARGEST_GAMMA, Later},
    guards::{finite, plus_zero, positive},
    smoothing::Smoothing,
    softmax::{RowLoss, Softmax},
};
use crate::math::{Real, exp};

/// The probability that the focusing factor looks at, where targets are smoothed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FocusOn {
    /// `pt = e^{−ℓ}` with the smoothed cross-entropy `ℓ`.
    #[default]
    Smoothed,
    /// `pt = p_t`, the probability of the target class.
    Target,
    /// Every class by itself, see [`super::each_class`].
    EachClass,
}

/// The parameters of a focal loss, but for its weights. Default: those of the cross-entropy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Focal {
    /// Focusing parameter, at least 0.
    pub gamma: Gamma,
    /// ε in [0, 1].
    pub label_smoothing: f64,
    /// The probability that the focusing looks at.
    pub focus_on: FocusOn,
}

impl Focal {
    /// True where the kernels for rows with one target class will do; not for probabilities,
    /// `soft`.
    pub fn is_plain(&self, soft: bool) -> bool {
        !soft && (self.focus_on == FocusOn::Smoothed || self.label_smoothing == 0.0)
    }
}

/// The focal loss of rows with one target class.
#[derive(Clone, Copy, Debug)]
pub struct Hard<V, P> {
    pub(super) gamma: V,
    pub(crate) power: P,
}

impl<V: Real, P: Focusing<V>> Hard<V, P> {
    /// `power` raises to `gamma`.
    #[inline(always)]
    pub fn new(gamma: Gamma, power: P) -> Self {
        let gamma = match gamma {
            Gamma::All(gamma) => gamma.min(LARGEST_GAMMA),
            // Each group of rows has its own.
            Gamma::PerClass(_) => 0.0,
        };
        Self { gamma: V::constant(gamma), power }
    }

    /// The loss that is given; `power` raises to its `gamma`.
    #[inline(always)]
    pub fn of(focal: &Focal, power: P) -> Self {
        Self::new(focal.gamma, power)
    }

    /// The same loss by another way to raise to the same `γ`.
    #[inline(always)]
    pub fn with<Q: Focusing<V>>(self, power: Q) -> Hard<V, Q> {
        Hard { gamma: self.gamma, power }
    }

    /// The loss of a group of rows with these targets, where it depends on them.
    ///
    /// # Safety
    /// `targets` must be valid for reading [`Vector::LANES`](crate::simd::vector::Vector::LANES)
    /// classes.
    #[inline(always)]
    pub unsafe fn of_rows(self, targets: *const i32) -> Self {
        // SAFETY: passed on.
        let (power, gamma) = unsafe { self.power.of_rows(targets) };
        Self { gamma: gamma.unwrap_or(self.gamma), power }
    }

    /// The value and `slope = −∂L/∂x_t = a·u·f′ = a·u^γ·(u + γ·ℓ·pt)`, a sum of positive terms.
    /// `slope` is shared among the other classes.
    #[inline(always)]
    fn value_and_slope(&self, nll: V, one_minus_pt: V, pt: V, weight: V, scale: V) -> [V; 2] {
        let slope = self.gamma.mul(finite(nll).mul(pt)).add(one_minus_pt).mul(weight.mul(scale));
        self.power.focus([weight.mul(nll), slope], one_minus_pt)
    }
}

impl<V: Real, P: Focusing<V>> Hard<V, P> {
    /// The terms that `u^γ` is a factor of: `ℓ` in the value, and `1 + γ·r` in the derivative.
    #[inline(always)]
    pub(super) fn terms(&self, nll: V, (pt, one_minus_pt): (V, V)) -> [V; 2] {
        let ratio = finite(nll).mul(pt).div(positive(one_minus_pt));
        [nll, self.gamma.mul(ratio).add(V::constant(1.0))]
    }

    /// `u·γ·r = γ·ℓ·pt`: what the focusing adds to the derivative, times `u`.
    #[inline(always)]
    pub(super) fn pull(&self, nll: V, (pt, _): (V, V)) -> V {
        self.gamma.mul(finite(nll).mul(pt))
    }

    /// `f″·E/u^γ = γ·(2 + (γ − 1)·r − ℓ)`, `E = u/pt`, times `pt`.
    #[inline(always)]
    pub(super) fn curvature(&self, nll: V, (pt, one_minus_pt): (V, V)) -> V {
        let nll = finite(nll);
        let ratio = nll.mul(pt).div(positive(one_minus_pt));
        let bracket = self.gamma.sub(V::constant(1.0)).mul(ratio).add(V::constant(2.0)).sub(nll);
        self.gamma.mul(pt.mul(bracket))
    }

    /// The value `a·u^γ·ℓ` and the derivative `a·f′` from the cross-entropy `ℓ`, and `pt = e^{−ℓ}`
    /// and `1 − pt`.
    #[inline(always)]
    pub fn value_and_derivative(
        &self,
        nll: V,
        (pt, one_minus_pt): (V, V),
        weight: V,
        scale: V,
    ) -> [V; 2] {
        let [value, derivative] = self.terms(nll, (pt, one_minus_pt));
        self.power.focus([weight.mul(value), derivative.mul(weight.mul(scale))], one_minus_pt)
    }
}

/// `pt = e^{−ℓ}` and `1 − pt`.
#[inline(always)]
pub fn probabilities<V: Real>(nll: V) -> (V, V) {
    let (pt, less_one) = exp::decay(nll.neg());
    // Not its negation, which would be −0 for a cross-entropy of 0.
    (pt, V::constant(0.0).sub(less_one))
}

impl<V: Real, P: Focusing<V>> Hard<V, P> {
    /// The loss and gradient of a group of rows with smoothed targets.
    #[inline(always)]
    pub fn smoothed_row_loss(
        &self,
        smoothing: &Smoothing<V>,
        row: &Softmax<V>,
        spread: V,
        weight: V,
        scale: V,
    ) -> RowLoss<V> {
        let nll = smoothing.cross_entropy(row, spread);
        let (pt, one_minus_pt) = probabilities(nll);
        let [value, derivative] = self.value_and_derivative(nll, (pt, one_minus_pt), weight, scale);
        RowLoss {
            value,
            target: plus_zero(derivative.mul(smoothing.difference(row))),
            common: derivative,
            one_minus_pt,
        }
    }

    /// The loss and gradient of a group of rows.
    #[inline(always)]
    pub fn row_loss(&self, row: &Softmax<V>, weight: V, scale: V) -> RowLoss<V> {
        let [value, slope] =
            self.value_and_slope(row.cross_entropy(), row.one_minus_pt, row.pt, weight, scale);
        RowLoss {
            value,
            target: V::constant(0.0).sub(slope),
            common: slope,
            one_minus_pt: row.one_minus_pt,
        }
    }
}

/// The focal loss of rows with one target class, which may be smoothed.
#[derive(Clone, Copy, Debug)]
pub struct Loss<'a, V> {
    /// The loss, but for the smoothing and, left for later, the focusing.
    pub hard: Hard<V, Later<'a, V>>,
    /// The smoothing, if there is any.
    pub smoothing: Option<Smoothing<V>>,
}
