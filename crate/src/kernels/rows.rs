//! A batch of rows, and the walk over its groups that all kernels share.

use core::ptr;

use crate::vector::{Scalar, Vector, WideSum};

/// The most lanes a vector has.
pub(super) const MAX_LANES: usize = 4;

/// The most classes of a kernel that works on whole groups only, see [`padded`].
pub(super) const MAX_PADDED: usize = super::few::MAX_CLASSES;

/// The weight `a_t` of a row, from its target class.
#[derive(Clone, Copy, Debug)]
pub enum Weights<S> {
    /// One weight for class 1, another for every other class.
    Pair {
        /// Weight of every class but 1.
        other: S,
        /// Weight of class 1.
        one: S,
    },
    /// A weight per class.
    PerClass(*const S),
}

impl<S: Scalar> Weights<S> {
    /// Every row weighs 1.
    pub fn none() -> Self {
        Self::pair(1.0, 1.0)
    }

    /// Whether every row weighs 1.
    pub(super) fn is_none(self) -> bool {
        matches!(self, Self::Pair { other, one } if other.to_f64() == 1.0 && one.to_f64() == 1.0)
    }

    /// One weight for class 1, another for every other class.
    pub fn pair(other: f64, one: f64) -> Self {
        Self::Pair { other: S::from_f64(other), one: S::from_f64(one) }
    }

    /// The weight of class `j`.
    ///
    /// # Safety
    /// There must be a weight for it.
    #[inline(always)]
    pub(super) unsafe fn of_class(self, j: usize) -> S {
        match self {
            Self::Pair { other, one } => {
                if j == 1 {
                    one
                } else {
                    other
                }
            }
            // SAFETY: the caller vouches for the weight.
            Self::PerClass(table) => unsafe { *table.add(j) },
        }
    }

    /// The weights of a group of targets.
    ///
    /// # Safety
    /// `targets` must be valid for reading a group of class indices, and those be valid for the weights.
    #[inline(always)]
    unsafe fn of<V: Vector<Scalar = S>>(self, targets: *const i32) -> V {
        match self {
            Self::Pair { other, one } => {
                // SAFETY: the caller vouches for the targets.
                let index = unsafe { V::load_index(targets) };
                V::splat(one).select(V::splat(other), V::index_is(index, 1))
            }
            // SAFETY: the caller vouches for the targets and for a weight at each of them.
            Self::PerClass(table) => V::from_lanes(|i| unsafe { *table.add(*targets.add(i) as usize) }),
        }
    }
}

/// A batch of rows: where its logits and targets are and where the results go.
#[derive(Clone, Copy, Debug)]
pub struct Rows<S> {
    /// `rows × classes` logits.
    pub logits: *const S,
    /// A class index per row, or null where rows have none.
    pub targets: *const i32,
    /// `rows × classes` gradients, or null. May be the logits themselves, which are then overwritten.
    pub grad: *mut S,
    /// A value per row, or null.
    pub values: *mut S,
    /// Number of rows.
    pub rows: usize,
    /// Number of classes.
    pub classes: usize,
    /// Weight of each class.
    pub weights: Weights<S>,
    /// Weight of each row, or null where all weigh 1.
    pub row_weights: *const S,
    /// Factor of the gradient.
    pub scale: S,
    /// Factor of each row's gradient, or null where all have `scale` alone.
    pub row_scales: *const S,
    /// The target of rows that do not count: value 0, gradient 0, whatever their logits.
    pub ignored: Option<i32>,
}

/// A group of rows on its way through a kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group<V: Vector> {
    pub logits: *const V::Scalar,
    /// As many targets as there are lanes, each one a class.
    pub targets: *const i32,
    /// Null where there are no gradients.
    pub grad: *mut V::Scalar,
    /// Weight of each row.
    pub weight: V,
    /// Factor of each row's gradient.
    pub scale: V,
}

/// A kernel: what it does with a group of rows.
pub(super) trait Kernel<V: Vector>: Partial<V> {
    /// Computes [`Vector::LANES`] rows: returns their values and, where it computes gradients, writes those.
    ///
    /// # Safety
    /// The pointers must be valid for a whole group of rows, and the targets for the classes.
    unsafe fn group(&self, group: Group<V>) -> V;
}

/// What a kernel does with the last rows, where they are fewer than a group. Apart from [`Kernel`], so that what is called through a
/// pointer is this alone.
pub(super) trait Partial<V: Vector> {
    /// [`Kernel::group`] for the first `n` < [`Vector::LANES`] rows of a group; the other lanes of the result are worthless.
    ///
    /// # Safety
    /// As there, but for `n` rows of logits and gradients.
    unsafe fn partial(&self, group: Group<V>, n: usize) -> V;
}

impl<S: Scalar> Rows<S> {
    /// The group that begins at `row`, with its targets at `targets`.
    ///
    /// # Safety
    /// A whole group of rows must follow, but for the logits and gradients, which are not touched.
    #[inline(always)]
    unsafe fn group<V: Vector<Scalar = S>>(&self, row: usize, targets: *const i32) -> Group<V> {
        // SAFETY: within the batch.
        unsafe {
            let mut weight = self.weights.of::<V>(targets);
            if !self.row_weights.is_null() {
                weight = weight.mul(V::load(self.row_weights.add(row)));
            }
            let mut scale = V::splat(self.scale);
            if !self.row_scales.is_null() {
                scale = scale.mul(V::load(self.row_scales.add(row)));
            }
            Group {
                logits: self.logits.add(row * self.classes),
                targets,
                grad: if self.grad.is_null() { self.grad } else { self.grad.add(row * self.classes) },
                weight,
                scale,
            }
        }
    }

    /// The targets of the `n` rows from `row` on, filled up to a group; those of rows that do not count become class 0.
    ///
    /// # Safety
    /// `n` rows must follow.
    #[inline(always)]
    unsafe fn counted_targets(&self, row: usize, n: usize) -> [i32; MAX_LANES] {
        let mut targets = [0; MAX_LANES];
        if self.targets.is_null() {
            return targets;
        }
        for (i, target) in targets.iter_mut().enumerate().take(n) {
            // SAFETY: within the batch.
            let found = unsafe { *self.targets.add(row + i) };
            *target = if self.ignored == Some(found) { 0 } else { found };
        }
        targets
    }

    /// Zeros in the gradients of those of the `n` rows from `row` on that do not count; and their values.
    ///
    /// # Safety
    /// `n` rows must follow.
    #[inline(always)]
    unsafe fn silence<V: Vector<Scalar = S>>(&self, row: usize, n: usize, values: V) -> V {
        let Some(target) = self.ignored else { return values };
        // SAFETY: within the batch.
        let ignored = |i: usize| i < n && target == unsafe { *self.targets.add(row + i) };
        let zero = S::default();
        if !self.grad.is_null() {
            for i in (0..n).filter(|&i| ignored(i)) {
                for j in 0..self.classes {
                    // SAFETY: within the batch.
                    unsafe { *self.grad.add((row + i) * self.classes + j) = zero };
                }
            }
        }
        V::from_lanes(|i| if ignored(i) { zero } else { values.lane(i) })
    }
}

/// Runs `kernel` over all rows and adds their values to `total`.
///
/// # Safety
/// The pointers of `rows` must be valid for the sizes it states and what it can be null for be so only where the kernel does not need
/// it; every target must be a class or ignored.
#[inline(always)]
pub(super) unsafe fn run<V: Vector>(kernel: &impl Kernel<V>, rows: &Rows<V::Scalar>, total: V::Wide) -> V::Wide {
    // SAFETY: passed on; `rest` rows are left after the whole groups.
    unsafe {
        let total = whole_groups(kernel, rows, total);
        let rest = rows.rows % V::LANES;
        if rest == 0 { total } else { last_group(kernel, rows, rest, total) }
    }
}

/// The rows before the last, incomplete group.
///
/// A function of its own for each kernel: engines compile a loop best that is alone in its function.
///
/// # Safety
/// As for [`run`].
#[inline(never)]
unsafe fn whole_groups<V: Vector>(kernel: &impl Kernel<V>, rows: &Rows<V::Scalar>, mut total: V::Wide) -> V::Wide {
    let whole = rows.rows - rows.rows % V::LANES;
    for row in (0..whole).step_by(V::LANES) {
        // SAFETY: a whole group of rows follows, and where none is ignored their targets are classes.
        unsafe {
            let counted;
            let mut targets = rows.targets.wrapping_add(row);
            if rows.ignored.is_some() || rows.targets.is_null() {
                counted = rows.counted_targets(row, V::LANES);
                targets = counted.as_ptr();
            }
            let mut values = kernel.group(rows.group(row, targets));
            if rows.ignored.is_some() {
                values = rows.silence(row, V::LANES, values);
            }
            if !rows.values.is_null() {
                values.store(rows.values.add(row));
            }
            total = total.accumulate(values);
        }
    }
    total
}

/// The last `n` rows, fewer than a group. One function for all kernels: it is not where the time goes.
///
/// # Safety
/// As for [`run`].
#[cold]
#[inline(never)]
unsafe fn last_group<V: Vector>(kernel: &dyn Partial<V>, rows: &Rows<V::Scalar>, n: usize, total: V::Wide) -> V::Wide {
    let row = rows.rows - n;
    let zero = V::Scalar::default();
    let (mut row_weights, mut row_scales) = ([zero; MAX_LANES], [zero; MAX_LANES]);
    let copy = |from: *const V::Scalar, to: &mut [V::Scalar; MAX_LANES]| {
        if from.is_null() {
            return from;
        }
        // SAFETY: n rows are left.
        unsafe { ptr::copy_nonoverlapping(from.add(row), to.as_mut_ptr(), n) };
        // As `group` counts from `row`.
        to.as_ptr().wrapping_sub(row)
    };
    // SAFETY: n rows are left; what a whole group reads beyond them is in local memory.
    unsafe {
        let targets = rows.counted_targets(row, n);
        let filled = Rows {
            row_weights: copy(rows.row_weights, &mut row_weights),
            row_scales: copy(rows.row_scales, &mut row_scales),
            ..*rows
        };
        let values = kernel.partial(filled.group(row, targets.as_ptr()), n);
        let values = rows.silence(row, n, V::from_lanes(|i| if i < n { values.lane(i) } else { zero }));
        if !rows.values.is_null() {
            values.store_partial(rows.values.add(row), n);
        }
        total.accumulate(values)
    }
}

/// Fills a group up with rows of zeros, so that a kernel of whole groups can do it.
///
/// # Safety
/// The pointers of `group` must be valid for `n` < [`Vector::LANES`] rows of at most [`MAX_PADDED`] classes.
#[inline(always)]
pub(super) unsafe fn padded<V: Vector, const GRAD: bool>(
    kernel: &impl Kernel<V>,
    classes: usize,
    group: Group<V>,
    n: usize,
) -> V {
    let mut logits = [V::Scalar::default(); MAX_PADDED * MAX_LANES];
    // SAFETY: n rows, which fit; the kernel then works on a whole group in local memory, in place.
    unsafe {
        ptr::copy_nonoverlapping(group.logits, logits.as_mut_ptr(), n * classes);
        let grad = logits.as_mut_ptr();
        let values = one_group(kernel, classes, Group { logits: grad, grad, ..group });
        if GRAD {
            ptr::copy_nonoverlapping(grad, group.grad, n * classes);
        }
        values
    }
}

/// One group, by the code that does many: no second copy of a kernel for rare calls.
///
/// # Safety
/// The pointers must be valid for a whole group of rows, and the targets for the classes.
pub(super) unsafe fn one_group<V: Vector>(kernel: &impl Kernel<V>, classes: usize, group: Group<V>) -> V {
    let Group { logits, targets, grad, weight, scale } = group;
    let none = V::Scalar::default();
    let (mut values, mut row_weights, mut row_scales) = ([none; MAX_LANES], [none; MAX_LANES], [none; MAX_LANES]);
    // SAFETY: the caller's group; weights, scales and values of its rows.
    unsafe {
        weight.store(row_weights.as_mut_ptr());
        scale.store(row_scales.as_mut_ptr());
        let rows = Rows {
            logits,
            targets,
            grad,
            values: values.as_mut_ptr(),
            rows: V::LANES,
            classes,
            weights: Weights::none(),
            row_weights: row_weights.as_ptr(),
            scale: V::Scalar::from_f64(1.0),
            row_scales: row_scales.as_ptr(),
            ignored: None,
        };
        whole_groups(kernel, &rows, V::Wide::zero());
        V::load(values.as_ptr())
    }
}
