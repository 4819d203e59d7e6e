//! Two classes, one target each: one exponential and one logarithm a row.
//!
//! Only the difference of the two logits counts. Its rounding error (two-sum) is carried into the
//! exponential.

use super::{
    block::{Block, Column, Kernel},
    few,
    stages::{self, Evaluation},
};
use crate::math::Real;
use crate::{
    loss::{
        sigmoid::Logistic,
        softmax::{RowLoss, Softmax},
    },
    math::exp::{self, ExpTable},
    simd::vector::stored,
};

/// The kernel of what is made of two classes.
pub(super) struct Pair<'a, E: ?Sized> {
    pub evaluation: &'a E,
}

/// The rows that the fast way is right for: not those with a gap too wide, or a logit that is not
/// finite. `distance`: `−|b − a|`.
#[inline(always)]
fn is_right<V: Real>(distance: V) -> V::Mask {
    distance.gt(stored!(V, V::Scalar::EXP_NORMAL))
}

/// The two classes of each row, seen from the target.
#[derive(Clone, Copy)]
struct TargetOdds<V> {
    /// The distance of the other class above the target.
    gap: V,
    /// The odds of the less likely class, at most 1.
    odds: V,
}

impl<V: Real> TargetOdds<V> {
    /// From the logits of both classes; and which rows it is right for.
    #[inline(always)]
    fn new((a, b): (V, V), target_is_one: V::Mask) -> (Self, V::Mask) {
        // b − a and what rounding took from it; then both for −|b − a|.
        let difference = b.sub(a);
        let rounded = difference.add(a);
        let lost = b.sub(rounded).add(rounded.sub(difference).sub(a));
        let distance = difference.abs().neg();
        let lost = lost.negate(difference.gt(V::constant(0.0)));
        let exp::Reduced { fraction, exponent } = exp::reduce(distance);
        let odds = exp::times_power_of_two(exp::fraction_exp(fraction.add(lost)), exponent);
        (Self { gap: difference.negate(target_is_one), odds }, is_right(distance))
    }

    #[inline(always)]
    fn row(self) -> Softmax<V> {
        let Logistic { likely, unlikely, log_sum } = Logistic::new(self.odds);
        let (pt, one_minus_pt) = likely.exchange(unlikely, self.gap.gt(V::constant(0.0)));
        Softmax { gap: self.gap, log_sum, pt, one_minus_pt }
    }
}

/// The softmax of all groups.
///
/// # Safety
/// As for [`Kernel::run`].
#[inline(never)]
unsafe fn softmax_pass<V: Real>(block: &Block<V>, rows: &mut Column<Softmax<V>>) {
    let groups = block.groups();
    let mut odds = Column::new();
    let mut all_right = V::lane_below(V::LANES);
    // SAFETY: whole groups of the block, each set before it is read.
    unsafe {
        for g in 0..groups {
            let target_is_one = V::index_is(V::load_index(block.targets(g)), 1);
            let (group, right) = TargetOdds::new(V::load_pairs(block.logits(g)), target_is_one);
            odds.set(g, group);
            all_right = V::both(all_right, right);
        }
        for g in 0..groups {
            rows.set(g, odds.get(g).row());
        }
        if !V::all(all_right) {
            softmax_pass_again(block, rows);
        }
    }
}

/// The softmax of those rows that were not right. The others stay as they are, so that no row's
/// bits depend on its neighbours.
///
/// # Safety
/// As for [`Kernel::run`], with the rows of all groups.
#[cold]
#[inline(never)]
unsafe fn softmax_pass_again<V: Real>(block: &Block<V>, rows: &mut Column<Softmax<V>>) {
    for g in 0..block.groups() {
        // SAFETY: whole groups of the block, and room for two classes.
        unsafe {
            let (a, b) = V::load_pairs(block.logits(g));
            let right = is_right(b.sub(a).abs().neg());
            // V8's baseline compiler for 32-bit ARM overwrites the mask that `all` is asked of, and
            // this one is used again.
            let wrong = V::constant(0.0).lt(V::constant(1.0).clear(right));
            if !V::none(wrong) {
                let (mut columns, mut sums, mut slow) =
                    ([V::constant(0.0); 2], Column::new(), Column::new());
                few::softmax_pass(
                    (block.logits(g), 2),
                    block.targets(g),
                    1,
                    false,
                    columns.as_mut_ptr(),
                    &mut sums,
                );
                stages::softmax(1, &sums, &mut slow);
                let (fast, slow): (Softmax<V>, Softmax<V>) = (rows.get(g), slow.get(0));
                rows.set(
                    g,
                    Softmax {
                        // As it is, infinite where a class is masked.
                        gap: fast.gap,
                        log_sum: fast.log_sum.select(slow.log_sum, right),
                        pt: fast.pt.select(slow.pt, right),
                        one_minus_pt: fast.one_minus_pt.select(slow.one_minus_pt, right),
                    },
                );
            }
        }
    }
}

/// The gradients of all groups.
///
/// # Safety
/// As for [`Kernel::run`], with the loss of each group.
#[inline(never)]
unsafe fn write<V: Real>(block: &Block<V>, row_losses: &Column<RowLoss<V>>) {
    let groups = block.groups();
    let zero = V::constant(0.0);
    for g in 0..groups {
        // SAFETY: whole groups of the block.
        unsafe {
            let target_is_one = V::index_is(V::load_index(block.targets(g)), 1);
            // The gradient of class 1: the target's, or its opposite. Adding +0 turns −0 into +0.
            let one = zero.sub(row_losses.get(g).target).negate(target_is_one).add(zero);
            V::store_pairs(zero.sub(one), one, block.grad(g));
        }
    }
}

impl<V: Real, E: Evaluation<V> + ?Sized> Kernel<V> for Pair<'_, E> {
    fn only_whole_groups(&self) -> bool {
        true
    }

    unsafe fn run(&self, block: &mut Block<V>) {
        let (mut rows, mut row_losses) = (Column::new(), Column::new());
        // SAFETY: passed on; what is read has been set, by the caller or the stage before.
        unsafe {
            softmax_pass(block, &mut rows);
            self.evaluation.evaluate(block, &rows, None, &mut row_losses);
            if !block.grad.is_null() {
                write(block, &row_losses);
            }
        }
    }
}
