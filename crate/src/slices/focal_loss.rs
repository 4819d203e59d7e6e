//! [`FocalLoss`] and [`PolyFocalLoss`].

use super::{
    batch::{Batch, Outputs, Prepared, Reduction, Targets, denominator},
    error::{Error, fraction, length, not_negative},
};
use crate::{
    kernels::{Problem, Weights},
    loss::{
        focal::{Focal, FocusOn},
        focusing,
    },
    math::{Float, exp::two_to},
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

/// The focusing parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gamma<'a> {
    /// One for all rows.
    All(f64),
    /// That of the row's target class.
    PerClass(&'a [f64]),
}

/// The form of [`FocalLoss::hessian_diag`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HessianKind {
    /// The second derivatives.
    #[default]
    Exact,
    /// An approximation that is never negative.
    GaussNewton,
}

/// The focal loss on softmax logits.
///
/// For a row `x` of logits with target `t`, `q_j = (1 − ε)·[j = t] + ε/C` (ε: `label_smoothing`),
/// or with class probabilities `q` smoothed the same way, `ℓ = Σ_j q_j·(lse − x_j)` and `pt =
/// e^{−ℓ}`:
///
/// `L = a_t·(1 − pt)^γ·ℓ`, `∂L/∂x_j = a_t·u^γ·(1 + γ·ℓ·pt/u)·(p_j − q_j)` with `u = 1 − pt`.
///
/// Lin et al., "Focal Loss for Dense Object Detection" (2017). Nothing is allocated. Results have
/// the same bits on every machine and for every way to cut a batch into calls, but for the order in
/// which the values of several calls are added up.
///
/// ```
/// use focal_loss::{Batch, FocalLoss, Gamma};
///
/// let criterion = FocalLoss { gamma: Gamma::All(2.0), ..FocalLoss::default() };
/// let (logits, targets) = ([2.5, -1.0, 0.5, 0.5, -1.0, 2.0], [0, 1, 1]);
/// let mut grad = [0.0_f64; 6];
/// let value = criterion.value_and_grad(&Batch::new(&logits, &targets, 2), &mut grad)?;
/// assert!((value - 0.014456063646326968).abs() < 1e-16);
/// assert!((grad[0] + grad[1]).abs() < 1e-16);
/// # Ok::<(), focal_loss::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FocalLoss<'a, T> {
    /// Class weights. With class probabilities a row weighs the mean of its classes. Default:
    /// `Positive(0.25)`.
    pub alpha: Alpha<'a, T>,
    /// Focusing parameter, at least 0; one per class for target classes alone. Default: 2.
    pub gamma: Gamma<'a>,
    /// ε in [0, 1]. Default: 0.
    pub label_smoothing: f64,
    /// The probability that the focusing looks at. Default: that of the smoothed cross-entropy.
    pub focus_on: FocusOn,
    /// The target of rows that do not count: their value and gradient are 0. The class, if it is
    /// one, stays in the softmax of the others. Default: none.
    pub ignore_index: Option<i32>,
    /// The mean's denominator in place of the number of rows that count. Default: none.
    pub normalizer: Option<f64>,
    /// The reduction of the values of all rows to one. Default: the mean.
    pub reduction: Reduction,
}

impl<T> Default for FocalLoss<'_, T> {
    fn default() -> Self {
        Self {
            alpha: Alpha::Positive(0.25),
            gamma: Gamma::All(2.0),
            label_smoothing: 0.0,
            focus_on: FocusOn::Smoothed,
            ignore_index: None,
            normalizer: None,
            reduction: Reduction::Mean,
        }
    }
}

impl<T: Float> FocalLoss<'_, T> {
    /// The reduced value.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn forward(&self, batch: &Batch<T>) -> Result<f64, Error> {
        self.evaluate(0.0, batch, Outputs::default())
    }

    /// The reduced value, and its gradient with respect to the logits, which goes to `grad`.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn value_and_grad(&self, batch: &Batch<T>, grad: &mut [T]) -> Result<f64, Error> {
        self.evaluate(0.0, batch, Outputs { grad: Some(grad), ..Outputs::default() })
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
        sum.evaluate(0.0, batch, Outputs { values: Some(values), grad }).map(|_| ())
    }

    /// The second derivatives of the value with respect to each logit by itself, `a_t·[f″·(p_j −
    /// q_j)² + f′·p_j·(1 − p_j)]`, go to `hessian`. For target classes, and a focus on the
    /// smoothed cross-entropy.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn hessian_diag(
        &self,
        batch: &Batch<T>,
        kind: HessianKind,
        hessian: &mut [T],
    ) -> Result<(), Error> {
        self.second_derivatives(0.0, batch, kind, hessian)
    }

    fn second_derivatives(
        &self,
        epsilon: f64,
        batch: &Batch<T>,
        kind: HessianKind,
        hessian: &mut [T],
    ) -> Result<(), Error> {
        self.by_class(batch)?;
        if self.label_smoothing > 0.0 && self.focus_on != FocusOn::Smoothed {
            return Err(Error::Unsupported(
                "the Hessian is that of a focus on the smoothed cross-entropy",
            ));
        }
        let prepared =
            self.prepare(epsilon, batch, Outputs { grad: Some(hessian), ..Outputs::default() })?;
        let gauss_newton = kind == HessianKind::GaussNewton;
        let problem = Problem::Hessian { of: self.focal(epsilon), gauss_newton };
        prepared.solve(&problem, &self.numbers(epsilon, batch));
        Ok(())
    }

    /// The derivative of every row's value with respect to its γ, `L·log(1 − pt)`, goes to
    /// `values`; returned is that of the reduced value. For target classes.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn gamma_grad(&self, batch: &Batch<T>, values: &mut [T]) -> Result<f64, Error> {
        self.gamma_derivatives(0.0, batch, values)
    }

    fn gamma_derivatives(
        &self,
        epsilon: f64,
        batch: &Batch<T>,
        values: &mut [T],
    ) -> Result<f64, Error> {
        self.by_class(batch)?;
        let prepared =
            self.prepare(epsilon, batch, Outputs { values: Some(values), ..Outputs::default() })?;
        let problem = Problem::GammaGrad(self.focal(epsilon));
        Ok(prepared.solve(&problem, &self.numbers(epsilon, batch)))
    }

    /// The reduced value, with the term of poly-1 where `epsilon` is not 0.
    fn evaluate(&self, epsilon: f64, batch: &Batch<T>, outputs: Outputs<T>) -> Result<f64, Error> {
        let prepared = self.prepare(epsilon, batch, outputs)?;
        Ok(prepared.solve(&Problem::Focal(self.focal(epsilon)), &self.numbers(epsilon, batch)))
    }

    /// The numbers that decide whether float32 will do, with room for the product of `epsilon` and
    /// `γ + 1`.
    fn numbers(&self, epsilon: f64, batch: &Batch<T>) -> [f64; 3] {
        [self.label_smoothing / batch.classes as f64, epsilon, epsilon * two_to(67)]
    }

    pub(super) fn focal(&self, epsilon: f64) -> Focal {
        let gamma = match self.gamma {
            Gamma::All(gamma) => focusing::Gamma::All(gamma),
            Gamma::PerClass(gammas) => focusing::Gamma::PerClass(gammas.as_ptr()),
        };
        Focal { gamma, label_smoothing: self.label_smoothing, focus_on: self.focus_on, epsilon }
    }

    fn by_class(&self, batch: &Batch<T>) -> Result<(), Error> {
        if matches!(batch.targets, Targets::Probabilities(_)) {
            return Err(Error::Unsupported("this needs target classes, not probabilities"));
        }
        if self.focus_on == FocusOn::EachClass && self.label_smoothing > 0.0 {
            return Err(Error::Unsupported("this has no form for a focus on each class"));
        }
        Ok(())
    }

    /// Checks everything and returns the batch for the kernels.
    fn prepare(
        &self,
        epsilon: f64,
        batch: &Batch<T>,
        outputs: Outputs<T>,
    ) -> Result<Prepared<T>, Error> {
        let counted = batch.check(self.ignore_index)?;
        fraction("label_smoothing", self.label_smoothing)?;
        if !epsilon.is_finite() {
            return Err(Error::Number { argument: "epsilon", must_be: "finite", value: epsilon });
        }
        match self.gamma {
            Gamma::All(gamma) => not_negative("gamma", gamma)?,
            Gamma::PerClass(gammas) => {
                length("gamma", gammas.len(), batch.classes)?;
                gammas.iter().try_for_each(|&gamma| not_negative("gamma", gamma))?;
            }
        }
        if matches!(batch.targets, Targets::Probabilities(_)) {
            if matches!(self.gamma, Gamma::PerClass(_)) {
                return Err(Error::Unsupported(
                    "a gamma per class needs target classes, not probabilities",
                ));
            }
            if self.focus_on == FocusOn::Target {
                return Err(Error::Unsupported(
                    "a focus on the target needs target classes, not probabilities",
                ));
            }
        } else if matches!(self.gamma, Gamma::PerClass(_))
            && self.focus_on == FocusOn::EachClass
            && self.label_smoothing > 0.0
        {
            return Err(Error::Unsupported("a focus on each class has one gamma"));
        }
        let weights = match self.alpha {
            Alpha::None => Weights::none(),
            Alpha::Positive(alpha) => {
                fraction("alpha", alpha)?;
                Weights::pair(1.0 - alpha, alpha)
            }
            Alpha::PerClass(weights) => {
                length("alpha", weights.len(), batch.classes)?;
                weights.iter().try_for_each(|w| not_negative("alpha", w.to_f64()))?;
                Weights::PerClass(weights.as_ptr())
            }
        };
        let denominator = denominator(self.reduction, self.normalizer, counted as f64)?;
        let mut prepared = batch.rows_to(outputs, weights, self.ignore_index, denominator)?;
        if let Alpha::Positive(alpha) = self.alpha {
            prepared.pair = Some((1.0 - alpha, alpha));
        }
        Ok(prepared)
    }
}

/// The focal loss on softmax logits with one more term, poly-1.
///
/// With `a_t`, `γ`, `ℓ` and `u = 1 − pt` as in [`FocalLoss`], whatever targets, smoothing and focus
/// make of them (of a focus on each class, the term is added class by class):
///
/// `L = a_t·[u^γ·ℓ + ε·u^(γ+1)]`,
/// `∂L/∂x_j = a_t·u^γ·(1 + γ·ℓ·pt/u + ε·(γ + 1)·pt)·(p_j − q_j)`.
///
/// Leng et al., "PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions"
/// (2022). With `γ = 0` it is the poly-1 cross-entropy, with `ε = 0` the focal loss, bit for bit.
/// Under a negative `ε` values and gradients can be 0 or change their sign: their errors are then
/// relative to the terms that they are sums of.
///
/// ```
/// use focal_loss::{Batch, FocalLoss, Gamma, PolyFocalLoss};
///
/// let focal = FocalLoss { gamma: Gamma::All(2.0), ..FocalLoss::default() };
/// let criterion = PolyFocalLoss { focal, epsilon: 1.0 };
/// let mut grad = [0.0_f64; 2];
/// let value = criterion.value_and_grad(&Batch::new(&[0.0, 0.0], &[1], 2), &mut grad)?;
/// // pt is 1/2: a quarter of log(2)/4 + 1/8.
/// assert!((value - 0.25 * (2.0_f64.ln() / 4.0 + 0.125)).abs() < 1e-16);
/// assert!(grad[0] > 0.0 && grad[0] == -grad[1]);
/// # Ok::<(), focal_loss::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolyFocalLoss<'a, T> {
    /// All options but `ε`. Default: those of [`FocalLoss`].
    pub focal: FocalLoss<'a, T>,
    /// `ε`, any finite number. Default: 1.
    pub epsilon: f64,
}

impl<T> Default for PolyFocalLoss<'_, T> {
    fn default() -> Self {
        Self { focal: FocalLoss::default(), epsilon: 1.0 }
    }
}

impl<T: Float> PolyFocalLoss<'_, T> {
    /// The reduced value.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn forward(&self, batch: &Batch<T>) -> Result<f64, Error> {
        self.focal.evaluate(self.epsilon, batch, Outputs::default())
    }

    /// The reduced value, and its gradient with respect to the logits, which goes to `grad`.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn value_and_grad(&self, batch: &Batch<T>, grad: &mut [T]) -> Result<f64, Error> {
        self.focal.evaluate(self.epsilon, batch, Outputs { grad: Some(grad), ..Outputs::default() })
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
        let sum = FocalLoss { reduction: Reduction::Sum, ..self.focal };
        sum.evaluate(self.epsilon, batch, Outputs { values: Some(values), grad }).map(|_| ())
    }

    /// The second derivatives of the value with respect to each logit by itself, as
    /// [`FocalLoss::hessian_diag`] has them.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn hessian_diag(
        &self,
        batch: &Batch<T>,
        kind: HessianKind,
        hessian: &mut [T],
    ) -> Result<(), Error> {
        self.focal.second_derivatives(self.epsilon, batch, kind, hessian)
    }

    /// The derivative of every row's value with respect to its γ, as [`FocalLoss::gamma_grad`] has
    /// it.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn gamma_grad(&self, batch: &Batch<T>, values: &mut [T]) -> Result<f64, Error> {
        self.focal.gamma_derivatives(self.epsilon, batch, values)
    }
}
