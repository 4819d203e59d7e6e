//! Loops over rows of logits: two classes, few classes (one row per lane), many classes (along the row).
//!
//! Rows are taken in groups of [`Vector::LANES`]; what a row gives depends on that row alone, bit for bit, whatever stands
//! beside it and wherever a batch is cut. Sums over rows are kept one per lane, so the cuts must fall between groups.

mod exponential;
mod few;
mod many;
mod pair;

use core::ptr;

use crate::{
    loss::{
        focal::{Focusing, Hard, Power, Smoothed, Square},
        softmax::SoftmaxLoss,
    },
    vector::{Scalar, Vector, WideSum},
};

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
    /// One weight for class 1, another for every other class.
    pub fn pair(other: f64, one: f64) -> Self {
        Self::Pair { other: S::from_f64(other), one: S::from_f64(one) }
    }

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
    /// A class index per row.
    pub targets: *const i32,
    /// `rows × classes` gradients, or null. May be the logits themselves, which are then overwritten.
    pub grad: *mut S,
    /// A value per row, or null.
    pub values: *mut S,
    /// Number of rows.
    pub rows: usize,
    /// Number of classes.
    pub classes: usize,
    /// Weight of each row.
    pub weights: Weights<S>,
}

impl<S> Rows<S> {
    /// The group that begins at `row`.
    ///
    /// # Safety
    /// `row` must be a row of the batch.
    #[inline(always)]
    unsafe fn group(&self, row: usize) -> Group<S> {
        // SAFETY: within the batch.
        unsafe {
            Group {
                logits: self.logits.add(row * self.classes),
                targets: self.targets.add(row),
                grad: self.grad.wrapping_add(row * self.classes),
            }
        }
    }
}

/// What a focal loss on one target class a row is made of.
#[derive(Clone, Copy, Debug)]
pub struct FocalParameters {
    /// Focusing parameter, at least 0.
    pub gamma: f64,
    /// ε in [0, 1].
    pub label_smoothing: f64,
    /// Factor of the gradient.
    pub scale: f64,
}

/// Runs the focal loss over `rows` and adds its values to `total`.
///
/// # Safety
/// The pointers of `rows` must be valid for the sizes it states, every target be in `[0, classes)`, and `classes ≥ 2`.
pub unsafe fn focal<V: Vector>(rows: &Rows<V::Scalar>, with: &FocalParameters, total: V::Wide) -> V::Wide {
    let power = Power::<V>::new(with.gamma);
    if rows.classes == 2 && with.label_smoothing == 0.0 {
        if with.gamma == 2.0 {
            // SAFETY: passed on.
            unsafe { two_classes(rows, Hard::<V, _>::new(with.gamma, with.scale, Square), total) }
        } else {
            // SAFETY: passed on.
            unsafe { two_classes(rows, Hard::new(with.gamma, with.scale, power), total) }
        }
    } else {
        let hard = Hard::new(with.gamma, with.scale, power);
        if with.label_smoothing == 0.0 {
            // SAFETY: passed on.
            unsafe { softmax(rows, hard, total) }
        } else {
            // SAFETY: passed on.
            unsafe { softmax(rows, Smoothed::new(hard, with.label_smoothing, rows.classes), total) }
        }
    }
}

/// # Safety
/// As for [`focal`], with two classes.
#[inline(always)]
unsafe fn two_classes<V: Vector, P: Focusing<V>>(rows: &Rows<V::Scalar>, loss: Hard<V, P>, total: V::Wide) -> V::Wide {
    // SAFETY: passed on.
    unsafe {
        if rows.grad.is_null() {
            run(&pair::Pair::<V, P, false>::new(loss, rows.weights), rows, total)
        } else {
            run(&pair::Pair::<V, P, true>::new(loss, rows.weights), rows, total)
        }
    }
}

/// # Safety
/// As for [`focal`].
#[inline(always)]
unsafe fn softmax<V: Vector, L: SoftmaxLoss<V>>(rows: &Rows<V::Scalar>, loss: L, total: V::Wide) -> V::Wide {
    let (classes, weights) = (rows.classes, rows.weights);
    // SAFETY: passed on.
    unsafe {
        match (classes <= few::MAX_CLASSES, rows.grad.is_null()) {
            (true, true) => run(&few::Few::<V, L, false>::new(loss, classes, weights), rows, total),
            (true, false) => run(&few::Few::<V, L, true>::new(loss, classes, weights), rows, total),
            (false, true) => run(&many::Many::<V, L, false>::new(loss, classes, weights), rows, total),
            (false, false) => run(&many::Many::<V, L, true>::new(loss, classes, weights), rows, total),
        }
    }
}

/// Where a group of rows lies.
#[derive(Clone, Copy, Debug)]
struct Group<S> {
    logits: *const S,
    targets: *const i32,
    grad: *mut S,
}

/// A kernel: what it does with a group of rows.
trait Kernel<V: Vector> {
    /// Computes [`Vector::LANES`] rows: returns their values and, where it computes gradients, writes those.
    ///
    /// # Safety
    /// The pointers must be valid for a whole group of rows, and the targets for the classes.
    unsafe fn group(&self, group: Group<V::Scalar>) -> V;

    /// The same for the first `n` < [`Vector::LANES`] rows of a group; the other lanes of the result are worthless.
    ///
    /// # Safety
    /// The pointers must be valid for `n` rows, and the targets for the classes.
    unsafe fn partial(&self, group: Group<V::Scalar>, n: usize) -> V;
}

/// # Safety
/// As for [`focal`]; `rows.grad` must not be null where the kernel computes gradients.
#[inline(always)]
unsafe fn run<V: Vector>(kernel: &impl Kernel<V>, rows: &Rows<V::Scalar>, total: V::Wide) -> V::Wide {
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
        // SAFETY: a whole group of rows follows.
        let values = unsafe { kernel.group(rows.group(row)) };
        if !rows.values.is_null() {
            // SAFETY: as above, for the values.
            unsafe { values.store(rows.values.add(row)) };
        }
        total = total.accumulate(values);
    }
    total
}

/// The last `n` rows, fewer than a group.
///
/// # Safety
/// As for [`run`].
#[cold]
#[inline(never)]
unsafe fn last_group<V: Vector>(kernel: &impl Kernel<V>, rows: &Rows<V::Scalar>, n: usize, total: V::Wide) -> V::Wide {
    let row = rows.rows - n;
    // SAFETY: n rows are left.
    unsafe {
        let values = kernel.partial(rows.group(row), n);
        let none = V::Scalar::default();
        let values = V::from_lanes(|i| if i < n { values.lane(i) } else { none });
        if !rows.values.is_null() {
            values.store_partial(rows.values.add(row), n);
        }
        total.accumulate(values)
    }
}

/// Fills a group up with rows of zeros, so that a kernel of whole groups can do it.
///
/// # Safety
/// The pointers of `group` must be valid for `n` < [`Vector::LANES`] rows of at most [`few::MAX_CLASSES`] classes.
#[inline(always)]
unsafe fn padded<V: Vector, const GRAD: bool>(kernel: &impl Kernel<V>, classes: usize, group: Group<V::Scalar>, n: usize) -> V {
    let zero = V::Scalar::default();
    let mut logits = [zero; few::MAX_CLASSES * MAX_LANES];
    let mut targets = [0; MAX_LANES];
    // SAFETY: n rows and n targets, which fit; the kernel then works on a whole group in local memory, in place.
    unsafe {
        ptr::copy_nonoverlapping(group.logits, logits.as_mut_ptr(), n * classes);
        ptr::copy_nonoverlapping(group.targets, targets.as_mut_ptr(), n);
        let grad = logits.as_mut_ptr();
        let values = one_group(kernel, classes, Group { logits: grad, targets: targets.as_ptr(), grad });
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
unsafe fn one_group<V: Vector>(kernel: &impl Kernel<V>, classes: usize, group: Group<V::Scalar>) -> V {
    let Group { logits, targets, grad } = group;
    let mut values = [V::Scalar::default(); MAX_LANES];
    let weights = Weights::pair(0.0, 0.0);
    let rows = Rows { logits, targets, grad, values: values.as_mut_ptr(), rows: V::LANES, classes, weights };
    // SAFETY: the caller's group, and values for its rows.
    unsafe {
        whole_groups(kernel, &rows, V::Wide::zero());
        V::load(values.as_ptr())
    }
}

/// The most lanes a vector has.
const MAX_LANES: usize = 4;

/// The first of `targets` that is not a class index in `[0, classes)`.
pub fn find_invalid_target(targets: &[i32], classes: usize) -> Option<usize> {
    let invalid = |t: i32| t as u32 as usize >= classes;
    // The largest of a stretch as an unsigned number, which vectorizes, tells whether to look closer.
    targets.chunks(256).enumerate().find_map(|(k, chunk)| {
        let largest = chunk.iter().fold(0, |a, &t| a.max(t as u32));
        if (largest as usize) < classes { None } else { chunk.iter().position(|&t| invalid(t)).map(|i| k * 256 + i) }
    })
}
