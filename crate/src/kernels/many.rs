//! Many classes: along the row.
//!
//! Three passes over a row, which stays in the cache: its largest logit; the exponentials and their
//! sum; the scaling into gradients. A row whose length is no multiple of a vector's ends with one
//! that overlaps the vector before it.

use core::mem::MaybeUninit;

use super::{
    block::{Block, Column, GROUPS, Kernel},
    exponential::{Exponential, bring_into_range, within_range},
    stages::{Evaluation, conclude},
};
use crate::math::Real;
use crate::{
    loss::softmax::{RowLoss, RowSums, SPREAD_UNIT},
    math::exp::{FractionExp, Reduction},
    simd::vector::{MAX_LANES, Scalar, WideSum, in_fours},
};

/// Classes that are summed in the scalar type before the sum goes on in float64.
const RUN: usize = 128;

/// Classes whose distances from the largest are summed in the scalar type: few, because these may
/// be equal, and roundings of equal sums add up.
const SPREAD_RUN: usize = 32;

/// Bytes of exponentials that wait for their factors: they stay in the first-level cache.
const BLOCK_BYTES: usize = 16 * 1024;

/// The kernel of a loss on many classes, at least a vector's.
pub(super) struct Many<'a, E: ?Sized> {
    pub evaluation: &'a E,
    pub classes: usize,
}

/// True where the target of a row is in the run that begins at `from`.
#[inline(always)]
fn in_run(target: usize, from: usize) -> bool {
    target / RUN == from / RUN
}

/// The largest of a row's logits but the target's.
///
/// # Safety
/// `logits` must be valid for `n` logits, at least a vector's.
#[inline(never)]
unsafe fn largest<V: Real>(logits: *const V::Scalar, n: usize, target: usize) -> V::Scalar {
    let lowest = V::constant(f64::NEG_INFINITY);
    // SAFETY: vectors within the row.
    let load = |j: usize| unsafe { V::load(logits.add(j)) };
    let masked = |j: usize| lowest.select(load(j), V::lane_is(target.wrapping_sub(j)));
    let mut max = [masked(n - V::LANES), lowest, lowest, lowest];
    let whole = n - n % V::LANES;
    for from in (0..whole).step_by(RUN) {
        let length = RUN.min(whole - from);
        if in_run(target, from) {
            in_fours(length, V::LANES, |j, k| max[k] = max[k].pmax(masked(from + j)));
        } else {
            in_fours(length, V::LANES, |j, k| max[k] = max[k].pmax(load(from + j)));
        }
    }
    let max = max[0].pmax(max[1]).pmax(max[2].pmax(max[3]));
    (1..V::LANES).fold(max.lane(0), |a, i| if a < max.lane(i) { max.lane(i) } else { a })
}

/// A row on its way through the passes.
struct RowPasses<V: Real> {
    logits: *const V::Scalar,
    classes: usize,
    target: usize,
    /// The part that comes off each logit, if anything does.
    shift: Option<V>,
    /// The largest logit but the target's, less that.
    max: V,
}

impl<V: Real> RowPasses<V> {
    /// `Σ_j (max − x_j)` over all but the target, in units of [`SPREAD_UNIT`].
    ///
    /// # Safety
    /// The row must be valid.
    #[inline(never)]
    unsafe fn spread(&self) -> f64 {
        let zero = V::constant(0.0);
        let shift = self.shift.unwrap_or(zero);
        let unit = V::constant(1.0 / SPREAD_UNIT);
        let top = self.max.mul(unit);
        let (n, rest) = (self.classes, self.classes % V::LANES);
        // The distance of the vector at `j` below the largest, but for the target.
        let below = |j: usize| {
            // SAFETY: a vector within the row.
            let x = unsafe { V::load(self.logits.add(j)) };
            top.sub(x.sub(shift).mul(unit)).clear(V::lane_is(self.target.wrapping_sub(j)))
        };
        let mut total = V::Wide::ZERO;
        for from in (0..n - rest).step_by(SPREAD_RUN) {
            let mut sum = [zero; 2];
            for j in (from..(from + SPREAD_RUN).min(n - rest)).step_by(V::LANES) {
                sum = [sum[1], sum[0].add(below(j))];
            }
            total = total.accumulate(sum[0].add(sum[1]));
        }
        if rest > 0 {
            total = total.accumulate(below(n - V::LANES).clear(V::lane_below(V::LANES - rest)));
        }
        total.total()
    }

    /// The exponentials, at `to` if that is not null, and their sum over all but the target.
    ///
    /// # Safety
    /// The row must be valid, and `to` be so or null. It may be the logits themselves.
    #[inline(never)]
    unsafe fn exponentials(&self, to: *mut V::Scalar) -> f64 {
        let exponential = Exponential::new(self.max);
        let (reduction, fraction_exp) = (Reduction::stored(), FractionExp::stored());
        let zero = V::constant(0.0);
        let mut others = V::Wide::ZERO;
        let (n, rest) = (self.classes, self.classes % V::LANES);
        let whole = n - rest;
        let (mut run, mut powers) = (
            [const { MaybeUninit::<V::Scalar>::uninit() }; RUN],
            [const { MaybeUninit::<V::Scalar>::uninit() }; RUN],
        );
        let (run, powers) =
            (run.as_mut_ptr().cast::<V::Scalar>(), powers.as_mut_ptr().cast::<V::Scalar>());
        // SAFETY: vectors within the row, or within `run`.
        unsafe {
            let last = V::load(self.logits.add(n - V::LANES));
            for from in (0..whole).step_by(RUN) {
                let length = RUN.min(whole - from);
                let mut logits = self.logits.add(from);
                if let Some(shift) = self.shift {
                    for j in (0..length).step_by(V::LANES) {
                        V::load(logits.add(j)).sub(shift).store(run.add(j));
                    }
                    logits = run;
                }
                let to = if to.is_null() { run } else { to.add(from) };
                for j in (0..length).step_by(V::LANES) {
                    let (fraction, power) = exponential.split(&reduction, V::load(logits.add(j)));
                    fraction.store(to.add(j));
                    power.store(powers.add(j));
                }
                let mut sums = [zero; 4];
                in_fours(length, V::LANES, |j, k| {
                    let e = fraction_exp.of(V::load(to.add(j))).mul(V::load(powers.add(j)));
                    e.store(to.add(j));
                    sums[k] = sums[k].add(e);
                });
                if in_run(self.target, from) {
                    // Once more, without the target.
                    sums = [zero; 4];
                    in_fours(length, V::LANES, |j, k| {
                        let is_target = V::lane_is(self.target.wrapping_sub(from + j));
                        sums[k] = sums[k].add(V::load(to.add(j)).clear(is_target));
                    });
                }
                others = others.accumulate(sums[0].add(sums[1]).add(sums[2].add(sums[3])));
            }
            if rest > 0 {
                let j = n - V::LANES;
                let e = exponential.of(self.shift.map_or(last, |shift| last.sub(shift)));
                if !to.is_null() {
                    e.store(to.add(j));
                }
                let is_target = V::lane_is(self.target.wrapping_sub(j));
                others =
                    others.accumulate(e.clear(is_target).clear(V::lane_below(V::LANES - rest)));
            }
        }
        others.total()
    }
}

/// Multiplies `n` exponentials by `factor` and adds `offset`.
///
/// # Safety
/// `grad` must be valid for them.
#[inline(never)]
unsafe fn finish<V: Real>(grad: *mut V::Scalar, n: usize, factor: V, offset: V) {
    let whole = n - n % V::LANES;
    // SAFETY: vectors within the row.
    unsafe {
        let last = V::load(grad.add(n - V::LANES));
        for j in (0..whole).step_by(V::LANES) {
            V::load(grad.add(j)).mul(factor).add(offset).store(grad.add(j));
        }
        last.mul(factor).add(offset).store(grad.add(n - V::LANES));
    }
}

impl<E: ?Sized> Many<'_, E> {
    /// The passes over a row before the loss is known: [`RowSums`] of one lane, in the order of its
    /// fields.
    ///
    /// # Safety
    /// `logits` must be valid for a row, `to` be so or null, and `target` be a class.
    #[inline(always)]
    unsafe fn softmax_pass<V: Real>(
        &self,
        logits: *const V::Scalar,
        target: usize,
        to: *mut V::Scalar,
    ) -> [V::Scalar; 4]
    where
        E: Evaluation<V>,
    {
        let classes = self.classes;
        // SAFETY: passed on.
        unsafe {
            let (mut max, mut own) =
                (V::splat(largest::<V>(logits, classes, target)), V::splat(*logits.add(target)));
            let mut shift = None;
            if !within_range(max, own) {
                let away;
                (max, own, away) = bring_into_range(max, own);
                shift = Some(away);
            }
            let row = RowPasses { logits, classes, target, shift, max };
            let spread = if self.evaluation.wants_spread() { row.spread() } else { 0.0 };
            let others = row.exponentials(to);
            [own.lane(0), max.lane(0), V::Scalar::from_f64(others), V::Scalar::from_f64(spread)]
        }
    }
}

impl<V: Real, E: Evaluation<V> + ?Sized> Kernel<V> for Many<'_, E> {
    fn groups(&self) -> usize {
        (BLOCK_BYTES / (V::LANES * self.classes * size_of::<V::Scalar>()).max(1)).clamp(1, GROUPS)
    }

    fn only_whole_groups(&self) -> bool {
        false
    }

    unsafe fn run(&self, block: &mut Block<V>) {
        let classes = self.classes;
        let mut sums = Column::new();
        let (mut row_losses, mut others) = (Column::<RowLoss<V>>::new(), Column::new());
        // SAFETY: rows of the block.
        unsafe {
            for g in 0..block.groups() {
                // Lanes without a row hold a row of zeros.
                let mut lanes = [[V::Scalar::default(); MAX_LANES]; 4];
                for i in 0..V::LANES.min(block.rows - g * V::LANES) {
                    let to = if block.grad.is_null() {
                        block.grad
                    } else {
                        block.grad(g).add(i * classes)
                    };
                    let row = self.softmax_pass::<V>(
                        block.logits(g).add(i * classes),
                        *block.targets(g).add(i) as usize,
                        to,
                    );
                    for (lanes, x) in lanes.iter_mut().zip(row) {
                        lanes[i] = x;
                    }
                }
                let [target, max, others, spread] = lanes.map(|lanes| V::load(lanes.as_ptr()));
                sums.set(g, RowSums { target, max, others, spread });
            }
            conclude(self.evaluation, block, &sums, &mut row_losses, &mut others);
            if !block.grad.is_null() {
                for g in 0..block.groups() {
                    let (others, target) = (others.get(g), row_losses.get(g).target);
                    let tiny = others.tiny();
                    let (first, factor) = others.factors(tiny);
                    for i in 0..V::LANES.min(block.rows - g * V::LANES) {
                        let grad = block.grad(g).add(i * classes);
                        if !V::none(tiny) {
                            finish(grad, classes, V::splat(first.lane(i)), V::constant(0.0));
                        }
                        finish(
                            grad,
                            classes,
                            V::splat(factor.lane(i)),
                            V::splat(others.offset.lane(i)),
                        );
                        *grad.add(*block.targets(g).add(i) as usize) = target.lane(i);
                    }
                }
            }
        }
    }
}
