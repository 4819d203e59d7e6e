//! The stages of a block between its logits and its gradients, which do not depend on how many classes there are.

use super::block::{Block, Column};
use crate::{
    loss::{
        focal::{Focusing, Hard, Later, Loss, Power, Smoothing, Square},
        softmax::{Odds, Others, Outcome, Row, RowSums},
    },
    vector::Vector,
};

/// Values and the gradients' common parts, from the softmax of the rows. `sums`: where there are any, what there is of
/// spread.
///
/// # Safety
/// `rows`, and `sums` if there are any, must have been set for the groups of the block.
pub(super) unsafe fn judge<V: Vector>(
    loss: &Loss<'_, V>,
    block: &mut Block<V>,
    rows: &Column<Row<V>>,
    sums: Option<&Column<RowSums<V>>>,
    outcomes: &mut Column<Outcome<V>>,
) {
    #[cfg(feature = "analysis")]
    if let Some(observer) = block.observer {
        // SAFETY: passed on; the observer outlives the block.
        return unsafe { (*observer).observe(block, rows, sums, outcomes) };
    }
    let Later(power) = loss.hard.power;
    // SAFETY: passed on.
    unsafe {
        match (&loss.smoothing, power) {
            // In one loop for what is asked most often.
            (None, Power::Halves { whole: 2, half: false }) => {
                return hard(&loss.hard.with(Square), block, rows, outcomes);
            }
            (None, _) => hard(&loss.hard, block, rows, outcomes),
            (Some(smoothing), _) => smoothed(&loss.hard, smoothing, block, rows, sums, outcomes),
        }
        focus(power, block.targets, block.groups(), outcomes);
        for g in 0..block.groups() {
            block.value.set(g, outcomes.get(g).value);
        }
    }
}

/// # Safety
/// As for [`judge`].
#[inline(never)]
unsafe fn hard<V: Vector, P: Focusing<V>>(
    loss: &Hard<V, P>,
    block: &mut Block<V>,
    rows: &Column<Row<V>>,
    outcomes: &mut Column<Outcome<V>>,
) {
    let groups = block.groups();
    for g in 0..groups {
        // SAFETY: passed on.
        unsafe {
            let loss = loss.of_rows(block.targets(g));
            let outcome = loss.outcome(&rows.get(g), block.weight.get(g), block.scale.get(g));
            block.value.set(g, outcome.value);
            outcomes.set(g, outcome);
        }
    }
}

/// # Safety
/// As for [`judge`].
#[inline(never)]
unsafe fn smoothed<V: Vector>(
    loss: &Hard<V, Later<'_, V>>,
    smoothing: &Smoothing<V>,
    block: &Block<V>,
    rows: &Column<Row<V>>,
    sums: Option<&Column<RowSums<V>>>,
    outcomes: &mut Column<Outcome<V>>,
) {
    let groups = block.groups();
    for g in 0..groups {
        // SAFETY: passed on.
        unsafe {
            let loss = loss.of_rows(block.targets(g));
            let spread = sums.map_or(V::constant(0.0), |sums| sums.get(g).spread);
            outcomes.set(g, smoothing.outcome(&loss, &rows.get(g), spread, block.weight.get(g), block.scale.get(g)));
        }
    }
}

/// The focusing that was left for later. `targets`: of the groups; may be null where γ is the same for all.
///
/// # Safety
/// The outcomes must have been set for the groups.
#[inline(never)]
pub(super) unsafe fn focus<V: Vector>(power: &Power<V>, targets: *const i32, groups: usize, outcomes: &mut Column<Outcome<V>>) {
    for g in 0..groups {
        // SAFETY: passed on.
        unsafe {
            let (power, _) = power.of_rows(targets.wrapping_add(g * V::LANES));
            outcomes.set(g, outcomes.get(g).focused(power));
        }
    }
}

/// The softmax of the rows, from what the passes over the classes leave of them.
///
/// # Safety
/// `sums` must have been set for the groups.
#[inline(never)]
pub(super) unsafe fn softmax<V: Vector>(groups: usize, sums: &Column<RowSums<V>>, rows: &mut Column<Row<V>>) {
    let mut odds = Column::new();
    // SAFETY: passed on; what is read has been set before.
    unsafe {
        for g in 0..groups {
            odds.set(g, Odds::new(&sums.get(g)));
        }
        for g in 0..groups {
            rows.set(g, odds.get(g).row());
        }
    }
}

/// What makes gradients of the exponentials.
///
/// # Safety
/// The columns must have been set for the groups of the block.
#[inline(never)]
unsafe fn factors<V: Vector>(
    loss: &Loss<'_, V>,
    block: &Block<V>,
    sums: &Column<RowSums<V>>,
    rows: &Column<Row<V>>,
    outcomes: &Column<Outcome<V>>,
    others: &mut Column<Others<V>>,
) {
    let groups = block.groups();
    for g in 0..groups {
        // SAFETY: passed on.
        unsafe { others.set(g, loss.others(&sums.get(g), &rows.get(g), &outcomes.get(g))) };
    }
}

/// All stages from the sums to what makes gradients of the exponentials.
///
/// # Safety
/// `sums` must have been set for the groups of the block.
#[inline(never)]
pub(super) unsafe fn conclude<V: Vector>(
    loss: &Loss<'_, V>,
    block: &mut Block<V>,
    sums: &Column<RowSums<V>>,
    outcomes: &mut Column<Outcome<V>>,
    others: &mut Column<Others<V>>,
) {
    let mut rows = Column::new();
    // SAFETY: what is read has been set, by the caller or the stage before.
    unsafe {
        softmax(block.groups(), sums, &mut rows);
        judge(loss, block, &rows, Some(sums), outcomes);
        if !block.grad.is_null() {
            factors(loss, block, sums, &rows, outcomes, others);
        }
    }
}
