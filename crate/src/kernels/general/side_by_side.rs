//! Mixtures of few classes: two rows side by side, a lane each, by the loops of [`few`].
//!
//! A row is seen from the class with the largest share, weighed, as one with a target class is from
//! that: where another has the largest logit, the distance between them is most of the loss, beside
//! which the rounding of the logarithm is nothing.

use core::{mem::MaybeUninit, ptr, slice};

use super::{
    super::{
        block::{Block, Column, GROUPS},
        few::{self, COLUMNS, MOST_CLASSES},
        stages::{focus, softmax},
    },
    passes::{D, Outlined},
    source::{ROWS, Source, Wide},
};
use crate::{
    loss::{
        focal::Hard,
        focusing::Later,
        soft_targets::SoftRow,
        softmax::{Others, RowLoss, RowSums, Softmax},
    },
    simd::vector::Vector,
};

/// The most classes, from which on [`super::passes`] is as fast.
pub(super) const CLASSES: usize = MOST_CLASSES;

/// Rows that are computed at once.
pub(super) fn rows_of(classes: usize) -> usize {
    D::LANES * (COLUMNS / classes.max(1)).min(GROUPS)
}

/// The loss on mixtures of few classes.
pub(super) struct SideBySide<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) loss: &'a Hard<D, Outlined>,
    /// Number of classes, at most [`CLASSES`].
    pub(super) classes: usize,
    /// ε.
    pub(super) smoothing: f64,
}

/// The sums over the classes of two rows that have to do with the shares, see [`SoftRow`].
#[derive(Clone, Copy)]
pub(super) struct Mixture {
    /// `q_m`.
    pub(super) own: D,
    /// `Σ_{j≠m} q_j`.
    pub(super) rest: D,
    /// `Σ_j q_j·(M − x_j)`.
    pub(super) distance: D,
}

impl SideBySide<'_> {
    /// Computes the rows that are not to be `skipped`, of `n`. Returns their values.
    ///
    /// # Safety
    /// There must be `n` rows in the source, at most [`rows_of`] the classes.
    #[inline(never)]
    pub(super) unsafe fn run(&self, n: usize, skipped: &[bool; ROWS]) -> [f64; ROWS] {
        let (groups, classes) = (n.div_ceil(D::LANES), self.classes);
        let mut values = [0.0; ROWS];
        let mut wide = Wide {
            logits: [const { MaybeUninit::uninit() }; COLUMNS * D::LANES],
            shares: [const { MaybeUninit::uninit() }; COLUMNS * D::LANES],
            targets: ptr::null(),
        };
        let [mut columns, mut shares] = [[const { MaybeUninit::<D>::uninit() }; COLUMNS]; 2];
        let (columns, shares) = (columns.as_mut_ptr().cast::<D>(), shares.as_mut_ptr().cast::<D>());
        let (mut by, mut sums, mut mixtures) = (Column::new(), Column::new(), Column::new());
        let (mut rows, mut row_losses, mut others) = (Column::new(), Column::new(), Column::new());
        let (mut row_weights, mut scales) = (Column::new(), Column::new());
        let mut seen_from = [0; ROWS];
        let seen_from = seen_from.as_mut_ptr();
        // SAFETY: so many rows, for which there are columns enough; what is read has been set.
        unsafe {
            self.source.widen(n, &mut wide);
            self.source.factors(n, [&mut row_weights, &mut scales]);
            let logits = wide.logits.as_mut_ptr().cast::<f64>();
            let of_rows = wide.shares.as_ptr().cast();
            few::find_largest(of_rows, classes, seen_from, groups, shares, &mut sums, &mut by);
            for g in 0..groups {
                // The share of class 0, as whose it was left out.
                *shares.add(g * classes) = sums.get(g).target;
            }
            self.weigh(groups, (columns, shares), &mut row_weights);
            likeliest(classes, groups, shares, seen_from);
            few::find_largest(logits, classes, seen_from, groups, columns, &mut sums, &mut by);
            mix(classes, groups, seen_from, (columns, shares), &sums, &mut mixtures);
            few::exponentials(columns, classes, groups, &mut sums, &by);
            softmax(groups, &sums, &mut rows);
            let factors = [&row_weights, &scales];
            losses(self.loss, wide.targets, groups, &rows, &mixtures, factors, &mut row_losses);
            for g in 0..groups {
                row_losses.get(g).value.store(values.as_mut_ptr().add(D::LANES * g));
                others.set(g, Others::none());
            }
            if self.source.wants_gradients() {
                gradients(classes, groups, (columns, shares), &sums, &rows, &mixtures, &row_losses);
                let block = Block {
                    logits,
                    grad: logits,
                    classes,
                    rows: n,
                    targets: seen_from,
                    weight: Column::new(),
                    scale: Column::new(),
                    value: Column::new(),
                };
                few::write(&block, columns, &row_losses, &others);
                let store = |row: usize, n: usize| {
                    let at = row * classes;
                    let gradients = slice::from_raw_parts(logits.add(at), n * classes);
                    self.source.store(row, 0, n * classes, gradients);
                };
                if !skipped.contains(&true) {
                    store(0, n);
                    return values;
                }
                for (row, _) in skipped.iter().enumerate().take(n).filter(|&(_, &skipped)| !skipped)
                {
                    store(row, 1);
                }
            }
        }
        values
    }

    /// Smooths and weighs the shares, and rows by the mean weight of their classes.
    ///
    /// # Safety
    /// There must be a share for each class of each group, and room in the columns.
    #[inline(never)]
    unsafe fn weigh(
        &self,
        groups: usize,
        (columns, shares): (*mut D, *mut D),
        row_weights: &mut Column<D>,
    ) {
        let (classes, smoothing) = (self.classes, self.smoothing);
        // SAFETY: passed on.
        unsafe {
            if self.multiply(true, groups, shares, columns) {
                for g in 0..groups {
                    let parts = columns.add(g * classes);
                    let mut sums = [D::ZERO; 4];
                    (0..classes).for_each(|j| sums = next(sums, *parts.add(j)));
                    row_weights.set(g, row_weights.get(g).mul(total(sums)));
                }
            }
            if smoothing > 0.0 {
                // Every class has a share, which a masked one makes infinite.
                let each = D::constant((smoothing / classes as f64).max(f64::from_bits(1)));
                let kept = D::constant(1.0 - smoothing);
                for k in 0..groups * classes {
                    *shares.add(k) = (*shares.add(k)).mul(kept).add(each);
                }
            }
            self.multiply(false, groups, shares, shares);
        }
    }

    /// Multiplies shares with the weights of their classes, if there are any: those of the mean, or
    /// their own. Returns true if there are.
    ///
    /// # Safety
    /// There must be a share for each class of each group, and room for as many.
    #[inline(never)]
    unsafe fn multiply(&self, mean: bool, groups: usize, shares: *const D, to: *mut D) -> bool {
        let zero = D::ZERO;
        // SAFETY: passed on.
        unsafe {
            for j in 0..self.classes {
                let Some(weight) = self.source.weight(mean, j) else { return false };
                let weight = D::splat(weight);
                // 0 only where one of them is, so that an infinite cross-entropy is not lost.
                let least = D::constant(f64::from_bits(1)).keep(weight.gt(zero));
                for at in (j..groups * self.classes).step_by(self.classes) {
                    let share = *shares.add(at);
                    *to.add(at) = share.mul(weight).pmax(least.keep(share.gt(zero)));
                }
            }
        }
        true
    }
}

/// Four sums in turn, of shorter chains of roundings, of which the next takes `x`.
#[inline(always)]
fn next([a, b, c, d]: [D; 4], x: D) -> [D; 4] {
    [b, c, d, a.add(x)]
}

/// The sum of four.
#[inline(always)]
fn total([a, b, c, d]: [D; 4]) -> D {
    a.add(b).add(c.add(d))
}

/// Adds up the shares of all groups, seen from the classes that are left out of the columns, and
/// takes those of these classes out.
///
/// # Safety
/// There must be a vector for each class of each group in both columns.
#[inline(never)]
unsafe fn mix(
    classes: usize,
    groups: usize,
    seen_from: *const i32,
    (columns, shares): (*const D, *mut D),
    sums: &Column<RowSums<D>>,
    mixtures: &mut Column<Mixture>,
) {
    // SAFETY: passed on.
    unsafe {
        for g in 0..groups {
            let own = D::from_lanes(|i| {
                let class = *seen_from.add(g * D::LANES + i) as usize;
                let share = shares.add(g * classes + class).cast::<f64>().add(i);
                share.replace(0.0)
            });
            mixtures.set(g, Mixture { own, rest: D::ZERO, distance: D::ZERO });
        }
        for g in 0..groups {
            let RowSums { target, max, .. } = sums.get(g);
            let top = max.pmax(target);
            let (columns, shares) = (columns.add(g * classes), shares.add(g * classes));
            let (mut rest, mut distance) = ([D::ZERO; 4], [D::ZERO; 4]);
            for j in 0..classes {
                let share = *shares.add(j);
                rest = next(rest, share);
                distance = next(distance, away(share, top, *columns.add(j)));
            }
            let own = mixtures.get(g).own;
            let distance = total(distance).add(away(own, top, target));
            mixtures.set(g, Mixture { own, rest: total(rest), distance });
        }
    }
}

/// The losses of mixtures.
///
/// # Safety
/// The columns must have been set for the groups; there must be a target for each row.
#[inline(never)]
pub(super) unsafe fn losses(
    loss: &Hard<D, Outlined>,
    targets: *const i32,
    groups: usize,
    rows: &Column<Softmax<D>>,
    mixtures: &Column<Mixture>,
    [weights, scales]: [&Column<D>; 2],
    row_losses: &mut Column<RowLoss<D>>,
) {
    let Outlined(power) = &loss.power;
    let loss = loss.with(Later(power));
    // SAFETY: passed on.
    unsafe {
        for g in 0..groups {
            let loss = loss.of_rows(targets.add(g * D::LANES));
            let Mixture { own, rest, distance } = mixtures.get(g);
            let soft = SoftRow { softmax: rows.get(g), own, rest, distance };
            row_losses.set(g, soft.row_loss(&loss, weights.get(g), scales.get(g)));
        }
        focus(power, targets, groups, row_losses);
    }
}

/// The addend of a class below the largest logit to the cross-entropy: nothing without a
/// share, also where its logit is −Inf.
#[inline(always)]
fn away(share: D, top: D, x: D) -> D {
    share.mul(top.sub(x)).keep(share.gt(D::constant(0.0)))
}

/// Finds the class with the largest share in each row.
///
/// # Safety
/// The shares must be those of the classes of the groups; there must be room for a class a row.
#[inline(never)]
unsafe fn likeliest(classes: usize, groups: usize, shares: *const D, to: *mut i32) {
    let one = D::constant(1.0);
    for g in 0..groups {
        // SAFETY: passed on.
        unsafe {
            let shares = shares.add(g * classes);
            let mut top = *shares;
            let (mut likeliest, mut class) = (D::ZERO, D::ZERO);
            for j in 1..classes {
                class = class.add(one);
                let share = *shares.add(j);
                let is_larger = share.gt(top);
                top = share.select(top, is_larger);
                likeliest = class.select(likeliest, is_larger);
            }
            for i in 0..D::LANES {
                *to.add(g * D::LANES + i) = likeliest.lane(i) as i32;
            }
        }
    }
}

/// Turns the exponentials of all groups into gradients.
///
/// # Safety
/// The columns must have been set for the groups.
#[inline(never)]
unsafe fn gradients(
    classes: usize,
    groups: usize,
    (columns, shares): (*mut D, *const D),
    sums: &Column<RowSums<D>>,
    rows: &Column<Softmax<D>>,
    mixtures: &Column<Mixture>,
    row_losses: &Column<RowLoss<D>>,
) {
    for g in 0..groups {
        // SAFETY: passed on.
        unsafe {
            let (columns, shares) = (columns.add(g * classes), shares.add(g * classes));
            let Mixture { own, rest, .. } = mixtures.get(g);
            let derivative = row_losses.get(g).common;
            let shared = own.add(rest).mul(rows.get(g).one_minus_pt);
            let softmax = Others::new(shared, sums.get(g).others, D::ZERO);
            let (first, factor) = softmax.factors(softmax.tiny());
            for j in 0..classes {
                // The difference first: where its terms are nearly the same, roundings of either
                // would be all there is left.
                let difference = (*columns.add(j)).mul(first).mul(factor).sub(*shares.add(j));
                *columns.add(j) = derivative.mul(difference);
            }
        }
    }
}
