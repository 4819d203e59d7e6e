//! The focal loss on softmax logits, `L = a·(1 − pt)^γ·ℓ` (Lin et al., "Focal Loss for Dense Object Detection", 2017).
//!
//! With `u = 1 − pt` and `f(ℓ) = u^γ·ℓ`: `f′ = u^γ·(1 + γ·r)`, `r = ℓ / expm1(ℓ) = ℓ·pt/u`, and `∂L/∂x_j = a·f′·(p_j − q_j)`.
//! No `u^{γ−1}` appears, so nothing is infinite at `pt = 1`, whatever γ.
//!
//! Products are formed from the weights down, one factor of at most 1 after the other: every intermediate is at least as
//! large as the result, so a result in the normal range was never rounded below it.

use super::softmax::{Others, Outcome, Row, RowSums, SPREAD_UNIT};
use crate::{
    math::{exp, pow::UnitPower},
    vector::{Scalar, Vector},
};

/// The focusing parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gamma {
    /// One for all rows.
    All(f64),
    /// That of the row's target class.
    PerClass(*const f64),
}

/// Whose probability the focusing factor looks at, where targets are smoothed.
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

/// From here on every focusing factor but that of 1 is 0, in float32 and in float64; and both have room for what it is multiplied with.
const LARGEST_GAMMA: f64 = 1e20;

/// Up to here, multiplying is both faster and more exact than a general power.
pub const LARGEST_PRODUCT: f64 = 8.0;

/// Multiplication by the focusing factor `u^γ`.
pub trait Focusing<V: Vector>: Copy {
    /// `x·u^γ` for each `x`; `0⁰ = 1`.
    fn focus<const N: usize>(self, x: [V; N], u: V) -> [V; N];
    /// The focusing of a group of rows with these targets, and its `γ`, where they depend on them.
    ///
    /// # Safety
    /// `targets` must be valid for reading [`Vector::LANES`] classes.
    #[inline(always)]
    unsafe fn of_rows(self, _targets: *const i32) -> (Self, Option<V>) {
        (self, None)
    }
}

/// γ = 2, the default.
#[derive(Clone, Copy, Debug)]
pub struct Square;

impl<V: Vector> Focusing<V> for Square {
    #[inline(always)]
    fn focus<const N: usize>(self, x: [V; N], u: V) -> [V; N] {
        x.map(|x| x.mul(u).mul(u))
    }
}

/// Any γ ≥ 0.
#[derive(Clone, Copy, Debug)]
pub enum Power<V> {
    /// A small multiple of ½, by multiplication and a square root.
    Halves {
        /// The whole part.
        whole: u32,
        /// Whether ½ is left.
        half: bool,
    },
    /// The power of γ/2, applied twice, which doubles the range before it underflows.
    Real(UnitPower<V>),
    /// One for each target class.
    PerClass(*const f64),
}

impl<V: Vector> Power<V> {
    /// The way to raise to `gamma`, finite numbers ≥ 0.
    #[inline(never)]
    pub fn new(gamma: Gamma) -> Self {
        let gamma = match gamma {
            Gamma::All(gamma) => gamma,
            Gamma::PerClass(table) => return Self::PerClass(table),
        };
        let halves = gamma * 2.0;
        if gamma <= LARGEST_PRODUCT && halves == halves.trunc() {
            let halves = halves as u32;
            Self::Halves { whole: halves / 2, half: halves % 2 == 1 }
        } else {
            Self::Real(UnitPower::new(|_| gamma / 2.0))
        }
    }
}

impl<V: Vector> Focusing<V> for Power<V> {
    #[inline(always)]
    fn focus<const N: usize>(self, mut x: [V; N], u: V) -> [V; N] {
        match self {
            Self::Halves { whole, half } => {
                for _ in 0..whole {
                    x = x.map(|x| x.mul(u));
                }
                if half {
                    let root = u.sqrt();
                    x = x.map(|x| x.mul(root));
                }
                x
            }
            Self::Real(power) => {
                let root = power.of(u);
                x.map(|x| x.mul(root).mul(root))
            }
            Self::PerClass(_) => {
                debug_assert!(false, "a group of rows has its own powers, see of_rows");
                x
            }
        }
    }

    #[inline(always)]
    unsafe fn of_rows(self, targets: *const i32) -> (Self, Option<V>) {
        let Self::PerClass(table) = self else { return (self, None) };
        // SAFETY: the caller vouches for the targets, and there is a γ for every class.
        let gamma = |i: usize| unsafe { *table.add(*targets.add(i) as usize) };
        let each = V::from_lanes(|i| V::Scalar::from_f64(gamma(i).min(LARGEST_GAMMA)));
        (Self::Real(UnitPower::new(|i| gamma(i) / 2.0)), Some(each))
    }
}

/// A power that is still to be raised to, see [`Outcome::focused`].
#[derive(Clone, Copy, Debug)]
pub struct Later<'a, V>(pub &'a Power<V>);

impl<V: Vector> Focusing<V> for Later<'_, V> {
    #[inline(always)]
    fn focus<const N: usize>(self, x: [V; N], _u: V) -> [V; N] {
        x
    }

    #[inline(always)]
    unsafe fn of_rows(self, targets: *const i32) -> (Self, Option<V>) {
        // SAFETY: passed on.
        (self, unsafe { self.0.of_rows(targets) }.1)
    }
}

impl<V: Vector> Outcome<V> {
    /// What was left for [`Later`].
    #[inline(always)]
    pub fn focused(self, power: Power<V>) -> Self {
        let [value, target, common] = power.focus([self.value, self.target, self.common], self.miss);
        Self { value, target: plus_zero(target), common, miss: self.miss }
    }
}

/// The focal loss of rows with one target class.
#[derive(Clone, Copy, Debug)]
pub struct Hard<V, P> {
    pub(super) gamma: V,
    pub(crate) power: P,
}

impl<V: Vector, P: Focusing<V>> Hard<V, P> {
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

    /// The same loss by another way to raise to the same `γ`.
    #[inline(always)]
    pub fn with<Q: Focusing<V>>(self, power: Q) -> Hard<V, Q> {
        Hard { gamma: self.gamma, power }
    }

    /// The loss of a group of rows with these targets, where it depends on them.
    ///
    /// # Safety
    /// `targets` must be valid for reading [`Vector::LANES`] classes.
    #[inline(always)]
    pub unsafe fn of_rows(self, targets: *const i32) -> Self {
        // SAFETY: passed on.
        let (power, gamma) = unsafe { self.power.of_rows(targets) };
        Self { gamma: gamma.unwrap_or(self.gamma), power }
    }

    /// The value and `slope = −∂L/∂x_t = a·u·f′ = a·u^γ·(u + γ·ℓ·pt)`, a sum of positive terms. `slope` is shared among the
    /// other classes.
    #[inline(always)]
    fn value_and_slope(&self, nll: V, miss: V, hit: V, weight: V, scale: V) -> [V; 2] {
        let slope = self.gamma.mul(finite(nll).mul(hit)).add(miss).mul(weight.mul(scale));
        self.power.focus([weight.mul(nll), slope], miss)
    }
}

impl<V: Vector, P: Focusing<V>> Hard<V, P> {
    /// The value `a·u^γ·ℓ` and the derivative `a·f′` from the cross-entropy `ℓ`, and `pt = e^{−ℓ}` and `1 − pt`.
    #[inline(always)]
    pub fn value_and_derivative(&self, nll: V, (hit, miss): (V, V), weight: V, scale: V) -> [V; 2] {
        let ratio = finite(nll).mul(hit).div(positive(miss));
        let derivative = self.gamma.mul(ratio).add(V::constant(1.0)).mul(weight.mul(scale));
        self.power.focus([weight.mul(nll), derivative], miss)
    }
}

/// `pt = e^{−ℓ}` and `1 − pt`.
#[inline(always)]
pub fn probabilities<V: Vector>(nll: V) -> (V, V) {
    let (hit, less_one) = exp::decay(nll.neg());
    // Not its negation, which would be −0 for a cross-entropy of 0.
    (hit, V::constant(0.0).sub(less_one))
}

/// `x`, or the largest number where it is infinite: for products with a probability, which is 0 there.
#[inline(always)]
pub(crate) fn finite<V: Vector>(x: V) -> V {
    x.pmin(V::constant(V::Scalar::HUGE))
}

/// `x`, or the smallest normal number: for quotients whose numerator is 0 where `x` is.
#[inline(always)]
pub(crate) fn positive<V: Vector>(x: V) -> V {
    x.pmax(V::constant(V::Scalar::TINY))
}

/// `x`, with +0 for −0.
#[inline(always)]
pub(crate) fn plus_zero<V: Vector>(x: V) -> V {
    x.add(V::constant(0.0))
}

impl<V: Vector, P: Focusing<V>> Hard<V, P> {
    /// What becomes of a group of rows.
    #[inline(always)]
    pub fn outcome(&self, row: &Row<V>, weight: V, scale: V) -> Outcome<V> {
        let [value, slope] = self.value_and_slope(row.cross_entropy(), row.miss, row.hit, weight, scale);
        Outcome { value, target: V::constant(0.0).sub(slope), common: slope, miss: row.miss }
    }
}

/// The shares of a smoothed target: `q_j = (1 − ε)·[j = t] + ε/C`.
#[derive(Clone, Copy, Debug)]
pub struct Smoothing<V> {
    /// `ε/C`.
    each: V,
    /// `ε/C`, times [`SPREAD_UNIT`].
    spread: V,
    /// `q_t = 1 − ε + ε/C`.
    target: V,
    /// `1 − q_t = ε·(C − 1)/C`.
    rest: V,
}

impl<V: Vector> Smoothing<V> {
    /// With `ε` in `(0, 1]`.
    #[inline(always)]
    pub fn new(smoothing: f64, classes: usize) -> Self {
        let each = smoothing / classes as f64;
        // Every class has a share, which a masked one makes infinite.
        let least = V::constant(V::Scalar::TINY * V::Scalar::EPSILON);
        Self {
            each: V::constant(each).pmax(least),
            spread: V::constant(smoothing * SPREAD_UNIT / classes as f64).pmax(least),
            target: V::constant(1.0 - smoothing + each),
            rest: V::constant(each * (classes - 1) as f64).pmax(least),
        }
    }

    /// What becomes of a group of rows of which `ℓ = Σ_j q_j·(lse − x_j)` and `pt = e^{−ℓ}`. `spread` is that of [`RowSums`].
    #[inline(always)]
    pub fn outcome<P: Focusing<V>>(&self, loss: &Hard<V, P>, row: &Row<V>, spread: V, weight: V, scale: V) -> Outcome<V> {
        // Terms that are never negative, so that nothing cancels: the others, each with ε/C, are counted from the target or from the
        // largest of them, whichever is the larger; so is the target, if it is not that itself.
        let below = row.gap.gt(V::constant(0.0));
        let distance = self.target.select(self.rest, below).mul(row.gap.abs());
        let nll = row.log_sum.add(distance).add(self.spread.mul(spread));
        let (hit, miss) = probabilities(nll);
        let [value, derivative] = loss.value_and_derivative(nll, (hit, miss), weight, scale);
        // p_t − q_t, from whichever of p_t and 1 − p_t is the smaller.
        let likely = row.miss.lt(V::constant(0.5));
        let difference = self.rest.sub(row.miss).select(row.hit.sub(self.target), likely);
        Outcome { value, target: plus_zero(derivative.mul(difference)), common: derivative, miss }
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

impl<V: Vector> Others<V> {
    /// From the outcome of a row, under a loss that smooths its targets so.
    #[inline(always)]
    pub fn of_row(smoothing: Option<&Smoothing<V>>, sums: &RowSums<V>, row: &Row<V>, outcome: &Outcome<V>) -> Self {
        let (shared, offset) = match smoothing {
            None => (outcome.common, V::constant(0.0)),
            // The derivative times p_j − q_j.
            Some(smoothing) => (outcome.common.mul(row.miss), outcome.common.mul(smoothing.each).neg()),
        };
        Others::new(shared, sums.others, offset)
    }
}
