//! [`CrossEntropyLoss`].

use super::{
    batch::{Batch, Outputs, Reduction, Targets, denominator},
    error::{Error, fraction, length, not_negative},
};
use crate::{
    kernels::{Problem, Weights},
    math::Float,
};

/// The cross-entropy on softmax logits, as `torch.nn.CrossEntropyLoss` has it.
///
/// With target classes: `(1 − ε)·w_t·(lse − x_t) + (ε/C)·Σ_j w_j·(lse − x_j)`; the mean divides by
/// `Σ w_t` over the rows that count, also under smoothing. With class probabilities `q`, smoothed
/// to `q′`: `Σ_j w_j·q′_j·(lse − x_j)`; the mean divides by the number of rows.
///
/// ```
/// use focal_loss::{Batch, CrossEntropyLoss};
///
/// let value = CrossEntropyLoss::default().forward(&Batch::new(&[0.0, 0.0], &[1], 2))?;
/// assert!((value - 2.0_f64.ln()).abs() < 1e-15);
/// # Ok::<(), focal_loss::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossEntropyLoss<'a, T> {
    /// A weight per class, finite and not negative. Default: none.
    pub weight: Option<&'a [T]>,
    /// ε in [0, 1]. Default: 0.
    pub label_smoothing: f64,
    /// The target of rows that do not count. Default: none.
    pub ignore_index: Option<i32>,
    /// The mean's denominator in place of torch's. Default: none.
    pub normalizer: Option<f64>,
    /// The reduction of the values of all rows to one. Default: the mean.
    pub reduction: Reduction,
}

/// A sum of weights from which on they, multiplied and added up, might leave the type: 2⁶⁴ in
/// float32, 2⁵¹² in float64. A mean is the same with weights that are all so much smaller.
fn heavy<T: Float>() -> f64 {
    if T::HUGE < f64::MAX { 18_446_744_073_709_551_616.0 } else { 1.340_780_792_994_259_7e154 }
}

impl<T> Default for CrossEntropyLoss<'_, T> {
    fn default() -> Self {
        Self {
            weight: None,
            label_smoothing: 0.0,
            ignore_index: None,
            normalizer: None,
            reduction: Reduction::Mean,
        }
    }
}

impl<T: Float> CrossEntropyLoss<'_, T> {
    /// The reduced value.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn forward(&self, batch: &Batch<T>) -> Result<f64, Error> {
        self.evaluate(batch, Outputs::default())
    }

    /// The reduced value, and its gradient with respect to the logits, which goes to `grad`.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn value_and_grad(&self, batch: &Batch<T>, grad: &mut [T]) -> Result<f64, Error> {
        self.evaluate(batch, Outputs { grad: Some(grad), ..Outputs::default() })
    }

    /// The value of every row, and the gradient of their sum where `grad` is given. Does not depend
    /// on the reduction.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn rows(
        &self,
        batch: &Batch<T>,
        values: &mut [T],
        grad: Option<&mut [T]>,
    ) -> Result<(), Error> {
        let sum = Self { reduction: Reduction::Sum, ..*self };
        sum.evaluate(batch, Outputs { values: Some(values), grad }).map(|_| ())
    }

    fn evaluate(&self, batch: &Batch<T>, outputs: Outputs<T>) -> Result<f64, Error> {
        let counted = batch.check(self.ignore_index)?;
        fraction("label_smoothing", self.label_smoothing)?;
        let weights = match self.weight {
            None => Weights::none(),
            Some(weights) => {
                length("weight", weights.len(), batch.classes)?;
                weights.iter().try_for_each(|w| not_negative("weight", w.to_f64()))?;
                Weights::PerClass(weights.as_ptr())
            }
        };
        let counted = match (batch.targets, self.weight) {
            (Targets::Classes(targets), Some(weights)) => {
                let counts = |t: &&i32| Some(**t) != self.ignore_index;
                let sum =
                    targets.iter().filter(counts).map(|&t| weights[t as usize].to_f64()).sum();
                if sum > heavy::<T>()
                    && self.normalizer.is_none()
                    && self.reduction == Reduction::Mean
                {
                    let lighter: Vec<T> =
                        weights.iter().map(|w| T::from_f64(w.to_f64() / heavy::<T>())).collect();
                    return CrossEntropyLoss {
                        weight: Some(&lighter),
                        label_smoothing: self.label_smoothing,
                        ignore_index: self.ignore_index,
                        normalizer: None,
                        reduction: Reduction::Mean,
                    }
                    .evaluate(batch, outputs);
                }
                sum
            }
            _ => counted as f64,
        };
        let denominator = denominator(self.reduction, self.normalizer, counted)?;
        let prepared = batch.rows_to(outputs, weights, self.ignore_index, denominator)?;
        Ok(prepared.solve(
            &Problem::CrossEntropy(self.label_smoothing),
            &[self.label_smoothing / batch.classes as f64],
        ))
    }
}
