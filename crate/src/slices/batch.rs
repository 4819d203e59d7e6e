//! [`Batch`], rows of logits and their targets, and the common part of the losses on rows.

use core::ptr;

use super::error::{Error, length, not_negative, positive};
use crate::{
    kernels::{self, Problem, Rows, Scale, TargetCheck, Total, Weights},
    math::Float,
    simd::F64x2,
};

/// The reduction of the values of all rows to one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// Their sum by the number of rows that count; NaN where none does.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

/// The targets of rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Targets<'a, T> {
    /// A class index for each row.
    Classes(&'a [i32]),
    /// A probability for each class of each row.
    Probabilities(&'a [T]),
}

/// The upstream gradient of the chain rule, which multiplies the gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GradOutput<'a, T> {
    /// One number.
    All(f64),
    /// A number for each row or element.
    Each(&'a [T]),
}

/// Rows of logits and what they are aimed at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Batch<'a, T> {
    /// `rows × classes` logits.
    pub logits: &'a [T],
    /// The targets of the rows.
    pub targets: Targets<'a, T>,
    /// Number of classes.
    pub classes: usize,
    /// A factor for the value and the gradient of each row; with [`Reduction::Mean`] the
    /// denominator stays the number of rows.
    pub sample_weights: Option<&'a [T]>,
    /// The upstream gradient. Default: 1.
    pub grad_output: GradOutput<'a, T>,
}

impl<'a, T: Float> Batch<'a, T> {
    /// Rows with a target class each.
    pub fn new(logits: &'a [T], targets: &'a [i32], classes: usize) -> Self {
        Self::aimed(logits, Targets::Classes(targets), classes)
    }

    /// Rows with class probabilities.
    pub fn soft(logits: &'a [T], probabilities: &'a [T], classes: usize) -> Self {
        Self::aimed(logits, Targets::Probabilities(probabilities), classes)
    }

    fn aimed(logits: &'a [T], targets: Targets<'a, T>, classes: usize) -> Self {
        Self { logits, targets, classes, sample_weights: None, grad_output: GradOutput::All(1.0) }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self.targets {
            Targets::Classes(targets) => targets.len(),
            Targets::Probabilities(probabilities) => probabilities.len() / self.classes.max(1),
        }
    }

    /// The probabilities, or null.
    pub(super) fn probabilities(&self) -> *const T {
        match self.targets {
            Targets::Classes(_) => ptr::null(),
            Targets::Probabilities(probabilities) => probabilities.as_ptr(),
        }
    }

    /// Checks lengths and targets, and counts the rows that are not ignored.
    pub(super) fn check(&self, ignore_index: Option<i32>) -> Result<usize, Error> {
        if !(2..=i32::MAX as usize).contains(&self.classes) {
            return Err(Error::Classes(self.classes));
        }
        let rows = self.rows();
        let logits = rows.checked_mul(self.classes).ok_or(Error::Classes(self.classes))?;
        length("logits", self.logits.len(), logits)?;
        if let Some(weights) = self.sample_weights {
            length("sample_weights", weights.len(), rows)?;
            weights.iter().try_for_each(|w| not_negative("sample_weights", w.to_f64()))?;
        }
        if let GradOutput::Each(factors) = self.grad_output {
            length("grad_output", factors.len(), rows)?;
        }
        match self.targets {
            Targets::Classes(targets) => {
                match kernels::check_targets(targets, self.classes, ignore_index) {
                    TargetCheck::Invalid(row) => {
                        Err(Error::Target { row, value: targets[row], classes: self.classes })
                    }
                    TargetCheck::Counted(rows) => Ok(rows),
                }
            }
            Targets::Probabilities(probabilities) => {
                length("targets", probabilities.len(), logits)?;
                match kernels::find_invalid_probabilities(probabilities, self.classes) {
                    Some(row) => Err(Error::Probabilities { row }),
                    None => Ok(rows),
                }
            }
        }
    }

    /// The batch as the kernels take it, once all is checked.
    pub(super) fn rows_to(
        &self,
        outputs: Outputs<'_, T>,
        weights: Weights<T>,
        ignored: Option<i32>,
        denominator: f64,
    ) -> Result<Prepared<T>, Error> {
        let rows = self.rows();
        let (values, grad) = outputs.check(rows, self.logits.len())?;
        let (all, row_scales) = self.grad_output.parts();
        let scale = Scale::new(all, denominator);
        let rows = Rows {
            logits: self.logits.as_ptr(),
            targets: match self.targets {
                Targets::Classes(targets) => targets.as_ptr(),
                Targets::Probabilities(_) => ptr::null(),
            },
            grad,
            values,
            rows,
            classes: self.classes,
            weights,
            row_weights: self.sample_weights.map_or(ptr::null(), <[T]>::as_ptr),
            scale: T::from_f64(scale.factor),
            row_scales,
            // Probabilities are none of them an index, and there are no indices to look at.
            ignored: if matches!(self.targets, Targets::Classes(_)) { ignored } else { None },
        };
        Ok(Prepared { rows, probabilities: self.probabilities(), scale, pair: None, denominator })
    }
}

/// A batch for the kernels, checked.
pub(super) struct Prepared<T> {
    rows: Rows<T>,
    probabilities: *const T,
    scale: Scale,
    /// The weights of the classes where they are not one for each: that of all but class 1, and
    /// that of class 1.
    pub pair: Option<(f64, f64)>,
    /// The divisor of the sum of the values.
    denominator: f64,
}

impl<T: Float> Prepared<T> {
    /// Solves a problem. Returns the reduced value. `numbers` are those of the loss that float32
    /// must hold for it to be computed in it, beside the weights.
    pub(super) fn solve(&self, problem: &Problem, numbers: &[f64]) -> f64 {
        let Self { ref rows, probabilities, scale, pair, denominator } = *self;
        let n = rows.rows * rows.classes;
        let (other, one) = pair.unwrap_or((1.0, 1.0));
        // The factor of the gradient counts where no gradient is wanted, too: a value does not
        // depend on what else is.
        // SAFETY: there are as many of each.
        let products = unsafe {
            let classes = match rows.weights {
                Weights::PerClass(table) => Ends::of(table, rows.classes),
                Weights::Pair { .. } => Ends::of([other, one].as_ptr(), 2),
            };
            Ends::of_rows(rows.row_weights, rows.row_scales, rows.rows, classes, scale.factor)
        };
        let holds =
            [other, one, scale.factor].iter().chain(numbers).chain(&products).all(|&x| T::holds(x));
        let total = if holds {
            // SAFETY: the arguments have been checked.
            unsafe {
                let mut total = Total::<T::Vector>::new(rows.classes);
                kernels::solve::<T::Vector>(rows, probabilities, problem, &mut total);
                scale.finish(rows.grad, n);
                total.sum()
            }
        } else {
            // SAFETY: likewise; each array is as long as the kernels take it to be.
            unsafe {
                let (logits, probabilities) = (widened(rows.logits, n), widened(probabilities, n));
                let (mut grad, mut values) =
                    (widened(rows.grad, n), widened(rows.values, rows.rows));
                let row_weights = widened(rows.row_weights, rows.rows);
                let row_scales = widened(rows.row_scales, rows.rows);
                let table = match rows.weights {
                    Weights::PerClass(table) => widened(table, rows.classes),
                    Weights::Pair { .. } => Vec::new(),
                };
                let wide = Rows {
                    logits: logits.as_ptr(),
                    targets: rows.targets,
                    grad: or_null(&mut grad),
                    values: or_null(&mut values),
                    rows: rows.rows,
                    classes: rows.classes,
                    weights: if table.is_empty() {
                        Weights::pair(other, one)
                    } else {
                        Weights::PerClass(table.as_ptr())
                    },
                    row_weights: or_null_const(&row_weights),
                    scale: scale.factor,
                    row_scales: or_null_const(&row_scales),
                    ignored: rows.ignored,
                };
                let mut total = Total::<F64x2>::new(rows.classes);
                kernels::solve::<F64x2>(&wide, or_null_const(&probabilities), problem, &mut total);
                scale.finish(or_null(&mut grad), n);
                write_narrow(&grad, rows.grad);
                write_narrow(&values, rows.values);
                total.sum()
            }
        };
        total / denominator
    }
}

/// The ends of the sizes of factors, none of which is 0.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    least: f64,
    most: f64,
}

impl Ends {
    /// Those of 1.
    pub(super) const ONE: Self = Self { least: 1.0, most: 1.0 };

    /// Those of 1 and an array, which may be null.
    ///
    /// # Safety
    /// It must be valid for so many.
    pub(super) unsafe fn of<T: Float>(array: *const T, n: usize) -> Self {
        let n = if array.is_null() { 0 } else { n };
        // SAFETY: passed on.
        (0..n).map(|i| unsafe { *array.add(i) }.to_f64().abs()).filter(|&x| x > 0.0).fold(
            Self::ONE,
            |Self { least, most }, x| Self { least: least.min(x), most: most.max(x) },
        )
    }

    /// The ends of what rows or elements are multiplied with: the values, and the gradients, which
    /// may be smaller than any number.
    ///
    /// # Safety
    /// The arrays must be valid for so many, or null.
    pub(super) unsafe fn of_rows<T: Float>(
        weights: *const T,
        scales: *const T,
        n: usize,
        classes: Self,
        factor: f64,
    ) -> [f64; 3] {
        // SAFETY: passed on.
        let (weights, scales) = unsafe { (Self::of(weights, n), Self::of(scales, n)) };
        let most = weights.most * classes.most;
        let scaled = most * scales.most * factor.abs().max(1.0);
        // A number of the type leaves it by no factor of 1 or less.
        let of_gradients = if most * factor.abs() <= 1.0 { 1.0 } else { scaled };
        [weights.least * classes.least, most, of_gradients]
    }
}

/// The numbers of an array, in float64; none where it is null.
///
/// # Safety
/// It must be valid for so many.
pub(super) unsafe fn widened<T: Float>(array: *const T, n: usize) -> Vec<f64> {
    let n = if array.is_null() { 0 } else { n };
    // SAFETY: passed on.
    (0..n).map(|i| unsafe { *array.add(i) }.to_f64()).collect()
}

/// Where the numbers of a list are; null where there are none.
pub(super) fn or_null(list: &mut [f64]) -> *mut f64 {
    if list.is_empty() { ptr::null_mut() } else { list.as_mut_ptr() }
}

/// The same for numbers that stay as they are.
pub(super) fn or_null_const(list: &[f64]) -> *const f64 {
    if list.is_empty() { ptr::null() } else { list.as_ptr() }
}

/// Writes numbers, [`narrow`](kernels::narrow)ed.
///
/// # Safety
/// `to` must be valid for them.
pub(super) unsafe fn write_narrow<T: Float>(from: &[f64], to: *mut T) {
    for (i, &x) in from.iter().enumerate() {
        // SAFETY: passed on.
        unsafe { *to.add(i) = kernels::narrow(x) };
    }
}

impl<T> GradOutput<'_, T> {
    /// The factor of all and those of each, which may be null.
    pub(super) fn parts(&self) -> (f64, *const T) {
        match *self {
            Self::All(factor) => (factor, ptr::null()),
            Self::Each(factors) => (1.0, factors.as_ptr()),
        }
    }
}

/// The places for results.
#[derive(Default)]
pub(super) struct Outputs<'a, T> {
    pub values: Option<&'a mut [T]>,
    pub grad: Option<&'a mut [T]>,
}

impl<T> Outputs<'_, T> {
    /// Their addresses, which may be null.
    pub(super) fn check(self, values: usize, grad: usize) -> Result<(*mut T, *mut T), Error> {
        let address = |argument, slice: Option<&mut [T]>, expected| match slice {
            Some(slice) => length(argument, slice.len(), expected).map(|()| slice.as_mut_ptr()),
            None => Ok(ptr::null_mut()),
        };
        Ok((address("values", self.values, values)?, address("grad", self.grad, grad)?))
    }
}

/// The denominator of a reduction, where `counted` is that of the mean.
pub(super) fn denominator(
    reduction: Reduction,
    normalizer: Option<f64>,
    counted: f64,
) -> Result<f64, Error> {
    if let Some(normalizer) = normalizer {
        positive("normalizer", normalizer)?;
    }
    Ok(match reduction {
        Reduction::Mean => normalizer.unwrap_or(counted),
        Reduction::Sum => 1.0,
    })
}
