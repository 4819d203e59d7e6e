//! [`SigmoidFocalLoss`] and [`AsymmetricLoss`].

use core::ptr;

use super::{
    batch::{
        Ends, GradOutput, Outputs, Reduction, denominator, or_null, or_null_const, widened,
        write_narrow,
    },
    error::{Error, fraction, length, not_negative},
};
use crate::{kernels, loss::asymmetric::Asymmetric, math::Float, simd::F64x2};

/// A parameter of all columns or of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PerColumn<'a> {
    /// One for all.
    All(f64),
    /// One for each column.
    Each(&'a [f64]),
}

/// Logits, each with its own target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elements<'a, T> {
    /// The logits, row by row.
    pub logits: &'a [T],
    /// The targets, as many, in [0, 1].
    pub targets: &'a [T],
    /// Number of columns.
    pub columns: usize,
    /// A factor for the value and the gradient of each element.
    pub sample_weights: Option<&'a [T]>,
    /// The upstream gradient. Default: 1.
    pub grad_output: GradOutput<'a, T>,
}

impl<'a, T> Elements<'a, T> {
    /// Elements in one column.
    pub fn new(logits: &'a [T], targets: &'a [T]) -> Self {
        Self {
            logits,
            targets,
            columns: 1,
            sample_weights: None,
            grad_output: GradOutput::All(1.0),
        }
    }
}

/// The focal loss on sigmoid logits, element by element, as torchvision's `sigmoid_focal_loss` has
/// it.
///
/// For a logit `x` with target `y`, smoothed to `y·(1 − ε) + ε/2`: `n = y·σ(−x) + (1 − y)·σ(x)`,
/// `ℓ = w·y·softplus(−x) + (1 − y)·softplus(x)` and `L = (alpha·y + (1 − alpha)·(1 − y))·n^γ·ℓ`.
///
/// ```
/// use focal_loss::{Elements, SigmoidFocalLoss};
///
/// let value = SigmoidFocalLoss::default().forward(&Elements::new(&[0.0_f64], &[1.0]))?;
/// assert!((value - 0.25 * 0.25 * 2.0_f64.ln()).abs() < 1e-16);
/// # Ok::<(), focal_loss::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SigmoidFocalLoss<'a> {
    /// Weight of positives, negatives weigh 1 less it; in [0, 1]. `None`: both weigh 1. Default:
    /// 0.25.
    pub alpha: Option<PerColumn<'a>>,
    /// Focusing parameter, at least 0. Default: 2.
    pub gamma: f64,
    /// ε in [0, 1]. Default: 0.
    pub label_smoothing: f64,
    /// `w`, the factor of the positive term, not negative. Default: 1.
    pub pos_weight: PerColumn<'a>,
    /// The target of elements that do not count. Default: none.
    pub ignore_index: Option<f64>,
    /// The mean's denominator in place of the number of elements that count. Default: none.
    pub normalizer: Option<f64>,
    /// The reduction of all values to one. Default: the mean.
    pub reduction: Reduction,
}

impl Default for SigmoidFocalLoss<'_> {
    fn default() -> Self {
        Self {
            alpha: Some(PerColumn::All(0.25)),
            gamma: 2.0,
            label_smoothing: 0.0,
            pos_weight: PerColumn::All(1.0),
            ignore_index: None,
            normalizer: None,
            reduction: Reduction::Mean,
        }
    }
}

impl SigmoidFocalLoss<'_> {
    /// The reduced value.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn forward<T: Float>(&self, elements: &Elements<T>) -> Result<f64, Error> {
        self.evaluate(elements, Outputs::default(), None)
    }

    /// The reduced value, and its gradient with respect to the logits, which goes to `grad`.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn value_and_grad<T: Float>(
        &self,
        elements: &Elements<T>,
        grad: &mut [T],
    ) -> Result<f64, Error> {
        self.evaluate(elements, Outputs { grad: Some(grad), ..Outputs::default() }, None)
    }

    /// The value of every element, and the gradient of their sum where `grad` is given. Does not
    /// depend on the reduction.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn each<T: Float>(
        &self,
        elements: &Elements<T>,
        values: &mut [T],
        grad: Option<&mut [T]>,
    ) -> Result<(), Error> {
        let sum = Self { reduction: Reduction::Sum, ..*self };
        sum.evaluate(elements, Outputs { values: Some(values), grad }, None).map(|_| ())
    }

    /// The reduced value, of this loss or of the asymmetric one.
    fn evaluate<T: Float>(
        &self,
        elements: &Elements<T>,
        outputs: Outputs<T>,
        asymmetric: Option<Asymmetric>,
    ) -> Result<f64, Error> {
        let Elements { logits, targets, columns, sample_weights, grad_output } = *elements;
        let count = logits.len();
        if columns == 0 || !count.is_multiple_of(columns) {
            return Err(Error::Classes(columns));
        }
        length("targets", targets.len(), count)?;
        if let Some(weights) = sample_weights {
            length("sample_weights", weights.len(), count)?;
            weights.iter().try_for_each(|w| not_negative("sample_weights", w.to_f64()))?;
        }
        if let GradOutput::Each(factors) = grad_output {
            length("grad_output", factors.len(), count)?;
        }
        fraction("label_smoothing", self.label_smoothing)?;
        not_negative("gamma", self.gamma)?;
        let alpha = match self.alpha {
            None => None,
            Some(alpha) => Some(per_column("alpha", alpha, columns, fraction)?),
        };
        let positive_weight = per_column("pos_weight", self.pos_weight, columns, not_negative)?;
        let counted = kernels::check_elements(targets, self.ignore_index)
            .map_err(|index| Error::Element { index, value: targets[index].to_f64() })?;
        let denominator = denominator(self.reduction, self.normalizer, counted as f64)?;
        let (values, grad) = outputs.check(count, count)?;
        let (all, scales) = grad_output.parts();
        let scale = kernels::Scale::new(all, denominator);
        let elements = kernels::Elements {
            logits: logits.as_ptr(),
            targets: targets.as_ptr(),
            grad,
            values,
            count,
            columns,
            gamma: self.gamma,
            asymmetric,
            label_smoothing: self.label_smoothing,
            alpha,
            positive_weight,
            weights: sample_weights.map_or(ptr::null(), <[T]>::as_ptr),
            scale: scale.factor,
            scales,
            ignored: self.ignore_index,
        };
        let own = |parameter: PerColumn| match parameter {
            PerColumn::All(x) => T::holds(x),
            PerColumn::Each(table) => table.iter().all(|&x| T::holds(x)),
        };
        let alpha_holds = self.alpha.is_none_or(own);
        // The factor of the gradient counts where no gradient is wanted, too: a value does not
        // depend on what else is.
        let margin = asymmetric.map_or(0.0, |asymmetric| asymmetric.margin);
        let numbers = [self.label_smoothing / 2.0, scale.factor, margin];
        // SAFETY: there are as many of each.
        let products = unsafe {
            let classes = match self.pos_weight {
                PerColumn::All(x) => Ends::of(&x, 1),
                PerColumn::Each(table) => Ends::of(table.as_ptr(), columns),
            };
            Ends::of_rows(elements.weights, scales, count, classes, scale.factor)
        };
        let holds = alpha_holds
            && own(self.pos_weight)
            && numbers.into_iter().chain(products).all(T::holds);
        // SAFETY: the arguments have been checked; each array is as long as the kernels take it to
        // be.
        unsafe {
            let total = if holds {
                let mut total = kernels::Total::<T::Vector>::new(1);
                kernels::sigmoid::<T::Vector>(&elements, &mut total);
                scale.finish(grad, count);
                total.sum()
            } else {
                let (logits, targets) =
                    (widened(elements.logits, count), widened(elements.targets, count));
                let (weights, scales) =
                    (widened(elements.weights, count), widened(elements.scales, count));
                let (mut wide_grad, mut wide_values) =
                    (widened(grad, count), widened(values, count));
                let wide = kernels::Elements {
                    logits: logits.as_ptr(),
                    targets: targets.as_ptr(),
                    grad: or_null(&mut wide_grad),
                    values: or_null(&mut wide_values),
                    weights: or_null_const(&weights),
                    scales: or_null_const(&scales),
                    count,
                    columns,
                    gamma: elements.gamma,
                    asymmetric,
                    label_smoothing: elements.label_smoothing,
                    alpha,
                    positive_weight,
                    scale: elements.scale,
                    // As float32 has it, so that it is the target it is meant for.
                    ignored: elements.ignored.map(|ignored| T::from_f64(ignored).to_f64()),
                };
                let mut total = kernels::Total::<F64x2>::new(1);
                kernels::sigmoid::<F64x2>(&wide, &mut total);
                scale.finish(or_null(&mut wide_grad), count);
                write_narrow(&wide_grad, grad);
                write_narrow(&wide_values, values);
                total.sum()
            };
            Ok(total / denominator)
        }
    }
}

/// A parameter for the kernels, if it is in its range.
pub(super) fn per_column(
    argument: &'static str,
    parameter: PerColumn,
    columns: usize,
    check: fn(&'static str, f64) -> Result<(), Error>,
) -> Result<kernels::PerColumn, Error> {
    match parameter {
        PerColumn::All(x) => check(argument, x).map(|()| kernels::PerColumn::All(x)),
        PerColumn::Each(table) => {
            length(argument, table.len(), columns)?;
            table.iter().try_for_each(|&x| check(argument, x))?;
            Ok(kernels::PerColumn::Each(table.as_ptr()))
        }
    }
}

/// The asymmetric loss on sigmoid logits, element by element, for many labels of which few are
/// positive.
///
/// For a logit `x` with target `y`, `p = σ(x)` and `p_m = max(p − margin, 0)`:
///
/// `L = −y·(1 − p)^γ₊·log(p) − (1 − y)·p_m^γ₋·log(1 − p_m)`.
///
/// Ridnik et al., "Asymmetric Loss For Multi-Label Classification" (2021). The gradient is the
/// derivative of this, through the focusing factors and the clipped probability; it is 0 where
/// `p ≤ margin`. (The authors' code takes the factors as constants, unless told not to, which is
/// not offered here.)
///
/// ```
/// use focal_loss::{AsymmetricLoss, Elements};
///
/// let criterion = AsymmetricLoss { margin: 0.25, ..AsymmetricLoss::default() };
/// // An even chance, clipped to 1/4: −(1/4)⁴·log(3/4).
/// let value = criterion.forward(&Elements::new(&[0.0_f64], &[0.0]))?;
/// assert!((value - 0.25_f64.powi(4) * (4.0_f64 / 3.0).ln()).abs() < 1e-18);
/// # Ok::<(), focal_loss::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AsymmetricLoss {
    /// Focusing parameter of positives, at least 0. Default: 1.
    pub gamma_positive: f64,
    /// Focusing parameter of negatives, at least 0. Default: 4.
    pub gamma_negative: f64,
    /// The amount that comes off the probabilities of negatives, in [0, 1). Default: 0.05.
    pub margin: f64,
    /// The target of elements that do not count. Default: none.
    pub ignore_index: Option<f64>,
    /// The mean's denominator in place of the number of elements that count. Default: none.
    pub normalizer: Option<f64>,
    /// The reduction of all values to one. Default: the mean.
    pub reduction: Reduction,
}

impl Default for AsymmetricLoss {
    fn default() -> Self {
        Self {
            gamma_positive: 1.0,
            gamma_negative: 4.0,
            margin: 0.05,
            ignore_index: None,
            normalizer: None,
            reduction: Reduction::Mean,
        }
    }
}

impl AsymmetricLoss {
    /// The reduced value.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn forward<T: Float>(&self, elements: &Elements<T>) -> Result<f64, Error> {
        self.evaluate(elements, Outputs::default())
    }

    /// The reduced value, and its gradient with respect to the logits, which goes to `grad`.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn value_and_grad<T: Float>(
        &self,
        elements: &Elements<T>,
        grad: &mut [T],
    ) -> Result<f64, Error> {
        self.evaluate(elements, Outputs { grad: Some(grad), ..Outputs::default() })
    }

    /// The value of every element, and the gradient of their sum where `grad` is given. Does not
    /// depend on the reduction.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn each<T: Float>(
        &self,
        elements: &Elements<T>,
        values: &mut [T],
        grad: Option<&mut [T]>,
    ) -> Result<(), Error> {
        let sum = Self { reduction: Reduction::Sum, ..*self };
        sum.evaluate(elements, Outputs { values: Some(values), grad }).map(|_| ())
    }

    fn evaluate<T: Float>(
        &self,
        elements: &Elements<T>,
        outputs: Outputs<T>,
    ) -> Result<f64, Error> {
        let (sigmoid, asymmetric) = self.parameters()?;
        sigmoid.evaluate(elements, outputs, Some(asymmetric))
    }

    /// The loss as a sigmoid loss with further parameters, once they are checked.
    pub(super) fn parameters(&self) -> Result<(SigmoidFocalLoss<'static>, Asymmetric), Error> {
        let Self { gamma_positive, gamma_negative, margin, ignore_index, normalizer, reduction } =
            *self;
        not_negative("gamma_positive", gamma_positive)?;
        not_negative("gamma_negative", gamma_negative)?;
        if !(0.0..1.0).contains(&margin) {
            return Err(Error::Number { argument: "margin", must_be: "in [0, 1)", value: margin });
        }
        let sigmoid = SigmoidFocalLoss {
            alpha: None,
            gamma: gamma_positive,
            ignore_index,
            normalizer,
            reduction,
            ..Default::default()
        };
        Ok((sigmoid, Asymmetric { gamma: gamma_negative, margin }))
    }
}
