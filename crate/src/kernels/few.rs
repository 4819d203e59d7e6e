//! Few classes: one row per lane, a column of the group at a time.

use core::{marker::PhantomData, mem::MaybeUninit};

use super::{
    exponential::{Exponential, bring_into_range, within_range},
    rows::{Group, Kernel, Partial, padded},
};
use crate::{
    loss::softmax::{Outcome, RowSums, SoftmaxLoss},
    vector::Vector,
};

/// The most classes that this kernel takes; from there on [`super::many`] is faster.
pub(super) const MAX_CLASSES: usize = 24;

/// The kernel of a loss on few classes.
pub(super) struct Few<V: Vector, L, const GRAD: bool> {
    loss: L,
    classes: usize,
    vector: PhantomData<V>,
}

impl<V: Vector, L: SoftmaxLoss<V>, const GRAD: bool> Few<V, L, GRAD> {
    /// `classes` must be at most [`MAX_CLASSES`].
    #[inline(always)]
    pub(super) fn new(loss: L, classes: usize) -> Self {
        debug_assert!(classes <= MAX_CLASSES);
        Self { loss, classes, vector: PhantomData }
    }

    /// Number of columns that are read and written in square blocks.
    #[inline(always)]
    fn blocked(&self) -> usize {
        self.classes - self.classes % V::LANES
    }

    /// Transposes the logits into `columns`, the targets masked out, and returns the largest of each row.
    ///
    /// # Safety
    /// `logits` must be valid for a group of rows and `columns` for a vector per class.
    #[inline(always)]
    unsafe fn read(&self, logits: *const V::Scalar, index: V::Index, columns: *mut V) -> V {
        let masked = V::constant(f64::NEG_INFINITY);
        let mut max = masked;
        for j in (0..self.blocked()).step_by(V::LANES) {
            // SAFETY: LANES classes from j on, in LANES rows.
            let block = unsafe { V::load_block(logits.add(j), self.classes) };
            for (k, &x) in block.as_ref().iter().enumerate() {
                let x = masked.select(x, V::index_is(index, (j + k) as i32));
                // SAFETY: j + k < classes.
                unsafe { columns.add(j + k).write(x) };
                max = max.pmax(x);
            }
        }
        for j in self.blocked()..self.classes {
            // SAFETY: class j of LANES rows.
            unsafe {
                let x = masked.select(V::load_column(logits.add(j), self.classes), V::index_is(index, j as i32));
                columns.add(j).write(x);
                max = max.pmax(x);
            }
        }
        max
    }

    /// Takes `shift` off every logit.
    ///
    /// # Safety
    /// `columns` must hold a vector per class.
    #[cold]
    #[inline(never)]
    unsafe fn shift(&self, columns: *mut V, shift: V) {
        for j in 0..self.classes {
            // SAFETY: j < classes.
            unsafe { *columns.add(j) = (*columns.add(j)).sub(shift) };
        }
    }

    /// Turns the logits into exponentials and returns their sum and their spread.
    ///
    /// # Safety
    /// `columns` must hold a vector per class.
    #[inline(always)]
    unsafe fn exponentials(&self, columns: *mut V, max: V, index: V::Index) -> (V, V) {
        let exponential = Exponential::new(max);
        // Four sums in turn: shorter chains of roundings.
        let mut others = [V::constant(0.0); 4];
        let mut spread = others;
        let mut step = |j: usize, k: usize| {
            // SAFETY: j < classes.
            let column = unsafe { &mut *columns.add(j) };
            if L::SPREAD {
                spread[k] = spread[k].add(max.sub(*column).clear(V::index_is(index, j as i32)));
            }
            *column = exponential.of(*column);
            others[k] = others[k].add(*column);
        };
        let rest = self.classes % 4;
        for j in (0..self.classes - rest).step_by(4) {
            (0..4).for_each(|k| step(j + k, k));
        }
        for k in 0..3 {
            if k < rest {
                step(self.classes - rest + k, k);
            }
        }
        let sum = |[a, b, c, d]: [V; 4]| a.add(b).add(c.add(d));
        (sum(others), sum(spread))
    }

    /// Multiplies the exponentials.
    ///
    /// # Safety
    /// `columns` must hold a vector per class.
    #[cold]
    #[inline(never)]
    unsafe fn multiply(&self, columns: *mut V, factor: V) {
        for j in 0..self.classes {
            // SAFETY: j < classes.
            unsafe { *columns.add(j) = (*columns.add(j)).mul(factor) };
        }
    }

    /// Turns the exponentials into gradients and transposes them out.
    ///
    /// # Safety
    /// `columns` must hold a vector per class, and `group` be valid for a group of rows.
    #[inline(always)]
    unsafe fn write(&self, columns: *mut V, outcome: &Outcome<V>, group: Group<V>) {
        let tiny = outcome.tiny();
        let (first, factor) = outcome.factors(tiny);
        if !V::none(tiny) {
            // SAFETY: passed on.
            unsafe { self.multiply(columns, first) };
        }
        let gradient = |j: usize| {
            // SAFETY: j < classes.
            unsafe { *columns.add(j) }.mul(factor).add(outcome.offset)
        };
        for j in (0..self.blocked()).step_by(V::LANES) {
            // SAFETY: LANES classes from j on, in LANES rows.
            unsafe { V::store_block(V::block(|k| gradient(j + k)), group.grad.add(j), self.classes) };
        }
        for j in self.blocked()..self.classes {
            // SAFETY: class j of LANES rows.
            unsafe { gradient(j).store_column(group.grad.add(j), self.classes) };
        }
        for i in 0..V::LANES {
            // SAFETY: the target of row i is one of its classes.
            unsafe { *group.grad.add(i * self.classes + *group.targets.add(i) as usize) = outcome.target.lane(i) };
        }
    }
}

impl<V: Vector, L: SoftmaxLoss<V>, const GRAD: bool> Kernel<V> for Few<V, L, GRAD> {
    #[inline(always)]
    unsafe fn group(&self, group: Group<V>) -> V {
        let mut columns = [MaybeUninit::<V>::uninit(); MAX_CLASSES];
        let columns = columns.as_mut_ptr().cast::<V>();
        // SAFETY: the caller vouches for a group of rows and targets; there are at most MAX_CLASSES columns.
        unsafe {
            let index = V::load_index(group.targets);
            let mut max = self.read(group.logits, index, columns);
            let mut target = V::from_lanes(|i| *group.logits.add(i * self.classes + *group.targets.add(i) as usize));
            if !within_range(max, target) {
                let shift;
                (max, target, shift) = bring_into_range(max, target);
                self.shift(columns, shift);
            }
            let (others, spread) = self.exponentials(columns, max, index);
            let sums = RowSums { target, max, others, spread };
            let outcome = self.loss.of_rows(group.targets).outcome(&sums, group.weight, group.scale);
            if GRAD {
                self.write(columns, &outcome, group);
            }
            outcome.value
        }
    }
}

impl<V: Vector, L: SoftmaxLoss<V>, const GRAD: bool> Partial<V> for Few<V, L, GRAD> {
    unsafe fn partial(&self, group: Group<V>, n: usize) -> V {
        // SAFETY: passed on.
        unsafe { padded::<V, GRAD>(self, self.classes, group, n) }
    }
}
