//! The loss on mixtures of classes, and the rarer tasks, in float64: row by row along the classes, but the formulas for two rows at a
//! time. See [`super::dense`].
//!
//! A row is seen from its largest class, which is left out of all sums. The exponentials are formed anew in each pass, so that no room
//! is needed that grows with the classes.

use core::mem::MaybeUninit;

use super::{
    block::{Column, GROUPS},
    exponential::{Exponential, bring_into_range, within_range},
    stages::softmax,
};
use crate::{
    arch::F64x2,
    loss::{
        each_class::Class,
        focal::{FocusOn, Focusing, Gamma, Hard, Power, positive, probabilities},
        second::{Curvature, gamma_grad},
        soft::SoftRow,
        softmax::{Row, RowSums, UNIT},
    },
    math::exp,
    vector::{Vector, WideSum},
};

/// What all is computed in.
type D = F64x2;

/// Classes that are looked at together, an even number.
const CHUNK: usize = 128;

/// Classes that are added up before the sum goes on with what it has rounded off.
const RUN: usize = 8;

/// The most rows of a block.
pub(super) const ROWS: usize = GROUPS * D::LANES;

/// What is asked of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Task {
    /// The loss on the row's mixture of classes.
    Mixture,
    /// The same with the focus on the target class.
    FocusOnTarget,
    /// The loss of each class by itself.
    EachClass,
    /// In place of the gradient, the diagonal of the Hessian, or of its Gauss-Newton approximation; for target classes.
    Hessian {
        /// Which of the two.
        gauss_newton: bool,
    },
    /// In place of the value, its derivative with respect to γ; for target classes.
    GammaGrad(FocusOn),
}

/// Any γ ≥ 0. One function for all that ask for powers: it is a large one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outlined(Power<D>);

impl Outlined {
    pub(super) fn new(gamma: Gamma) -> Self {
        Self(Power::new(gamma))
    }

    #[inline(never)]
    fn focus_three(self, x: [D; 3], u: D) -> [D; 3] {
        self.0.focus(x, u)
    }
}

impl Focusing<D> for Outlined {
    #[inline(always)]
    fn focus<const N: usize>(self, x: [D; N], u: D) -> [D; N] {
        let mut three = [D::constant(0.0); 3];
        three.iter_mut().zip(x).for_each(|(to, x)| *to = x);
        let three = self.focus_three(three, u);
        core::array::from_fn(|i| three[i % 3])
    }

    #[inline(always)]
    unsafe fn of_rows(self, targets: *const i32) -> (Self, Option<D>) {
        // SAFETY: passed on.
        let (power, gamma) = unsafe { self.0.of_rows(targets) };
        (Self(power), gamma)
    }
}

/// Some classes of a row.
pub(super) struct Chunk {
    /// Their logits.
    pub logits: [f64; CHUNK],
    /// Their `q_j`, smoothed and weighted.
    pub shares: [f64; CHUNK],
    /// Their parts of the row's mean weight.
    pub means: [f64; CHUNK],
    /// The exponentials of their logits, in the unit of [`RowSums::others`].
    exponentials: [f64; CHUNK],
    /// Out: their gradients.
    gradients: [f64; CHUNK],
}

/// Where rows come from and gradients go.
///
/// # Safety
/// All methods: `row` must be a row, and `n` classes follow `from`, or `j` be one.
pub(super) trait Source {
    /// The weight of a row, and the factor of its gradient.
    unsafe fn factors(&self, row: usize) -> (f64, f64);
    /// The target class of a row.
    unsafe fn target(&self, row: usize) -> usize;
    /// The logit of class `j`.
    unsafe fn logit(&self, row: usize, j: usize) -> f64;
    /// The `q_j` of class `j`, smoothed and weighted.
    unsafe fn share(&self, row: usize, j: usize) -> f64;
    /// The class with the largest logit.
    unsafe fn largest(&self, row: usize) -> usize;
    /// Fills a chunk.
    unsafe fn load(&self, row: usize, from: usize, n: usize, chunk: &mut Chunk);
    /// Writes gradients.
    unsafe fn store(&self, row: usize, from: usize, n: usize, gradients: &[f64]);
    /// Whether there is a place for gradients.
    fn wants_gradients(&self) -> bool;
    /// Whether rows weigh the mean of their classes' weights, which is not 1 where those are, since probabilities need not sum to exactly 1.
    fn has_mean_weights(&self) -> bool;
}

/// What the first pass found of a row: `m` is the class with the largest logit.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// `m`.
    largest: usize,
    /// What comes off each logit.
    shift: f64,
    /// `x_m`, less that.
    top: f64,
    /// `Σ_{j≠m} e^{x_j}`, in the unit of [`RowSums::others`].
    others: f64,
    /// `q_m`.
    own: f64,
    /// `Σ_{j≠m} q_j`.
    rest: f64,
    /// `Σ_{j≠m} q_j·(x_m − x_j)`.
    distance: f64,
    /// The mean weight.
    mean: f64,
}

/// A block of rows.
pub(super) struct Mixtures<'a> {
    source: &'a dyn Source,
    loss: Hard<D, Outlined>,
    classes: usize,
    task: Task,
    /// Whether the target classes are not smoothed.
    hard: bool,
    seen: [Seen; ROWS],
    values: [f64; ROWS],
}

/// Two rows, a lane each.
struct Two {
    rows: [usize; 2],
    softmax: Row<D>,
    /// `1 / Σ_j e^{x_j}` in the unit of the exponentials.
    inverse: D,
    weight: D,
    scale: D,
}

impl<'a> Mixtures<'a> {
    #[inline(always)]
    pub(super) fn new(source: &'a dyn Source, loss: Hard<D, Outlined>, classes: usize, task: Task, smoothing: f64) -> Self {
        // SAFETY: numbers, of which all may be zero. Written out, this would be thousands of instructions.
        let seen = unsafe { MaybeUninit::zeroed().assume_init() };
        let values = [0.0; ROWS];
        Self { source, loss, classes, task, hard: smoothing == 0.0, seen, values }
    }

    /// Computes the rows that are not to be `skipped`, of `n`. Returns their values.
    ///
    /// # Safety
    /// There must be `n` rows in the source.
    #[inline(never)]
    pub(super) unsafe fn run(mut self, n: usize, skipped: &[bool; ROWS]) -> [f64; ROWS] {
        let n = n.min(ROWS);
        let zeros = [0.0; CHUNK];
        let mut chunk = Chunk { logits: zeros, shares: zeros, means: zeros, exponentials: zeros, gradients: zeros };
        let (mut sums, mut rows) = (Column::new(), Column::new());
        let groups = n.div_ceil(D::LANES);
        // SAFETY: rows of the source; columns are set before they are read.
        unsafe {
            for (row, _) in skipped.iter().enumerate().take(n).filter(|&(_, &skipped)| !skipped) {
                self.look(row, &mut chunk);
            }
            for g in 0..groups {
                let lanes = |f: fn(&Seen) -> f64| D::from_lanes(|i| f(&self.seen[(2 * g + i) % ROWS]));
                let (target, others) = (lanes(|seen| seen.top), lanes(|seen| seen.others));
                sums.set(g, RowSums { target, max: target, others, spread: D::constant(0.0) });
            }
            softmax(groups, &sums, &mut rows);
            for g in 0..groups {
                let row = 2 * g;
                // An odd row is its own neighbour.
                let two = [row, if row + 1 < n { row + 1 } else { row }];
                let factors = two.map(|row| self.source.factors(row));
                let softmax = rows.get(g);
                let two = Two {
                    rows: two,
                    softmax,
                    inverse: inverse(sums.get(g).target, &softmax),
                    weight: D::from_lanes(|i| factors[i % 2].0),
                    scale: D::from_lanes(|i| factors[i % 2].1),
                };
                self.two(&two, skipped, &mut chunk);
            }
        }
        self.values
    }

    /// Two rows, from their softmax.
    ///
    /// # Safety
    /// They must have been looked at.
    #[inline(always)]
    unsafe fn two(&mut self, two: &Two, skipped: &[bool; ROWS], chunk: &mut Chunk) {
        // SAFETY: passed on; rows that have no gradients yet are those that are wanted.
        unsafe {
            let targets = two.rows.map(|row| self.source.target(row));
            let loss = self.loss.of_rows([targets[0] as i32, targets[1] as i32].as_ptr());
            let wanted = |i: usize| !skipped[two.rows[i] % ROWS] && (i == 0 || two.rows[1] != two.rows[0]);
            match self.task {
                Task::Mixture | Task::FocusOnTarget => self.mixture(two, &loss, wanted, chunk),
                Task::EachClass => {
                    for i in (0..2).filter(|&i| wanted(i)) {
                        let loss = self.loss.of_rows([targets[i] as i32; 2].as_ptr());
                        self.each_class(two, i, &loss, chunk);
                    }
                }
                Task::Hessian { gauss_newton } => self.hessian(two, &loss, gauss_newton, wanted, chunk),
                Task::GammaGrad(focus_on) => {
                    let value = gamma_grad(&loss, self.target(two, focus_on == FocusOn::Smoothed), two.weight);
                    self.set_values(two, value);
                }
            }
        }
    }

    #[inline(always)]
    fn set_values(&mut self, two: &Two, values: D) {
        for (i, row) in two.rows.into_iter().enumerate().rev() {
            self.values[row % ROWS] = values.lane(i);
        }
    }

    /// Loads the classes of a row from `from` on, less the shift, and makes their exponentials; the largest as if it had no part.
    /// Returns how many entries are filled, an even number.
    ///
    /// # Safety
    /// It must be a row whose largest class is known.
    #[inline(never)]
    unsafe fn load(&self, row: usize, from: usize, chunk: &mut Chunk) -> usize {
        let Seen { largest, shift, .. } = self.seen[row % ROWS];
        let n = CHUNK.min(self.classes - from);
        // SAFETY: classes of the row.
        unsafe { self.source.load(row, from, n, chunk) };
        if shift != 0.0 {
            chunk.logits[..n].iter_mut().for_each(|x| *x -= shift);
        }
        let mut clear = |i: usize| {
            if i < CHUNK {
                (chunk.logits[i], chunk.shares[i]) = (f64::NEG_INFINITY, 0.0);
            }
        };
        clear(largest.wrapping_sub(from));
        if n % 2 == 1 {
            clear(n);
            if n < CHUNK {
                chunk.means[n] = 0.0;
            }
        }
        let n = n.next_multiple_of(2);
        let exponential = self.exponential(row);
        // Two loops, each with short chains of operations. The place of the gradients is free until there are any.
        let (logits, powers) = (chunk.logits.as_ptr(), chunk.gradients.as_mut_ptr());
        let exponentials = chunk.exponentials.as_mut_ptr();
        // SAFETY: entries of the chunk.
        unsafe {
            for j in (0..n).step_by(2) {
                let (fraction, power) = exponential.split(D::load(logits.add(j)));
                fraction.store(exponentials.add(j));
                power.store(powers.add(j));
            }
            for j in (0..n).step_by(2) {
                Exponential::join(D::load(exponentials.add(j)), D::load(powers.add(j))).store(exponentials.add(j));
            }
        }
        n
    }

    /// The first pass.
    ///
    /// # Safety
    /// It must be a row.
    #[inline(never)]
    unsafe fn look(&mut self, row: usize, chunk: &mut Chunk) {
        let zero = D::constant(0.0);
        // SAFETY: classes of the row, and entries of the chunk.
        unsafe {
            let largest = self.source.largest(row);
            let mut top = D::splat(self.source.logit(row, largest));
            let mut shift = zero;
            if !within_range(top, top) {
                (_, top, shift) = bring_into_range(top, top);
            }
            let seen = &mut self.seen[row % ROWS];
            *seen = Seen { largest, shift: shift.lane(0), top: top.lane(0), ..Seen::default() };
            // Others, rest, distance, mean.
            let mut totals = [<D as Vector>::Wide::zero(); 4];
            for from in (0..self.classes).step_by(CHUNK) {
                let n = self.load(row, from, chunk);
                for from in (0..n).step_by(RUN) {
                    let mut sums = [zero; 4];
                    for j in (from..n.min(from + RUN)).step_by(2) {
                        let load = |entries: &[f64; CHUNK]| D::load(entries.as_ptr().add(j));
                        let (x, q, e) = (load(&chunk.logits), load(&chunk.shares), load(&chunk.exponentials));
                        // A class without a share adds nothing, also where its logit is −Inf.
                        let away = q.mul(top.sub(x)).keep(q.gt(zero));
                        let terms = [e, q, away, load(&chunk.means)];
                        sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum = sum.add(term));
                    }
                    totals.iter_mut().zip(sums).for_each(|(total, sum)| *total = total.accumulate(sum));
                }
            }
            let [others, rest, distance, mean] = totals.map(WideSum::total);
            let own = self.source.share(row, largest);
            let mean = if self.source.has_mean_weights() { mean } else { 1.0 };
            self.seen[row % ROWS] = Seen { others, own, rest, distance, mean, ..self.seen[row % ROWS] };
        }
    }

    /// A quantity of both rows.
    #[inline(always)]
    fn lanes(&self, two: &Two, f: impl Fn(&Seen) -> f64) -> D {
        D::from_lanes(|i| f(&self.seen[two.rows[i % 2] % ROWS]))
    }

    #[inline(always)]
    fn soft_row(&self, two: &Two) -> SoftRow<D> {
        SoftRow {
            softmax: two.softmax,
            inverse: two.inverse,
            own: self.lanes(two, |seen| seen.own),
            rest: self.lanes(two, |seen| seen.rest),
            distance: self.lanes(two, |seen| seen.distance),
        }
    }

    /// Writes what `f` makes of the logits, shares and exponentials of each vector of a row's classes, `largest` for the largest class, and what
    /// `other` says of another.
    ///
    /// # Safety
    /// It must be a row that has been looked at.
    #[inline(always)]
    unsafe fn write(
        &self,
        row: usize,
        chunk: &mut Chunk,
        mut f: impl FnMut([D; 3], usize) -> D,
        largest: D,
        other: Option<(usize, f64)>,
    ) {
        let zero = D::constant(0.0);
        let Seen { largest: class, .. } = self.seen[row % ROWS];
        for from in (0..self.classes).step_by(CHUNK) {
            // SAFETY: classes of the row, and entries of the chunk.
            unsafe {
                let n = self.load(row, from, chunk);
                for j in (0..n).step_by(2) {
                    let load = |entries: &[f64; CHUNK]| D::load(entries.as_ptr().add(j));
                    let class = [load(&chunk.logits), load(&chunk.shares), load(&chunk.exponentials)];
                    let gradient = f(class, from + j).add(zero);
                    gradient.store(chunk.gradients.as_mut_ptr().add(j));
                }
                for (class, gradient) in other.into_iter().chain([(class, largest.add(zero).lane(0))]) {
                    if let Some(entry) = chunk.gradients.get_mut(class.wrapping_sub(from)) {
                        *entry = gradient;
                    }
                }
                self.source.store(row, from, CHUNK.min(self.classes - from), &chunk.gradients);
            }
        }
    }

    /// The exponential of a logit of a row.
    #[inline(never)]
    fn exponential_of(&self, row: usize, x: f64) -> f64 {
        self.exponential(row).of(D::splat(x)).lane(0)
    }

    /// The exponential of the logits of a row.
    #[inline(always)]
    fn exponential(&self, row: usize) -> Exponential<D> {
        Exponential::new(D::splat(self.seen[row % ROWS].top))
    }

    /// # Safety
    /// As for [`Self::two`].
    #[inline(never)]
    unsafe fn mixture(&mut self, two: &Two, loss: &Hard<D, Outlined>, wanted: impl Fn(usize) -> bool, chunk: &mut Chunk) {
        let soft = self.soft_row(two);
        let weight = two.weight.mul(self.lanes(two, |seen| seen.mean));
        let zero = D::constant(0.0);
        // SAFETY: passed on.
        unsafe {
            let focus_on_target = self.task == Task::FocusOnTarget;
            let (outcome, pull, miss) = if focus_on_target {
                let (_, hit, miss) = self.target(two, false);
                let (outcome, pull) = soft.focus_on_target(loss, (hit, miss), weight, two.scale);
                (outcome, pull, miss)
            } else {
                (soft.outcome(loss, weight, two.scale), zero, zero)
            };
            self.set_values(two, outcome.value);
            if !self.source.wants_gradients() {
                return;
            }
            // The pull on the target is shared by the other classes in proportion to their probabilities.
            let share = pull.div(positive(miss));
            let factor = outcome.factor.add(share.mul(two.inverse));
            for i in (0..2).filter(|&i| wanted(i)) {
                let row = two.rows[i];
                let lane = |v: D| D::splat(v.lane(i));
                let target = self.source.target(row);
                let is_largest = target == self.seen[row % ROWS].largest;
                let pulled = if is_largest { lane(pull).neg() } else { lane(share.mul(two.softmax.hit)) };
                let largest = lane(outcome.largest).add(pulled);
                // The target, where it is not the largest.
                let other = (focus_on_target && !is_largest).then(|| {
                    let x = self.source.logit(row, target) - self.seen[row % ROWS].shift;
                    let (e, q) = (self.exponential_of(row, x), self.source.share(row, target));
                    let own = e * outcome.factor.lane(i) - outcome.derivative.lane(i) * q;
                    (target, own - pull.lane(i) + 0.0)
                });
                let (factor, derivative) = (lane(factor), lane(outcome.derivative));
                // An infinite pull leaves a masked class alone.
                let infinite = factor.abs().equals(D::constant(f64::INFINITY));
                let gradient = |[_, q, e]: [D; 3], _| {
                    let masked = D::both(infinite, e.equals(zero));
                    e.mul(factor).clear(masked).sub(derivative.mul(q))
                };
                self.write(row, chunk, gradient, largest, other);
            }
        }
    }

    /// Row `i` of two.
    ///
    /// # Safety
    /// As for [`Self::two`].
    #[inline(never)]
    unsafe fn each_class(&mut self, two: &Two, i: usize, loss: &Hard<D, Outlined>, chunk: &mut Chunk) {
        let row = two.rows[i];
        let Seen { top, own, .. } = self.seen[row % ROWS];
        let lane = |v: D| D::splat(v.lane(i));
        let (weight, scale, inverse) = (lane(two.weight), lane(two.scale), lane(two.inverse));
        let (log_sum, hit, miss) = (lane(two.softmax.log_sum), lane(two.softmax.hit), lane(two.softmax.miss));
        let zero = D::constant(0.0);
        // Value and −d_j of two classes, and their probabilities.
        let classes = |[x, q, e]: [D; 3]| {
            let p = e.mul(inverse);
            let nll = log_sum.add(D::splat(top).sub(x));
            (terms(loss, &Class { hit: p, miss: D::constant(1.0).sub(p), nll, weight: q.mul(weight) }), p)
        };
        let [largest, pull] = terms(loss, &Class { hit, miss, nll: log_sum, weight: D::splat(own).mul(weight) });
        let mut totals = [<D as Vector>::Wide::zero(); 2];
        // SAFETY: classes of the row, and entries of the chunk.
        unsafe {
            for from in (0..self.classes).step_by(CHUNK) {
                let n = self.load(row, from, chunk);
                for j in (0..n).step_by(2) {
                    let load = |entries: &[f64; CHUNK]| D::load(entries.as_ptr().add(j));
                    let (terms, _) = classes([load(&chunk.logits), load(&chunk.shares), load(&chunk.exponentials)]);
                    totals = [totals[0].accumulate(terms[0]), totals[1].accumulate(terms[1])];
                }
            }
            let [value, rest] = totals.map(WideSum::total);
            // A NaN among the logits has no weight where its class has none.
            self.values[row % ROWS] = value + largest.lane(0) + (log_sum.lane(0) - log_sum.lane(0));
            if self.source.wants_gradients() {
                let (rest, all) = (D::splat(rest), D::splat(rest).add(pull));
                // p_k·D − d_k; for the largest class, where both are nearly the same, from 1 − p_k and the others.
                let gradient = |class: [D; 3], _| {
                    let ([_, pull], p) = classes(class);
                    p.mul(all).sub(pull).mul(scale)
                };
                let largest = hit.mul(rest).sub(pull.mul(miss)).mul(scale).add(zero);
                self.write(row, chunk, gradient, largest, None);
            }
        }
    }

    /// `ℓ`, `pt` and `1 − pt` of the target classes; of their smoothed mixtures, if they are smoothed and `of_mixture`. `ℓ` is always
    /// that of what they are.
    ///
    /// # Safety
    /// As for [`Self::two`].
    #[inline(never)]
    unsafe fn target(&self, two: &Two, of_mixture: bool) -> (D, D, D) {
        let (mut nlls, mut hits, mut misses) = ([0.0; 2], [0.0; 2], [0.0; 2]);
        for (i, row) in two.rows.into_iter().enumerate() {
            let Seen { largest, shift, top, .. } = self.seen[row % ROWS];
            // SAFETY: a class of the row.
            let (target, x) = unsafe {
                let target = self.source.target(row);
                (target, self.source.logit(row, target) - shift)
            };
            nlls[i] = two.softmax.log_sum.lane(i) + (top - x);
            (hits[i], misses[i]) = if target == largest {
                (two.softmax.hit.lane(i), two.softmax.miss.lane(i))
            } else {
                let hit = self.exponential_of(row, x) * two.inverse.lane(i);
                (hit, 1.0 - hit)
            };
        }
        let [mut nll, mut hit, mut miss] = [nlls, hits, misses].map(|lanes| D::from_lanes(|i| lanes[i % 2]));
        if !self.hard {
            // The shares of a smoothed class sum to 1 but for rounding, and are taken to.
            nll = two.softmax.log_sum.add(self.lanes(two, |seen| seen.distance));
            if of_mixture {
                (hit, miss) = probabilities(nll);
            }
        }
        (nll, hit, miss)
    }

    /// # Safety
    /// As for [`Self::two`].
    #[inline(never)]
    unsafe fn hessian(
        &mut self,
        two: &Two,
        loss: &Hard<D, Outlined>,
        gauss_newton: bool,
        wanted: impl Fn(usize) -> bool,
        chunk: &mut Chunk,
    ) {
        let one = D::constant(1.0);
        let (hard, soft) = (self.hard, self.soft_row(two));
        // SAFETY: passed on.
        unsafe {
            let (nll, hit, miss) = self.target(two, true);
            let curvature = Curvature::new(loss, (nll, hit, miss), two.weight.mul(two.scale), hard, gauss_newton);
            for i in (0..2).filter(|&i| wanted(i)) {
                let row = two.rows[i];
                let Seen { largest, .. } = self.seen[row % ROWS];
                let lane = |v: D| D::splat(v.lane(i));
                let (hit, miss, inverse) = (lane(hit), positive(lane(miss)), lane(two.inverse));
                let (square, variance) = (lane(curvature.square), lane(curvature.variance));
                let target = self.source.target(row);
                // Of a class with this p, 1 − p and, if smoothed, p − q.
                let entry = |p: D, rest: D, difference: D, j: usize| {
                    let (difference, spread) = if hard {
                        let is_target = D::lane_is(target.wrapping_sub(j));
                        let share = p.div(miss);
                        (one.select(share, is_target), hit.select(share.mul(rest), is_target))
                    } else {
                        (difference, p.mul(rest))
                    };
                    square.mul(difference.mul(difference)).add(variance.mul(spread))
                };
                let of_largest = entry(lane(two.softmax.hit), lane(two.softmax.miss), lane(soft.largest_difference()), largest);
                let gradient = |[_, q, e]: [D; 3], j| {
                    let p = e.mul(inverse);
                    entry(p, one.sub(p), p.sub(q), j)
                };
                self.write(row, chunk, gradient, of_largest, None);
            }
        }
    }
}

/// `1 / Σ_j e^{x_j}` in the unit of the exponentials, from the largest logit and the softmax as it sees it: `p_m·e^{−x_m}`, of which the
/// power of two is in the unit.
#[inline(always)]
fn inverse(top: D, softmax: &Row<D>) -> D {
    exp::fraction_exp(exp::reduce(top).fraction.neg()).mul(D::constant(1.0 / UNIT)).mul(softmax.hit)
}

/// One function for the places that ask for it: it is a large one.
#[inline(never)]
fn terms(loss: &Hard<D, Outlined>, class: &Class<D>) -> [D; 2] {
    class.value_and_pull(loss)
}
