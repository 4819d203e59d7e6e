//! The class probabilities that logits stand for under a loss: see [`crate::loss::posterior`].
//!
//! Rows go through in groups of [`Vector::LANES`](crate::simd::vector::Vector::LANES), a row per
//! lane and a class after the other, in columns that lie in a room of the caller's.

use core::{marker::PhantomData, ptr, slice};

use super::{
    block::{Column, GROUPS},
    sigmoid::{Elements, PerColumn, fill_up},
};
use crate::{
    loss::{
        asymmetric::{Asymmetric, Margin, parts},
        focal::{Focal, FocusOn, Hard},
        focusing::{Gamma, LARGEST_GAMMA, Later, Power},
        guards::{finite, positive},
        posterior::{
            Class, Exponentials, Form, LaneSum, Likeliest, Logarithms, OnTarget, Plain, Powers,
            Products, Slope, Smoothed, from_largest, largest_exponential, of_asymmetric,
            of_elements,
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
    /// `γ` of 0. `ε` is below 1, and that of poly-1 above −1; in float32 no `γ` is above
    /// [`largest_exponential`].
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
        let Focal { label_smoothing, focus_on, .. } = self.focal;
        let each = label_smoothing / self.classes as f64;
        let smoothed = Smoothed {
            kept: V::constant(1.0 - label_smoothing),
            spread: V::constant(each),
            taken: V::constant(each),
        };
        // SAFETY: passed on.
        unsafe {
            match focus_on {
                FocusOn::Smoothed if label_smoothing > 0.0 => self.by_powers(smoothed),
                FocusOn::Target if label_smoothing > 0.0 => self.by_powers(OnTarget(smoothed)),
                _ => self.by_powers::<V, _>(Plain),
            }
        }
    }

    /// Finds the way to compute the powers of a loss of that form.
    ///
    /// # Safety
    /// As for [`Self::run`].
    unsafe fn by_powers<V: Real<Scalar = S>, F: Form<V>>(&self, form: F) {
        // SAFETY: there is one for every class.
        let largest = unsafe { largest_gamma(self.focal.gamma, self.classes) };
        let products = match self.focal.gamma {
            Gamma::All(gamma) => Products::of(gamma),
            Gamma::PerClass(_) => None,
        };
        // SAFETY: passed on.
        unsafe {
            match products {
                Some(products) => self.groups(form, products),
                None if V::LANES == MAX_LANES || largest <= largest_exponential::<S>() => {
                    self.groups(form, Exponentials);
                }
                None => self.groups(form, Logarithms),
            }
        }
    }

    /// Runs all groups of rows of a loss of that form.
    ///
    /// # Safety
    /// As for [`Self::run`].
    #[inline(never)]
    unsafe fn groups<V: Real<Scalar = S>, F: Form<V>, P: Powers<V>>(&self, form: F, powers: P) {
        let gamma = in_two(match self.focal.gamma {
            Gamma::All(gamma) => gamma,
            // Each has its own.
            Gamma::PerClass(_) => 0.0,
        });
        let slope = self.slope(gamma[0]);
        for first in (0..self.rows).step_by(V::LANES) {
            let group = Group { batch: self, first, gamma, slope };
            // SAFETY: rows of the batch.
            unsafe {
                if self.classes == 2 {
                    group.pair(form, powers);
                } else {
                    group.columns(form, powers);
                }
            };
        }
    }

    /// The vector of an entry of the factors.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn factor<V: Real<Scalar = S>>(&self, j: usize) -> V {
        // SAFETY: there is one for every class.
        V::splat(unsafe { *self.factors.add(j) })
    }

    /// `γ`, rounded and what that left, of class `j` where each has its own.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn gamma<V: Real<Scalar = S>>(&self, j: usize) -> Option<[V; 2]> {
        let Gamma::PerClass(table) = self.focal.gamma else { return None };
        // SAFETY: there is one for every class.
        Some(in_two(unsafe { *table.add(j) }))
    }

    /// The slope of the loss of class `j`; that of all where they have one `γ`.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn slope_of<V: Real<Scalar = S>>(&self, j: usize, of_all: Slope<V>) -> Slope<V> {
        // SAFETY: passed on.
        unsafe { self.gamma(j) }.map_or(of_all, |[gamma, _]| self.slope(gamma))
    }

    /// The slope of the loss of a class with that `γ`.
    #[inline(always)]
    fn slope<V: Real<Scalar = S>>(&self, gamma: V) -> Slope<V> {
        Slope::new(gamma, V::constant(self.focal.epsilon))
    }

    /// The vector of class `j` in a column.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn get<V: Real<Scalar = S>>(&self, place: Place, j: usize) -> V {
        // SAFETY: the room has one for every class.
        unsafe { V::load(self.room[place as usize].add(j * V::LANES)) }
    }

    /// Sets it.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn set<V: Real<Scalar = S>>(&self, place: Place, j: usize, v: V) {
        // SAFETY: likewise.
        unsafe { v.store(self.room[place as usize].add(j * V::LANES)) };
    }

    /// That of the priors, if there are any.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn prior<V: Real<Scalar = S>>(&self, j: usize) -> Option<V> {
        // SAFETY: there is one for every class.
        (!self.priors.is_null()).then(|| V::constant(unsafe { *self.priors.add(j) }))
    }
}

/// The largest `γ` of so many classes.
///
/// # Safety
/// There must be one for every class, where they have their own.
pub unsafe fn largest_gamma(gamma: Gamma, classes: usize) -> f64 {
    match gamma {
        Gamma::All(gamma) => gamma,
        // SAFETY: passed on.
        Gamma::PerClass(table) => unsafe { slice::from_raw_parts(table, classes) }
            .iter()
            .fold(0.0, |most, &gamma| if gamma > most { gamma } else { most }),
    }
}

/// `γ` in all lanes, rounded and what that left.
#[inline(always)]
fn in_two<V: Real>(gamma: f64) -> [V; 2] {
    let gamma = if gamma < LARGEST_GAMMA { gamma } else { LARGEST_GAMMA };
    let rounded = V::Scalar::from_f64(gamma);
    [V::splat(rounded), V::constant(gamma - rounded.to_f64())]
}

/// `x`, or where it is larger a number of which as many as there may be classes add up to less than
/// infinity.
#[inline(always)]
fn addend<V: Real>(x: V) -> V {
    x.pmin(V::constant(V::Scalar::HUGE / 4_294_967_296.0))
}

/// What comes beside a class.
#[derive(Clone, Copy, Debug)]
struct Beside<V: Real> {
    class: Class<V>,
    factor: V,
    slope: Slope<V>,
    /// True where it is the likeliest class itself, alone.
    is_top: V::Mask,
}

/// What a pass over the classes of a group puts a number in place of.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Logits, then what they are less the largest, then quotients.
    Differences = 0,
    /// Exponentials of these, then what is to be probabilities.
    Exponentials = 1,
}

/// Passes over the classes of a group.
trait Classes<V: Real> {
    /// True where the likeliest class is none of them, or one that says so of itself.
    fn top_is_apart(&self) -> V::Mask;

    /// Calls `f` with all.
    ///
    /// # Safety
    /// The columns must be filled.
    unsafe fn each(&self, f: impl FnMut(&Beside<V>));

    /// The same, with what `f` returns in that place of each class.
    ///
    /// # Safety
    /// The columns must be filled.
    unsafe fn put(&mut self, place: Place, f: impl FnMut(&Beside<V>) -> V);
}

/// The less likely one of two classes.
struct Other<V: Real>(Beside<V>);

impl<V: Real> Classes<V> for Other<V> {
    #[inline(always)]
    fn top_is_apart(&self) -> V::Mask {
        V::lane_below(V::LANES)
    }

    #[inline(always)]
    unsafe fn each(&self, mut f: impl FnMut(&Beside<V>)) {
        f(&self.0);
    }

    #[inline(always)]
    unsafe fn put(&mut self, place: Place, mut f: impl FnMut(&Beside<V>) -> V) {
        let result = f(&self.0);
        match place {
            Place::Differences => self.0.class.below = result,
            Place::Exponentials => self.0.class.exponential = result,
        }
    }
}

/// Any number of classes, among them the likeliest, in their columns.
struct Columns<'a, V: Real, P> {
    batch: &'a PosteriorRows<V::Scalar>,
    slope: Slope<V>,
    is_unique: V::Mask,
    powers: PhantomData<P>,
}

impl<V: Real, P: Powers<V>> Columns<'_, V, P> {
    /// Class `j`.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn beside(&self, j: usize) -> Beside<V> {
        // SAFETY: passed on.
        unsafe {
            let [below, exponential] =
                [Place::Differences, Place::Exponentials].map(|place| self.batch.get(place, j));
            Beside {
                class: Class { below, exponential },
                factor: self.batch.factor(j),
                slope: if P::ARE_SAME { self.slope } else { self.batch.slope_of(j, self.slope) },
                is_top: V::both(exponential.equals(V::constant(1.0)), self.is_unique),
            }
        }
    }
}

impl<V: Real, P: Powers<V>> Classes<V> for Columns<'_, V, P> {
    #[inline(always)]
    fn top_is_apart(&self) -> V::Mask {
        self.is_unique
    }

    #[inline(always)]
    unsafe fn each(&self, mut f: impl FnMut(&Beside<V>)) {
        // SAFETY: classes of the batch.
        (0..self.batch.classes).for_each(|j| f(&unsafe { self.beside(j) }));
    }

    #[inline(always)]
    unsafe fn put(&mut self, place: Place, mut f: impl FnMut(&Beside<V>) -> V) {
        for j in 0..self.batch.classes {
            // SAFETY: classes of the batch.
            unsafe { self.batch.set(place, j, f(&self.beside(j))) };
        }
    }
}

/// The likeliest class of a row, and what the first passes find out.
#[derive(Clone, Copy, Debug)]
struct Found<V> {
    likeliest: Likeliest<V>,
    /// `Σ_k (max − x_k)`.
    spread: V,
    /// The factor of the likeliest class.
    factor: V,
    /// Its `γ`, rounded and what that left.
    gamma: [V; 2],
    /// Its slope.
    slope: Slope<V>,
}

/// A group of rows, with a row per lane.
#[derive(Clone, Copy)]
struct Group<'a, V: Real> {
    batch: &'a PosteriorRows<V::Scalar>,
    /// The first of its rows.
    first: usize,
    /// Those of all classes, where they have one `γ`.
    gamma: [V; 2],
    slope: Slope<V>,
}

impl<V: Real> Group<'_, V> {
    /// Turns the exponentials of classes into probabilities but for a common factor. Returns that
    /// of the likeliest class, and their sum, in which it is only where it is one of the classes.
    ///
    /// # Safety
    /// As for [`PosteriorRows::run`]; the columns must be filled.
    #[inline(always)]
    unsafe fn values<F: Form<V>, P: Powers<V>>(
        (form, powers): (F, P),
        classes: &mut impl Classes<V>,
        found: &Found<V>,
    ) -> (V, V) {
        let one = V::constant(1.0);
        let zero = V::constant(0.0);
        let row = &found.likeliest;
        let mut form = form.of_row(found.spread);
        let top = form.top(row);
        let slope = found.slope.of(&form, &top);
        if F::TAKES_SHARES {
            // Of several likeliest classes each is counted as one of the classes.
            let inverse = top.one_minus_pt.div(slope).select(zero, classes.top_is_apart());
            let mut shares = LaneSum::zero().plus(top.pt.mul(inverse));
            let mut inverses = LaneSum::zero().plus(inverse);
            // SAFETY: passed on.
            unsafe {
                classes.put(Place::Differences, |beside| {
                    let parts = form.parts(row, &beside.class);
                    let quotient = powers.quotient(&form, &parts, &beside.slope);
                    let inverse = powers.inverse(quotient, &form, &parts, &beside.slope);
                    let inverse = inverse.clear(beside.is_top);
                    shares = shares.plus(parts.pt.mul(inverse));
                    inverses = inverses.plus(inverse);
                    quotient
                });
            }
            form = form.with_shares(shares.sum(), inverses.sum());
        }
        // The likeliest class's h, by its factor, and by its mass: relative to it. Quotients of
        // what is known early do not keep others waiting.
        let [inverse, weight_of_top, mass_of_top] =
            [top.one_minus_pt, found.factor, positive(form.mass(row, one))].map(|x| one.div(x));
        let level = finite(finite(slope.mul(inverse)).mul(weight_of_top));
        let level = finite(level.mul(mass_of_top));
        let [first, second] = powers.of_top(found.gamma, top.one_minus_pt);
        let weight = |beside: &Beside<V>| {
            let quotient = if F::TAKES_SHARES {
                beside.class.below
            } else {
                powers.quotient(&form, &form.parts(row, &beside.class), &beside.slope)
            };
            let mass = form.mass(row, beside.class.exponential);
            addend(mass.mul(level.mul(beside.factor)).mul(quotient))
        };
        // With (u_m^γ_m)/(u_j^γ_j), which is exact for classes as likely as the likeliest.
        let log_of_top = if P::ARE_LATE { log(top.one_minus_pt) } else { zero };
        let logarithm = |beside: &Beside<V>| {
            let parts = form.parts(row, &beside.class);
            let ratio = top.one_minus_pt.div(parts.one_minus_pt);
            let log_ratio = log(ratio).clear(beside.class.exponential.equals(one));
            let more = found.slope.gamma.sub(beside.slope.gamma).mul(log_of_top);
            log(weight(beside)).add(beside.slope.gamma.mul(log_ratio)).add(more)
        };
        let mut most = zero;
        if P::ARE_LATE {
            // SAFETY: passed on.
            unsafe {
                classes.each(|beside| most = most.pmax(logarithm(beside).clear(beside.is_top)));
            }
        }
        let of_top = if P::ARE_LATE { decay(most.neg()).0 } else { one };
        let mut sum = LaneSum::zero();
        // SAFETY: passed on.
        unsafe {
            classes.put(Place::Exponentials, |beside| {
                let value = if P::ARE_LATE {
                    decay(logarithm(beside).sub(most).pmin(zero)).0
                } else {
                    weight(beside).mul(first).mul(second)
                };
                let value = of_top.select(value, beside.is_top);
                sum = sum.plus(value);
                value
            });
        }
        (of_top, sum.sum())
    }

    /// What smoothing leaves of a share, where it comes after, by the prior of its class.
    #[inline(always)]
    fn left(&self, share: V, prior: Option<V>) -> V {
        let taken = V::constant(self.batch.focal.label_smoothing / self.batch.classes as f64);
        let left = share.sub(taken).pmax(V::constant(0.0));
        prior.map_or(left, |prior| left.mul(prior))
    }

    /// True where smoothing comes after.
    #[inline(always)]
    fn is_smoothed_after(&self) -> bool {
        let Focal { focus_on, label_smoothing, .. } = self.batch.focal;
        focus_on == FocusOn::EachClass && label_smoothing > 0.0
    }

    /// The index of the row in a lane; lanes beyond the last row have its logits.
    #[inline(always)]
    fn row(&self, lane: usize) -> usize {
        (self.first + lane).min(self.batch.rows - 1)
    }

    /// True if there is a row for every lane.
    #[inline(always)]
    fn is_whole(&self) -> bool {
        self.first + V::LANES <= self.batch.rows
    }

    /// Puts probabilities in place of the logits of a group of two classes.
    ///
    /// # Safety
    /// As for [`PosteriorRows::run`].
    #[inline(always)]
    unsafe fn pair<F: Form<V>, P: Powers<V>>(&self, form: F, powers: P) {
        let PosteriorRows { logits, .. } = *self.batch;
        // SAFETY: rows of the batch.
        unsafe {
            let rows = logits.add(self.first * 2);
            let (no, yes) = if self.is_whole() {
                V::load_pairs(rows)
            } else {
                let column = |j: usize| V::from_lanes(|i| *logits.add(self.row(i) * 2 + j));
                (column(0), column(1))
            };
            let is_yes = yes.gt(no);
            let (max, x) = no.exchange(yes, is_yes);
            let (exponential, below) = from_largest(max, x);
            let of_both = |entry: [V; 2]| entry[0].exchange(entry[1], is_yes);
            let (factor, other_factor) = of_both([0, 1].map(|j| self.batch.factor(j)));
            let (gamma, other_gamma) = match [0, 1].map(|j| self.batch.gamma(j)) {
                [Some(no), Some(yes)] if !P::ARE_SAME => {
                    let ((high, other_high), (low, other_low)) =
                        (of_both([no[0], yes[0]]), of_both([no[1], yes[1]]));
                    ([high, low], [other_high, other_low])
                }
                _ => (self.gamma, self.gamma),
            };
            // A row whose largest logit is infinite has no probabilities.
            let found = Found {
                likeliest: Likeliest::new(exponential.add(max.sub(max))),
                spread: addend(below.neg()),
                factor,
                gamma,
                slope: self.batch.slope(gamma[0]),
            };
            let mut classes = Other(Beside {
                class: Class { below, exponential },
                factor: other_factor,
                slope: self.batch.slope(other_gamma[0]),
                is_top: max.lt(max),
            });
            let (mut top, sum) = Self::values((form, powers), &mut classes, &found);
            let mut other = classes.0.class.exponential;
            let mut inverse = V::constant(1.0).div(sum.add(top));
            if self.is_smoothed_after() {
                let priors = [0, 1].map(|j| self.batch.prior(j));
                let (of_top, of_other) = match priors {
                    [Some(no), Some(yes)] => {
                        let (of_top, of_other) = of_both([no, yes]);
                        (Some(of_top), Some(of_other))
                    }
                    _ => (None, None),
                };
                top = self.left(top.mul(inverse), of_top);
                other = self.left(other.mul(inverse), of_other);
                inverse = V::constant(1.0).div(top.add(other));
            }
            let (no, yes) = top.mul(inverse).exchange(other.mul(inverse), is_yes);
            if self.is_whole() {
                V::store_pairs(no, yes, rows);
            } else {
                for i in 0..self.batch.rows - self.first {
                    *rows.add(2 * i) = no.lane(i);
                    *rows.add(2 * i + 1) = yes.lane(i);
                }
            }
        }
    }

    /// Puts probabilities in place of the logits of a group of any number of classes.
    ///
    /// # Safety
    /// As for [`PosteriorRows::run`].
    #[inline(always)]
    unsafe fn columns<F: Form<V>, P: Powers<V>>(&self, form: F, powers: P) {
        let one = V::constant(1.0);
        // SAFETY: passed on; classes of the batch.
        unsafe {
            let max = self.load();
            let (found, is_unique) = self.exponentials(max);
            let mut classes = Columns {
                batch: self.batch,
                slope: self.slope,
                is_unique,
                powers: PhantomData::<P>,
            };
            let (_, sum) = Self::values((form, powers), &mut classes, &found);
            let mut inverse = one.div(sum);
            if self.is_smoothed_after() {
                let mut sum = LaneSum::zero();
                for j in 0..self.batch.classes {
                    let share = self.batch.get::<V>(Place::Exponentials, j).mul(inverse);
                    let left = self.left(share, self.batch.prior(j));
                    self.batch.set(Place::Exponentials, j, left);
                    sum = sum.plus(left);
                }
                inverse = one.div(sum.sum());
            }
            self.store(inverse);
        }
    }

    /// Loads the logits into a column. Returns the largest, or NaN where that is the first.
    ///
    /// # Safety
    /// As for [`PosteriorRows::run`].
    #[inline(never)]
    unsafe fn load(&self) -> V {
        let PosteriorRows { logits, classes, .. } = *self.batch;
        // SAFETY: rows of the batch.
        unsafe {
            let column = |j: usize| V::from_lanes(|i| *logits.add(self.row(i) * classes + j));
            let mut max = column(0);
            let mut j = 0;
            if self.is_whole() {
                let from = logits.add(self.first * classes);
                while j + V::LANES <= classes {
                    let block = V::load_block(from.add(j), classes);
                    for (k, &column) in block.as_ref().iter().enumerate() {
                        self.batch.set(Place::Differences, j + k, column);
                        max = max.pmax(column);
                    }
                    j += V::LANES;
                }
            }
            for j in j..classes {
                let column = column(j);
                self.batch.set(Place::Differences, j, column);
                max = max.pmax(column);
            }
            max
        }
    }

    /// Turns the logits into differences and exponentials. Says also where one class alone is the
    /// likeliest.
    ///
    /// # Safety
    /// As for [`PosteriorRows::run`]; the logits must be in their column.
    #[inline(never)]
    unsafe fn exponentials(&self, max: V) -> (Found<V>, V::Mask) {
        let PosteriorRows { classes, focal, .. } = *self.batch;
        let one = V::constant(1.0);
        let mut others = LaneSum::zero();
        // Those that are as likely as the likeliest, but for that. A row whose largest logit is
        // infinite has no probabilities.
        let mut equals = max.sub(max).sub(one);
        let mut spread = LaneSum::zero();
        let (mut factor, mut gamma) = (one, self.gamma);
        // SAFETY: classes of the batch.
        unsafe {
            for j in 0..classes {
                let (e, below) = from_largest(max, self.batch.get(Place::Differences, j));
                self.batch.set(Place::Differences, j, below);
                self.batch.set(Place::Exponentials, j, e);
                if focal.label_smoothing > 0.0 {
                    spread = spread.plus(addend(below.neg()));
                }
                let is_likeliest = e.equals(one);
                others = others.plus(e.clear(is_likeliest));
                equals = equals.add(one.keep(is_likeliest));
                factor = self.batch.factor::<V>(j).select(factor, is_likeliest);
                if let Some(of_class) = self.batch.gamma::<V>(j) {
                    gamma = [0, 1].map(|k| of_class[k].select(gamma[k], is_likeliest));
                }
            }
        }
        let likeliest = Likeliest::new(others.sum().add(equals));
        let slope = self.batch.slope(gamma[0]);
        let found = Found { likeliest, spread: spread.sum(), factor, gamma, slope };
        (found, equals.equals(V::constant(0.0)))
    }

    /// Writes the probabilities, by that factor, to the rows.
    ///
    /// # Safety
    /// As for [`PosteriorRows::run`]; they must be in their column.
    #[inline(never)]
    unsafe fn store(&self, factor: V) {
        let PosteriorRows { logits, rows, classes, .. } = *self.batch;
        // SAFETY: rows of the batch.
        unsafe {
            let probability = |j: usize| self.batch.get::<V>(Place::Exponentials, j).mul(factor);
            let to = logits.add(self.first * classes);
            let mut j = 0;
            if self.is_whole() {
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
