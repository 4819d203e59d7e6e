//! Mixtures of few classes: two rows side by side, a lane each, a class at a time. It is what
//! [`super::passes`] does along the rows, whose exponentials stay in memory here.

use core::mem::MaybeUninit;

use super::{
    super::{
        block::{Column, GROUPS},
        exponential::{Exponential, bring_into_range, within_range},
        few,
        stages::softmax,
    },
    passes::{D, Outlined, inverse},
    source::{CHUNK, Chunk, ROWS, Source},
    tasks::mixture_loss,
};
use crate::{
    loss::{focal::Hard, soft_targets::SoftRow, softmax::RowSums},
    simd::vector::Vector,
};

/// Classes of all pairs of rows that are on their way together.
const COLUMNS: usize = 512;

/// The loss on mixtures of few classes.
pub(super) struct SideBySide<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) loss: &'a Hard<D, Outlined>,
    /// Number of classes, at most a [`CHUNK`].
    pub(super) classes: usize,
}

/// The findings of the first pass over two rows, beside their largest logits: `m` is the class with
/// that.
#[derive(Clone, Copy)]
struct Found {
    /// `m`, as a float.
    largest: D,
    /// `q_m`.
    own: D,
    /// `Σ_{j≠m} q_j`.
    rest: D,
    /// `Σ_{j≠m} q_j·(x_m − x_j)`.
    distance: D,
    /// The mean weight.
    mean: D,
}

impl SideBySide<'_> {
    /// Computes the rows that are not to be `skipped`, of `n`. Returns their values.
    ///
    /// # Safety
    /// There must be `n` rows in the source.
    #[inline(never)]
    pub(super) unsafe fn run(&self, n: usize, skipped: &[bool; ROWS]) -> [f64; ROWS] {
        let mut values = [0.0; ROWS];
        let classes = self.classes;
        let pairs = (COLUMNS / classes.max(1)).clamp(1, GROUPS);
        let mut columns = [const { MaybeUninit::<D>::uninit() }; COLUMNS];
        let mut shares = [const { MaybeUninit::<D>::uninit() }; COLUMNS];
        let mut means = [const { MaybeUninit::<D>::uninit() }; CHUNK];
        let (columns, shares) = (columns.as_mut_ptr().cast::<D>(), shares.as_mut_ptr().cast::<D>());
        let means = means.as_mut_ptr().cast::<D>();
        let (mut sums, mut by, mut found, mut rows) =
            (Column::new(), Column::new(), Column::new(), Column::new());
        let mut chunk = Chunk::ZERO;
        // SAFETY: classes and rows of the source; what is read has been set.
        unsafe {
            for first in (0..n.min(ROWS)).step_by(D::LANES * pairs) {
                let end = n.min(first + D::LANES * pairs);
                let groups = (end - first).div_ceil(D::LANES);
                // An odd row is its own neighbour.
                let pair = |g: usize| [0, 1].map(|i| (first + D::LANES * g + i).min(end - 1));
                for g in 0..groups {
                    let at = g * classes;
                    for (i, row) in pair(g).into_iter().enumerate() {
                        self.source.load(row, 0, classes, &mut chunk);
                        let lane = |columns: *mut D| columns.cast::<f64>().wrapping_add(i);
                        for j in 0..classes.min(CHUNK) {
                            *lane(columns).add(2 * (at + j)) = chunk.logits[j];
                            *lane(shares).add(2 * (at + j)) = chunk.shares[j];
                            *lane(means).add(2 * j) = chunk.means[j];
                        }
                    }
                    let (top, of_pair) = self.look(columns.add(at), shares.add(at), means);
                    let zero = D::ZERO;
                    sums.set(g, RowSums { target: top, max: top, others: zero, spread: zero });
                    by.set(g, Exponential::new(top));
                    found.set(g, of_pair);
                }
                few::exponentials(columns, classes, groups, &mut sums, &by);
                softmax(groups, &sums, &mut rows);
                for g in 0..groups {
                    let at = g * classes;
                    let Found { largest, own, rest, distance, mean } = found.get(g);
                    let softmax = rows.get(g);
                    let inverse = inverse(sums.get(g).target, &softmax);
                    let soft = SoftRow { softmax, inverse, own, rest, distance };
                    let (columns, shares) = (columns.add(at), shares.add(at));
                    let value = self.evaluate(pair(g), &soft, mean, largest, columns, shares);
                    for (i, row) in pair(g).into_iter().enumerate() {
                        values[row % ROWS] = value.lane(i);
                        if self.source.wants_gradients() && !skipped[row % ROWS] {
                            let lane = columns.cast::<f64>().wrapping_add(i);
                            for j in 0..classes.min(CHUNK) {
                                chunk.gradients[j] = *lane.add(2 * j);
                            }
                            self.source.store(row, 0, classes, &chunk.gradients);
                        }
                    }
                }
            }
        }
        values
    }

    /// The first pass over two rows.
    ///
    /// # Safety
    /// There must be a vector for each class in both columns.
    #[inline(never)]
    unsafe fn look(&self, columns: *mut D, shares: *mut D, means: *const D) -> (D, Found) {
        let (zero, one) = (D::ZERO, D::constant(1.0));
        let lowest = D::constant(f64::NEG_INFINITY);
        // SAFETY: passed on.
        unsafe {
            let (mut top, mut largest, mut class) = (lowest, zero, zero);
            for j in 0..self.classes {
                let x = *columns.add(j);
                let is_higher = x.gt(top);
                (top, largest) = (x.select(top, is_higher), class.select(largest, is_higher));
                class = class.add(one);
            }
            // The first class stands for the largest where none is above −∞.
            top = (*columns).select(top, top.equals(lowest));
            if !within_range(top, top) {
                let shift;
                (_, top, shift) = bring_into_range(top, top);
                few::shift_by(columns, self.classes, shift);
            }
            // Four sums in turn, of shorter chains of roundings.
            let (mut own, mut sums) = (zero, [[zero; 3]; 4]);
            class = zero;
            for j in 0..self.classes {
                let is_largest = class.equals(largest);
                class = class.add(one);
                let (x, q) = (*columns.add(j), *shares.add(j));
                let other = q.clear(is_largest);
                own = own.add(q.keep(is_largest));
                *columns.add(j) = lowest.select(x, is_largest);
                *shares.add(j) = other;
                // A class without a share adds nothing, also where its logit is −Inf.
                let away = other.mul(top.sub(x)).keep(other.gt(zero));
                let sum = &mut sums[j % 4];
                *sum = [sum[0].add(other), sum[1].add(away), sum[2].add(*means.add(j))];
            }
            let total = |k: usize| sums[0][k].add(sums[1][k]).add(sums[2][k].add(sums[3][k]));
            let mean = if self.source.has_mean_weights() { total(2) } else { one };
            (top, Found { largest, own, rest: total(0), distance: total(1), mean })
        }
    }

    /// The losses of two rows, whose gradients take the place of their exponentials.
    ///
    /// # Safety
    /// As for [`Self::look`], which must have seen them.
    #[inline(never)]
    unsafe fn evaluate(
        &self,
        rows: [usize; 2],
        soft: &SoftRow<D>,
        mean: D,
        largest: D,
        columns: *mut D,
        shares: *const D,
    ) -> D {
        // SAFETY: passed on.
        unsafe {
            let factors = rows.map(|row| self.source.factors(row));
            let weight = D::from_lanes(|i| factors[i % 2].0).mul(mean);
            let scale = D::from_lanes(|i| factors[i % 2].1);
            let targets = rows.map(|row| self.source.target(row) as i32);
            let row_loss = mixture_loss(soft, &self.loss.of_rows(targets.as_ptr()), weight, scale);
            let mut class = D::ZERO;
            for j in 0..self.classes {
                let (e, q) = (*columns.add(j), *shares.add(j));
                let other = e.mul(row_loss.factor).sub(row_loss.derivative.mul(q));
                let gradient = row_loss.largest.select(other, class.equals(largest));
                class = class.add(D::constant(1.0));
                *columns.add(j) = gradient.add(D::ZERO);
            }
            row_loss.value
        }
    }
}
