//! Two classes, one target each: one exponential and one logarithm a row, everything in registers.
//!
//! Only the difference of the two logits counts. Its rounding error (two-sum) is carried into the exponential.

use super::{
    block::{Block, Column, Kernel},
    few,
    stages::judge,
};
use crate::{
    loss::{
        focal::Loss,
        softmax::{Outcome, Row},
    },
    math::{
        exp::{self, ExpTable},
        log::unit_log_1p,
    },
    vector::Vector,
};

/// The kernel of a loss on two classes.
pub(super) struct Pair<V: Vector> {
    pub loss: Loss<V>,
}

/// The softmax of a group, and which of its rows are not right: those with a gap too wide, or a logit that is not finite.
#[inline(always)]
fn softmax<V: Vector>((a, b): (V, V), target_is_one: V::Mask) -> (Row<V>, V::Mask) {
    let (zero, one) = (V::constant(0.0), V::constant(1.0));
    // b − a and what rounding took from it; then both for −|b − a|.
    let difference = b.sub(a);
    let rounded = difference.add(a);
    let lost = b.sub(rounded).add(rounded.sub(difference).sub(a));
    let distance = difference.abs().neg();
    let lost = lost.negate(difference.gt(zero));
    // How far the other class lies above the target.
    let gap = difference.negate(target_is_one);

    // e = the odds of the less likely class, at most 1.
    let exp::Reduced { fraction, exponent } = exp::reduce(distance);
    let e = exp::scale(exp::fraction_exp(fraction.add(lost)), exponent);
    // 1/(1 + e) and e/(2 + e) from one division.
    let plus_one = e.add(one);
    let plus_two = e.add(V::constant(2.0));
    let quotient = one.div(plus_one.mul(plus_two));
    let likely = plus_two.mul(quotient);
    let unlikely = e.mul(likely);
    let log_sum = unit_log_1p(e, e.mul(plus_one).mul(quotient));
    let (hit, miss) = likely.exchange(unlikely, gap.gt(zero));
    (Row { gap, log_sum, hit, miss, inverse: zero }, distance.gt(V::constant(V::Scalar::EXP_NORMAL)))
}

/// The softmax of all groups.
///
/// # Safety
/// As for [`Kernel::run`].
#[inline(never)]
unsafe fn look<V: Vector>(block: &Block<V>, rows: &mut Column<Row<V>>) {
    let mut right = V::lane_below(V::LANES);
    // SAFETY: whole groups of the block.
    unsafe {
        for g in 0..block.groups() {
            let target_is_one = V::index_is(V::load_index(block.targets(g)), 1);
            let (row, group_right) = softmax(V::load_pairs(block.logits(g)), target_is_one);
            rows.set(g, row);
            right = V::both(right, group_right);
        }
        if !V::all(right) {
            look_again(block, rows);
        }
    }
}

/// The softmax of those rows for which the fast way fails. The others stay as they are, so that no row's bits depend on its neighbours.
///
/// # Safety
/// As for [`Kernel::run`].
#[cold]
#[inline(never)]
unsafe fn look_again<V: Vector>(block: &Block<V>, rows: &mut Column<Row<V>>) {
    for g in 0..block.groups() {
        let (logits, targets) = (block.logits(g), block.targets(g));
        let mut columns = [V::constant(0.0); 2];
        // SAFETY: whole groups of the block, and room for two classes.
        unsafe {
            let (fast, right) = softmax(V::load_pairs(logits), V::index_is(V::load_index(targets), 1));
            if !V::all(right) {
                let row = Row::new(&few::look(logits, 2, targets, false, columns.as_mut_ptr()));
                rows.set(
                    g,
                    Row {
                        gap: fast.gap.select(row.gap, right),
                        log_sum: fast.log_sum.select(row.log_sum, right),
                        hit: fast.hit.select(row.hit, right),
                        miss: fast.miss.select(row.miss, right),
                        inverse: fast.inverse,
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
unsafe fn write<V: Vector>(block: &Block<V>, outcomes: &Column<Outcome<V>>) {
    let zero = V::constant(0.0);
    for g in 0..block.groups() {
        // SAFETY: whole groups of the block.
        unsafe {
            let target_is_one = V::index_is(V::load_index(block.targets(g)), 1);
            // Of class 1: the target's, or its opposite. Adding +0 turns −0 into +0.
            let one = zero.sub(outcomes.get(g).target).negate(target_is_one).add(zero);
            V::store_pairs(zero.sub(one), one, block.grad(g));
        }
    }
}

impl<V: Vector> Kernel<V> for Pair<V> {
    fn only_whole_groups(&self) -> bool {
        true
    }

    unsafe fn run(&self, block: &mut Block<V>) {
        let (mut rows, mut outcomes) = (Column::new(), Column::new());
        // SAFETY: passed on; what is read has been set, by the caller or the stage before.
        unsafe {
            look(block, &mut rows);
            judge(&self.loss, block, &rows, None, &mut outcomes);
            if !block.grad.is_null() {
                write(block, &outcomes);
            }
        }
    }
}
