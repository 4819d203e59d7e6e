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
//!
//! Poly-1 (Leng et al., "PolyLoss: A Polynomial Expansion Perspective of Classification Loss
//! Functions", 2022) adds `ε·u^{γ+1}` to `u^γ·ℓ`, and with it `ε·(γ + 1)·u^γ·pt` to `f′`: with `ε`
//! not negative nothing cancels that did not before. Without it, what is added is 0.

use super::{
    focusing::{Focusing, Gamma, LARGEST_GAMMA, Later},
    guards::{finite, plus_zero, positive},
    smoothing::Smoothing,
    softmax::{RowLoss, Softmax},
};
use crate::math::{Real, exp};
use crate::simd::vector::stored;

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
    /// The `ε` of poly-1, or 0.
    pub epsilon: f64,
}

impl Focal {
    /// True where the kernels for rows with one target class will do, which take no probabilities.
    /// They know the term of poly-1 in its simplest form.
    pub fn is_plain(&self, soft: bool) -> bool {
        let hard = self.label_smoothing == 0.0;
        let simple = self.epsilon == 0.0 || hard && matches!(self.gamma, Gamma::All(_));
        !soft && simple && (hard || self.focus_on == FocusOn::Smoothed)
    }
}

/// The focal loss of rows with one target class.
#[derive(Clone, Copy, Debug)]
pub struct Hard<V, P> {
    pub(super) gamma: V,
    pub(crate) power: P,
    /// The `ε` of poly-1, or 0.
    epsilon: V,
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
        Self { gamma: V::constant(gamma), power, epsilon: V::constant(0.0) }
    }

    /// The loss that is given; `power` raises to its `gamma`.
    #[inline(always)]
    pub fn of(focal: &Focal, power: P) -> Self {
        Self { epsilon: V::constant(focal.epsilon), ..Self::new(focal.gamma, power) }
    }

    /// The same loss by another way to raise to the same `γ`.
    #[inline(always)]
    pub fn with<Q: Focusing<V>>(self, power: Q) -> Hard<V, Q> {
        Hard { gamma: self.gamma, power, epsilon: self.epsilon }
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
        Self { gamma: gamma.unwrap_or(self.gamma), power, epsilon: self.epsilon }
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
    fn plain_terms(&self, nll: V, (pt, one_minus_pt): (V, V)) -> [V; 2] {
        let ratio = finite(nll).mul(pt).div(positive(one_minus_pt));
        [nll, self.gamma.mul(ratio).add(stored!(V, 1.0))]
    }

    /// The same terms with those of poly-1, `ε·u` and `ε·(γ + 1)·pt`.
    #[inline(always)]
    pub(super) fn terms(&self, nll: V, (pt, one_minus_pt): (V, V)) -> [V; 2] {
        let [value, derivative] = self.plain_terms(nll, (pt, one_minus_pt));
        [value.add(self.epsilon.mul(one_minus_pt)), derivative.add(self.poly_slope(pt))]
    }

    /// `ε·(γ + 1)` times a factor of at most 1: an infinite product with 0 would not be a number.
    #[inline(always)]
    fn poly_slope(&self, factor: V) -> V {
        self.gamma.add(stored!(V, 1.0)).mul(factor).mul(self.epsilon)
    }

    /// `u` times what the focusing adds to the derivative, `γ·ℓ·pt`, and poly-1, `ε·(γ + 1)·pt·u`.
    #[inline(always)]
    pub(super) fn pull(&self, nll: V, (pt, one_minus_pt): (V, V)) -> V {
        let pull = self.gamma.mul(finite(nll).mul(pt));
        pull.add(self.poly_slope(pt.mul(one_minus_pt)))
    }

    /// `f″·E/u^γ`, `E = u/pt`, times `pt`: `γ·(2 + (γ − 1)·r − ℓ)`, and of poly-1
    /// `ε·(γ + 1)·(γ·pt − u)`.
    #[inline(always)]
    pub(super) fn curvature(&self, nll: V, (pt, one_minus_pt): (V, V)) -> V {
        let nll = finite(nll);
        let ratio = nll.mul(pt).div(positive(one_minus_pt));
        let bracket = self.gamma.sub(stored!(V, 1.0)).mul(ratio).add(stored!(V, 2.0)).sub(nll);
        let poly = self.poly_slope(self.gamma.mul(pt).sub(one_minus_pt));
        pt.mul(bracket).mul(self.gamma).add(pt.mul(poly))
    }

    /// True for poly-1.
    #[inline(always)]
    pub(crate) fn has_poly(&self) -> bool {
        !V::none(self.epsilon.abs().gt(V::constant(0.0)))
    }

    /// The loss of a row with one target class, still to be focused, with the terms of poly-1.
    #[inline(always)]
    pub fn with_poly(
        &self,
        loss: &RowLoss<V>,
        row: &Softmax<V>,
        weight: V,
        scale: V,
    ) -> RowLoss<V> {
        let more = self.poly_slope(row.pt.mul(row.one_minus_pt)).mul(weight.mul(scale));
        let slope = loss.common.add(more);
        RowLoss {
            value: loss.value.add(self.epsilon.mul(row.one_minus_pt).mul(weight)),
            target: V::constant(0.0).sub(slope),
            common: slope,
            one_minus_pt: row.one_minus_pt,
        }
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
        // Poly-1 does not come here: see [`Focal::is_plain`].
        let [value, derivative] = self.plain_terms(nll, (pt, one_minus_pt));
        let terms = [weight.mul(value), derivative.mul(weight.mul(scale))];
        let [value, derivative] = self.power.focus(terms, one_minus_pt);
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
