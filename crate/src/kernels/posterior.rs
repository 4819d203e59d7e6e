//! The class probabilities that logits stand for under a loss: see [`crate::loss::posterior`].
//!
//! Rows go through in groups of [`Vector::LANES`](crate::simd::vector::Vector::LANES), a row per
//! lane and a class after the other, in columns that lie in a room of the caller's.

use core::ptr;

use super::{
    block::{Column, GROUPS},
    sigmoid::{Elements, PerColumn, fill_up},
};
use crate::{
    loss::{
        asymmetric::{Asymmetric, Margin, parts},
        focal::{Focal, FocusOn, Hard},
        focusing::{Focusing, Gamma, LARGEST_GAMMA, Later, Power},
        guards::{finite, positive},
        posterior::{
            Class, Form, LaneSum, Likeliest, OnTarget, Parts, Plain, Slope, Smoothed, from_largest,
            of_asymmetric, of_elements,
        },
        sigmoid::{Logistic, odds},
    },
    math::{Real, exp::decay, log::log},
    simd::vector::{MAX_LANES, Scalar},
};

/// Rows of logits, in place of which their class probabilities go.
#[derive(Clone, Copy, Debug)]
pub struct PosteriorRows<S> {
    /// `rows × classes` logits.
    pub logits: *mut S,
    /// Number of rows.
    pub rows: usize,
    /// Number of classes.
    pub classes: usize,
    /// The loss, but for its weights. The cross-entropy is one that focuses on each class, with a
    /// `γ` of 0. `ε` is below 1, and that of poly-1 above −1.
    pub focal: Focal,
    /// The factor of each class's probability, `1/a_j`: above 0 and at most 1.
    pub factors: *const S,
    /// The factor by which each class is likelier than where the loss was at its least, or null
    /// where that is part of the factors. Only where smoothing comes between the two.
    pub priors: *const f64,
    /// Room for two columns: `LANES × classes` numbers each.
    pub room: [*mut S; 2],
}

impl<S: Scalar> PosteriorRows<S> {
    /// Puts probabilities in place of the logits.
    ///
    /// # Safety
    /// The pointers must be valid for the sizes, and `classes ≥ 2`.
    pub unsafe fn run<V: Real<Scalar = S>>(&self) {
        let power = match self.focal.gamma {
            Gamma::All(gamma) => Power::new(Gamma::All(gamma.min(LARGEST_GAMMA))),
            // Those of classes are raised to by logarithms.
            Gamma::PerClass(_) => Power::new(Gamma::All(0.0)),
        };
        for first in (0..self.rows).step_by(V::LANES) {
            // SAFETY: rows of the batch.
            unsafe { Group::<V> { batch: self, first, power }.run() };
        }
    }
}

/// `x`, or where it is larger a number of which as many as there may be classes add up to less than
/// infinity.
#[inline(always)]
fn addend<V: Real>(x: V) -> V {
    x.pmin(V::constant(V::Scalar::HUGE / 4_294_967_296.0))
}

/// A group of rows, with a row per lane.
struct Group<'a, V: Real> {
    batch: &'a PosteriorRows<V::Scalar>,
    /// The first of its rows.
    first: usize,
    power: Power<V>,
}

/// The columns of a group.
#[derive(Clone, Copy)]
enum Place {
    /// Logits, then their distances to the largest.
    Distances = 0,
    /// Exponentials of these, then what is to be probabilities.
    Exponentials = 1,
}

/// The findings of the first passes over the classes.
#[derive(Clone, Copy)]
struct Found<V> {
    likeliest: Likeliest<V>,
    /// `Σ_k (max − x_k)`.
    spread: V,
    /// The factor of the likeliest class.
    factor: V,
    /// Its `γ`.
    gamma: V,
}

impl<V: Real> Group<'_, V> {
    /// The vector of class `j` in a column.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn get(&self, place: Place, j: usize) -> V {
        // SAFETY: the room has one for every class.
        unsafe { V::load(self.batch.room[place as usize].add(j * V::LANES)) }
    }

    /// Sets it.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn set(&self, place: Place, j: usize, v: V) {
        // SAFETY: likewise.
        unsafe { v.store(self.batch.room[place as usize].add(j * V::LANES)) };
    }

    /// The number of class `j` in a table.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn entry(table: *const V::Scalar, j: usize) -> V {
        // SAFETY: there is one for every class.
        V::splat(unsafe { *table.add(j) })
    }

    /// `γ` of class `j`.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn gamma(&self, j: usize) -> V {
        V::constant(match self.batch.focal.gamma {
            Gamma::All(gamma) => gamma.min(LARGEST_GAMMA),
            // SAFETY: there is one for every class.
            Gamma::PerClass(table) => unsafe { (*table.add(j)).min(LARGEST_GAMMA) },
        })
    }

    /// The slope of the loss of class `j`.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn slope(&self, j: usize) -> Slope<V> {
        // SAFETY: passed on.
        Slope::new(unsafe { self.gamma(j) }, V::constant(self.batch.focal.epsilon))
    }

    /// Class `j`.
    ///
    /// # Safety
    /// `j` must be a class, and the columns have been filled.
    #[inline(always)]
    unsafe fn class(&self, j: usize) -> Class<V> {
        // SAFETY: passed on.
        let (distance, exponential) =
            unsafe { (self.get(Place::Distances, j), self.get(Place::Exponentials, j)) };
        Class { distance, exponential, is_likeliest: distance.equals(V::constant(0.0)) }
    }

    /// Puts probabilities in place of the logits of the group.
    ///
    /// # Safety
    /// As for [`PosteriorRows::run`].
    #[inline(always)]
    unsafe fn run(&self) {
        let Focal { label_smoothing, focus_on, .. } = self.batch.focal;
        let classes = self.batch.classes as f64;
        // SAFETY: passed on.
        unsafe {
            let max = self.load();
            let found = self.exponentials(max);
            let smoothed = Smoothed {
                kept: V::constant(1.0 - label_smoothing),
                spread: found.spread.mul(V::constant(label_smoothing / classes)),
                taken: V::constant(label_smoothing / classes),
            };
            let is_smoothed = label_smoothing > 0.0;
            let sum = match focus_on {
                FocusOn::Smoothed if is_smoothed => self.probabilities(&smoothed, &found),
                FocusOn::Target if is_smoothed => {
                    let share = self.share(&OnTarget(smoothed), &found.likeliest);
                    let taken = smoothed.taken.mul(share);
                    self.probabilities(&OnTarget(Smoothed { taken, ..smoothed }), &found)
                }
                _ => self.probabilities(&Plain, &found),
            };
            self.store(if focus_on == FocusOn::EachClass && is_smoothed {
                self.take(sum, smoothed.taken)
            } else {
                sum
            });
        }
    }

    /// Loads the logits into a column. Returns the largest, or NaN where that is the first.
    ///
    /// # Safety
    /// As for [`PosteriorRows::run`].
    #[inline(always)]
    unsafe fn load(&self) -> V {
        let PosteriorRows { logits, rows, classes, .. } = *self.batch;
        // SAFETY: rows of the batch; lanes beyond the last row have its logits.
        unsafe {
            let from = logits.add(self.first * classes);
            let mut j = 0;
            if self.first + V::LANES <= rows {
                if classes == 2 {
                    let (no, yes) = V::load_pairs(from);
                    self.set(Place::Distances, 0, no);
                    self.set(Place::Distances, 1, yes);
                    return no.pmax(yes);
                }
                while j + V::LANES <= classes {
                    let block = V::load_block(from.add(j), classes);
                    for (k, &column) in block.as_ref().iter().enumerate() {
                        self.set(Place::Distances, j + k, column);
                    }
                    j += V::LANES;
                }
            }
            let last = rows - self.first - 1;
            for j in j..classes {
                let column = V::from_lanes(|i| *from.add(i.min(last) * classes + j));
                self.set(Place::Distances, j, column);
            }
            let first = self.get(Place::Distances, 0);
            (1..classes).fold(first, |max, j| max.pmax(self.get(Place::Distances, j)))
        }
    }

    /// Turns the logits into distances and exponentials.
    ///
    /// # Safety
    /// As for [`PosteriorRows::run`]; the logits must be in their column.
    #[inline(always)]
    unsafe fn exponentials(&self, max: V) -> Found<V> {
        let PosteriorRows { classes, factors, focal, .. } = *self.batch;
        let one = V::constant(1.0);
        let mut others = LaneSum::zero();
        // Those that are as likely as the likeliest, but for that. A row whose largest logit is
        // infinite has no probabilities.
        let mut equals = max.sub(max).sub(one);
        let mut spread = LaneSum::zero();
        let (mut factor, mut gamma) = (one, V::constant(0.0));
        // SAFETY: classes of the batch.
        unsafe {
            for j in 0..classes {
                let (e, distance) = from_largest(max, self.get(Place::Distances, j));
                self.set(Place::Distances, j, distance);
                self.set(Place::Exponentials, j, e);
                if focal.label_smoothing > 0.0 {
                    spread = spread.plus(addend(distance));
                }
                let is_likeliest = distance.equals(V::constant(0.0));
                others = others.plus(e.clear(is_likeliest));
                equals = equals.add(one.keep(is_likeliest));
                factor = Self::entry(factors, j).select(factor, is_likeliest);
                gamma = self.gamma(j).select(gamma, is_likeliest);
            }
        }
        let likeliest = Likeliest::new(others.sum().add(equals));
        Found { likeliest, spread: spread.sum(), factor, gamma }
    }

    /// `R`, see [`crate::loss::posterior`].
    ///
    /// # Safety
    /// As for [`PosteriorRows::run`]; the columns must be filled.
    #[inline(always)]
    unsafe fn share(&self, form: &OnTarget<V>, row: &Likeliest<V>) -> V {
        let (mut shares, mut inverses) = (LaneSum::zero(), LaneSum::zero());
        for j in 0..self.batch.classes {
            // SAFETY: a class.
            let (parts, slope) = unsafe { (form.parts(row, &self.class(j)), self.slope(j)) };
            // 1/h.
            let inverse = parts.one_minus_pt.div(slope.of(form, &parts));
            shares = shares.plus(parts.pt.mul(inverse));
            inverses = inverses.plus(inverse);
        }
        let taken = form.0.taken.mul(inverses.sum());
        shares.sum().div(taken.add(V::constant(1.0)))
    }

    /// The logarithm of `(u_m^γ_m)/(u_j^γ_j)`, where classes have a `γ` each.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn log_factor(&self, of_likeliest: V, parts: &Parts<V>, j: usize) -> V {
        // SAFETY: passed on.
        of_likeliest.sub(unsafe { self.gamma(j) }.mul(log(parts.one_minus_pt)))
    }

    /// Turns exponentials into what is proportional to probabilities. Returns their sum.
    ///
    /// # Safety
    /// As for [`PosteriorRows::run`]; the columns must be filled.
    #[inline(always)]
    unsafe fn probabilities<F: Form<V>>(&self, form: &F, found: &Found<V>) -> V {
        let PosteriorRows { classes, factors, focal, .. } = *self.batch;
        let row = &found.likeliest;
        let zero = V::constant(0.0);
        let likeliest = Class {
            distance: zero,
            exponential: V::constant(1.0),
            is_likeliest: zero.equals(zero),
        };
        let top = form.parts(row, &likeliest);
        let slope = Slope::new(found.gamma, V::constant(focal.epsilon));
        // The likeliest class's h, by its factor.
        let level = slope.of(form, &top).div(top.one_minus_pt);
        let level = finite(finite(level).div(found.factor));
        let has_logs = matches!(focal.gamma, Gamma::PerClass(_));
        let of_likeliest = found.gamma.mul(log(top.one_minus_pt));
        let mut sum = LaneSum::zero();
        // SAFETY: classes of the batch.
        unsafe {
            let mut most = zero;
            if has_logs {
                for j in 0..classes {
                    let parts = form.parts(row, &self.class(j));
                    // That of a class without a mass does not count.
                    let factor = self.log_factor(of_likeliest, &parts, j);
                    most = most.pmax(factor.keep(parts.mass.gt(zero)));
                }
            }
            for j in 0..classes {
                let parts = form.parts(row, &self.class(j));
                let by = positive(parts.one_minus_pt.div(self.slope(j).of(form, &parts)));
                let mass = parts.mass.mul(addend(level.mul(Self::entry(factors, j)).mul(by)));
                let mass = if has_logs {
                    let factor = self.log_factor(of_likeliest, &parts, j).sub(most);
                    mass.mul(decay(factor.pmin(zero)).0)
                } else {
                    let [mass] = self.power.focus([mass], top.one_minus_pt.div(parts.one_minus_pt));
                    mass
                };
                self.set(Place::Exponentials, j, mass);
                sum = sum.plus(mass);
            }
        }
        sum.sum()
    }

    /// Takes what smoothing adds from what has that sum, in shares of it, and weighs what is left
    /// by the priors. Returns its sum.
    ///
    /// # Safety
    /// As for [`PosteriorRows::run`]; the probabilities must be in their column.
    #[inline(always)]
    unsafe fn take(&self, all: V, taken: V) -> V {
        let PosteriorRows { classes, priors, .. } = *self.batch;
        let mut sum = LaneSum::zero();
        // SAFETY: classes of the batch.
        unsafe {
            for j in 0..classes {
                let left = self.get(Place::Exponentials, j).div(all).sub(taken);
                let left = left.pmax(V::constant(0.0));
                let left =
                    if priors.is_null() { left } else { left.mul(V::constant(*priors.add(j))) };
                self.set(Place::Exponentials, j, left);
                sum = sum.plus(left);
            }
        }
        sum.sum()
    }

    /// Writes the probabilities, shares of that sum, to the rows.
    ///
    /// # Safety
    /// As for [`PosteriorRows::run`]; they must be in their column.
    #[inline(always)]
    unsafe fn store(&self, sum: V) {
        let PosteriorRows { logits, rows, classes, .. } = *self.batch;
        // SAFETY: rows of the batch.
        unsafe {
            let probability = |j: usize| self.get(Place::Exponentials, j).div(sum);
            let to = logits.add(self.first * classes);
            let mut j = 0;
            if self.first + V::LANES <= rows {
                if classes == 2 {
                    return V::store_pairs(probability(0), probability(1), to);
                }
                while j + V::LANES <= classes {
                    let block = V::block(|k| probability(j + k));
                    V::store_block(block, to.add(j), classes);
                    j += V::LANES;
                }
            }
            let count = V::LANES.min(rows - self.first);
            for j in j..classes {
                let column = probability(j);
                (0..count).for_each(|i| *to.add(i * classes + j) = column.lane(i));
            }
        }
    }
}

/// Puts the probability of yes in place of each logit of `elements`, that of its gradient. `odds`
/// says how much likelier the odds of yes are than where the loss was at its least. Targets,
/// weights and scales of elements are not looked at; `ε` is below 1.
///
/// # Safety
/// The pointers of `elements` must be valid for the sizes it states.
pub unsafe fn posterior_elements<V: Real>(elements: &Elements<V::Scalar>, odds: PerColumn) {
    let rest = elements.count % V::LANES;
    let whole = elements.count - rest;
    let part = Elements { weights: ptr::null(), scales: ptr::null(), scale: 1.0, ..*elements };
    // SAFETY: elements of the batch; the last, fewer than a vector's, are filled up.
    unsafe {
        run_elements::<V>(&Elements { count: whole, ..part }, odds, 0);
        if rest == 0 {
            return;
        }
        let zero = V::Scalar::from_f64(0.0);
        let mut last: [V::Scalar; MAX_LANES] = fill_up(elements.logits, whole, rest, zero);
        let grad = last.as_mut_ptr();
        run_elements::<V>(&Elements { logits: grad, grad, count: V::LANES, ..part }, odds, whole);
        for (i, &probability) in last.iter().enumerate().take(rest) {
            *elements.grad.add(whole + i) = probability;
        }
    }
}

/// Odds that many times above the smallest normal number are still good for products.
const LOWEST: f64 = 1e8;

/// Runs whole vectors, the first of which is of column `first`.
///
/// # Safety
/// There must be such.
unsafe fn run_elements<V: Real>(elements: &Elements<V::Scalar>, ratios: PerColumn, first: usize) {
    let gamma = Gamma::All(elements.gamma);
    let power = Power::<V>::new(gamma);
    let loss = Hard::new(gamma, Later(&power));
    let asymmetric = elements.asymmetric.map(|Asymmetric { gamma, margin }| {
        (gamma, Hard::new(Gamma::All(gamma), Later(&power)), Margin::new(margin))
    });
    let mut logistics = Column::new();
    let vectors = elements.count / V::LANES;
    let zero = V::constant(0.0);
    let one = V::constant(1.0);
    for from in (0..vectors).step_by(GROUPS) {
        let groups = GROUPS.min(vectors - from);
        let at = |g: usize| (from + g) * V::LANES;
        // SAFETY: elements of the batch; columns are set before they are read.
        unsafe {
            for g in 0..groups {
                let x = V::load(elements.logits.add(at(g)));
                let e = odds(x);
                // Both sides of the asymmetric loss go to 0 with the odds of no, and their ratio
                // to what it is before these are 0.
                let is_high = x.gt(V::constant(0.0));
                let e = if asymmetric.is_some() {
                    e.pmax(V::constant(V::Scalar::TINY * LOWEST)).select(e, is_high)
                } else {
                    e
                };
                logistics.set(g, Logistic::new(e));
            }
            for g in 0..groups {
                let ratio = elements.of_column(ratios, first + at(g), |ratio| ratio);
                let logistic = logistics.get(g);
                let probability = if let Some((gamma, of_negatives, margin)) = &asymmetric {
                    let x = V::load(elements.logits.add(at(g)));
                    let losses = [&loss, of_negatives];
                    let [yes, no] = parts((x, logistic), losses, margin, [one, one], one);
                    of_asymmetric([*gamma, elements.gamma], [&no, &yes], ratio)
                } else {
                    let [no, yes] = [zero, one].map(|y| {
                        elements.row_loss_of(&loss, logistic, elements.smoothed(y), at(g), first)
                    });
                    of_elements(power, &no, &yes, ratio)
                };
                probability.store(elements.grad.add(at(g)));
            }
        }
    }
}
