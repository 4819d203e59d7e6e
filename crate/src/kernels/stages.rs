//! The stages of a block between its logits and its gradients, which do not depend on how many
//! classes there are.

use super::block::{Block, Column};
use crate::loss::{
    focal::{Hard, Loss},
    focusing::{Focusing, Later, Power, Square},
    guards::plus_zero,
    smoothing::Smoothing,
    softmax::{Others, RowLoss, RowSums, Softmax, TargetOdds},
};
use crate::math::Real;

/// Evaluations of the softmax of rows: a loss, or something else that begins with one.
pub(super) trait Evaluation<V: Real> {
    /// True for those that ask for [`RowSums::spread`].
    fn wants_spread(&self) -> bool;
    /// The smoothing of the targets, which the gradients of the other classes depend on.
    fn smoothing(&self) -> Option<&Smoothing<V>> {
        None
    }
    /// Sets the values of a block and, where there is a place for gradients, the losses of its
    /// groups. `sums`: where there are any, what there is of spread.
    ///
    /// # Safety
    /// `rows`, and `sums` if there are any, must have been set for the groups of the block.
    unsafe fn evaluate(
        &self,
        block: &mut Block<V>,
        rows: &Column<Softmax<V>>,
        sums: Option<&Column<RowSums<V>>>,
        row_losses: &mut Column<RowLoss<V>>,
    );
}

impl<V: Real> Evaluation<V> for Loss<'_, V> {
    fn wants_spread(&self) -> bool {
        self.smoothing.is_some()
    }

    fn smoothing(&self) -> Option<&Smoothing<V>> {
        self.smoothing.as_ref()
    }

    unsafe fn evaluate(
        &self,
        block: &mut Block<V>,
        rows: &Column<Softmax<V>>,
        sums: Option<&Column<RowSums<V>>>,
        row_losses: &mut Column<RowLoss<V>>,
    ) {
        let Later(power) = self.hard.power;
        // SAFETY: passed on.
        unsafe {
            match (&self.smoothing, power) {
                // In one loop for what is asked most often.
                (None, Power::Halves { whole: 2, half: false }) if !self.hard.has_poly() => {
                    return hard(&self.hard.with(Square), block, rows, row_losses);
                }
                (None, _) => hard(&self.hard, block, rows, row_losses),
                (Some(smoothing), _) => {
                    smoothed(&self.hard, smoothing, block, rows, sums, row_losses)
                }
            }
            if self.hard.has_poly() {
                add_poly(&self.hard, block, rows, row_losses);
            }
            focus(power, block.targets, block.groups(), row_losses);
            for g in 0..block.groups() {
                // With poly-1 it can be negative, and be rounded to −0.
                block.value.set(g, plus_zero(row_losses.get(g).value));
            }
        }
    }
}

/// Adds the term of poly-1 to row losses that are still to be focused.
///
/// # Safety
/// As for [`Evaluation::evaluate`]; the row losses must have been set for the groups.
#[inline(never)]
unsafe fn add_poly<V: Real>(
    loss: &Hard<V, Later<'_, V>>,
    block: &Block<V>,
    rows: &Column<Softmax<V>>,
    row_losses: &mut Column<RowLoss<V>>,
) {
    let groups = block.groups();
    for g in 0..groups {
        // SAFETY: passed on.
        unsafe {
            let (weight, scale) = (block.weight.get(g), block.scale.get(g));
            row_losses.set(g, loss.with_poly(&row_losses.get(g), &rows.get(g), weight, scale));
        }
    }
}

/// # Safety
/// As for [`Evaluation::evaluate`].
#[inline(never)]
unsafe fn hard<V: Real, P: Focusing<V>>(
    loss: &Hard<V, P>,
    block: &mut Block<V>,
    rows: &Column<Softmax<V>>,
    row_losses: &mut Column<RowLoss<V>>,
) {
    let groups = block.groups();
    for g in 0..groups {
        // SAFETY: passed on.
        unsafe {
            let loss = loss.of_rows(block.targets(g));
            let row_loss = loss.row_loss(&rows.get(g), block.weight.get(g), block.scale.get(g));
            block.value.set(g, row_loss.value);
            row_losses.set(g, row_loss);
        }
    }
}

/// # Safety
/// As for [`Evaluation::evaluate`].
#[inline(never)]
unsafe fn smoothed<V: Real>(
    loss: &Hard<V, Later<'_, V>>,
    smoothing: &Smoothing<V>,
    block: &Block<V>,
    rows: &Column<Softmax<V>>,
    sums: Option<&Column<RowSums<V>>>,
    row_losses: &mut Column<RowLoss<V>>,
) {
    let groups = block.groups();
    for g in 0..groups {
        // SAFETY: passed on.
        unsafe {
            let loss = loss.of_rows(block.targets(g));
            let spread = sums.map_or(V::constant(0.0), |sums| sums.get(g).spread);
            row_losses.set(
                g,
                loss.smoothed_row_loss(
                    smoothing,
                    &rows.get(g),
                    spread,
                    block.weight.get(g),
                    block.scale.get(g),
                ),
            );
        }
    }
}

/// The focusing that was left for later. `targets`: of the groups; may be null where γ is the same
/// for all.
///
/// # Safety
/// The losses must have been set for the groups.
#[inline(never)]
pub(super) unsafe fn focus<V: Real>(
    power: &Power<V>,
    targets: *const i32,
    groups: usize,
    row_losses: &mut Column<RowLoss<V>>,
) {
    for g in 0..groups {
        // SAFETY: passed on.
        unsafe {
            let (power, _) = power.of_rows(targets.wrapping_add(g * V::LANES));
            row_losses.set(g, row_losses.get(g).focused(power));
        }
    }
}

/// The softmax of the rows, from what the passes over the classes leave of them.
///
/// # Safety
/// `sums` must have been set for the groups.
#[inline(never)]
pub(super) unsafe fn softmax<V: Real>(
    groups: usize,
    sums: &Column<RowSums<V>>,
    rows: &mut Column<Softmax<V>>,
) {
    let mut odds = Column::new();
    // SAFETY: passed on; what is read has been set before.
    unsafe {
        for g in 0..groups {
            odds.set(g, TargetOdds::new(&sums.get(g)));
        }
        for g in 0..groups {
            rows.set(g, odds.get(g).row());
        }
    }
}

/// The factors that make gradients of the exponentials.
///
/// # Safety
/// The columns must have been set for the groups of the block.
#[inline(never)]
unsafe fn factors<V: Real>(
    smoothing: Option<&Smoothing<V>>,
    block: &Block<V>,
    sums: &Column<RowSums<V>>,
    rows: &Column<Softmax<V>>,
    row_losses: &Column<RowLoss<V>>,
    others: &mut Column<Others<V>>,
) {
    let groups = block.groups();
    for g in 0..groups {
        // SAFETY: passed on.
        unsafe {
            others.set(g, Others::of_row(smoothing, &sums.get(g), &rows.get(g), &row_losses.get(g)))
        };
    }
}

/// All stages from the sums to what makes gradients of the exponentials.
///
/// # Safety
/// `sums` must have been set for the groups of the block.
#[inline(never)]
pub(super) unsafe fn conclude<V: Real, E: Evaluation<V> + ?Sized>(
    evaluation: &E,
    block: &mut Block<V>,
    sums: &Column<RowSums<V>>,
    row_losses: &mut Column<RowLoss<V>>,
    others: &mut Column<Others<V>>,
) {
    let mut rows = Column::new();
    // SAFETY: what is read has been set, by the caller or the stage before.
    unsafe {
        softmax(block.groups(), sums, &mut rows);
        evaluation.evaluate(block, &rows, Some(sums), row_losses);
        if !block.grad.is_null() {
            factors(evaluation.smoothing(), block, sums, &rows, row_losses, others);
        }
    }
}
