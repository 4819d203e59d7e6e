//! The focal loss of a batch for every γ, ε and weighting at once, from one softmax of its rows.
//!
//! The value of a row is `w·u^γ·ℓ`. Only `ℓ` and `u` depend on ε, only the power on γ, and the
//! weights `w` need not be known before everything is added up, as long as they are those of a
//! class: so a scalar alpha takes but the sums of class 1 and of the others.

use core::{cell::Cell, ptr, slice};

use super::{
    block::{Block, Column, GROUPS},
    check_targets::check_elements,
    hard::evaluate,
    problem::Problem,
    rows::{Rows, Weights},
    sigmoid::{Elements, PerColumn, fill_up},
    sink::Total,
    solve::solve,
    stages::Evaluation,
};
use crate::math::Real;
use crate::{
    loss::{
        focal::{Hard, probabilities},
        focusing::{Focusing, Gamma, LARGEST_PRODUCT, Later, Power},
        sigmoid::{Logistic, odds},
        smoothing::Smoothing,
        softmax::{RowLoss, RowSums, Softmax},
    },
    simd::F64x2,
    simd::vector::{Scalar, Vector, WideSum},
};

/// The way in which the rows of a sum are weighed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Weighting {
    /// All the same.
    Even,
    /// By their probability of class 1. The one behind it must be that of the others.
    One,
    /// By that of the other classes.
    Others,
    /// As [`Self::One`], and no other weighs anything: not that an infinite value were nothing,
    /// which no number times 0 is.
    OneAlone,
    /// As [`Self::Others`], likewise.
    OthersAlone,
    /// By those of all classes, each with the weight that it has in this table.
    PerClass(usize),
}

impl Weighting {
    /// The weighting that a number stands for: of a table, or −1 to −5 for the others in the order
    /// above.
    fn of(code: f64) -> Self {
        match code {
            -1.0 => Self::Even,
            -2.0 => Self::One,
            -3.0 => Self::Others,
            -4.0 => Self::OneAlone,
            -5.0 => Self::OthersAlone,
            table => Self::PerClass(table as usize),
        }
    }
}

/// The size of a sweep.
#[derive(Clone, Copy, Debug)]
pub struct SweepSize {
    /// Number of γ.
    pub gammas: usize,
    /// Number of ε.
    pub smoothings: usize,
    /// Number of weightings.
    pub weightings: usize,
}

impl SweepSize {
    /// Number of sums: for each ε, of each γ, of each weighting.
    pub fn sums(&self) -> usize {
        self.smoothings * self.gammas * self.weightings
    }
}

/// A sweep over a batch. What it points to is the caller's.
pub struct Sweep<V: Real> {
    /// The number of each.
    pub size: SweepSize,
    /// Each γ. In ascending order, halves and wholes take the fewest products.
    pub gammas: *const f64,
    /// Each ε.
    pub smoothings: *const f64,
    /// Each weighting: the number of a table, or −1 for even weights, −2 for those of class 1, −3
    /// for those of the others, and −4 and −5 for either of these alone.
    pub weightings: *const f64,
    /// The weights of the classes, one table after the other.
    pub tables: *const f64,
    /// The sums so far, one per lane.
    pub sums: *mut V::Wide,
    /// Room for a block of weights for each weighting.
    pub weights: *mut [V; GROUPS],
}

impl<V: Real> Sweep<V> {
    /// Adds `rows`, of target classes or, where they are not null, of class probabilities, to the
    /// sums; returns how many of them count. Weights of classes, gradients and scales of `rows`
    /// are not looked at; `room` is for a value for each of them.
    ///
    /// # Safety
    /// As for [`super::solve`]. What the sweep points to must be valid for its sizes.
    pub unsafe fn run(
        &self,
        rows: &Rows<V::Scalar>,
        soft: *const V::Scalar,
        room: *mut V::Scalar,
    ) -> usize {
        let rows = Rows {
            grad: ptr::null_mut(),
            values: ptr::null_mut(),
            weights: Weights::none(),
            ..*rows
        };
        let walk = SweepEvaluation {
            sweep: Sweep { ..*self },
            rows,
            row: Cell::new(0),
            counted: Cell::new(0),
        };
        // SAFETY: passed on.
        unsafe {
            if soft.is_null() {
                evaluate::<V, dyn Evaluation<V> + '_>(&rows, &walk, &mut Total::new(1));
            } else {
                walk.soft(soft, room);
            }
        }
        walk.counted.get()
    }

    /// Adds elements, each a logit with a target of its own, to the sums; returns how many of them
    /// count. Neither the options that are swept nor gradients and scales of `elements` are looked
    /// at, and the weights of the tables are those of positives, by column.
    ///
    /// # Safety
    /// As for [`super::sigmoid`]. What the sweep points to must be valid for its sizes.
    pub unsafe fn run_elements(&self, elements: &Elements<V::Scalar>) -> usize {
        let rest = elements.count % V::LANES;
        let whole = elements.count - rest;
        // SAFETY: elements of the batch; the last, fewer than a vector's, are filled up with such
        // as weigh nothing.
        unsafe {
            self.vectors(&Elements { count: whole, ..*elements }, 0);
            if rest > 0 {
                let filled =
                    |array, otherwise| fill_up(array, whole, rest, V::Scalar::from_f64(otherwise));
                let (logits, targets) =
                    (filled(elements.logits, 0.0), filled(elements.targets, 0.0));
                let weights = filled(elements.weights, 1.0);
                let (logits, targets, weights) =
                    (logits.as_ptr(), targets.as_ptr(), weights.as_ptr());
                self.vectors(
                    &Elements { logits, targets, weights, count: V::LANES, ..*elements },
                    whole,
                );
            }
            let targets = slice::from_raw_parts(elements.targets, elements.count);
            check_elements(targets, elements.ignored).unwrap_or(0)
        }
    }

    /// Adds whole vectors of elements, the first of which is of column `first`.
    ///
    /// # Safety
    /// As for [`Self::run_elements`].
    unsafe fn vectors(&self, elements: &Elements<V::Scalar>, first: usize) {
        let gamma = Gamma::All(0.0);
        let power = Power::new(gamma);
        let loss = Hard::new(gamma, Later(&power));
        let vectors = elements.count / V::LANES;
        for from in (0..vectors).step_by(GROUPS) {
            let groups = GROUPS.min(vectors - from);
            let at = |g: usize| (from + g) * V::LANES;
            let mut logistics = Column::new();
            // SAFETY: elements of the batch; columns are set before they are read.
            unsafe {
                (0..groups).for_each(|g| {
                    logistics.set(g, Logistic::new(odds(V::load(elements.logits.add(at(g))))))
                });
                for (s, &label_smoothing) in self.smoothings().iter().enumerate() {
                    let elements = Elements {
                        label_smoothing,
                        alpha: None,
                        scale: 1.0,
                        scales: ptr::null(),
                        ..*elements
                    };
                    let (mut values, mut ones_minus_pt) = (Column::new(), Column::new());
                    for g in 0..groups {
                        let row_loss = elements.row_loss(&loss, logistics.get(g), at(g), first);
                        let [value, one_minus_pt] =
                            elements.clear(at(g), [row_loss.value, row_loss.one_minus_pt]);
                        values.set(g, value);
                        ones_minus_pt.set(g, one_minus_pt);
                    }
                    for (weighting, weights) in self.weightings() {
                        for g in 0..groups {
                            weights.add(g).write(self.weight_of_elements(
                                weighting,
                                &elements,
                                at(g),
                                first,
                            ));
                        }
                    }
                    self.raise(s, &values, &ones_minus_pt, groups);
                }
            }
        }
    }

    /// The weights of the elements of the vector at `at`.
    ///
    /// # Safety
    /// As for [`Self::vectors`].
    #[inline(always)]
    unsafe fn weight_of_elements(
        &self,
        weighting: Weighting,
        elements: &Elements<V::Scalar>,
        at: usize,
        first: usize,
    ) -> V {
        // SAFETY: a vector of elements; there is a weight for each column.
        unsafe {
            let (positive, negative) = elements.shares::<V>(at);
            match weighting {
                Weighting::Even => V::constant(1.0),
                Weighting::One | Weighting::OneAlone => positive,
                Weighting::Others | Weighting::OthersAlone => negative,
                Weighting::PerClass(table) => {
                    let table = PerColumn::Each(self.tables.add(table * elements.columns));
                    let of_positives: V = elements.of_column(table, first + at, |alpha| alpha);
                    let of_negatives: V =
                        elements.of_column(table, first + at, |alpha| 1.0 - alpha);
                    of_positives.mul(positive).add(of_negatives.mul(negative))
                }
            }
        }
    }

    /// Each ε.
    ///
    /// # Safety
    /// As for [`Self::run`].
    unsafe fn smoothings<'a>(&self) -> &'a [f64] {
        // SAFETY: the caller vouches for them.
        unsafe { slice::from_raw_parts(self.smoothings, self.size.smoothings) }
    }

    /// Each γ.
    ///
    /// # Safety
    /// As for [`Self::run`].
    unsafe fn gammas<'a>(&self) -> &'a [f64] {
        // SAFETY: the caller vouches for them.
        unsafe { slice::from_raw_parts(self.gammas, self.size.gammas) }
    }

    /// Each weighting, and where the weights of a block go.
    ///
    /// # Safety
    /// As for [`Self::run`].
    unsafe fn weightings(&self) -> impl Iterator<Item = (Weighting, *mut V)> {
        let (weightings, weights) = (self.weightings, self.weights);
        // SAFETY: the caller vouches for them.
        (0..self.size.weightings)
            .map(move |i| unsafe { (Weighting::of(*weightings.add(i)), weights.add(i).cast()) })
    }

    /// The weight of a class in a table.
    ///
    /// # Safety
    /// There must be such a table, and it be a class.
    #[inline(always)]
    unsafe fn weight_of(&self, table: usize, classes: usize, class: usize) -> f64 {
        // SAFETY: the caller vouches for it.
        unsafe { *self.tables.add(table * classes + class) }
    }

    /// Adds what a block gives with one ε: `ℓ` and `u` of its groups, the former with the weights
    /// of the rows.
    ///
    /// # Safety
    /// The columns and the weights of the block must have been set for so many groups, and there be
    /// such an ε.
    #[inline(never)]
    unsafe fn raise(
        &self,
        smoothing: usize,
        base: &Column<V>,
        ones_minus_pt: &Column<V>,
        groups: usize,
    ) {
        let (mut chain, mut other) = (Column::new(), Column::new());
        let mut at = 0.0;
        // SAFETY: passed on.
        unsafe {
            (0..groups).for_each(|g| chain.set(g, base.get(g)));
            for (k, &gamma) in self.gammas().iter().enumerate() {
                let from = smoothing * self.size.gammas + k;
                let sums = self.sums.add(from * self.size.weightings);
                // On from the γ before, where that takes nothing but products.
                let step = Power::new(Gamma::All(gamma - at));
                if gamma >= at && matches!(step, Power::Halves { .. }) && gamma <= LARGEST_PRODUCT {
                    let place = &raw mut chain;
                    focus(step, place, ones_minus_pt, groups, place);
                    at = gamma;
                    self.add(&chain, groups, sums);
                } else {
                    focus(Power::new(Gamma::All(gamma)), base, ones_minus_pt, groups, &mut other);
                    self.add(&other, groups, sums);
                }
            }
        }
    }

    /// Adds the values of a block to the sums of all weightings.
    ///
    /// # Safety
    /// As for [`Self::raise`]; there must be so many sums.
    #[inline(never)]
    unsafe fn add(&self, values: &Column<V>, groups: usize, sums: *mut V::Wide) {
        let zero = V::constant(0.0);
        // SAFETY: passed on.
        unsafe {
            for (i, (weighting, weights)) in self.weightings().enumerate() {
                let to = sums.add(i);
                let mut sum = *to;
                match weighting {
                    // Side by side, since each addition waits for the one before.
                    Weighting::One => {
                        let (others, mut rest) = (weights.add(GROUPS), *to.add(1));
                        for g in 0..groups {
                            let (x, weight, other) =
                                (values.get(g), *weights.add(g), *others.add(g));
                            // An infinite value of another class is not this one's.
                            sum = sum.accumulate(x.mul(weight).keep(weight.gt(zero)));
                            rest = rest.accumulate(x.mul(other).keep(other.gt(zero)));
                        }
                        to.add(1).write(rest);
                    }
                    Weighting::Others => continue,
                    _ => (0..groups)
                        .for_each(|g| sum = sum.accumulate(values.get(g).mul(*weights.add(g)))),
                }
                to.write(sum);
            }
        }
    }
}

/// Multiplies by the focusing factor.
///
/// # Safety
/// The columns must have been set for so many groups.
#[inline(never)]
unsafe fn focus<V: Real>(
    power: Power<V>,
    from: *const Column<V>,
    ones_minus_pt: &Column<V>,
    groups: usize,
    to: *mut Column<V>,
) {
    for g in 0..groups {
        // SAFETY: passed on. The columns may be the same: no reference to either is kept.
        unsafe {
            let [x] = power.focus([(*from).get(g)], ones_minus_pt.get(g));
            (*to).set(g, x);
        }
    }
}

/// A sweep on its way over a batch.
struct SweepEvaluation<V: Real> {
    sweep: Sweep<V>,
    rows: Rows<V::Scalar>,
    /// The first row of the next block.
    row: Cell<usize>,
    /// Number of rows that counted.
    counted: Cell<usize>,
}

impl<V: Real> SweepEvaluation<V> {
    /// Sets what `weigh` makes of each weighting and lane as the weights of a block.
    ///
    /// # Safety
    /// As for [`Sweep::run`].
    #[inline(always)]
    unsafe fn weigh(&self, groups: usize, mut weigh: impl FnMut(Weighting, usize) -> V) {
        // SAFETY: passed on.
        unsafe {
            for (weighting, weights) in self.sweep.weightings() {
                (0..groups).for_each(|g| weights.add(g).write(weigh(weighting, g)));
            }
        }
    }

    /// Clears the lanes of `n` rows from `row` on that do not count.
    ///
    /// # Safety
    /// They must be rows of the batch.
    #[inline(always)]
    unsafe fn clear(&self, row: usize, n: usize, columns: [&mut Column<V>; 2]) -> usize {
        let lanes = columns.map(Column::lanes);
        let mut cleared = 0;
        let mut clear = |i: usize| {
            // SAFETY: a lane of the block.
            lanes.iter().for_each(|lanes| unsafe { lanes.add(i).write(V::Scalar::default()) });
        };
        (n..n.next_multiple_of(V::LANES)).for_each(&mut clear);
        if let Some(ignored) = self.rows.ignored {
            // SAFETY: rows of the batch.
            for i in (0..n).filter(|&i| unsafe { *self.rows.targets.add(row + i) } == ignored) {
                clear(i);
                cleared += 1;
            }
        }
        n - cleared
    }

    /// Looks at rows of class probabilities.
    ///
    /// # Safety
    /// As for [`Sweep::run`].
    unsafe fn soft(&self, soft: *const V::Scalar, room: *mut V::Scalar) {
        let Rows { rows, classes, row_weights, .. } = self.rows;
        let step = GROUPS * V::LANES;
        // SAFETY: rows of the batch.
        unsafe {
            for (s, &label_smoothing) in self.sweep.smoothings().iter().enumerate() {
                let plain = Rows { values: room, row_weights: ptr::null(), ..self.rows };
                solve::<V>(
                    &plain,
                    soft,
                    &Problem::CrossEntropy(label_smoothing),
                    &mut Total::new(1),
                );
                for from in (0..rows).step_by(step) {
                    let n = step.min(rows - from);
                    let groups = n.div_ceil(V::LANES);
                    let lane =
                        |i: usize, f: &dyn Fn(usize) -> f64| if i < n { f(from + i) } else { 0.0 };
                    let lanes = |g: usize, f: &dyn Fn(usize) -> f64| {
                        V::from_lanes(|i| V::Scalar::from_f64(lane(g * V::LANES + i, f)))
                    };
                    self.weigh(groups, |weighting, g| {
                        lanes(g, &|row| self.mean(soft.add(row * classes), weighting))
                    });
                    let (mut values, mut ones_minus_pt) = (Column::new(), Column::new());
                    for g in 0..groups {
                        let nll = lanes(g, &|row| (*room.add(row)).to_f64());
                        let weight = lanes(g, &|row| {
                            if row_weights.is_null() {
                                1.0
                            } else {
                                (*row_weights.add(row)).to_f64()
                            }
                        });
                        values.set(g, weight.mul(nll));
                        ones_minus_pt.set(g, probabilities(nll).1);
                    }
                    self.clear(from, n, [&mut values, &mut ones_minus_pt]);
                    self.sweep.raise(s, &values, &ones_minus_pt, groups);
                }
            }
        }
        self.counted.set(rows);
    }

    /// The mean weight of a row of class probabilities.
    ///
    /// # Safety
    /// It must be a row of the batch.
    unsafe fn mean(&self, row: *const V::Scalar, weighting: Weighting) -> f64 {
        let classes = self.rows.classes;
        // A plain sum of many classes would be less exact than the losses.
        let sum = |weight: &dyn Fn(usize) -> f64| {
            let mut sum = <F64x2 as Vector>::Wide::ZERO;
            for j in 0..classes {
                // SAFETY: a class of the row.
                let term = unsafe { *row.add(j) }.to_f64() * weight(j);
                sum = sum.accumulate(F64x2::from_lanes(|i| if i == 0 { term } else { 0.0 }));
            }
            sum.total()
        };
        match weighting {
            Weighting::Even => sum(&|_| 1.0),
            Weighting::One | Weighting::OneAlone => sum(&|j| f64::from(u8::from(j == 1))),
            Weighting::Others | Weighting::OthersAlone => sum(&|j| f64::from(u8::from(j != 1))),
            Weighting::PerClass(table) => {
                // SAFETY: a class.
                sum(&|j| unsafe { self.sweep.weight_of(table, classes, j) })
            }
        }
    }
}

impl<V: Real> Evaluation<V> for SweepEvaluation<V> {
    fn wants_spread(&self) -> bool {
        // SAFETY: the caller of [`Sweep::run`] vouches for them.
        unsafe { self.sweep.smoothings() }.iter().any(|&smoothing| smoothing > 0.0)
    }

    unsafe fn evaluate(
        &self,
        block: &mut Block<V>,
        rows: &Column<Softmax<V>>,
        sums: Option<&Column<RowSums<V>>>,
        _outcomes: &mut Column<RowLoss<V>>,
    ) {
        let (groups, classes) = (block.groups(), block.classes);
        let (zero, one) = (V::constant(0.0), V::constant(1.0));
        let gamma = Gamma::All(0.0);
        let power = Power::new(gamma);
        let loss = Hard::new(gamma, Later(&power));
        let row = self.row.replace(self.row.get() + block.rows);
        let mut counted = block.rows;
        // SAFETY: groups of the block, and a weight for every class.
        unsafe {
            self.weigh(groups, |weighting, g| {
                let targets = block.targets(g);
                let is_one = V::index_is(V::load_index(targets), 1);
                match weighting {
                    Weighting::Even => one,
                    Weighting::One | Weighting::OneAlone => one.keep(is_one),
                    Weighting::Others | Weighting::OthersAlone => one.clear(is_one),
                    Weighting::PerClass(table) => V::from_lanes(|i| {
                        V::Scalar::from_f64(self.sweep.weight_of(
                            table,
                            classes,
                            *targets.add(i) as usize,
                        ))
                    }),
                }
            });
            for (s, &smoothing) in self.sweep.smoothings().iter().enumerate() {
                let (mut values, mut ones_minus_pt) = (Column::new(), Column::new());
                let smoothed = (smoothing > 0.0).then(|| Smoothing::new(smoothing, classes));
                for g in 0..groups {
                    let (row, weight) = (rows.get(g), block.weight.get(g));
                    let row_loss = match smoothed {
                        None => loss.row_loss(&row, weight, one),
                        Some(smoothed) => {
                            let spread = sums.map_or(zero, |sums| sums.get(g).spread);
                            loss.smoothed_row_loss(&smoothed, &row, spread, weight, one)
                        }
                    };
                    values.set(g, row_loss.value);
                    ones_minus_pt.set(g, row_loss.one_minus_pt);
                }
                counted = self.clear(row, block.rows, [&mut values, &mut ones_minus_pt]);
                self.sweep.raise(s, &values, &ones_minus_pt, groups);
            }
            (0..groups).for_each(|g| block.value.set(g, zero));
        }
        self.counted.set(self.counted.get() + counted);
    }
}
