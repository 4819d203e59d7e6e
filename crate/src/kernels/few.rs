//! Few classes: one row per lane, a column of the group at a time. From [`MAX_CLASSES`] on
//! [`super::many`] is faster for target classes.

use core::mem::MaybeUninit;

use super::{
    block::{Block, Column, GROUPS, Kernel, MAX_CLASSES},
    exponential::{Exponential, bring_into_range, within_range},
    stages::{Evaluation, conclude},
};
use crate::math::Real;
use crate::{
    loss::softmax::{Others, RowLoss, RowSums, SPREAD_UNIT},
    math::exp::{FractionExp, Reduction},
    simd::vector::in_fours,
};

/// Columns of a block: what fits the first-level cache beside the logits.
pub(super) const COLUMNS: usize = 512;

/// The most classes that there is room for.
pub(super) const MOST_CLASSES: usize = 2 * MAX_CLASSES;

/// The kernel of a loss on few classes.
pub(super) struct Few<'a, E: ?Sized> {
    pub evaluation: &'a E,
    pub classes: usize,
}

/// The places at which the square blocks of a row begin. The last one overlaps the one before where
/// they do not fit.
#[inline(always)]
fn each_block<V: Real>(classes: usize, mut f: impl FnMut(usize)) {
    let mut j = 0;
    while j + V::LANES <= classes {
        f(j);
        j += V::LANES;
    }
    if j < classes {
        f(classes - V::LANES);
    }
}

/// Transposes the logits of a group into `columns`, the targets masked out, and returns the largest
/// of each row.
///
/// # Safety
/// `logits` must be valid for a group of rows and `columns` for a vector per class.
#[inline(always)]
unsafe fn read<V: Real>(
    logits: *const V::Scalar,
    classes: usize,
    index: V::Index,
    columns: *mut V,
) -> V {
    let masked = V::constant(f64::NEG_INFINITY);
    let mut max = masked;
    let mut column = |j: usize, x: V| {
        let x = masked.select(x, V::index_is(index, j as i32));
        // SAFETY: j < classes.
        unsafe { columns.add(j).write(x) };
        max = max.pmax(x);
    };
    if classes + 1 == V::LANES {
        // SAFETY: LANES rows.
        let block = unsafe { V::load_narrow(logits) };
        block.as_ref().iter().take(V::LANES - 1).enumerate().for_each(|(j, &x)| column(j, x));
    } else if classes == 2 {
        // SAFETY: LANES rows.
        let (first, second) = unsafe { V::load_pairs(logits) };
        column(0, first);
        column(1, second);
    } else {
        each_block::<V>(classes, |j| {
            // SAFETY: LANES classes from j on, in LANES rows.
            let block = unsafe { V::load_block(logits.add(j), classes) };
            for (k, &x) in block.as_ref().iter().enumerate() {
                column(j + k, x);
            }
        });
    }
    max
}

/// Takes `shift` off every logit.
///
/// # Safety
/// `columns` must hold a vector per class.
#[cold]
#[inline(never)]
unsafe fn shift_by<V: Real>(columns: *mut V, classes: usize, shift: V) {
    for j in 0..classes {
        // SAFETY: j < classes.
        unsafe { *columns.add(j) = (*columns.add(j)).sub(shift) };
    }
}

/// `Σ_j (max − x_j)` over all but the target, in units of [`SPREAD_UNIT`].
///
/// # Safety
/// `columns` must hold a vector per class.
#[inline(never)]
unsafe fn spread_of<V: Real>(columns: *const V, classes: usize, max: V, index: V::Index) -> V {
    let unit = V::constant(1.0 / SPREAD_UNIT);
    let top = max.mul(unit);
    sum_of_four(classes, |j| {
        // SAFETY: j < classes.
        let x = unsafe { *columns.add(j) };
        top.sub(x.mul(unit)).clear(V::index_is(index, j as i32))
    })
}

/// `Σ_j f(j)`, as four sums in turn: shorter chains of roundings.
#[inline(always)]
fn sum_of_four<V: Real>(classes: usize, mut f: impl FnMut(usize) -> V) -> V {
    let mut sums = [V::constant(0.0); 4];
    in_fours(classes, 1, |j, k| sums[k] = sums[k].add(f(j)));
    let [a, b, c, d] = sums;
    a.add(b).add(c.add(d))
}

/// The passes over the classes of `groups` groups: exponentials in `columns`, one group's after the
/// other's, and their sums.
///
/// # Safety
/// `logits` and `targets` must be valid for the groups, `columns` for a vector per class of each.
pub(super) unsafe fn softmax_pass<V: Real>(
    (logits, classes): (*const V::Scalar, usize),
    targets: *const i32,
    groups: usize,
    with_spread: bool,
    columns: *mut V,
    sums: &mut Column<RowSums<V>>,
) {
    let mut by = Column::new();
    // SAFETY: passed on; what is read has been set.
    unsafe {
        find_largest(logits, classes, targets, groups, columns, sums, &mut by);
        if with_spread {
            for g in 0..groups {
                let group = sums.get(g);
                let index = V::load_index(targets.add(g * V::LANES));
                sums.set(
                    g,
                    RowSums {
                        spread: spread_of(columns.add(g * classes), classes, group.max, index),
                        ..group
                    },
                );
            }
        }
        exponentials(columns, classes, groups, sums, &by);
    }
}

/// Transposes the logits of all groups, and finds the largest.
///
/// # Safety
/// As for [`softmax_pass`].
#[inline(never)]
pub(super) unsafe fn find_largest<V: Real>(
    logits: *const V::Scalar,
    classes: usize,
    targets: *const i32,
    groups: usize,
    columns: *mut V,
    sums: &mut Column<RowSums<V>>,
    by: &mut Column<Exponential<V>>,
) {
    for g in 0..groups {
        // SAFETY: passed on.
        unsafe {
            let (logits, targets) = (logits.add(g * V::LANES * classes), targets.add(g * V::LANES));
            let columns = columns.add(g * classes);
            let mut max = read(logits, classes, V::load_index(targets), columns);
            let mut target = V::from_lanes(|i| *logits.add(i * classes + *targets.add(i) as usize));
            if !within_range(max, target) {
                let shift;
                (max, target, shift) = bring_into_range(max, target);
                shift_by(columns, classes, shift);
            }
            let zero = V::constant(0.0);
            sums.set(g, RowSums { target, max, others: zero, spread: zero });
            by.set(g, Exponential::new(max));
        }
    }
}

/// Turns the logits of all groups into exponentials, and adds them up.
///
/// # Safety
/// As for [`softmax_pass`], with what makes exponentials of the logits `by` which they are.
#[inline(never)]
pub(super) unsafe fn exponentials<V: Real>(
    columns: *mut V,
    classes: usize,
    groups: usize,
    sums: &mut Column<RowSums<V>>,
    by: &Column<Exponential<V>>,
) {
    let mut powers = [const { MaybeUninit::<V>::uninit() }; MOST_CLASSES];
    let powers = powers.as_mut_ptr().cast::<V>();
    let (reduction, fraction_exp) = (Reduction::stored(), FractionExp::stored());
    for g in 0..groups {
        // SAFETY: passed on.
        unsafe {
            let columns = columns.add(g * classes);
            let group = sums.get(g);
            let exponential = by.get(g);
            for j in 0..classes {
                let (fraction, power) = exponential.split(&reduction, *columns.add(j));
                columns.add(j).write(fraction);
                powers.add(j).write(power);
            }
            let others = sum_of_four(classes, |j| {
                let e = fraction_exp.of(*columns.add(j)).mul(*powers.add(j));
                columns.add(j).write(e);
                e
            });
            sums.set(g, RowSums { others, ..group });
        }
    }
}

/// Multiplies the exponentials.
///
/// # Safety
/// `columns` must hold a vector per class.
#[cold]
#[inline(never)]
unsafe fn multiply<V: Real>(columns: *mut V, classes: usize, factor: V) {
    for j in 0..classes {
        // SAFETY: j < classes.
        unsafe { *columns.add(j) = (*columns.add(j)).mul(factor) };
    }
}

/// Turns the exponentials into gradients and transposes them out.
///
/// # Safety
/// `columns` must hold a vector per class of each group, and the losses have been set.
#[inline(never)]
pub(super) unsafe fn write<V: Real>(
    block: &Block<V>,
    columns: *mut V,
    row_losses: &Column<RowLoss<V>>,
    others: &Column<Others<V>>,
) {
    let groups = block.groups();
    let classes = block.classes;
    for g in 0..groups {
        // SAFETY: the classes of a group.
        unsafe {
            let (columns, grad, targets) =
                (columns.add(g * classes), block.grad(g), block.targets(g));
            let (target, others) = (row_losses.get(g).target, others.get(g));
            let tiny = others.tiny();
            let (first, factor) = others.factors(tiny);
            if !V::none(tiny) {
                multiply(columns, classes, first);
            }
            let gradient = |j: usize| (*columns.add(j)).mul(factor).add(others.offset);
            if classes + 1 == V::LANES {
                V::store_narrow(V::block(|j| gradient(j.min(V::LANES - 2))), grad);
            } else {
                each_block::<V>(classes, |j| {
                    V::store_block(V::block(|k| gradient(j + k)), grad.add(j), classes)
                });
            }
            for i in 0..V::LANES {
                *grad.add(i * classes + *targets.add(i) as usize) = target.lane(i);
            }
        }
    }
}

impl<V: Real, E: Evaluation<V> + ?Sized> Kernel<V> for Few<'_, E> {
    fn groups(&self) -> usize {
        (COLUMNS / self.classes.max(1)).min(GROUPS)
    }

    fn only_whole_groups(&self) -> bool {
        true
    }

    unsafe fn run(&self, block: &mut Block<V>) {
        let classes = self.classes;
        let mut columns = [const { MaybeUninit::<V>::uninit() }; COLUMNS];
        let columns = columns.as_mut_ptr().cast::<V>();
        let mut sums = Column::new();
        let (mut row_losses, mut others) = (Column::<RowLoss<V>>::new(), Column::new());
        // SAFETY: whole groups of the block, with room for their columns.
        unsafe {
            let with_spread = self.evaluation.wants_spread();
            softmax_pass(
                (block.logits, classes),
                block.targets,
                block.groups(),
                with_spread,
                columns,
                &mut sums,
            );
            conclude(self.evaluation, block, &sums, &mut row_losses, &mut others);
            if !block.grad.is_null() {
                write(block, columns, &row_losses, &others);
            }
        }
    }
}
