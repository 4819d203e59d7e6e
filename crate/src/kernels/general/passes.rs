//! The loss on mixtures of classes, and the rarer tasks, in float64: row by row along the classes,
//! but the formulas for two rows at a time. See [`super`].
//!
//! A row is seen from its largest class, which is left out of all sums. The exponentials are formed
//! anew in each pass, so that no room is needed that grows with the classes.

use core::mem::MaybeUninit;

use super::{
    super::{
        block::Column,
        exponential::{Exponential, bring_into_range, within_range},
        stages::softmax,
    },
    source::{CHUNK, Chunk, ROWS, Source},
};
use crate::{
    loss::{
        focal::{FocusOn, Hard},
        focusing::{Focusing, Gamma, Power},
        softmax::{RowSums, Softmax, UNIT},
    },
    math::exp::{self, FractionExp, Reduction},
    simd::{
        F64x2,
        vector::{Vector, WideSum},
    },
};

/// The vector that all is computed in.
pub(super) type D = F64x2;

/// Classes that are added up before the sum goes on with what it has rounded off.
const RUN: usize = 8;

/// The task for each row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::kernels) enum Task {
    /// The loss on the row's mixture of classes.
    Mixture,
    /// The same with the focus on the target class.
    FocusOnTarget,
    /// The loss of each class by itself.
    EachClass,
    /// In place of the gradient, the diagonal of the Hessian, or of its Gauss-Newton approximation;
    /// for target classes.
    Hessian {
        /// True for the Gauss-Newton approximation.
        gauss_newton: bool,
    },
    /// In place of the value, its derivative with respect to γ; for target classes.
    GammaGrad(FocusOn),
}

/// Any γ ≥ 0. One function for all that ask for powers: it is a large one.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Outlined(pub(super) Power<D>);

impl Outlined {
    pub(in crate::kernels) fn new(gamma: Gamma) -> Self {
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

/// The findings of the first pass over a row: `m` is the class with the largest logit.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    /// `m`.
    pub(super) largest: usize,
    /// The part that comes off each logit.
    pub(super) shift: f64,
    /// `x_m`, less that.
    pub(super) top: f64,
    /// `Σ_{j≠m} e^{x_j}`, in the unit of [`RowSums::others`].
    pub(super) others: f64,
    /// `q_m`.
    pub(super) own: f64,
    /// `Σ_{j≠m} q_j`.
    pub(super) rest: f64,
    /// `Σ_{j≠m} q_j·(x_m − x_j)`.
    pub(super) distance: f64,
    /// The mean weight.
    pub(super) mean: f64,
}

/// A block of rows.
pub(super) struct Mixtures<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) loss: Hard<D, Outlined>,
    pub(super) classes: usize,
    pub(super) task: Task,
    /// True for target classes that are not smoothed.
    pub(super) hard: bool,
    pub(super) seen: [Seen; ROWS],
    pub(super) values: [f64; ROWS],
}

/// Two rows, a lane each.
pub(super) struct Two {
    pub(super) rows: [usize; 2],
    pub(super) softmax: Softmax<D>,
    /// `1 / Σ_j e^{x_j}` in the unit of the exponentials.
    pub(super) inverse: D,
    pub(super) weight: D,
    pub(super) scale: D,
}

impl<'a> Mixtures<'a> {
    #[inline(always)]
    pub(super) fn new(
        source: &'a dyn Source,
        loss: Hard<D, Outlined>,
        classes: usize,
        task: Task,
        smoothing: f64,
    ) -> Self {
        // SAFETY: numbers, of which all may be zero. Written out, this would be thousands of
        // instructions.
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
        let mut chunk = Chunk::ZERO;
        let (mut sums, mut rows) = (Column::new(), Column::new());
        let (mut weights, mut scales) = (Column::new(), Column::new());
        let groups = n.div_ceil(D::LANES);
        // SAFETY: rows of the source; columns are set before they are read.
        unsafe {
            for (row, _) in skipped.iter().enumerate().take(n).filter(|&(_, &skipped)| !skipped) {
                self.softmax_pass(row, &mut chunk);
            }
            for g in 0..groups {
                let lanes =
                    |f: fn(&Seen) -> f64| D::from_lanes(|i| f(&self.seen[(2 * g + i) % ROWS]));
                let (target, others) = (lanes(|seen| seen.top), lanes(|seen| seen.others));
                sums.set(g, RowSums { target, max: target, others, spread: D::constant(0.0) });
            }
            softmax(groups, &sums, &mut rows);
            self.source.factors(n, [&mut weights, &mut scales]);
            for g in 0..groups {
                let row = 2 * g;
                // An odd row is its own neighbour.
                let two = [row, if row + 1 < n { row + 1 } else { row }];
                let softmax = rows.get(g);
                let two = Two {
                    rows: two,
                    softmax,
                    inverse: inverse(sums.get(g).target, &softmax),
                    weight: weights.get(g),
                    scale: scales.get(g),
                };
                self.two(&two, skipped, &mut chunk);
            }
        }
        self.values
    }

    /// Loads the classes of a row from `from` on, less the shift, and makes their exponentials; the
    /// largest as if it had no part. Returns how many entries are filled, an even number.
    ///
    /// # Safety
    /// It must be a row whose largest class is known.
    #[inline(never)]
    pub(super) unsafe fn load(&self, row: usize, from: usize, chunk: &mut Chunk) -> usize {
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
        let (reduction, fraction_exp) = (Reduction::stored(), FractionExp::stored());
        // Two loops, each with short chains of operations. The place of the gradients is free until
        // there are any.
        let (logits, powers) = (chunk.logits.as_ptr(), chunk.gradients.as_mut_ptr());
        let exponentials = chunk.exponentials.as_mut_ptr();
        // SAFETY: entries of the chunk.
        unsafe {
            for j in (0..n).step_by(2) {
                let (fraction, power) = exponential.split(&reduction, D::load(logits.add(j)));
                fraction.store(exponentials.add(j));
                power.store(powers.add(j));
            }
            for j in (0..n).step_by(2) {
                fraction_exp
                    .of(D::load(exponentials.add(j)))
                    .mul(D::load(powers.add(j)))
                    .store(exponentials.add(j));
            }
        }
        n
    }

    /// The first pass.
    ///
    /// # Safety
    /// It must be a row.
    #[inline(never)]
    pub(super) unsafe fn softmax_pass(&mut self, row: usize, chunk: &mut Chunk) {
        let zero = D::constant(0.0);
        // SAFETY: classes of the row, and entries of the chunk.
        unsafe {
            let largest = self.source.largest(row);
            self.source.load(row, largest, 1, chunk);
            let own = chunk.shares[0];
            let mut top = D::splat(chunk.logits[0]);
            let mut shift = zero;
            if !within_range(top, top) {
                (_, top, shift) = bring_into_range(top, top);
            }
            let seen = &mut self.seen[row % ROWS];
            *seen = Seen { largest, shift: shift.lane(0), top: top.lane(0), ..Seen::default() };
            // Others, rest, distance, mean.
            let mut totals = [<D as Vector>::Wide::ZERO; 4];
            for from in (0..self.classes).step_by(CHUNK) {
                let n = self.load(row, from, chunk);
                for from in (0..n).step_by(RUN) {
                    let mut sums = [zero; 4];
                    for j in (from..n.min(from + RUN)).step_by(2) {
                        let load = |entries: &[f64; CHUNK]| D::load(entries.as_ptr().add(j));
                        let (x, q, e) =
                            (load(&chunk.logits), load(&chunk.shares), load(&chunk.exponentials));
                        // A class without a share adds nothing, also where its logit is −Inf.
                        let away = q.mul(top.sub(x)).keep(q.gt(zero));
                        let terms = [e, q, away, load(&chunk.means)];
                        sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum = sum.add(term));
                    }
                    totals
                        .iter_mut()
                        .zip(sums)
                        .for_each(|(total, sum)| *total = total.accumulate(sum));
                }
            }
            let [others, rest, distance, mean] = totals.map(WideSum::total);
            let mean = if self.source.has_mean_weights() { mean } else { 1.0 };
            self.seen[row % ROWS] =
                Seen { others, own, rest, distance, mean, ..self.seen[row % ROWS] };
        }
    }

    /// A quantity of both rows.
    #[inline(always)]
    pub(super) fn lanes(&self, two: &Two, f: impl Fn(&Seen) -> f64) -> D {
        D::from_lanes(|i| f(&self.seen[two.rows[i % 2] % ROWS]))
    }

    /// Writes what `f` makes of the logits, shares and exponentials of each vector of a row's
    /// classes, `largest` for the largest class, and what `other` says of another.
    ///
    /// # Safety
    /// It must be a row that has been looked at.
    #[inline(always)]
    pub(super) unsafe fn write(
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
                    let class =
                        [load(&chunk.logits), load(&chunk.shares), load(&chunk.exponentials)];
                    let gradient = f(class, from + j).add(zero);
                    gradient.store(chunk.gradients.as_mut_ptr().add(j));
                }
                for (class, gradient) in
                    other.into_iter().chain([(class, largest.add(zero).lane(0))])
                {
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
    pub(super) fn exponential_of(&self, row: usize, x: f64) -> f64 {
        self.exponential(row).of(D::splat(x)).lane(0)
    }

    /// The exponential of the logits of a row.
    #[inline(always)]
    fn exponential(&self, row: usize) -> Exponential<D> {
        Exponential::new(D::splat(self.seen[row % ROWS].top))
    }
}

/// `1 / Σ_j e^{x_j}` in the unit of the exponentials, from the largest logit and the softmax as it
/// sees it: `p_m·e^{−x_m}`, of which the power of two is in the unit.
#[inline(never)]
pub(super) fn inverse(top: D, softmax: &Softmax<D>) -> D {
    exp::fraction_exp(exp::reduce(top).fraction.neg()).mul(D::constant(1.0 / UNIT)).mul(softmax.pt)
}
