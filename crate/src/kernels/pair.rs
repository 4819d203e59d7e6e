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
        softmax::{Outcome, Row},
    },
    math::exp::{self, ExpTable},
};

/// The kernel of what is made of two classes.
pub(super) struct Pair<'a, E: ?Sized> {
    pub evaluation: &'a E,
}

/// The rows that the fast way is right for: not those with a gap too wide, or a logit that is not
/// finite. `distance`: `−|b − a|`.
#[inline(always)]
fn is_right<V: Real>(distance: V) -> V::Mask {
    distance.gt(V::constant(V::Scalar::EXP_NORMAL))
}

/// The two classes of each row, seen from the target.
#[derive(Clone, Copy)]
struct Odds<V> {
    /// The distance of the other class above the target.
    gap: V,
    /// The odds of the less likely class, at most 1.
    odds: V,
}

impl<V: Real> Odds<V> {
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
        let odds = exp::scale(exp::fraction_exp(fraction.add(lost)), exponent);
        (Self { gap: difference.negate(target_is_one), odds }, is_right(distance))
    }

    #[inline(always)]
    fn row(self) -> Row<V> {
        let Logistic { likely, unlikely, log_sum } = Logistic::new(self.odds);
        let (hit, miss) = likely.exchange(unlikely, self.gap.gt(V::constant(0.0)));
        Row { gap: self.gap, log_sum, hit, miss }
    }
}

/// The softmax of all groups.
///
/// # Safety
/// As for [`Kernel::run`].
#[inline(never)]
unsafe fn look<V: Real>(block: &Block<V>, rows: &mut Column<Row<V>>) {
    let groups = block.groups();
    let mut odds = Column::new();
    let mut all_right = V::lane_below(V::LANES);
    // SAFETY: whole groups of the block, each set before it is read.
    unsafe {
        for g in 0..groups {
            let target_is_one = V::index_is(V::load_index(block.targets(g)), 1);
            let (group, right) = Odds::new(V::load_pairs(block.logits(g)), target_is_one);
            odds.set(g, group);
            all_right = V::both(all_right, right);
        }
        for g in 0..groups {
            rows.set(g, odds.get(g).row());
        }
        if !V::all(all_right) {
            look_again(block, rows);
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
unsafe fn look_again<V: Real>(block: &Block<V>, rows: &mut Column<Row<V>>) {
    for g in 0..block.groups() {
        // SAFETY: whole groups of the block, and room for two classes.
        unsafe {
            let (a, b) = V::load_pairs(block.logits(g));
            let right = is_right(b.sub(a).abs().neg());
            if !V::all(right) {
                let (mut columns, mut sums, mut slow) =
                    ([V::constant(0.0); 2], Column::new(), Column::new());
                few::look(
                    (block.logits(g), 2),
                    block.targets(g),
                    1,
                    false,
                    columns.as_mut_ptr(),
                    &mut sums,
                );
                stages::softmax(1, &sums, &mut slow);
                let (fast, slow): (Row<V>, Row<V>) = (rows.get(g), slow.get(0));
                rows.set(
                    g,
                    Row {
                        // As it is, infinite where a class is masked.
                        gap: fast.gap,
                        log_sum: fast.log_sum.select(slow.log_sum, right),
                        hit: fast.hit.select(slow.hit, right),
                        miss: fast.miss.select(slow.miss, right),
                    },
                );
            }
        }
    }
}

/// The gradients of all groups.
///
/// # Safety
/// As for [`Kernel::run`], with the outcome of each group.
#[inline(never)]
unsafe fn write<V: Real>(block: &Block<V>, outcomes: &Column<Outcome<V>>) {
    let groups = block.groups();
    let zero = V::constant(0.0);
    for g in 0..groups {
        // SAFETY: whole groups of the block.
        unsafe {
            let target_is_one = V::index_is(V::load_index(block.targets(g)), 1);
            // The gradient of class 1: the target's, or its opposite. Adding +0 turns −0 into +0.
            let one = zero.sub(outcomes.get(g).target).negate(target_is_one).add(zero);
            V::store_pairs(zero.sub(one), one, block.grad(g));
        }
    }
}

impl<V: Real, E: Evaluation<V> + ?Sized> Kernel<V> for Pair<'_, E> {
    fn only_whole_groups(&self) -> bool {
        true
    }

    unsafe fn run(&self, block: &mut Block<V>) {
        let (mut rows, mut outcomes) = (Column::new(), Column::new());
        // SAFETY: passed on; what is read has been set, by the caller or the stage before.
        unsafe {
            look(block, &mut rows);
            self.evaluation.evaluate(block, &rows, None, &mut outcomes);
            if !block.grad.is_null() {
                write(block, &outcomes);
            }
        }
    }
}
