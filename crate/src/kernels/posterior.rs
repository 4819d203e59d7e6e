//! The class probabilities that logits stand for under a loss: see [`crate::loss::posterior`].
//!
//! Rows go through in groups of [`Vector::LANES`](crate::simd::vector::Vector::LANES), a row per
//! lane, and groups in blocks. Each stage is a loop of its own over what a block has of classes:
//! over all of them, or over the less likely of two. What it leaves for the next lies in columns;
//! those of many classes in a room of the caller's, and some of the classes at a time.

use core::{mem::MaybeUninit, ptr, slice};

use super::{
    block::{Column, GROUPS},
    sigmoid::{Elements, PerColumn, fill_up},
};
use crate::{
    loss::{
        asymmetric::{Asymmetric, Margin, parts},
        focal::{Focal, FocusOn, Hard, probabilities},
        focusing::{Gamma, LARGEST_GAMMA, Later, Power},
        guards::{finite, positive},
        posterior::{
            FromLargest, LaneSum, Likeliest, NEAR, Parts, Powers, Slope, Smoothed, depth, held,
            most_addend, of_asymmetric, of_elements, times_halves,
        },
        sigmoid::{Logistic, odds},
    },
    math::{
        Real,
        exp::{ExpTable, decay, normal_exp},
        log::log,
        pow::UnitPower,
    },
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
    /// [`largest_exponential`](crate::loss::posterior::largest_exponential).
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
        // SAFETY: passed on.
        unsafe {
            let mut places = Places {
                shared: [const { MaybeUninit::uninit() }; GROUPS],
                below: Column::new(),
                exponential: Column::new(),
                factors: Column::new(),
                slopes: Column::new(),
            };
            let mut block = Block::<V>::new(self, &mut places);
            let rows = (block.groups * V::LANES).max(1);
            for first in (0..self.rows).step_by(rows) {
                block.first = first;
                block.groups = (self.rows - first).min(rows).div_ceil(V::LANES);
                if self.classes == 2 { block.pairs() } else { block.columns() }
            }
        }
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

/// What the classes of a group of rows share.
#[derive(Clone, Copy, Debug)]
struct Shared<V: Real> {
    /// The largest logit.
    max: V,
    /// Of two classes, true where that is the second's.
    is_second: V::Mask,
    /// What the other classes weigh beside the likeliest.
    others: V,
    /// `Σ_k (max − x_k)`.
    spread: V,
    /// The inverse of the likeliest class's factor, its `γ`, rounded and what that left, and its
    /// slope.
    inverse_factor: V,
    gamma: [V; 2],
    slope: Slope<V>,
    /// True where the likeliest class is seen by itself: as none of the span of two classes, or as
    /// one of many that no other is as likely as. Then it is left out of what these add up to.
    is_apart: V::Mask,
    /// The same, but of two classes true nowhere.
    is_among: V::Mask,
    likeliest: Likeliest<V>,
    top: Parts<V>,
    /// `u·h` of the likeliest class.
    slope_of_top: V,
    /// `Σ_j p_j/h_j` and `Σ_j 1/h_j`.
    shares: LaneSum<V>,
    inverses: LaneSum<V>,
    /// What smoothing takes from each probability.
    taken: V,
    /// The factor of all weights; where powers are late its logarithm.
    level: V,
    /// Two factors of the power of the likeliest class.
    powers: [V; 2],
    /// The largest logarithm of a weight, where powers are late.
    most: V,
    /// What is to be the probability of the likeliest class, and those of all in the span.
    of_top: V,
    sum: LaneSum<V>,
}

/// A block of groups of rows.
struct Block<'a, V: Real> {
    batch: &'a PosteriorRows<V::Scalar>,
    /// The first of its rows, and the number of its groups.
    first: usize,
    groups: usize,
    /// How powers are computed; and the `γ` and slope of all classes, where they have one.
    way: Powers,
    gamma: [V; 2],
    slope: Slope<V>,
    smoothed: Smoothed<V>,
    /// True where smoothing comes before the focusing, and where that looks at the target.
    is_smoothed: bool,
    is_on_target: bool,
    places: &'a mut Places<V>,
}

/// The places of a block, which are not moved about.
struct Places<V: Real> {
    shared: [MaybeUninit<Shared<V>>; GROUPS],
    below: Column<V>,
    exponential: Column<V>,
    /// The factors and slopes of the classes of a span.
    factors: Column<V>,
    slopes: Column<Slope<V>>,
}

/// Some classes of the groups of a block: all of each group, or so many of one.
#[derive(Clone, Copy)]
struct Span<V: Real> {
    groups: usize,
    /// Classes of a group.
    classes: usize,
    /// How many factors and slopes further the next group's are.
    step: usize,
    /// What a class is below the likeliest, then its quotient; a vector for each.
    below: *mut V::Scalar,
    /// What a class weighs beside the likeliest, then what is to be its probability.
    exponential: *mut V::Scalar,
}

impl<V: Real> Span<V> {
    /// The number of classes of all groups.
    #[inline(always)]
    fn count(&self) -> usize {
        self.groups * self.classes
    }

    /// Calls `f` with each group, the first of its classes and the slope of that.
    #[inline(always)]
    fn each_group(&self, mut f: impl FnMut(usize, usize, usize)) {
        (0..self.groups).for_each(|g| f(g, g * self.classes, g * self.step));
    }

    /// Calls `f` with each class, its slope and its group.
    #[inline(always)]
    fn each(&self, mut f: impl FnMut(usize, usize, usize)) {
        self.each_group(|g, first, slope| {
            (0..self.classes).for_each(|j| f(first + j, slope + j, g))
        });
    }

    /// The vector of a class in a column.
    ///
    /// # Safety
    /// Both must be there.
    #[inline(always)]
    unsafe fn get(column: *const V::Scalar, i: usize) -> V {
        // SAFETY: passed on.
        unsafe { V::load(column.add(i * V::LANES)) }
    }

    /// Sets it.
    ///
    /// # Safety
    /// Both must be there.
    #[inline(always)]
    unsafe fn set(column: *mut V::Scalar, i: usize, v: V) {
        // SAFETY: passed on.
        unsafe { v.store(column.add(i * V::LANES)) };
    }
}

impl<'a, V: Real> Block<'a, V> {
    /// A block for the groups of the batch.
    ///
    /// # Safety
    /// There must be a `γ` for every class, where they have their own.
    unsafe fn new(batch: &'a PosteriorRows<V::Scalar>, places: &'a mut Places<V>) -> Self {
        let PosteriorRows { classes, focal, .. } = *batch;
        // SAFETY: passed on.
        let way = unsafe { Powers::of::<V>(focal.gamma, largest_gamma(focal.gamma, classes)) };
        let gamma = in_two(match focal.gamma {
            Gamma::All(gamma) => gamma,
            // Each has its own.
            Gamma::PerClass(_) => 0.0,
        });
        let is_smoothed = focal.label_smoothing > 0.0 && focal.focus_on != FocusOn::EachClass;
        let is_on_target = is_smoothed && focal.focus_on == FocusOn::Target;
        let smoothing = if is_smoothed { focal.label_smoothing } else { 0.0 };
        let most = if classes == 2 { GROUPS } else { (GROUPS / classes.max(1)).max(1) };
        let groups = batch.rows.div_ceil(V::LANES).min(most).max(1);
        let mut block = Self {
            batch,
            first: 0,
            groups,
            way,
            gamma,
            slope: Slope::new(gamma[0], V::constant(focal.epsilon)),
            smoothed: Smoothed {
                kept: V::constant(1.0 - smoothing),
                each: V::constant(smoothing / classes as f64),
            },
            is_smoothed,
            is_on_target,
            places,
        };
        let (zero, nowhere) = (V::constant(0.0), V::lane_below(0));
        let shared = Shared {
            max: zero,
            is_second: nowhere,
            others: zero,
            spread: zero,
            inverse_factor: zero,
            gamma,
            slope: block.slope,
            is_apart: V::lane_below(V::LANES),
            is_among: nowhere,
            likeliest: Likeliest { log_sum: zero, pt: zero, one_minus_pt: zero },
            top: Parts::of(zero, zero),
            slope_of_top: zero,
            shares: LaneSum::zero(),
            inverses: LaneSum::zero(),
            taken: block.smoothed.each,
            level: zero,
            powers: [zero; 2],
            most: zero,
            of_top: zero,
            sum: LaneSum::zero(),
        };
        block.places.shared.iter_mut().take(groups).for_each(|place| {
            place.write(shared);
        });
        // SAFETY: there are as many places.
        unsafe {
            (0..classes.max(groups).min(GROUPS))
                .for_each(|k| block.places.slopes.set(k, block.slope));
            if classes > 2 {
                [true, false].into_iter().for_each(|of_slopes| {
                    block.fill(0, classes.min(GROUPS), of_slopes);
                });
            }
        }
        block
    }

    /// What the classes of a group share.
    ///
    /// # Safety
    /// It must have been set.
    #[inline(always)]
    unsafe fn shared(&mut self, g: usize) -> &mut Shared<V> {
        debug_assert!(g < GROUPS);
        // SAFETY: passed on.
        unsafe { self.places.shared.get_unchecked_mut(g).assume_init_mut() }
    }

    /// Begins with a group, from its largest logits.
    ///
    /// # Safety
    /// It must be there.
    #[inline(always)]
    unsafe fn begin(&mut self, g: usize, max: V) -> &mut Shared<V> {
        // SAFETY: passed on.
        let shared = unsafe { self.shared(g) };
        (shared.max, shared.most, shared.sum) = (max, V::constant(0.0), LaneSum::zero());
        shared
    }

    /// The factor of a class.
    ///
    /// # Safety
    /// `j` must be one.
    #[inline(always)]
    unsafe fn factor(&self, j: usize) -> V {
        // SAFETY: there is one for every class.
        V::splat(unsafe { *self.batch.factors.add(j) })
    }

    /// `γ` of a class, rounded and what that left, where each has its own.
    ///
    /// # Safety
    /// `j` must be one.
    #[inline(always)]
    unsafe fn gamma(&self, j: usize) -> Option<[V; 2]> {
        let Gamma::PerClass(table) = self.batch.focal.gamma else { return None };
        // SAFETY: there is one for every class.
        Some(in_two(unsafe { *table.add(j) }))
    }

    /// The slope of the loss of a class with that `γ`.
    #[inline(always)]
    fn slope_of(&self, gamma: V) -> Slope<V> {
        Slope::new(gamma, V::constant(self.batch.focal.epsilon))
    }

    /// Fills in the factors of so many classes from one on; or their slopes, where these are
    /// wanted.
    ///
    /// # Safety
    /// There must be such classes, and no more than there are places.
    #[inline(never)]
    unsafe fn fill(&mut self, from: usize, count: usize, of_slopes: bool) {
        // SAFETY: passed on.
        unsafe {
            if !of_slopes {
                (0..count).for_each(|k| self.places.factors.set(k, self.factor(from + k)));
                return;
            }
            // Where all have the same, they are there.
            for k in 0..count {
                let Some([gamma, _]) = self.gamma(from + k) else { return };
                self.places.slopes.set(k, self.slope_of(gamma));
            }
        }
    }

    /// The index of the row in a lane of a group; lanes beyond the last row have its logits.
    #[inline(always)]
    fn row(&self, g: usize, lane: usize) -> usize {
        (self.first_of(g) + lane).min(self.batch.rows - 1)
    }

    /// The first row of a group.
    #[inline(always)]
    fn first_of(&self, g: usize) -> usize {
        self.first + g * V::LANES
    }

    /// True if there is a row for every lane of a group.
    #[inline(always)]
    fn is_whole(&self, g: usize) -> bool {
        self.first_of(g) + V::LANES <= self.batch.rows
    }

    /// Puts probabilities in place of the logits of groups of two classes.
    ///
    /// # Safety
    /// They must be groups of the batch.
    unsafe fn pairs(&mut self) {
        let [below, exponential] = [self.places.below.lanes(), self.places.exponential.lanes()];
        let span = Span { groups: self.groups, classes: 1, step: 1, below, exponential };
        // SAFETY: passed on; the columns have a place for every group.
        unsafe {
            self.load_pairs(&span);
            self.exponentials(&span);
            let most = most_addend::<V>();
            for g in 0..self.groups {
                let [e, below] = [exponential, below].map(|column| Span::<V>::get(column, g));
                let shared = self.shared(g);
                // A row whose largest logit is infinite has no probabilities.
                shared.others = e.add(shared.max.sub(shared.max));
                shared.spread = below.neg().pmin(most);
            }
            self.solve(&span);
            self.store_pairs(exponential);
        }
    }

    /// Puts probabilities in place of the logits of groups of any number of classes.
    ///
    /// # Safety
    /// They must be groups of the batch; and one, where there are more classes than places.
    unsafe fn columns(&mut self) {
        let classes = self.batch.classes;
        let [below, exponential] = if classes > GROUPS {
            self.batch.room
        } else {
            [self.places.below.lanes(), self.places.exponential.lanes()]
        };
        let span = Span { groups: self.groups, classes, step: 0, below, exponential };
        // SAFETY: passed on; the columns have a place for every class.
        unsafe {
            for g in 0..self.groups {
                let max = self.load(g, below.add(g * classes * V::LANES));
                self.begin(g, max);
            }
            self.exponentials(&span);
            self.survey(&span);
            self.solve(&span);
            for g in 0..self.groups {
                self.store(g, exponential.add(g * classes * V::LANES));
            }
        }
    }

    /// Turns exponentials into what is to be probabilities.
    ///
    /// # Safety
    /// They must be there, and what the classes share.
    unsafe fn solve(&mut self, span: &Span<V>) {
        // SAFETY: passed on.
        unsafe {
            self.tops();
            self.in_parts(span, true, Self::quotients);
            self.levels();
            if self.is_late() {
                self.in_parts(span, false, Self::logarithms);
            }
            self.in_parts(span, false, Self::values);
        }
    }

    /// True where powers go through logarithms.
    #[inline(always)]
    fn is_late(&self) -> bool {
        V::LANES < MAX_LANES && self.way == Powers::Logarithms
    }

    /// Has a stage look at as many classes at a time as there are places.
    ///
    /// # Safety
    /// As for the stage.
    #[inline(always)]
    unsafe fn in_parts(
        &mut self,
        span: &Span<V>,
        of_slopes: bool,
        stage: unsafe fn(&mut Self, &Span<V>),
    ) {
        // SAFETY: passed on; classes of the span.
        unsafe {
            if span.classes <= GROUPS {
                return stage(self, span);
            }
            for j in (0..span.classes).step_by(GROUPS) {
                let classes = (span.classes - j).min(GROUPS);
                self.fill(j, classes, of_slopes);
                let [below, exponential] =
                    [span.below, span.exponential].map(|column| column.add(j * V::LANES));
                stage(self, &Span { classes, below, exponential, ..*span });
            }
        }
    }

    /// Loads the logits of groups of two classes.
    ///
    /// # Safety
    /// They must be groups of the batch, and the span theirs.
    #[inline(never)]
    unsafe fn load_pairs(&mut self, span: &Span<V>) {
        let PosteriorRows { logits, .. } = *self.batch;
        // SAFETY: rows of the batch.
        unsafe {
            let factors = [0, 1].map(|j| self.factor(j));
            let inverses = factors.map(|factor| V::constant(1.0).div(factor));
            let gammas = [0, 1].map(|j| self.gamma(j));
            for g in 0..self.groups {
                let (no, yes) = if self.is_whole(g) {
                    V::load_pairs(logits.add(self.first_of(g) * 2))
                } else {
                    let column = |j: usize| V::from_lanes(|i| *logits.add(self.row(g, i) * 2 + j));
                    (column(0), column(1))
                };
                let is_second = yes.gt(no);
                let of_both = |[first, second]: [V; 2]| first.exchange(second, is_second);
                let (max, x) = of_both([no, yes]);
                Span::set(span.below, g, x);
                self.places.factors.set(g, of_both(factors).1);
                let shared = self.begin(g, max);
                (shared.is_second, shared.inverse_factor) = (is_second, of_both(inverses).0);
                if let [Some(first), Some(second)] = gammas {
                    let [(gamma, other), (low, _)] = [0, 1].map(|k| of_both([first[k], second[k]]));
                    shared.gamma = [gamma, low];
                    let [slope, other] = [gamma, other].map(|gamma| self.slope_of(gamma));
                    self.shared(g).slope = slope;
                    self.places.slopes.set(g, other);
                }
            }
        }
    }

    /// Turns logits into differences and exponentials.
    ///
    /// # Safety
    /// They must be there, and what the classes share.
    #[inline(never)]
    unsafe fn exponentials(&mut self, span: &Span<V>) {
        // SAFETY: passed on.
        unsafe {
            let from_largest = FromLargest::held();
            span.each(|i, _, g| {
                let (e, below) = from_largest.of(self.shared(g).max, Span::get(span.below, i));
                Span::set(span.below, i, below);
                Span::set(span.exponential, i, e);
            });
        }
    }

    /// Finds out what the classes of each group share.
    ///
    /// # Safety
    /// There must be exponentials, of all classes.
    #[inline(never)]
    unsafe fn survey(&mut self, span: &Span<V>) {
        let (one, most) = (held(1.0), most_addend::<V>());
        let is_smoothed = self.is_smoothed;
        // SAFETY: classes of the batch.
        unsafe {
            span.each_group(|g, first, _| {
                let max = self.shared(g).max;
                let (mut others, mut spread) = (LaneSum::zero(), LaneSum::zero());
                // Those that are as likely as the likeliest, but for that. A row whose largest
                // logit is infinite has no probabilities.
                let mut equals = max.sub(max).sub(one);
                let (mut factor, mut gamma) = (one, self.gamma);
                for j in 0..span.classes {
                    let e = Span::<V>::get(span.exponential, first + j);
                    if is_smoothed {
                        spread =
                            spread.plus(Span::<V>::get(span.below, first + j).neg().pmin(most));
                    }
                    let is_likeliest = e.equals(one);
                    others = others.plus(e.clear(is_likeliest));
                    equals = equals.add(one.keep(is_likeliest));
                    factor = self.factor(j).select(factor, is_likeliest);
                    if let Some(of_class) = self.gamma(j) {
                        gamma = [0, 1].map(|k| of_class[k].select(gamma[k], is_likeliest));
                    }
                }
                let is_alone = equals.equals(V::constant(0.0));
                let slope = self.slope_of(gamma[0]);
                let shared = self.shared(g);
                (shared.others, shared.spread) = (others.sum().add(equals), spread.sum());
                (shared.gamma, shared.slope) = (gamma, slope);
                shared.inverse_factor = one.div(factor);
                (shared.is_apart, shared.is_among) = (is_alone, is_alone);
            });
        }
    }

    /// Looks at the likeliest class of each group.
    ///
    /// # Safety
    /// There must be groups.
    #[inline(never)]
    unsafe fn tops(&mut self) {
        let zero = V::constant(0.0);
        let Smoothed { each, .. } = self.smoothed;
        let near = V::constant(if self.is_smoothed { NEAR } else { 0.0 });
        let own = self.own();
        let is_on_target = self.is_on_target;
        let is_on_own = self.is_smoothed && !is_on_target;
        // SAFETY: passed on.
        unsafe {
            for g in 0..self.groups {
                let shared = self.shared(g);
                shared.likeliest = Likeliest::new(shared.others);
            }
            for g in 0..self.groups {
                let shared = self.shared(g);
                let Likeliest { log_sum, pt, one_minus_pt } = shared.likeliest;
                let nll = log_sum.add(each.mul(shared.spread));
                let (pt, one_minus_pt) = if is_on_own {
                    let (pt, one_minus_pt) = probabilities(nll);
                    (pt, positive(one_minus_pt))
                } else {
                    (pt, one_minus_pt.pmax(near))
                };
                shared.top = Parts { logarithm: nll.neg(), pt, one_minus_pt };
                let slope = shared.slope.of(own, &shared.top);
                shared.slope_of_top = slope;
                if is_on_target {
                    // Of several likeliest classes each is counted as one of the classes.
                    let inverse = one_minus_pt.div(slope).select(zero, shared.is_apart);
                    shared.shares = LaneSum::zero().plus(pt.mul(inverse));
                    shared.inverses = LaneSum::zero().plus(inverse);
                }
            }
        }
    }

    /// The cross-entropy's own part of `h`.
    #[inline(always)]
    fn own(&self) -> V {
        if self.is_on_target { self.smoothed.kept } else { V::constant(1.0) }
    }

    /// Puts `1/(h_j·u_j^γ)` of each class in place of what it is below the likeliest. Where powers
    /// are late, the logarithm of that relative to the likeliest class's power.
    ///
    /// # Safety
    /// There must be differences and exponentials, no more than places, and what the classes share.
    #[inline(never)]
    unsafe fn quotients(&mut self, span: &Span<V>) {
        let (mut logarithms, mut pts, mut powers) = (Column::new(), Column::new(), Column::new());
        let Smoothed { kept, .. } = self.smoothed;
        let (least, magic) = (held(V::Scalar::EXP_NORMAL), held(V::Scalar::MAGIC));
        let own = self.own();
        let one: V = held(1.0);
        // SAFETY: passed on; columns are set before they are read.
        unsafe {
            // Where `e` to it is below the range, and the class as good as none, it is the least
            // with which it is not.
            span.each(|i, _, g| {
                let row = self.shared(g);
                let below = kept.mul(Span::get(span.below, i));
                logarithms.set(i, below.add(row.top.logarithm).pmax(least));
                pts.set(i, Span::<V>::get(span.exponential, i).mul(row.likeliest.pt));
            });
            if self.is_smoothed && !self.is_on_target {
                // At most ½ as well: the mean of minus the logarithms is at least that of equal
                // ones.
                (0..span.count()).for_each(|i| pts.set(i, normal_exp(magic, logarithms.get(i))));
            }
            // Takes the place of the logarithms, in which it is found again.
            let mut slope = |i: usize, of: Slope<V>, u: V| {
                let parts = Parts { logarithm: logarithms.get(i), pt: pts.get(i), one_minus_pt: u };
                let slope = of.of(own, &parts);
                logarithms.set(i, slope);
                slope
            };
            let u = |pts: &Column<V>, i: usize| one.sub(pts.get(i));
            match self.way {
                Powers::Products(halves) => span.each(|i, k, _| {
                    let u = u(&pts, i);
                    let power = times_halves(slope(i, self.places.slopes.get(k), u), u, halves);
                    Span::set(span.below, i, u.div(power));
                }),
                Powers::Exponentials => {
                    span.each(|i, k, _| {
                        powers.set(i, self.places.slopes.get(k).gamma.mul(depth(pts.get(i))));
                    });
                    span.each(|i, k, _| {
                        let u = u(&pts, i);
                        let power = normal_exp(magic, powers.get(i));
                        let inverse = u.div(slope(i, self.places.slopes.get(k), u));
                        Span::set(span.below, i, power.mul(inverse));
                    });
                }
                Powers::Logarithms if self.is_late() => span.each(|i, k, g| {
                    let (of_class, row) = (self.places.slopes.get(k), *self.shared(g));
                    let (u, top) = (u(&pts, i), row.top.one_minus_pt);
                    // The ratio is exact for classes as likely as the likeliest.
                    let is_equal = Span::<V>::get(span.exponential, i).equals(one);
                    let log_ratio = log_of(top.div(u)).clear(is_equal);
                    let more = row.slope.gamma.sub(of_class.gamma).mul(log_of(top));
                    let power = of_class.gamma.mul(log_ratio).add(more);
                    let quotient = log_of(u.div(slope(i, of_class, u)));
                    Span::set(span.below, i, quotient.add(power));
                }),
                Powers::Logarithms => {}
            }
            if self.is_on_target {
                span.each_group(|g, first, _| {
                    let shared = self.shared(g);
                    let is_among = shared.is_among;
                    let (mut shares, mut inverses) = (shared.shares, shared.inverses);
                    for i in first..first + span.classes {
                        let pt: V = pts.get(i);
                        let is_top =
                            V::both(Span::<V>::get(span.exponential, i).equals(one), is_among);
                        let inverse = one.sub(pt).div(logarithms.get(i)).clear(is_top);
                        shares = shares.plus(pt.mul(inverse));
                        inverses = inverses.plus(inverse);
                    }
                    (shared.shares, shared.inverses) = (shares, inverses);
                });
            }
        }
    }

    /// Finds the factor of all weights of each group, from the likeliest class: its `h`, by its
    /// factor, and by its mass.
    ///
    /// # Safety
    /// There must be groups, whose shares are added up.
    #[inline(never)]
    unsafe fn levels(&mut self) {
        let one = V::constant(1.0);
        let Smoothed { each, .. } = self.smoothed;
        let (is_smoothed, is_on_target) = (self.is_smoothed, self.is_on_target);
        let (way, is_late) = (self.way, self.is_late());
        // SAFETY: passed on.
        unsafe {
            for g in 0..self.groups {
                let shared = self.shared(g);
                let top = shared.top.one_minus_pt;
                if is_on_target {
                    let (shares, inverses) = (shared.shares.sum(), shared.inverses.sum());
                    shared.taken = each.mul(shares.div(each.mul(inverses).add(one)));
                }
                // Quotients of what is known early do not keep others waiting.
                let inverse = one.div(top);
                let level =
                    finite(finite(shared.slope_of_top.mul(inverse)).mul(shared.inverse_factor));
                let level = if is_smoothed {
                    finite(level.mul(one.div(positive(mass(shared, one)))))
                } else {
                    level
                };
                shared.level = if is_late { log_of(level) } else { level };
                shared.powers = match way {
                    Powers::Products(halves) => {
                        let first = halves / 2;
                        [first, halves - first].map(|halves| times_halves(one, top, halves))
                    }
                    Powers::Exponentials => [UnitPower::half_of(shared.gamma).of(top); 2],
                    Powers::Logarithms => [one; 2],
                };
            }
        }
    }

    /// Puts the logarithm of each weight in place of its quotient's.
    ///
    /// # Safety
    /// There must be quotients.
    #[inline(never)]
    unsafe fn logarithms(&mut self, span: &Span<V>) {
        let one = V::constant(1.0);
        let is_smoothed = self.is_smoothed;
        // SAFETY: passed on.
        unsafe {
            span.each(|i, k, g| {
                let factor = self.places.factors.get(k);
                let shared = self.shared(g);
                let e = Span::<V>::get(span.exponential, i);
                let mass = if is_smoothed { mass(shared, e) } else { e };
                let quotient = Span::get(span.below, i);
                let logarithm: V = log_of(mass.mul(factor)).add(shared.level.add(quotient));
                let is_top = V::both(e.equals(one), shared.is_among);
                shared.most = shared.most.pmax(logarithm.clear(is_top));
                Span::set(span.below, i, logarithm);
            });
        }
    }

    /// Puts what is to be probabilities in place of the exponentials: relative to the likeliest
    /// class, or to the largest where powers are late.
    ///
    /// # Safety
    /// There must be quotients, and the level of each group.
    #[inline(never)]
    unsafe fn values(&mut self, span: &Span<V>) {
        let (one, zero, most) = (held(1.0), V::constant(0.0), most_addend::<V>());
        let (is_smoothed, is_late) = (self.is_smoothed, self.is_late());
        // SAFETY: passed on.
        unsafe {
            span.each_group(|g, first, step| {
                let shared = *self.shared(g);
                let of_top = if is_late { decay(shared.most.neg()).0 } else { one };
                let mut sum = shared.sum;
                for j in 0..span.classes {
                    let i = first + j;
                    let [e, quotient] =
                        [span.exponential, span.below].map(|column| Span::<V>::get(column, i));
                    let value = if is_late {
                        decay(quotient.sub(shared.most).pmin(zero)).0
                    } else {
                        let mass = if is_smoothed { mass(&shared, e) } else { e };
                        let by = shared.level.mul(self.places.factors.get(step + j));
                        let [first, second] = shared.powers;
                        mass.mul(by).mul(quotient).pmin(most).mul(first).mul(second)
                    };
                    let value = of_top.select(value, V::both(e.equals(one), shared.is_among));
                    sum = sum.plus(value);
                    Span::set(span.exponential, i, value);
                }
                let shared = self.shared(g);
                (shared.sum, shared.of_top) = (sum, of_top);
            });
        }
    }

    /// What smoothing leaves of a share, where it comes after, by the prior of its class.
    #[inline(always)]
    fn left(&self, share: V, prior: V) -> V {
        let taken = V::constant(self.batch.focal.label_smoothing / self.batch.classes as f64);
        share.sub(taken).pmax(V::constant(0.0)).mul(prior)
    }

    /// True where smoothing comes after.
    #[inline(always)]
    fn is_smoothed_after(&self) -> bool {
        let Focal { focus_on, label_smoothing, .. } = self.batch.focal;
        focus_on == FocusOn::EachClass && label_smoothing > 0.0
    }

    /// The prior of a class, 1 where there are none.
    ///
    /// # Safety
    /// `j` must be a class.
    #[inline(always)]
    unsafe fn prior(&self, j: usize) -> V {
        if self.batch.priors.is_null() {
            return V::constant(1.0);
        }
        // SAFETY: there is one for every class.
        V::constant(unsafe { *self.batch.priors.add(j) })
    }

    /// Writes the probabilities of groups of two classes to their rows.
    ///
    /// # Safety
    /// They must be groups of the batch, with what is to be probabilities.
    #[inline(never)]
    unsafe fn store_pairs(&mut self, values: *const V::Scalar) {
        let PosteriorRows { logits, rows, .. } = *self.batch;
        let one = V::constant(1.0);
        let is_smoothed_after = self.is_smoothed_after();
        // SAFETY: rows of the batch.
        unsafe {
            let priors = [0, 1].map(|j| self.prior(j));
            for g in 0..self.groups {
                let mut other = Span::<V>::get(values, g);
                let shared = self.shared(g);
                let (is_second, mut top) = (shared.is_second, shared.of_top);
                let mut inverse = one.div(shared.sum.sum().add(top));
                if is_smoothed_after {
                    let (of_top, of_other) = priors[0].exchange(priors[1], is_second);
                    top = self.left(top.mul(inverse), of_top);
                    other = self.left(other.mul(inverse), of_other);
                    inverse = one.div(top.add(other));
                }
                let (no, yes) = top.mul(inverse).exchange(other.mul(inverse), is_second);
                let first = self.first_of(g);
                let to = logits.add(2 * first);
                if self.is_whole(g) {
                    V::store_pairs(no, yes, to);
                } else {
                    for i in 0..rows - first {
                        *to.add(2 * i) = no.lane(i);
                        *to.add(2 * i + 1) = yes.lane(i);
                    }
                }
            }
        }
    }

    /// Loads the logits of a group into a column. Returns the largest, or NaN where that is the
    /// first.
    ///
    /// # Safety
    /// It must be a group of the batch.
    #[inline(never)]
    unsafe fn load(&self, g: usize, to: *mut V::Scalar) -> V {
        let PosteriorRows { logits, classes, .. } = *self.batch;
        // SAFETY: rows of the batch.
        unsafe {
            let column = |j: usize| V::from_lanes(|i| *logits.add(self.row(g, i) * classes + j));
            let mut max = column(0);
            let mut j = 0;
            if self.is_whole(g) {
                let from = logits.add(self.first_of(g) * classes);
                while j + V::LANES <= classes {
                    let block = V::load_block(from.add(j), classes);
                    for (k, &column) in block.as_ref().iter().enumerate() {
                        Span::set(to, j + k, column);
                        max = max.pmax(column);
                    }
                    j += V::LANES;
                }
            }
            for j in j..classes {
                let column = column(j);
                Span::set(to, j, column);
                max = max.pmax(column);
            }
            max
        }
    }

    /// Writes the probabilities of a group to its rows.
    ///
    /// # Safety
    /// It must be a group of the batch, with what is to be probabilities.
    #[inline(never)]
    unsafe fn store(&mut self, g: usize, values: *mut V::Scalar) {
        let PosteriorRows { logits, rows, classes, .. } = *self.batch;
        // SAFETY: rows of the batch.
        unsafe {
            let mut inverse = V::constant(1.0).div(self.shared(g).sum.sum());
            if self.is_smoothed_after() {
                let mut sum = LaneSum::zero();
                for j in 0..classes {
                    let left = self.left(Span::<V>::get(values, j).mul(inverse), self.prior(j));
                    Span::set(values, j, left);
                    sum = sum.plus(left);
                }
                inverse = V::constant(1.0).div(sum.sum());
            }
            let probability = |j: usize| Span::<V>::get(values, j).mul(inverse);
            let first = self.first_of(g);
            let to = logits.add(first * classes);
            let mut j = 0;
            if self.is_whole(g) {
                while j + V::LANES <= classes {
                    let block = V::block(|k| probability(j + k));
                    V::store_block(block, to.add(j), classes);
                    j += V::LANES;
                }
            }
            let count = V::LANES.min(rows - first);
            for j in j..classes {
                let column = probability(j);
                (0..count).for_each(|i| *to.add(i * classes + j) = column.lane(i));
            }
        }
    }
}

/// `p_j`, or what smoothing leaves of it, from its weight beside the likeliest class's 1.
#[inline(always)]
fn mass<V: Real>(shared: &Shared<V>, exponential: V) -> V {
    exponential.mul(shared.likeliest.pt).sub(shared.taken).pmax(V::constant(0.0))
}

/// The logarithm, where there is time for a call.
#[inline(never)]
fn log_of<V: Real>(v: V) -> V {
    log(v)
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
