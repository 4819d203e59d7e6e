//! [`FocalLoss`]: the loss on slices.

use core::{fmt, ptr};

use crate::{
    arch::Float,
    kernels::{self, Focal, Rows, Targets, Weights},
    loss::focal::{FocusOn, Gamma},
    vector::{Vector, WideSum},
};

/// The weight of a row, from its target class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Alpha<'a, T> {
    /// Every row weighs 1.
    None,
    /// `alpha` for class 1, `1 − alpha` for every other class; in [0, 1].
    Positive(f64),
    /// A weight per class, finite and not negative.
    PerClass(&'a [T]),
}

/// How the values of the rows become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// Their sum by the number of rows; NaN for no rows.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

/// What is wrong with the arguments of a call. Nothing has been written when one is returned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Error {
    /// Fewer than two classes, or more than an index can name.
    Classes(usize),
    /// The number of logits is not the number of targets times the classes.
    Logits {
        /// Number of logits.
        found: usize,
        /// Number of logits that the targets ask for.
        expected: usize,
    },
    /// The gradient does not have the length of the logits.
    Grad {
        /// Its length.
        found: usize,
        /// The length of the logits.
        expected: usize,
    },
    /// The values do not have the length of the targets.
    Values {
        /// Their length.
        found: usize,
        /// The length of the targets.
        expected: usize,
    },
    /// A target outside `[0, classes)`.
    Target {
        /// Its row.
        row: usize,
        /// Its value.
        value: i32,
        /// Number of classes.
        classes: usize,
    },
    /// An alpha outside [0, 1], or a weight that is negative or not finite.
    Alpha(f64),
    /// Not a weight for every class.
    AlphaLength {
        /// Number of weights.
        found: usize,
        /// Number of classes.
        expected: usize,
    },
    /// A gamma that is negative or not finite.
    Gamma(f64),
    /// A label smoothing outside [0, 1].
    LabelSmoothing(f64),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Classes(classes) => write!(f, "classes must be between 2 and {}, not {classes}", i32::MAX),
            Self::Logits { found, expected } => write!(f, "logits must have {expected} values, not {found}"),
            Self::Grad { found, expected } => write!(f, "grad must have {expected} values, not {found}"),
            Self::Values { found, expected } => write!(f, "values must have {expected} values, not {found}"),
            Self::Target { row, value, classes } => {
                write!(f, "targets[{row}] must be in [0, {classes}), not {value}")
            }
            Self::Alpha(alpha) => write!(f, "alpha must be in [0, 1], its weights finite and not negative, not {alpha}"),
            Self::AlphaLength { found, expected } => write!(f, "alpha must have {expected} weights, not {found}"),
            Self::Gamma(gamma) => write!(f, "gamma must be finite and not negative, not {gamma}"),
            Self::LabelSmoothing(smoothing) => write!(f, "label_smoothing must be in [0, 1], not {smoothing}"),
        }
    }
}

impl core::error::Error for Error {}

/// The focal loss on softmax logits.
///
/// For a row `x` of logits with target `t`, `q_j = (1 − ε)·[j = t] + ε/C` (ε: `label_smoothing`), `ℓ = Σ_j q_j·(lse − x_j)` and
/// `pt = e^{−ℓ}`:
///
/// `L = a_t·(1 − pt)^γ·ℓ`, `∂L/∂x_j = a_t·u^γ·(1 + γ·ℓ·pt/u)·(p_j − q_j)` with `u = 1 − pt`.
///
/// Lin et al., "Focal Loss for Dense Object Detection" (2017). Nothing is allocated. Results have the same bits on every machine and
/// for every way to cut a batch into calls, but for the order in which the values of several calls are added up.
///
/// ```
/// use focal_loss::FocalLoss;
///
/// let criterion = FocalLoss { gamma: 2.0, ..FocalLoss::default() };
/// let (logits, targets) = ([2.5, -1.0, 0.5, 0.5, -1.0, 2.0], [0, 1, 1]);
/// let mut grad = [0.0_f64; 6];
/// let value = criterion.value_and_grad(&logits, &targets, 2, &mut grad)?;
/// assert!((value - 0.014456063646326968).abs() < 1e-16);
/// assert!((grad[0] + grad[1]).abs() < 1e-16);
/// # Ok::<(), focal_loss::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FocalLoss<'a, T> {
    /// Class weights. Default: `Positive(0.25)`.
    pub alpha: Alpha<'a, T>,
    /// Focusing parameter, at least 0. Default: 2.
    pub gamma: f64,
    /// ε in [0, 1]. Default: 0.
    pub label_smoothing: f64,
    /// How the values of the rows become one. Default: the mean.
    pub reduction: Reduction,
}

impl<T> Default for FocalLoss<'_, T> {
    fn default() -> Self {
        Self { alpha: Alpha::Positive(0.25), gamma: 2.0, label_smoothing: 0.0, reduction: Reduction::Mean }
    }
}

impl<T: Float> FocalLoss<'_, T> {
    /// The reduced value of `targets.len()` rows of `classes` logits.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn forward(&self, logits: &[T], targets: &[i32], classes: usize) -> Result<f64, Error> {
        let total = self.run(logits, targets, classes, None, None)?;
        Ok(self.reduce(total, targets.len()))
    }

    /// The reduced value, and its gradient with respect to the logits, which goes to `grad`.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn value_and_grad(&self, logits: &[T], targets: &[i32], classes: usize, grad: &mut [T]) -> Result<f64, Error> {
        let total = self.run(logits, targets, classes, None, Some(grad))?;
        Ok(self.reduce(total, targets.len()))
    }

    /// The value of every row, and the gradient of their sum where `grad` is given. Does not depend on the reduction.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn rows(
        &self,
        logits: &[T],
        targets: &[i32],
        classes: usize,
        values: &mut [T],
        grad: Option<&mut [T]>,
    ) -> Result<(), Error> {
        let sum = Self { reduction: Reduction::Sum, ..*self };
        sum.run(logits, targets, classes, Some(values), grad).map(|_| ())
    }

    fn reduce(&self, total: f64, rows: usize) -> f64 {
        match self.reduction {
            Reduction::Mean => total / rows as f64,
            Reduction::Sum => total,
        }
    }

    fn run(
        &self,
        logits: &[T],
        targets: &[i32],
        classes: usize,
        values: Option<&mut [T]>,
        grad: Option<&mut [T]>,
    ) -> Result<f64, Error> {
        self.check(classes)?;
        let expected = targets.len().checked_mul(classes).ok_or(Error::Classes(classes))?;
        if logits.len() != expected {
            return Err(Error::Logits { found: logits.len(), expected });
        }
        if let Some(found) = grad.as_ref().map(|g| g.len()).filter(|&n| n != expected) {
            return Err(Error::Grad { found, expected });
        }
        if let Some(found) = values.as_ref().map(|v| v.len()).filter(|&n| n != targets.len()) {
            return Err(Error::Values { found, expected: targets.len() });
        }
        if let Targets::Invalid(row) = kernels::look_over(targets, classes, None) {
            return Err(Error::Target { row, value: targets[row], classes });
        }
        let scale = match self.reduction {
            Reduction::Mean => 1.0 / targets.len() as f64,
            Reduction::Sum => 1.0,
        };
        let rows = Rows {
            row_weights: ptr::null(),
            scale: T::from_f64(scale),
            row_scales: ptr::null(),
            ignored: None,
            logits: logits.as_ptr(),
            targets: targets.as_ptr(),
            grad: grad.map_or(ptr::null_mut(), |g| g.as_mut_ptr()),
            values: values.map_or(ptr::null_mut(), |v| v.as_mut_ptr()),
            rows: targets.len(),
            classes,
            weights: match self.alpha {
                Alpha::None => Weights::pair(1.0, 1.0),
                Alpha::Positive(alpha) => Weights::pair(1.0 - alpha, alpha),
                Alpha::PerClass(weights) => Weights::PerClass(weights.as_ptr()),
            },
        };
        let with = Focal { gamma: Gamma::All(self.gamma), label_smoothing: self.label_smoothing, focus_on: FocusOn::Smoothed };
        let none = <T::Vector as Vector>::Wide::zero();
        // SAFETY: the lengths fit each other, there is a weight for every class, and every target is one.
        Ok(unsafe { kernels::focal::<T::Vector>(&rows, &with, none) }.total())
    }

    fn check(&self, classes: usize) -> Result<(), Error> {
        if !(2..=i32::MAX as usize).contains(&classes) {
            return Err(Error::Classes(classes));
        }
        let finite = |x: f64| x.is_finite() && x >= 0.0;
        match self.alpha {
            Alpha::Positive(alpha) if !(0.0..=1.0).contains(&alpha) => return Err(Error::Alpha(alpha)),
            Alpha::PerClass(weights) if weights.len() != classes => {
                return Err(Error::AlphaLength { found: weights.len(), expected: classes });
            }
            Alpha::PerClass(weights) => {
                if let Some(bad) = weights.iter().map(|w| w.to_f64()).find(|&w| !finite(w)) {
                    return Err(Error::Alpha(bad));
                }
            }
            _ => {}
        }
        if !finite(self.gamma) {
            return Err(Error::Gamma(self.gamma));
        }
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            return Err(Error::LabelSmoothing(self.label_smoothing));
        }
        Ok(())
    }
}
