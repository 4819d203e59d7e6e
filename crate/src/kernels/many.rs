//! Many classes: along the row, with one formula for a group of rows.
//!
//! Three passes over a row, which stays in the cache: its largest logit; the exponentials and their sum; the scaling into
//! gradients.

use core::{marker::PhantomData, ptr};

use super::{
    exponential::{Exponential, bring_into_range, within_range},
    rows::{Group, Kernel, MAX_LANES, Partial},
};
use crate::{
    loss::softmax::{RowSums, SoftmaxLoss},
    vector::{Scalar, Vector, WideSum},
};

/// Classes that are summed in the scalar type before the sum goes on in float64.
const BLOCK: usize = 64;

/// The kernel of a loss on many classes.
pub(super) struct Many<V: Vector, L, const GRAD: bool> {
    loss: L,
    classes: usize,
    vector: PhantomData<V>,
}

/// A row on its way through the passes.
#[derive(Clone, Copy)]
pub(super) struct Row<S> {
    pub logits: *const S,
    pub grad: *mut S,
    /// A class to leave out; one that the row does not have, for none.
    pub target: usize,
}

/// What the passes leave of the rows of a group, one after the other: see [`RowSums`].
#[derive(Clone, Copy)]
struct Sums<S> {
    max: [S; MAX_LANES],
    target: [S; MAX_LANES],
    others: [S; MAX_LANES],
    spread: [S; MAX_LANES],
}

/// Whether the target of a row is among the [`BLOCK`] classes from `from` on.
#[inline(always)]
fn in_block(target: usize, from: usize) -> bool {
    target / BLOCK == from / BLOCK
}

/// The largest of a row's logits but the target's, lane by lane, in the block `from..to`. `TARGET`: whether the target may be there.
///
/// # Safety
/// `row` must be valid for its logits up to `to`.
#[inline(always)]
unsafe fn block_max<V: Vector, const TARGET: bool>(row: Row<V::Scalar>, (from, to): (usize, usize), mut max: [V; 2]) -> [V; 2] {
    let lowest = V::constant(f64::NEG_INFINITY);
    let mask = |x: V, j: usize| if TARGET { lowest.select(x, V::lane_is(row.target.wrapping_sub(j))) } else { x };
    let mut j = from;
    // SAFETY: whole vectors below `to`, then what is left.
    unsafe {
        let load = |j: usize| mask(V::load(row.logits.add(j)), j);
        while j + 2 * V::LANES <= to {
            max = [max[0].pmax(load(j)), max[1].pmax(load(j + V::LANES))];
            j += 2 * V::LANES;
        }
        if j + V::LANES <= to {
            max[0] = max[0].pmax(load(j));
            j += V::LANES;
        }
        if j < to {
            max[1] = max[1].pmax(mask(V::load_partial(row.logits.add(j), to - j, lowest.lane(0)), j));
        }
    }
    max
}

/// The largest of a row's logits but the target's.
///
/// # Safety
/// `row` must be valid for `n` logits.
#[inline(always)]
pub(super) unsafe fn largest<V: Vector>(row: Row<V::Scalar>, n: usize) -> V::Scalar {
    let mut max = [V::constant(f64::NEG_INFINITY); 2];
    for from in (0..n).step_by(BLOCK) {
        let range = (from, n.min(from + BLOCK));
        // SAFETY: logits of the row.
        max = unsafe {
            if in_block(row.target, from) {
                block_max::<V, true>(row, range, max)
            } else {
                block_max::<V, false>(row, range, max)
            }
        };
    }
    let max = max[0].pmax(max[1]);
    (1..V::LANES).fold(max.lane(0), |a, i| if a < max.lane(i) { max.lane(i) } else { a })
}

/// Multiplies `n` exponentials by `factor` and adds `offset`.
///
/// # Safety
/// `grad` must be valid for reading and writing them.
#[inline(always)]
unsafe fn finish<V: Vector>(grad: *mut V::Scalar, n: usize, factor: V, offset: V) {
    let mut j = 0;
    // SAFETY: whole vectors below n, then what is left.
    unsafe {
        while j + V::LANES <= n {
            V::load(grad.add(j)).mul(factor).add(offset).store(grad.add(j));
            j += V::LANES;
        }
        if j < n {
            let last = V::load_partial(grad.add(j), n - j, V::Scalar::default());
            last.mul(factor).add(offset).store_partial(grad.add(j), n - j);
        }
    }
}

impl<V: Vector, L: SoftmaxLoss<V>, const GRAD: bool> Many<V, L, GRAD> {
    #[inline(always)]
    pub(super) fn new(loss: L, classes: usize) -> Self {
        Self { loss, classes, vector: PhantomData }
    }

    /// The exponentials of the logits `from..to`, and the sums of those and of the spread over all but the target, whose own is
    /// worthless. `TARGET`: whether it may be among them.
    ///
    /// # Safety
    /// `row` must be valid for its logits and, where there are gradients, for those, up to `to`.
    #[inline(always)]
    unsafe fn block<const TARGET: bool>(
        row: Row<V::Scalar>,
        (from, to): (usize, usize),
        max: V,
        exponential: Exponential<V>,
    ) -> (V, V) {
        let mut others = [V::constant(0.0); 2];
        let mut spread = others;
        let but_target = |x: V, j: usize| if TARGET { x.clear(V::lane_is(row.target.wrapping_sub(j))) } else { x };
        let mut step = |j: usize, k: usize| {
            // SAFETY: a whole vector below `to`.
            let x = unsafe { V::load(row.logits.add(j)) };
            let e = exponential.of(x);
            if GRAD {
                // SAFETY: as above.
                unsafe { e.store(row.grad.add(j)) };
            }
            if L::SPREAD {
                spread[k] = spread[k].add(but_target(max.sub(x), j));
            }
            others[k] = others[k].add(but_target(e, j));
        };
        let mut j = from;
        while j + 2 * V::LANES <= to {
            step(j, 0);
            step(j + V::LANES, 1);
            j += 2 * V::LANES;
        }
        if j + V::LANES <= to {
            step(j, 0);
            j += V::LANES;
        }
        if j < to {
            let n = to - j;
            // SAFETY: n logits are left.
            let partial = |fill| unsafe { V::load_partial(row.logits.add(j), n, fill) };
            if L::SPREAD {
                spread[1] = spread[1].add(but_target(max.sub(partial(max.lane(0))), j));
            }
            let e = exponential.of(partial(V::Scalar::from_f64(f64::NEG_INFINITY)));
            if GRAD {
                // SAFETY: as above.
                unsafe { e.store_partial(row.grad.add(j), n) };
            }
            others[1] = others[1].add(but_target(e, j));
        }
        (others[0].add(others[1]), spread[0].add(spread[1]))
    }

    /// The second pass over the first `n` logits of a row whose largest is `max`: exponentials, their sum over the other classes,
    /// and the spread.
    ///
    /// # Safety
    /// As for [`Self::block`].
    #[inline(never)]
    unsafe fn exponentials(row: Row<V::Scalar>, n: usize, max: V::Scalar) -> (f64, f64) {
        let max = V::splat(max);
        let exponential = Exponential::new(max);
        let (mut others, mut spread) = (V::Wide::zero(), V::Wide::zero());
        for from in (0..n).step_by(BLOCK) {
            let range = (from, n.min(from + BLOCK));
            // SAFETY: logits of the row.
            let sums = unsafe {
                if in_block(row.target, from) {
                    Self::block::<true>(row, range, max, exponential)
                } else {
                    Self::block::<false>(row, range, max, exponential)
                }
            };
            others = others.accumulate(sums.0);
            if L::SPREAD {
                spread = spread.accumulate(sums.1);
            }
        }
        (others.total(), if L::SPREAD { spread.total() } else { 0.0 })
    }

    /// The second pass for a row out of range: `shift` comes off each logit first, then the largest is `max`.
    ///
    /// # Safety
    /// As for [`Self::block`].
    #[cold]
    #[inline(never)]
    unsafe fn far(&self, row: Row<V::Scalar>, max: V::Scalar, shift: V::Scalar) -> (f64, f64) {
        let mut shifted = [V::Scalar::default(); BLOCK];
        let mut sums = (0.0, 0.0);
        for from in (0..self.classes).step_by(BLOCK) {
            let n = BLOCK.min(self.classes - from);
            // SAFETY: classes of the row, of which `shifted` holds the logits.
            let (others, spread) = unsafe {
                for (k, x) in shifted[..n].iter_mut().enumerate() {
                    *x = V::splat(*row.logits.add(from + k)).sub(V::splat(shift)).lane(0);
                }
                let target = row.target.wrapping_sub(from);
                let block = Row { logits: shifted.as_ptr(), grad: row.grad.wrapping_add(from), target };
                Self::exponentials(block, n, max)
            };
            sums = (sums.0 + others, sums.1 + spread);
        }
        sums
    }

    /// The passes over row `i` of a group before the loss is known.
    ///
    /// # Safety
    /// `group` must be valid for that row.
    #[inline(always)]
    unsafe fn row(&self, group: Group<V>, i: usize, sums: &mut Sums<V::Scalar>) {
        // SAFETY: the caller vouches for the row and its target.
        unsafe {
            let logits = group.logits.add(i * self.classes);
            let target = *group.targets.add(i) as usize;
            let row = Row { logits, grad: group.grad.wrapping_add(i * self.classes), target };
            let (max, target) = (V::splat(largest::<V>(row, self.classes)), V::splat(*logits.add(target)));
            let (max, target, (others, spread)) = if within_range(max, target) {
                (max, target, Self::exponentials(row, self.classes, max.lane(0)))
            } else {
                let (max, target, shift) = bring_into_range(max, target);
                (max, target, self.far(row, max.lane(0), shift.lane(0)))
            };
            (sums.max[i], sums.target[i]) = (max.lane(0), target.lane(0));
            (sums.others[i], sums.spread[i]) = (V::Scalar::from_f64(others), V::Scalar::from_f64(spread));
        }
    }
}

impl<V: Vector, L: SoftmaxLoss<V>, const GRAD: bool> Kernel<V> for Many<V, L, GRAD> {
    #[inline(always)]
    unsafe fn group(&self, group: Group<V>) -> V {
        // SAFETY: passed on.
        unsafe { self.partial(group, V::LANES) }
    }
}

impl<V: Vector, L: SoftmaxLoss<V>, const GRAD: bool> Partial<V> for Many<V, L, GRAD> {
    #[inline(never)]
    unsafe fn partial(&self, group: Group<V>, n: usize) -> V {
        let zero = V::Scalar::default();
        // Lanes without a row hold a row of zeros.
        let mut sums =
            Sums { max: [zero; MAX_LANES], target: [zero; MAX_LANES], others: [zero; MAX_LANES], spread: [zero; MAX_LANES] };
        for i in 0..n {
            // SAFETY: the caller vouches for n rows and targets.
            unsafe { self.row(group, i, &mut sums) };
        }
        // SAFETY: the arrays hold at least LANES values, and every target is a class.
        let (loss, sums) = unsafe {
            let lanes = |values: &[V::Scalar; MAX_LANES]| V::load(ptr::from_ref(values).cast());
            let (max, target) = (lanes(&sums.max), lanes(&sums.target));
            let sums = RowSums { target, max, others: lanes(&sums.others), spread: lanes(&sums.spread) };
            (self.loss.of_rows(group.targets), sums)
        };
        let outcome = loss.outcome(&sums, group.weight, group.scale);
        if GRAD {
            let tiny = outcome.tiny();
            let (first, factor) = outcome.factors(tiny);
            for i in 0..n {
                // SAFETY: row i of the group, and its target.
                unsafe {
                    let target = *group.targets.add(i);
                    let grad = group.grad.add(i * self.classes);
                    if !V::none(tiny) {
                        finish(grad, self.classes, V::splat(first.lane(i)), V::constant(0.0));
                    }
                    finish(grad, self.classes, V::splat(factor.lane(i)), V::splat(outcome.offset.lane(i)));
                    *grad.add(target as usize) = outcome.target.lane(i);
                }
            }
        }
        outcome.value
    }
}
