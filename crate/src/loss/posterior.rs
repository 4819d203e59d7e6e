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

use super::{
    focal::probabilities,
    focusing::{Focusing, LARGEST_GAMMA, LARGEST_PRODUCT},
    guards::{finite, positive},
    softmax::RowLoss,
};
use crate::{
    math::{
        Real,
        exp::{ExpTable, decay, normal_exp},
        log::{finite_log_1p, log, unit_log_1p},
        pow::UnitPower,
    },
    simd::vector::Scalar,
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

/// `e^{x − max}` for `x ≤ max`, and `x − max`, of which the rounding goes into the exponential; the
/// largest numbers in place of infinite ones.
#[inline(always)]
pub fn from_largest<V: Real>(max: V, x: V) -> (V, V) {
    let lowest = V::constant(-V::Scalar::HUGE);
    let x = x.pmax(lowest);
    let below = x.sub(max).pmax(lowest);
    let back = below.add(max);
    let lost = x.sub(back).sub(max.sub(back.sub(below)));
    let e = decay(below).0;
    (e.add(e.mul(lost)), below)
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

/// A class of a row, other than the likeliest: its `p_j` is at most ½.
#[derive(Clone, Copy, Debug)]
pub struct Class<V> {
    /// Its logit less the largest.
    pub below: V,
    /// Its weight beside the likeliest class's 1.
    pub exponential: V,
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
    #[inline(always)]
    fn of(logarithm: V, pt: V) -> Self {
        Self { logarithm, pt, one_minus_pt: V::constant(1.0).sub(pt) }
    }

    /// `−ln u_j` of a class other than the likeliest.
    #[inline(always)]
    pub fn depth(&self) -> V {
        let less = self.pt.neg();
        unit_log_1p(less, less.div(V::constant(2.0).sub(self.pt))).neg()
    }
}

/// The form of a loss: what its focusing looks at, and what smoothing takes from a class.
pub trait Form<V: Real>: Copy {
    /// True where what smoothing takes depends on the slopes of all classes.
    const TAKES_SHARES: bool = false;

    /// The parts of the likeliest class.
    fn top(&self, row: &Likeliest<V>) -> Parts<V>;

    /// The parts of another class.
    fn parts(&self, row: &Likeliest<V>, class: &Class<V>) -> Parts<V>;

    /// `p_j`, or what smoothing leaves of it, from its weight beside the likeliest class's 1;
    /// without smoothing that itself, as all are relative.
    fn mass(&self, row: &Likeliest<V>, exponential: V) -> V;

    /// The cross-entropy's own part of `h`.
    #[inline(always)]
    fn own(&self) -> V {
        V::constant(1.0)
    }

    /// That of a row with this `Σ_k (max − x_k)`.
    #[inline(always)]
    fn of_row(self, _spread: V) -> Self {
        self
    }

    /// With what smoothing takes, from `Σ_j p_j/h_j` and `Σ_j 1/h_j`.
    #[inline(always)]
    fn with_shares(self, _shares: V, _inverses: V) -> Self {
        self
    }
}

/// Without smoothing, or where it comes after.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl<V: Real> Form<V> for Plain {
    #[inline(always)]
    fn top(&self, row: &Likeliest<V>) -> Parts<V> {
        Parts { logarithm: row.log_sum.neg(), pt: row.pt, one_minus_pt: row.one_minus_pt }
    }

    #[inline(always)]
    fn parts(&self, row: &Likeliest<V>, class: &Class<V>) -> Parts<V> {
        Parts::of(class.below.sub(row.log_sum), class.exponential.mul(row.pt))
    }

    #[inline(always)]
    fn mass(&self, _row: &Likeliest<V>, exponential: V) -> V {
        exponential
    }
}

/// Below it, `u` of the likeliest class makes no difference to a smoothed row.
const NEAR: f64 = 1e-150;

/// Smoothing `ε` of a row.
#[derive(Clone, Copy, Debug)]
pub struct Smoothed<V> {
    /// `1 − ε`.
    pub kept: V,
    /// `ε/C·Σ_k (max − x_k)`; before that is known `ε/C`.
    pub spread: V,
    /// The part that is taken from each probability.
    pub taken: V,
}

impl<V: Real> Smoothed<V> {
    /// Minus the smoothed cross-entropy of a row of that class: where `e` to that is below the
    /// range, and the class as good as none, the least with which it is not.
    #[inline(always)]
    fn logarithm(&self, row: &Likeliest<V>, class: &Class<V>) -> V {
        let least = V::constant(V::Scalar::EXP_NORMAL);
        self.kept.mul(class.below).sub(row.log_sum.add(self.spread)).pmax(least)
    }

    /// The smoothed cross-entropy of a row of the likeliest class.
    #[inline(always)]
    fn least(&self, row: &Likeliest<V>) -> V {
        row.log_sum.add(self.spread)
    }
}

impl<V: Real> Form<V> for Smoothed<V> {
    #[inline(always)]
    fn top(&self, row: &Likeliest<V>) -> Parts<V> {
        let nll = self.least(row);
        let (pt, one_minus_pt) = probabilities(nll);
        Parts { logarithm: nll.neg(), pt, one_minus_pt: positive(one_minus_pt) }
    }

    #[inline(always)]
    fn parts(&self, row: &Likeliest<V>, class: &Class<V>) -> Parts<V> {
        let logarithm = self.logarithm(row, class);
        // At most ½ as well: the mean of minus the logarithms is at least that of equal ones.
        Parts::of(logarithm, normal_exp(logarithm))
    }

    #[inline(always)]
    fn mass(&self, row: &Likeliest<V>, exponential: V) -> V {
        exponential.mul(row.pt).sub(self.taken).pmax(V::constant(0.0))
    }

    #[inline(always)]
    fn of_row(self, spread: V) -> Self {
        Self { spread: self.spread.mul(spread), ..self }
    }
}

/// The same with the focus on the target.
#[derive(Clone, Copy, Debug)]
pub struct OnTarget<V>(pub Smoothed<V>);

impl<V: Real> Form<V> for OnTarget<V> {
    const TAKES_SHARES: bool = true;

    #[inline(always)]
    fn top(&self, row: &Likeliest<V>) -> Parts<V> {
        Parts {
            logarithm: self.0.least(row).neg(),
            pt: row.pt,
            one_minus_pt: row.one_minus_pt.pmax(V::constant(NEAR)),
        }
    }

    #[inline(always)]
    fn parts(&self, row: &Likeliest<V>, class: &Class<V>) -> Parts<V> {
        Parts::of(self.0.logarithm(row, class), class.exponential.mul(row.pt))
    }

    #[inline(always)]
    fn mass(&self, row: &Likeliest<V>, exponential: V) -> V {
        self.0.mass(row, exponential)
    }

    #[inline(always)]
    fn own(&self) -> V {
        self.0.kept
    }

    #[inline(always)]
    fn of_row(self, spread: V) -> Self {
        Self(self.0.of_row(spread))
    }

    #[inline(always)]
    fn with_shares(self, shares: V, inverses: V) -> Self {
        let taken = self.0.taken;
        let share = shares.div(taken.mul(inverses).add(V::constant(1.0)));
        Self(Smoothed { taken: taken.mul(share), ..self.0 })
    }
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

    /// `u_j·h_j`.
    #[inline(always)]
    pub fn of<F: Form<V>>(&self, form: &F, parts: &Parts<V>) -> V {
        let Parts { logarithm, pt, one_minus_pt } = *parts;
        let unfocused = form.own().add(self.poly.mul(pt)).mul(one_minus_pt);
        unfocused.sub(self.gamma.mul(logarithm.mul(pt)))
    }
}

/// The largest `γ` with which the powers of numbers from ½ to 1, and products with them, stay in
/// the range.
pub const fn largest_exponential<S: Scalar>() -> f64 {
    S::BIAS / 4.0
}

/// The powers of `u` that a loss focuses by, in one of the ways to compute them.
pub trait Powers<V: Real>: Copy {
    /// True where all classes have the same `γ`.
    const ARE_SAME: bool = true;
    /// True where powers go through logarithms, at the end and relative to one another.
    const ARE_LATE: bool = false;

    /// Two factors of `u_m^γ` of the likeliest class, `γ` being rounded and what that left.
    fn of_top(&self, gamma: [V; 2], one_minus_pt: V) -> [V; 2];

    /// `1/(h_j·u_j^γ)` of another class; `1/h_j` where powers are late.
    fn quotient<F: Form<V>>(&self, form: &F, parts: &Parts<V>, slope: &Slope<V>) -> V;

    /// `1/h_j` of another class, from that.
    fn inverse<F: Form<V>>(&self, quotient: V, form: &F, parts: &Parts<V>, slope: &Slope<V>) -> V;
}

/// Powers of a multiple of ½ up to [`LARGEST_PRODUCT`]: products.
#[derive(Clone, Copy, Debug)]
pub struct Products {
    /// Twice `γ`.
    halves: u32,
}

impl Products {
    /// Those of `γ`, if it is such.
    pub fn of(gamma: f64) -> Option<Self> {
        let halves = 2.0 * gamma;
        let is_such = gamma <= LARGEST_PRODUCT && halves == halves.trunc();
        is_such.then_some(Self { halves: halves as u32 })
    }
}

/// `x` times `u` to the power of so many halves, of which there are less than 32.
#[inline(always)]
fn times_halves<V: Real>(mut x: V, u: V, halves: u32) -> V {
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

impl<V: Real> Powers<V> for Products {
    #[inline(always)]
    fn of_top(&self, _gamma: [V; 2], one_minus_pt: V) -> [V; 2] {
        let first = self.halves / 2;
        [first, self.halves - first]
            .map(|halves| times_halves(V::constant(1.0), one_minus_pt, halves))
    }

    #[inline(always)]
    fn quotient<F: Form<V>>(&self, form: &F, parts: &Parts<V>, slope: &Slope<V>) -> V {
        let u = parts.one_minus_pt;
        u.div(times_halves(slope.of(form, parts), u, self.halves))
    }

    #[inline(always)]
    fn inverse<F: Form<V>>(&self, quotient: V, _form: &F, parts: &Parts<V>, _: &Slope<V>) -> V {
        times_halves(quotient, parts.one_minus_pt, self.halves)
    }
}

/// Powers of any `γ` up to [`largest_exponential`], which classes may have each: exponentials.
#[derive(Clone, Copy, Debug)]
pub struct Exponentials;

impl<V: Real> Powers<V> for Exponentials {
    const ARE_SAME: bool = false;

    #[inline(always)]
    fn of_top(&self, gamma: [V; 2], one_minus_pt: V) -> [V; 2] {
        [UnitPower::half_of(gamma).of(one_minus_pt); 2]
    }

    #[inline(always)]
    fn quotient<F: Form<V>>(&self, form: &F, parts: &Parts<V>, slope: &Slope<V>) -> V {
        let power = normal_exp(slope.gamma.mul(parts.depth()));
        power.mul(parts.one_minus_pt).div(slope.of(form, parts))
    }

    #[inline(always)]
    fn inverse<F: Form<V>>(&self, _quotient: V, form: &F, parts: &Parts<V>, slope: &Slope<V>) -> V {
        parts.one_minus_pt.div(slope.of(form, parts))
    }
}

/// Powers of `γ` so large that only a difference of logarithms stays in the range.
#[derive(Clone, Copy, Debug)]
pub struct Logarithms;

impl<V: Real> Powers<V> for Logarithms {
    const ARE_SAME: bool = false;
    const ARE_LATE: bool = true;

    #[inline(always)]
    fn of_top(&self, _gamma: [V; 2], _one_minus_pt: V) -> [V; 2] {
        [V::constant(1.0); 2]
    }

    #[inline(always)]
    fn quotient<F: Form<V>>(&self, form: &F, parts: &Parts<V>, slope: &Slope<V>) -> V {
        parts.one_minus_pt.div(slope.of(form, parts))
    }

    #[inline(always)]
    fn inverse<F: Form<V>>(&self, quotient: V, _form: &F, _parts: &Parts<V>, _: &Slope<V>) -> V {
        quotient
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
