//! Softmax for its own sake: probabilities, their logarithms, the likeliest class.
//!
//! A row is seen from its largest logit, which is left out of the sum of exponentials. So `log p`
//! of a class near 1 keeps every digit, and the others are sums of two numbers of which none is
//! positive.

use core::slice;

use super::{
    block::{Block, Column},
    hard::evaluate,
    rows::{Rows, Weights},
    sink::Total,
    stages::Evaluation,
};
use crate::math::Real;
use crate::{
    loss::softmax::{RowLoss, RowSums, Softmax},
    simd::vector::Scalar,
};

/// The output in place of logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Their probabilities, in their place.
    Probabilities,
    /// The logarithms of these, in their place.
    Logarithms,
    /// The probability of the likeliest class alone.
    Confidence,
}

/// The evaluation of rows whose targets are their likeliest classes.
struct SoftmaxOutput {
    classes: usize,
    wanted: Wanted,
}

impl<V: Real> Evaluation<V> for SoftmaxOutput {
    fn wants_spread(&self) -> bool {
        false
    }

    unsafe fn evaluate(
        &self,
        block: &mut Block<V>,
        rows: &Column<Softmax<V>>,
        _sums: Option<&Column<RowSums<V>>>,
        row_losses: &mut Column<RowLoss<V>>,
    ) {
        let logarithms = self.wanted == Wanted::Logarithms;
        for g in 0..block.groups() {
            // SAFETY: groups of the block.
            unsafe {
                let row = rows.get(g);
                let value = if logarithms { row.cross_entropy() } else { row.pt };
                block.value.set(g, value);
                if block.grad.is_null() {
                    continue;
                }
                if self.classes == 2 {
                    let one = V::index_is(V::load_index(block.targets(g)), 1);
                    let (first, second) = row.pt.exchange(row.one_minus_pt, one);
                    V::store_pairs(first, second, block.grad(g));
                } else {
                    row_losses.set(
                        g,
                        RowLoss {
                            value,
                            target: row.pt,
                            common: row.one_minus_pt,
                            one_minus_pt: row.one_minus_pt,
                        },
                    );
                }
            }
        }
        if self.classes == 2 {
            // They are written.
            block.grad = core::ptr::null_mut();
        }
    }
}

/// The index of the largest number, the first of equal ones. NaN counts as larger than all others.
#[inline(always)]
pub(super) fn largest<S: Scalar>(row: &[S]) -> usize {
    let (mut index, mut top) = (0, S::from_f64(f64::NEG_INFINITY));
    for (j, &x) in row.iter().enumerate() {
        let is_first_nan = x.to_f64().is_nan() && !top.to_f64().is_nan();
        if x > top || is_first_nan {
            (index, top) = (j, x);
        }
    }
    index
}

/// Computes what is `wanted` of `rows × classes` logits, in their place; the likeliest class of
/// each row goes to `likeliest`, and its probability or, where logarithms are wanted, minus that of
/// it to `values`.
///
/// # Safety
/// The pointers must be valid for so many rows, and `classes ≥ 2`.
pub unsafe fn softmax_output<V: Real>(
    logits: *mut V::Scalar,
    (rows, classes): (usize, usize),
    likeliest: *mut i32,
    values: *mut V::Scalar,
    wanted: Wanted,
) {
    // SAFETY: the caller vouches for the rows.
    unsafe {
        for i in 0..rows {
            let row = slice::from_raw_parts_mut(logits.add(i * classes), classes);
            let index = largest(row);
            likeliest.add(i).write(index as i32);
            if let Some(top) = row.get_mut(index).filter(|top| top.to_f64() == f64::NEG_INFINITY) {
                // No class has a probability.
                *top = V::Scalar::from_f64(f64::NAN);
            }
        }
        let grad = if wanted == Wanted::Probabilities { logits } else { core::ptr::null_mut() };
        of_likeliest::<V>(logits, (rows, classes), likeliest, values, grad, wanted);
        if wanted == Wanted::Logarithms {
            for i in 0..rows {
                let row = slice::from_raw_parts_mut(logits.add(i * classes), classes);
                logarithms(row, *likeliest.add(i) as usize, *values.add(i));
            }
        }
    }
}

/// Computes what is `wanted` of rows whose likeliest classes are known. Where these are to have
/// probabilities for all classes, they go to `grad`.
///
/// # Safety
/// As for [`softmax_output`].
unsafe fn of_likeliest<V: Real>(
    logits: *const V::Scalar,
    (rows, classes): (usize, usize),
    likeliest: *const i32,
    values: *mut V::Scalar,
    grad: *mut V::Scalar,
    wanted: Wanted,
) {
    let batch = Rows {
        logits,
        targets: likeliest,
        grad,
        values,
        rows,
        classes,
        weights: Weights::none(),
        row_weights: core::ptr::null(),
        scale: V::Scalar::from_f64(1.0),
        row_scales: core::ptr::null(),
        ignored: None,
    };
    let output = SoftmaxOutput { classes, wanted };
    // SAFETY: passed on.
    unsafe { evaluate::<V, dyn Evaluation<V>>(&batch, &output, &mut Total::new(1)) };
}

/// Computes the probabilities of the likeliest classes of rows, which are known.
///
/// # Safety
/// As for [`softmax_output`].
pub(super) unsafe fn confidences<V: Real>(
    logits: *const V::Scalar,
    size: (usize, usize),
    likeliest: *const i32,
    values: *mut V::Scalar,
) {
    let grad = core::ptr::null_mut();
    // SAFETY: passed on.
    unsafe { of_likeliest::<V>(logits, size, likeliest, values, grad, Wanted::Confidence) }
}

/// Turns logits into the logarithms of their probabilities, of which that at `index` is `−below`.
#[inline(always)]
fn logarithms<S: Scalar>(row: &mut [S], index: usize, below: S) {
    let top = row.get(index).map_or(f64::NAN, |top| top.to_f64());
    for x in row {
        // Terms of one sign.
        *x = S::from_f64((x.to_f64() - top) - below.to_f64());
    }
}
