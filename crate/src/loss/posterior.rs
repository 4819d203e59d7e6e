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
//! computed relative to the likeliest class `m`: `(u_m/u_j)^γ` is at most 1, and nothing is divided
//! by a number near 0. For `a_j = 1` and no smoothing this is Charoenphakdee et al., "On Focal Loss
//! for Class-Posterior Probability Estimation" (2021).

use super::{
    focal::probabilities,
    focusing::{Focusing, LARGEST_GAMMA},
    guards::{finite, positive},
    softmax::RowLoss,
};
use crate::math::{
    Real,
    exp::decay,
    log::{finite_log_1p, log},
};

/// A sum of vectors, lane by lane, that carries what each addition rounded off (Kahan).
#[derive(Clone, Copy, Debug)]
pub struct LaneSum<V> {
    sum: V,
    excess: V,
}

impl<V: Real> LaneSum<V> {
    /// Nothing yet.
    #[inline(always)]
    pub fn zero() -> Self {
        Self { sum: V::constant(0.0), excess: V::constant(0.0) }
    }

    /// With `x` added, which must not be infinite.
    #[inline(always)]
    pub fn plus(self, x: V) -> Self {
        let addend = x.sub(self.excess);
        let sum = self.sum.add(addend);
        Self { sum, excess: sum.sub(self.sum).sub(addend) }
    }

    /// The sum.
    #[inline(always)]
    pub fn sum(self) -> V {
        self.sum
    }
}

/// `e^{x − max}` for `x ≤ max`, and `max − x`, of which the rounding goes into the exponential.
#[inline(always)]
pub fn from_largest<V: Real>(max: V, x: V) -> (V, V) {
    let distance = max.sub(x);
    let back = distance.sub(max);
    let lost = max.sub(distance.sub(back)).sub(x.add(back));
    let e = decay(distance.neg()).0;
    let lost = lost.keep(distance.lt(V::constant(f64::INFINITY)));
    (e.sub(e.mul(lost)), distance)
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
        Self { log_sum: finite_log_1p(others), pt, one_minus_pt: positive(others.mul(pt)) }
    }
}

/// A class of a row.
#[derive(Clone, Copy, Debug)]
pub struct Class<V: Real> {
    /// The difference of its logit to the largest.
    pub distance: V,
    /// Its weight beside the likeliest class's 1.
    pub exponential: V,
    /// True where it is as likely as the likeliest.
    pub is_likeliest: V::Mask,
}

/// The parts of `η_j` of a class `j`.
#[derive(Clone, Copy, Debug)]
pub struct Parts<V> {
    /// `p_j`, or what smoothing leaves of it; without smoothing relative to the likeliest class.
    pub mass: V,
    /// `ℓ_j`.
    pub nll: V,
    /// `pt_j`.
    pub pt: V,
    /// `u_j`, never 0.
    pub one_minus_pt: V,
}

/// The form of a loss: what its focusing looks at, and what smoothing takes from a class.
pub trait Form<V: Real>: Copy {
    /// The parts of a class.
    fn parts(&self, row: &Likeliest<V>, class: &Class<V>) -> Parts<V>;

    /// The cross-entropy's own part of `h`.
    #[inline(always)]
    fn own(&self) -> V {
        V::constant(1.0)
    }
}

/// Without smoothing, or where it comes after.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl<V: Real> Form<V> for Plain {
    #[inline(always)]
    fn parts(&self, row: &Likeliest<V>, class: &Class<V>) -> Parts<V> {
        let pt = class.exponential.mul(row.pt);
        let rest = V::constant(1.0).sub(pt);
        Parts {
            mass: class.exponential,
            nll: row.log_sum.add(class.distance),
            pt,
            // No class but the likeliest is likelier than 1/2.
            one_minus_pt: row.one_minus_pt.select(rest, class.is_likeliest),
        }
    }
}

/// From here on a cross-entropy is as good as infinite, and still makes products.
const FAR: f64 = 1e20;

/// Below it, `u` of the likeliest class makes no difference to a smoothed row.
const NEAR: f64 = 1e-150;

/// Smoothing `ε` of a row.
#[derive(Clone, Copy, Debug)]
pub struct Smoothed<V> {
    /// `1 − ε`.
    pub kept: V,
    /// `ε/C·Σ_k (max − x_k)`.
    pub spread: V,
    /// The part that is taken from each probability.
    pub taken: V,
}

impl<V: Real> Smoothed<V> {
    /// The smoothed cross-entropy of a row of that class: where it is beyond [`FAR`], so is the
    /// class.
    #[inline(always)]
    fn cross_entropy(&self, row: &Likeliest<V>, class: &Class<V>) -> V {
        row.log_sum.add(self.kept.mul(class.distance)).add(self.spread).pmin(V::constant(FAR))
    }

    #[inline(always)]
    fn mass(&self, row: &Likeliest<V>, class: &Class<V>) -> V {
        class.exponential.mul(row.pt).sub(self.taken).pmax(V::constant(0.0))
    }
}

impl<V: Real> Form<V> for Smoothed<V> {
    #[inline(always)]
    fn parts(&self, row: &Likeliest<V>, class: &Class<V>) -> Parts<V> {
        let nll = self.cross_entropy(row, class);
        let (pt, one_minus_pt) = probabilities(nll);
        Parts { mass: self.mass(row, class), nll, pt, one_minus_pt: positive(one_minus_pt) }
    }
}

/// The same with the focus on the target.
#[derive(Clone, Copy, Debug)]
pub struct OnTarget<V>(pub Smoothed<V>);

impl<V: Real> Form<V> for OnTarget<V> {
    #[inline(always)]
    fn parts(&self, row: &Likeliest<V>, class: &Class<V>) -> Parts<V> {
        let Parts { pt, one_minus_pt, .. } = Plain.parts(row, class);
        Parts {
            mass: self.0.mass(row, class),
            nll: self.0.cross_entropy(row, class),
            pt,
            one_minus_pt: one_minus_pt.pmax(V::constant(NEAR)),
        }
    }

    #[inline(always)]
    fn own(&self) -> V {
        self.0.kept
    }
}

/// `γ` of a class, and the `ε₁` of poly-1.
#[derive(Clone, Copy, Debug)]
pub struct Slope<V> {
    gamma: V,
    /// `ε₁·(γ + 1)`.
    poly: V,
}

impl<V: Real> Slope<V> {
    /// The slope of a loss with that `γ` and `ε₁`.
    #[inline(always)]
    pub fn new(gamma: V, epsilon: V) -> Self {
        Self { gamma, poly: finite(gamma.add(V::constant(1.0)).mul(epsilon)) }
    }

    /// `u_j·h_j`.
    #[inline(always)]
    pub fn of<F: Form<V>>(&self, form: &F, parts: &Parts<V>) -> V {
        let Parts { nll, pt, one_minus_pt, .. } = *parts;
        let focused = self.gamma.mul(finite(nll).mul(pt));
        form.own().mul(one_minus_pt).add(focused).add(self.poly.mul(pt).mul(one_minus_pt))
    }
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
