//! The class probabilities that logits stand for under a loss.
//!
//! Where a loss is at its least for rows that are of class `i` with probability `η_i`, the logits
//! `x` of these rows have `Σ_i η_i·∂L_i/∂x = 0`, `L_i` being the loss of a row of class `i`. That
//! is solved for `η`. With `p = softmax(x)`, the weight `a_j` of class `j`, `ℓ_j`, `pt_j` and `u_j
//! = 1 − pt_j` of a row of that class, and `h_j = 1 + γ·ℓ_j·pt_j/u_j + ε₁·(γ + 1)·pt_j` (`ε₁` is
//! that of poly-1):
//!
//! - focus on the smoothed cross-entropy: `η_j ∝ (p_j − ε/C) / (a_j·u_j^γ·h_j)`;
//! - focus on the target, with `h_j` less `ε`: `η_j ∝ (p_j − R·ε/C) / (a_j·u_j^γ·h_j)`, `R = Σ_j
//!   (p_j/h_j) / (1 + ε/C·Σ_j 1/h_j)`;
//! - focus on each class, and cross-entropy, where `γ` is 0: `Q_j ∝ p_j / (a_j·u_j^γ·h_j)`, `Σ_j
//!   Q_j = 1`, and `η_j ∝ Q_j − ε/C`.
//!
//! Without smoothing they are one. What would be negative is 0: no `η` has such logits. Each is
//! computed relative to the likeliest class `m`. The `u_j` of all others are at least ½, so that
//! nothing is divided by a number near 0 and their powers are large nowhere; that of `u_m` comes
//! last, in two factors, so that a product is below the range only where the result is. For `a_j =
//! 1` and no smoothing this is Charoenphakdee et al., "On Focal Loss for Class-Posterior
//! Probability Estimation" (2021).

use core::hint::black_box;

use super::{
    focusing::{Focusing, Gamma, LARGEST_GAMMA, LARGEST_PRODUCT},
    guards::{finite, positive},
    softmax::RowLoss,
};
use crate::{
    math::{
        Real,
        exp::{Decay, decay},
        log::{finite_log_1p, log, unit_log_1p},
    },
    simd::vector::{MAX_LANES, Scalar},
};

/// A sum of vectors, lane by lane, that carries what each addition rounded off (Kahan).
#[derive(Clone, Copy, Debug)]
struct Carrying<V> {
    sum: V,
    excess: V,
}

impl<V: Real> Carrying<V> {
    /// With `x` added, which must not be infinite.
    #[inline(always)]
    fn plus(self, x: V) -> Self {
        let addend = x.sub(self.excess);
        let sum = self.sum.add(addend);
        Self { sum, excess: sum.sub(self.sum).sub(addend) }
    }
}

/// Two such sums, which take turns: none has to wait for what the last addition rounded off.
#[derive(Clone, Copy, Debug)]
pub struct LaneSum<V> {
    next: Carrying<V>,
    last: Carrying<V>,
}

impl<V: Real> LaneSum<V> {
    /// Nothing yet.
    #[inline(always)]
    pub fn zero() -> Self {
        let zero = Carrying { sum: V::ZERO, excess: V::ZERO };
        Self { next: zero, last: zero }
    }

    /// With `x` added, which must not be infinite.
    #[inline(always)]
    pub fn plus(self, x: V) -> Self {
        Self { next: self.last, last: self.next.plus(x) }
    }

    /// The sum.
    #[inline(always)]
    pub fn sum(self) -> V {
        self.last.plus(self.next.sum).sum
    }
}

/// What makes exponentials of logits.
#[derive(Clone, Copy, Debug)]
pub struct FromLargest<V> {
    lowest: V,
    decay: Decay<V>,
}

impl<V: Real> FromLargest<V> {
    /// Its constants, for a loop.
    #[inline(always)]
    pub fn held() -> Self {
        Self { lowest: held(-V::Scalar::HUGE), decay: Decay::new(held) }
    }

    /// `e^{x − max}` for `x ≤ max`, and `x − max`, of which the rounding goes into the exponential;
    /// the largest numbers in place of infinite ones.
    #[inline(always)]
    pub fn of(&self, max: V, x: V) -> (V, V) {
        let x = x.pmax(self.lowest);
        let below = x.sub(max).pmax(self.lowest);
        // Where the difference has been rounded up, it can be beyond the range.
        let back = below.add(max).pmax(self.lowest);
        let lost = x.sub(back).sub(max.sub(back.sub(below)));
        let e = self.decay.of(below).0;
        (e.add(e.mul(lost)), below)
    }
}

/// A row, seen from its likeliest class.
#[derive(Clone, Copy, Debug)]
pub struct Likeliest<V> {
    /// Minus the logarithm of its probability.
    pub log_sum: V,
    /// Its probability.
    pub pt: V,
    /// 1 less that, never 0.
    pub one_minus_pt: V,
}

impl<V: Real> Likeliest<V> {
    /// From what the other classes weigh beside it.
    #[inline(always)]
    pub fn new(others: V) -> Self {
        let pt = V::constant(1.0).div(others.add(V::constant(1.0)));
        let one_minus_pt = positive(others.mul(pt));
        // It is not below that, also where that has been made larger.
        let log_sum = finite_log_1p(others).pmax(one_minus_pt);
        Self { log_sum, pt, one_minus_pt }
    }
}

/// The parts of `η_j` of a class `j`.
#[derive(Clone, Copy, Debug)]
pub struct Parts<V> {
    /// `−ℓ_j`.
    pub logarithm: V,
    /// `pt_j`.
    pub pt: V,
    /// `u_j`, never 0.
    pub one_minus_pt: V,
}

impl<V: Real> Parts<V> {
    /// Those with that `−ℓ_j` and `pt_j`.
    #[inline(always)]
    pub fn of(logarithm: V, pt: V) -> Self {
        Self { logarithm, pt, one_minus_pt: V::constant(1.0).sub(pt) }
    }
}

/// `−ln(1 − pt)` of a class other than the likeliest, whose `pt` is at most ½.
#[inline(always)]
pub fn depth<V: Real>(pt: V) -> V {
    let less = pt.neg();
    unit_log_1p(less, less.div(V::constant(2.0).sub(pt))).neg()
}

/// A number of which as many as there may be classes add up to less than infinity.
#[inline(always)]
pub fn most_addend<V: Real>() -> V {
    held(V::Scalar::HUGE / 4_294_967_296.0)
}

/// `x`, rounded to the scalar type, in every lane, for loops: engines make constants anew at every
/// use.
#[inline(always)]
pub fn held<V: Real>(x: f64) -> V {
    V::splat(black_box(V::Scalar::from_f64(x)))
}

/// Below it, `u` of the likeliest class makes no difference to a smoothed row.
pub const NEAR: f64 = 1e-150;

/// Smoothing `ε` that comes before the focusing; without it `ε` is 0.
#[derive(Clone, Copy, Debug)]
pub struct Smoothed<V> {
    /// `1 − ε`.
    pub kept: V,
    /// `ε/C`.
    pub each: V,
}

/// `γ` of a class, and the `ε₁` of poly-1.
#[derive(Clone, Copy, Debug)]
pub struct Slope<V> {
    /// `γ`.
    pub gamma: V,
    /// `ε₁·(γ + 1)`.
    poly: V,
}

impl<V: Real> Slope<V> {
    /// The slope of a loss with that `γ` and `ε₁`.
    #[inline(always)]
    pub fn new(gamma: V, epsilon: V) -> Self {
        Self { gamma, poly: finite(gamma.add(V::constant(1.0)).mul(epsilon)) }
    }

    /// `u_j·h_j`, from the cross-entropy's own part of `h`.
    #[inline(always)]
    pub fn of(&self, own: V, parts: &Parts<V>) -> V {
        let Parts { logarithm, pt, one_minus_pt } = *parts;
        let unfocused = own.add(self.poly.mul(pt)).mul(one_minus_pt);
        unfocused.sub(self.gamma.mul(logarithm.mul(pt)))
    }
}

/// The largest `γ` with which the powers of numbers from ½ to 1, and products with them, stay in
/// the range.
pub const fn largest_exponential<S: Scalar>() -> f64 {
    S::BIAS / 4.0
}

/// The way to compute the powers of `u` that a loss focuses by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Powers {
    /// Products, of a multiple of ½ up to [`LARGEST_PRODUCT`]: so many halves.
    Products(u32),
    /// Exponentials, of any `γ` up to [`largest_exponential`], which classes may have each.
    Exponentials,
    /// Logarithms, at the end and relative to one another, of `γ` so large that only a difference
    /// of logarithms stays in the range.
    Logarithms,
}

impl Powers {
    /// The way for a `γ`, or for several of which that is the largest.
    pub fn of<V: Real>(gamma: Gamma, largest: f64) -> Self {
        let halves = 2.0 * largest;
        let is_such = largest <= LARGEST_PRODUCT && halves == halves.trunc();
        if is_such && matches!(gamma, Gamma::All(_)) {
            Self::Products(halves as u32)
        } else if V::LANES == MAX_LANES || largest <= largest_exponential::<V::Scalar>() {
            Self::Exponentials
        } else {
            Self::Logarithms
        }
    }
}

/// `x` times `u` to the power of so many halves, of which there are less than 32.
#[inline(always)]
pub fn times_halves<V: Real>(mut x: V, u: V, halves: u32) -> V {
    if halves & 1 != 0 {
        x = x.mul(u.sqrt());
    }
    if halves & 2 != 0 {
        x = x.mul(u);
    }
    if halves >= 4 {
        let square = u.mul(u);
        if halves & 4 != 0 {
            x = x.mul(square);
        }
        if halves >= 8 {
            let fourth = square.mul(square);
            if halves & 8 != 0 {
                x = x.mul(fourth);
            }
            if halves & 16 != 0 {
                x = x.mul(fourth).mul(fourth);
            }
        }
    }
    x
}

/// The probability of yes of elements, from the unfocused losses of rows of no and of yes, and how
/// much likelier the odds of yes are than where the loss was at its least.
///
/// `η = L₀′/(L₀′ − L₁′)`, the derivatives being those by the logit.
#[inline(always)]
pub fn of_elements<V: Real, P: Focusing<V>>(
    power: P,
    no: &RowLoss<V>,
    yes: &RowLoss<V>,
    odds: V,
) -> V {
    let zero = V::constant(0.0);
    // Both factors are taken relative to the larger of them.
    let is_no_smaller = no.one_minus_pt.lt(yes.one_minus_pt);
    let (smaller, larger) = yes.one_minus_pt.exchange(no.one_minus_pt, is_no_smaller);
    let (focused, plain) = zero.sub(yes.target).exchange(no.target, is_no_smaller);
    let [focused] = power.focus([focused], smaller.div(positive(larger)));
    let (rise, fall) = plain.exchange(focused, is_no_smaller);
    share(rise.pmax(zero), fall.pmax(zero), odds)
}

/// The same under the asymmetric loss, of which a row of no pulls a logit down by its `target` and
/// a row of yes up: both are focused here, by these `γ`, and through logarithms, since their
/// factors have nothing in common. A row of no that is below the margin does not pull.
#[inline(always)]
pub fn of_asymmetric<V: Real>(gammas: [f64; 2], [no, yes]: [&RowLoss<V>; 2], odds: V) -> V {
    let zero = V::constant(0.0);
    let [of_no, of_yes] = [(gammas[0], no), (gammas[1], yes)].map(|(gamma, row)| {
        V::constant(gamma.min(LARGEST_GAMMA)).mul(log(positive(row.one_minus_pt)))
    });
    // The larger of the factors is 1.
    let difference = of_no.sub(of_yes);
    let rise = no.target.mul(decay(difference.pmin(zero)).0);
    let fall = yes.target.mul(decay(zero.sub(difference).pmin(zero)).0);
    share(rise, fall, odds)
}

/// `rise/(rise + fall)`, with the odds so many times as large.
#[inline(always)]
fn share<V: Real>(rise: V, fall: V, odds: V) -> V {
    let rise = rise.mul(odds);
    rise.div(rise.add(fall))
}
