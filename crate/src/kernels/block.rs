//! Blocks of rows, and the walk over them that all kernels share.
//!
//! A kernel works in stages, each a loop of its own over a block of groups of
//! [`Vector::LANES`](crate::simd::vector::Vector::LANES) rows: so each has few constants and little
//! to wait for, which a processor and an engine's register allocator do well with. What a stage
//! leaves for the next lies in [`Column`]s.

use core::{mem::MaybeUninit, ptr, slice};

use super::{check_targets::may_hold, rows::Rows, sink::Sink};
use crate::math::Real;
use crate::simd::{
    largest_unsigned,
    vector::{MAX_LANES, Scalar},
};

/// The most classes of a kernel that reads and writes whole groups only.
pub(super) const MAX_CLASSES: usize = 64;

/// The most groups of a block.
pub(super) const GROUPS: usize = 32;

/// One `T` for each group of a block.
pub(super) struct Column<T>([MaybeUninit<T>; GROUPS]);

impl<T: Copy> Column<T> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; GROUPS])
    }

    /// # Safety
    /// There must be a group `g`, and it have been [`set`](Self::set).
    #[inline(always)]
    pub(super) unsafe fn get(&self, g: usize) -> T {
        debug_assert!(g < GROUPS);
        // SAFETY: passed on.
        unsafe { self.0.get_unchecked(g).assume_init_read() }
    }

    /// # Safety
    /// There must be a group `g`.
    #[inline(always)]
    pub(super) unsafe fn set(&mut self, g: usize, value: T) {
        debug_assert!(g < GROUPS);
        // SAFETY: passed on.
        unsafe { self.0.get_unchecked_mut(g).write(value) };
    }
}

impl<V: Real> Column<V> {
    /// The lanes of all groups, one after the other.
    #[inline(always)]
    pub(super) fn lanes(&mut self) -> *mut V::Scalar {
        self.0.as_mut_ptr().cast()
    }
}

/// A block of rows on its way through a kernel.
pub(super) struct Block<V: Real> {
    /// The logits of the first row.
    pub logits: *const V::Scalar,
    /// The gradients of the first row, or null.
    pub grad: *mut V::Scalar,
    /// Number of classes.
    pub classes: usize,
    /// Number of rows.
    pub rows: usize,
    /// A class for each row, also for those that fill the last group up.
    pub targets: *const i32,
    /// Weight of each row.
    pub weight: Column<V>,
    /// Factor of each row's gradient.
    pub scale: Column<V>,
    /// Out: the value of each row.
    pub value: Column<V>,
}

impl<V: Real> Block<V> {
    /// Number of groups, the last of which may have fewer rows.
    #[inline(always)]
    pub(super) fn groups(&self) -> usize {
        self.rows.div_ceil(V::LANES)
    }

    /// The targets of a group.
    #[inline(always)]
    pub(super) fn targets(&self, g: usize) -> *const i32 {
        self.targets.wrapping_add(g * V::LANES)
    }

    /// The logits of a group.
    #[inline(always)]
    pub(super) fn logits(&self, g: usize) -> *const V::Scalar {
        self.logits.wrapping_add(g * V::LANES * self.classes)
    }

    /// The gradients of a group.
    #[inline(always)]
    pub(super) fn grad(&self, g: usize) -> *mut V::Scalar {
        self.grad.wrapping_add(g * V::LANES * self.classes)
    }
}

/// Kernels turn blocks of logits into values and gradients.
pub(super) trait Kernel<V: Real> {
    /// Groups that it takes at once, at most [`GROUPS`].
    fn groups(&self) -> usize {
        GROUPS
    }

    /// True for kernels that read and write whole groups only. Then there must be at most
    /// [`MAX_CLASSES`].
    fn only_whole_groups(&self) -> bool;

    /// Computes the values of the rows and, where there is a place for them, their gradients.
    ///
    /// # Safety
    /// The pointers of `block` must be valid for its rows and, where only whole groups will do, for
    /// whole groups; its targets be classes.
    unsafe fn run(&self, block: &mut Block<V>);
}

/// Runs `kernel` over all rows and puts their values into `sink`.
///
/// # Safety
/// The pointers of `rows` must be valid for the sizes it states and what it can be null for be so
/// only where the kernel does not need it; every target must be a class or ignored.
#[inline(never)]
pub(super) unsafe fn run_blocks<V: Real>(
    kernel: &dyn Kernel<V>,
    rows: &Rows<V::Scalar>,
    sink: &mut dyn Sink<V>,
) {
    let mut walk = Walk {
        rows,
        targets: [const { MaybeUninit::uninit() }; GROUPS * MAX_LANES],
        ignores: false,
    };
    let mut block = Block {
        logits: rows.logits,
        grad: rows.grad,
        classes: rows.classes,
        rows: 0,
        targets: rows.targets,
        weight: Column::new(),
        scale: Column::new(),
        value: Column::new(),
    };
    let step = kernel.groups() * V::LANES;
    let rest = if kernel.only_whole_groups() { rows.rows % V::LANES } else { 0 };
    let whole = rows.rows - rest;
    // SAFETY: rows of the batch; the last, incomplete group is copied to where there is room for a
    // whole one.
    unsafe {
        for row in (0..whole).step_by(step.max(1)) {
            walk.enter(&mut block, row, step.min(whole - row));
            kernel.run(&mut block);
            walk.leave(&mut block, row, sink);
        }
        if rest > 0 {
            let mut padded = [V::Scalar::default(); MAX_CLASSES * MAX_LANES];
            walk.enter(&mut block, whole, rest);
            let (logits, grad, entries) = (block.logits, block.grad, rest * rows.classes);
            // One pointer serves as both: a second borrow of the array would end the first one's
            // validity.
            let padded = padded.as_mut_ptr();
            ptr::copy_nonoverlapping(logits, padded, entries);
            block.logits = padded;
            block.grad = if grad.is_null() { grad } else { padded };
            kernel.run(&mut block);
            if !grad.is_null() {
                ptr::copy_nonoverlapping(padded, grad, entries);
            }
            walk.leave(&mut block, whole, sink);
        }
    }
}

/// The walk over a batch.
struct Walk<'a, S> {
    rows: &'a Rows<S>,
    /// Targets of a block, where the batch's own will not do.
    targets: [MaybeUninit<i32>; GROUPS * MAX_LANES],
    /// True where a row of the block may not count. In most blocks all do.
    ignores: bool,
}

impl<S: Scalar> Walk<'_, S> {
    /// Makes `block` the `n` rows from `row` on.
    ///
    /// # Safety
    /// They must be rows of the batch.
    #[inline(always)]
    unsafe fn enter<V: Real<Scalar = S>>(&mut self, block: &mut Block<V>, row: usize, n: usize) {
        let Rows {
            logits,
            grad,
            targets,
            classes,
            weights,
            row_weights,
            scale,
            row_scales,
            ignored,
            ..
        } = *self.rows;
        block.rows = n;
        block.logits = logits.wrapping_add(row * classes);
        if !grad.is_null() {
            block.grad = grad.wrapping_add(row * classes);
        }
        // SAFETY: rows of the batch.
        unsafe {
            block.targets = targets.wrapping_add(row);
            let own: &[i32] =
                if targets.is_null() { &[] } else { slice::from_raw_parts(block.targets, n) };
            self.ignores =
                ignored.is_some_and(|ignored| may_hold(largest_unsigned(own), classes, ignored));
            if targets.is_null() || self.ignores || !n.is_multiple_of(V::LANES) {
                fill_counted(&mut self.targets, block.groups() * V::LANES, own, ignored);
                block.targets = self.targets.as_ptr().cast();
            }
            let (targets, groups) = (block.targets, block.groups());
            for g in 0..groups {
                block.weight.set(g, weights.of::<V>(targets.add(g * V::LANES)));
                block.scale.set(g, V::splat(scale));
            }
            let (weight, scale) = (block.weight.lanes(), block.scale.lanes());
            if !row_weights.is_null() {
                (0..n).for_each(|i| {
                    *weight.add(i) = product(*weight.add(i), *row_weights.add(row + i))
                });
            }
            if !row_scales.is_null() {
                (0..n)
                    .for_each(|i| *scale.add(i) = product(*scale.add(i), *row_scales.add(row + i)));
            }
        }
    }

    /// Puts the values of a block that begins at `row` into `sink`, and writes them where they are
    /// wanted. Rows that do not count get value 0 and gradient 0.
    ///
    /// # Safety
    /// They must be rows of the batch, and the block have gone through a kernel.
    #[inline(always)]
    unsafe fn leave<V: Real<Scalar = S>>(
        &self,
        block: &mut Block<V>,
        row: usize,
        sink: &mut dyn Sink<V>,
    ) {
        let Rows { values, grad, targets, classes, ignored, .. } = *self.rows;
        let (n, groups) = (block.rows, block.groups());
        let value = block.value.lanes();
        // SAFETY: rows of the batch, and lanes of the block.
        unsafe {
            // Lanes without a row.
            (n..groups * V::LANES).for_each(|i| *value.add(i) = S::default());
            if self.ignores {
                for i in (0..n).filter(|&i| ignored == Some(*targets.add(row + i))) {
                    *value.add(i) = S::default();
                    if !grad.is_null() {
                        grad.add((row + i) * classes).write_bytes(0, classes);
                    }
                }
            }
            if !values.is_null() {
                ptr::copy_nonoverlapping(value, values.add(row), n);
            }
            sink.add(value, groups);
        }
    }
}

/// Fills so many targets with those of some rows: of rows that do not count, or are not there, with
/// class 0.
#[inline(never)]
fn fill_counted(
    filled: &mut [MaybeUninit<i32>],
    length: usize,
    targets: &[i32],
    ignored: Option<i32>,
) {
    for (i, target) in filled.iter_mut().enumerate().take(length) {
        let found = targets.get(i).copied().filter(|&found| Some(found) != ignored);
        target.write(found.unwrap_or(0));
    }
}

/// The product of two numbers.
#[inline(always)]
fn product<S: Scalar>(a: S, b: S) -> S {
    // Rounded twice is rounded once here: float64 holds the product of two float32 whole. A weight
    // of −0 weighs +0.
    S::from_f64(a.to_f64() * b.to_f64() + 0.0)
}
