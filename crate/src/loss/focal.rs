//! The focal loss on softmax logits, `L = a·(1 − pt)^γ·ℓ` (Lin et al., "Focal Loss for Dense Object Detection", 2017).
//!
//! With `u = 1 − pt` and `f(ℓ) = u^γ·ℓ`: `f′ = u^γ·(1 + γ·r)`, `r = ℓ / expm1(ℓ) = ℓ·pt/u`, and `∂L/∂x_j = a·f′·(p_j − q_j)`.
//! No `u^{γ−1}` appears, so nothing is infinite at `pt = 1`, whatever γ.
//!
//! Products are formed from the weights down, one factor of at most 1 after the other: every intermediate is at least as
//! large as the result, so a result in the normal range was never rounded below it.

use super::softmax::{Outcome, Row, RowSums, SoftmaxLoss};
use crate::{
    math::{exp, pow::UnitPower},
    vector::{Scalar, Vector},
};

/// Multiplication by the focusing factor `u^γ`.
pub trait Focusing<V: Vector>: Copy {
    /// `x·u^γ` for each `x`; `0⁰ = 1`.
    fn focus<const N: usize>(self, x: [V; N], u: V) -> [V; N];
    /// The same, with the same bits, as the one type that can be any of them.
    fn general(self) -> Power<V>;
}

/// γ = 2, the default.
#[derive(Clone, Copy, Debug)]
pub struct Square;

impl<V: Vector> Focusing<V> for Square {
    #[inline(always)]
    fn focus<const N: usize>(self, x: [V; N], u: V) -> [V; N] {
        x.map(|x| x.mul(u).mul(u))
    }

    #[inline(always)]
    fn general(self) -> Power<V> {
        Power::new(2.0)
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
}

impl<V: Vector> Power<V> {
    /// Up to here, multiplying is both faster and more exact than a general power.
    const LARGEST_PRODUCT: f64 = 8.0;

    /// The way to raise to `gamma`, a finite number ≥ 0.
    #[inline(always)]
    pub fn new(gamma: f64) -> Self {
        let halves = gamma * 2.0;
        if gamma <= Self::LARGEST_PRODUCT && halves == halves.trunc() {
            let halves = halves as u32;
            Self::Halves { whole: halves / 2, half: halves % 2 == 1 }
        } else {
            Self::Real(UnitPower::new(gamma / 2.0))
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
        }
    }

    #[inline(always)]
    fn general(self) -> Self {
        self
    }
}

/// The focal loss of rows with one target class.
#[derive(Clone, Copy, Debug)]
pub struct Hard<V, P> {
    gamma: V,
    scale: V,
    power: P,
}

impl<V: Vector, P: Focusing<V>> Hard<V, P> {
    /// `scale` multiplies the gradient alone.
    #[inline(always)]
    pub fn new(gamma: f64, scale: f64, power: P) -> Self {
        Self { gamma: V::constant(gamma), scale: V::constant(scale), power }
    }

    /// The same loss with [`Focusing::general`].
    #[inline(always)]
    pub fn general(self) -> Hard<V, Power<V>> {
        Hard { gamma: self.gamma, scale: self.scale, power: self.power.general() }
    }

    /// The value and `slope = −∂L/∂x_t = a·u·f′ = a·u^γ·(u + γ·ℓ·pt)`, a sum of positive terms. `slope` is shared among the
    /// other classes.
    #[inline(always)]
    pub fn value_and_slope(&self, nll: V, miss: V, hit: V, weight: V) -> [V; 2] {
        // At pt = 0 the loss may be infinite, and their product is 0 all the same.
        let finite = nll.pmin(V::constant(V::Scalar::HUGE));
        let slope = self.gamma.mul(finite).mul(hit).add(miss).mul(weight.mul(self.scale));
        self.power.focus([weight.mul(nll), slope], miss)
    }
}

impl<V: Vector, P: Focusing<V>> SoftmaxLoss<V> for Hard<V, P> {
    const SPREAD: bool = false;

    #[inline(always)]
    fn outcome(&self, sums: &RowSums<V>, weight: V) -> Outcome<V> {
        let row = Row::new(sums);
        let [value, slope] = self.value_and_slope(row.cross_entropy(), row.miss, row.hit, weight);
        let zero = V::constant(0.0);
        // Where there is no other class, the slope is 0 as well.
        let others = sums.others.pmax(V::constant(V::Scalar::TINY));
        Outcome { value, factor: slope.div(others), offset: zero, target: zero.sub(slope) }
    }
}

/// The focal loss under label smoothing: `q_j = (1 − ε)·[j = t] + ε/C`, `ℓ = Σ_j q_j·(lse − x_j)` and `pt = e^{−ℓ}`.
#[derive(Clone, Copy, Debug)]
pub struct Smoothed<V, P> {
    hard: Hard<V, P>,
    /// `ε/C`.
    each: V,
    /// `q_t = 1 − ε + ε/C`.
    target: V,
    /// `1 − q_t = ε·(C − 1)/C`.
    rest: V,
}

impl<V: Vector, P: Focusing<V>> Smoothed<V, P> {
    /// Smooths `hard` by `smoothing` in `(0, 1]`.
    #[inline(always)]
    pub fn new(hard: Hard<V, P>, smoothing: f64, classes: usize) -> Self {
        let each = smoothing / classes as f64;
        Self {
            hard,
            each: V::constant(each),
            target: V::constant(1.0 - smoothing + each),
            rest: V::constant(each * (classes - 1) as f64),
        }
    }
}

impl<V: Vector, P: Focusing<V>> SoftmaxLoss<V> for Smoothed<V, P> {
    const SPREAD: bool = true;

    #[inline(always)]
    fn outcome(&self, sums: &RowSums<V>, weight: V) -> Outcome<V> {
        let row = Row::new(sums);
        // Σ_j q_j·(lse − x_j) as terms that are never negative, so that nothing cancels: the others, each with ε/C, are counted from
        // the target or from the largest of them, whichever is the larger; so is the target, if it is not that itself.
        let distance = self.target.select(self.rest, row.below).mul(row.gap.abs());
        let nll = row.log_sum.add(distance).add(self.each.mul(sums.spread));
        let log_hit = nll.neg();
        let (hit, miss) = (exp::exp(log_hit), exp::exp_m1(log_hit).neg());
        let finite = nll.pmin(V::constant(V::Scalar::HUGE));
        let ratio = finite.mul(hit).div(miss.pmax(V::constant(V::Scalar::TINY)));
        let one = V::constant(1.0);
        let slope = self.hard.gamma.mul(ratio).add(one).mul(weight.mul(self.hard.scale));
        let [value, slope] = self.hard.power.focus([weight.mul(nll), slope], miss);
        // p_t − q_t from whichever of p_t and 1 − p_t is the smaller.
        let likely = row.miss.lt(V::constant(0.5));
        let target = self.rest.sub(row.miss).select(row.hit.sub(self.target), likely);
        Outcome {
            value,
            factor: slope.mul(row.inverse),
            offset: slope.mul(self.each).neg(),
            // Adding +0 turns −0 into +0.
            target: slope.mul(target).add(V::constant(0.0)),
        }
    }
}
