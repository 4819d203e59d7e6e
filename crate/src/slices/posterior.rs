//! The class probabilities that logits stand for under a loss.

use core::ptr;

use super::{
    batch::widened,
    cross_entropy_loss::CrossEntropyLoss,
    error::{Error, fraction, length, not_negative, positive},
    focal_loss::{Alpha, FocalLoss, Gamma, PolyFocalLoss},
    sigmoid_focal_loss::{AsymmetricLoss, PerColumn, SigmoidFocalLoss, per_column},
};
use crate::{
    kernels::{self, PosteriorRows, largest_gamma, posterior_elements},
    loss::{
        asymmetric::Asymmetric,
        focal::{Focal, FocusOn},
        posterior::largest_exponential,
    },
    math::{Float, exp::two_to},
    simd::{F64x2, vector::Vector},
};

/// The shares of classes where a model was trained and where it is used, or their counts. On
/// elements the shares of yes, one per column, below 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Priors<'a> {
    /// Those of the training set, above 0.
    pub training: &'a [f64],
    /// Those of the rows at hand, above 0.
    pub deployment: &'a [f64],
}

/// Ratios beyond this are as good as infinite.
const LEAST: i64 = -300;

/// Numbers that are further apart, or less, are for float64.
const FAR: i64 = -60;

/// Numbers above 0, divided by the largest of them.
fn relative(numbers: &[f64]) -> Vec<f64> {
    let most = numbers.iter().copied().fold(0.0, f64::max);
    numbers.iter().map(|x| (x / most).max(two_to(LEAST))).collect()
}

fn between(argument: &'static str, value: f64) -> Result<(), Error> {
    if value > 0.0 && value < 1.0 {
        Ok(())
    } else {
        Err(Error::Number { argument, must_be: "above 0 and below 1", value })
    }
}

/// Smoothed to the end, all targets are the same.
fn smoothing(label_smoothing: f64) -> Result<(), Error> {
    fraction("label_smoothing", label_smoothing)?;
    if label_smoothing < 1.0 {
        return Ok(());
    }
    let value = label_smoothing;
    Err(Error::Number { argument: "label_smoothing", must_be: "below 1", value })
}

/// Rows of logits with a place for their probabilities.
struct Places<'a, T> {
    logits: &'a [T],
    classes: usize,
    probabilities: &'a mut [T],
}

impl<T: Float> Places<'_, T> {
    /// Checks the lengths.
    fn check(&self, least: usize) -> Result<(), Error> {
        if !(least..=i32::MAX as usize).contains(&self.classes)
            || !self.logits.len().is_multiple_of(self.classes)
        {
            return Err(Error::Classes(self.classes));
        }
        length("probabilities", self.probabilities.len(), self.logits.len())
    }

    /// Fills in the probabilities under a loss whose classes have these weights.
    fn rows(self, focal: Focal, weights: &[f64], priors: Option<Priors>) -> Result<(), Error> {
        let ratios = priors.map(|priors| priors.of_classes(self.classes)).transpose()?;
        let is_last = focal.label_smoothing > 0.0 && focal.focus_on == FocusOn::EachClass;
        let (early, late) = if is_last { (None, ratios) } else { (ratios, None) };
        let early = early.unwrap_or_else(|| vec![1.0; self.classes]);
        let own: Vec<f64> = early.iter().zip(relative(weights)).map(|(r, w)| r / w).collect();
        let (factors, ratios) = (relative(&own), late.map(|ratios| relative(&ratios)));
        let far = |table: &[f64]| table.iter().any(|&x| x < two_to(FAR));
        // SAFETY: there is one for every class.
        let gamma = unsafe { largest_gamma(focal.gamma, self.classes) };
        let takes_float64 = gamma > largest_exponential::<T>()
            || far(&factors)
            || ratios.as_deref().is_some_and(far);
        let numbers = [
            focal.label_smoothing / self.classes as f64,
            focal.epsilon,
            focal.epsilon * two_to(67),
        ];
        let priors = ratios.as_ref().map_or(ptr::null(), |ratios| ratios.as_ptr());
        if !takes_float64 && numbers.into_iter().all(T::holds) {
            self.probabilities.copy_from_slice(self.logits);
            run::<T>(self.probabilities, self.classes, focal, &factors, priors);
        } else {
            // SAFETY: as long as it is.
            let mut wide = unsafe { widened(self.logits.as_ptr(), self.logits.len()) };
            run::<f64>(&mut wide, self.classes, focal, &factors, priors);
            self.put(&wide);
        }
        Ok(())
    }

    fn put(self, wide: &[f64]) {
        for (probability, &x) in self.probabilities.iter_mut().zip(wide) {
            *probability = kernels::narrow(x);
        }
    }
}

/// Puts probabilities in place of logits.
fn run<T: Float>(
    logits: &mut [T],
    classes: usize,
    focal: Focal,
    factors: &[f64],
    priors: *const f64,
) {
    let factors: Vec<T> = factors.iter().map(|&factor| T::from_f64(factor)).collect();
    let column = T::Vector::LANES * classes;
    let mut room = vec![T::default(); 2 * column];
    let (distances, exponentials) = room.split_at_mut(column);
    let rows = PosteriorRows {
        logits: logits.as_mut_ptr(),
        rows: logits.len() / classes,
        classes,
        focal,
        factors: factors.as_ptr(),
        priors,
        room: [distances.as_mut_ptr(), exponentials.as_mut_ptr()],
    };
    // SAFETY: all of it is as long as it is said to be.
    unsafe { rows.run::<T::Vector>() };
}

impl Priors<'_> {
    /// The factors by which classes are likelier than at training, but for a common one.
    fn of_classes(&self, classes: usize) -> Result<Vec<f64>, Error> {
        for (argument, shares) in self.each() {
            length(argument, shares.len(), classes)?;
            shares.iter().try_for_each(|&share| positive(argument, share))?;
        }
        let (training, deployment) = (relative(self.training), relative(self.deployment));
        Ok(deployment.iter().zip(training).map(|(d, t)| d / t).collect())
    }

    /// The factor by which the odds of yes are larger than at training, for each column.
    fn of_columns(&self, columns: usize) -> Result<Vec<f64>, Error> {
        for (argument, shares) in self.each() {
            length(argument, shares.len(), columns)?;
            shares.iter().try_for_each(|&share| between(argument, share))?;
        }
        let odds = |share: f64| share / (1.0 - share);
        let ratio =
            |(&d, &t): (&f64, &f64)| (odds(d) / odds(t)).clamp(two_to(LEAST), two_to(-LEAST));
        Ok(self.deployment.iter().zip(self.training).map(ratio).collect())
    }

    fn each(&self) -> [(&'static str, &[f64]); 2] {
        [("priors.training", self.training), ("priors.deployment", self.deployment)]
    }
}

impl<T: Float> FocalLoss<'_, T> {
    /// The class probabilities that `logits`, `rows × classes`, stand for under this loss, go to
    /// `probabilities`: those at which the expected loss is at its least for these logits, `Σ_i
    /// η_i·∂L_i/∂x = 0`. Targets, reduction and what is ignored make no difference.
    ///
    /// With `p = softmax(x)` it is `η_j ∝ (p_j − ε/C) / (a_j·f′(ℓ_j))` for a focus on the smoothed
    /// cross-entropy, and for any without smoothing; [`crate::loss::posterior`] has the others.
    /// What smoothing would make negative is 0. Without smoothing each entry is within the bounds
    /// of the losses, however small it is, and with it relative to the largest of its row.
    /// Charoenphakdee et al., "On Focal Loss for Class-Posterior Probability Estimation" (2021),
    /// for the form without weights and smoothing.
    ///
    /// `priors` corrects for class shares that are others than at training: `η_j` times
    /// `deployment_j / training_j`.
    ///
    /// ```
    /// use focal_loss::{Alpha, FocalLoss};
    ///
    /// let criterion = FocalLoss { alpha: Alpha::None, ..FocalLoss::default() };
    /// let mut probabilities = [0.0_f64; 2];
    /// criterion.posterior(&[0.0, 1.0], 2, None, &mut probabilities)?;
    /// assert!((probabilities[1] - 0.9359404063968171).abs() < 1e-12);
    /// # Ok::<(), focal_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`]; and an `ε` of 1 or a class that weighs
    /// nothing, where logits stand for no probabilities.
    pub fn posterior(
        &self,
        logits: &[T],
        classes: usize,
        priors: Option<Priors>,
        probabilities: &mut [T],
    ) -> Result<(), Error> {
        self.posterior_of(0.0, Places { logits, classes, probabilities }, priors)
    }

    fn posterior_of(
        &self,
        epsilon: f64,
        places: Places<T>,
        priors: Option<Priors>,
    ) -> Result<(), Error> {
        places.check(2)?;
        smoothing(self.label_smoothing)?;
        // From there on the loss of a row does not fall with the probability of its class.
        let (least, must_be) = if self.focus_on == FocusOn::Target {
            (self.label_smoothing - 1.0, "finite and above label_smoothing - 1")
        } else {
            (-1.0, "finite and above -1")
        };
        if !(epsilon > least && epsilon.is_finite()) {
            return Err(Error::Number { argument: "epsilon", must_be, value: epsilon });
        }
        match self.gamma {
            Gamma::All(gamma) => not_negative("gamma", gamma)?,
            Gamma::PerClass(gammas) => {
                length("gamma", gammas.len(), places.classes)?;
                gammas.iter().try_for_each(|&gamma| not_negative("gamma", gamma))?;
                if self.focus_on == FocusOn::EachClass && self.label_smoothing > 0.0 {
                    return Err(Error::Unsupported("a focus on each class has one gamma"));
                }
            }
        }
        let weights = match self.alpha {
            Alpha::None => vec![1.0; places.classes],
            Alpha::Positive(alpha) => {
                between("alpha", alpha)?;
                (0..places.classes).map(|j| if j == 1 { alpha } else { 1.0 - alpha }).collect()
            }
            Alpha::PerClass(weights) => class_weights("alpha", weights, places.classes)?,
        };
        places.rows(self.focal(epsilon), &weights, priors)
    }
}

/// The weights of classes, all above 0.
fn class_weights<T: Float>(
    argument: &'static str,
    weights: &[T],
    classes: usize,
) -> Result<Vec<f64>, Error> {
    length(argument, weights.len(), classes)?;
    let weights: Vec<f64> = weights.iter().map(|w| w.to_f64()).collect();
    weights.iter().try_for_each(|&w| positive(argument, w))?;
    Ok(weights)
}

impl<T: Float> PolyFocalLoss<'_, T> {
    /// The class probabilities that logits stand for, as [`FocalLoss::posterior`] has them. `ε` of
    /// poly-1 must be above −1, with a focus on the target above `label_smoothing − 1`: below, the
    /// loss does not fall with the probability of the target. Near it, errors grow.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn posterior(
        &self,
        logits: &[T],
        classes: usize,
        priors: Option<Priors>,
        probabilities: &mut [T],
    ) -> Result<(), Error> {
        self.focal.posterior_of(self.epsilon, Places { logits, classes, probabilities }, priors)
    }
}

impl<T: Float> CrossEntropyLoss<'_, T> {
    /// The class probabilities that logits stand for, as [`FocalLoss::posterior`] has them: `Q_j ∝
    /// p_j/w_j`, which add up to 1, and `η_j = (Q_j − ε/C)/(1 − ε)`.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn posterior(
        &self,
        logits: &[T],
        classes: usize,
        priors: Option<Priors>,
        probabilities: &mut [T],
    ) -> Result<(), Error> {
        let places = Places { logits, classes, probabilities };
        places.check(2)?;
        smoothing(self.label_smoothing)?;
        let weights = match self.weight {
            None => vec![1.0; classes],
            Some(weights) => class_weights("weight", weights, classes)?,
        };
        let focal = Focal {
            label_smoothing: self.label_smoothing,
            focus_on: FocusOn::EachClass,
            ..Focal::default()
        };
        places.rows(focal, &weights, priors)
    }
}

impl SigmoidFocalLoss<'_> {
    /// The probabilities of yes that `logits`, in so many columns, stand for under this loss:
    /// `L₀′/(L₀′ − L₁′)`, of the derivatives by the logit for targets of 0 and 1, in [0, 1]. Else
    /// as [`FocalLoss::posterior`].
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn posterior<T: Float>(
        &self,
        logits: &[T],
        columns: usize,
        priors: Option<Priors>,
        probabilities: &mut [T],
    ) -> Result<(), Error> {
        self.posterior_of(Places { logits, classes: columns, probabilities }, priors, None)
    }

    fn posterior_of<T: Float>(
        &self,
        places: Places<T>,
        priors: Option<Priors>,
        asymmetric: Option<Asymmetric>,
    ) -> Result<(), Error> {
        let Places { logits, classes: columns, .. } = places;
        places.check(1)?;
        smoothing(self.label_smoothing)?;
        not_negative("gamma", self.gamma)?;
        let alpha = match self.alpha {
            None => None,
            Some(alpha) => Some(per_column("alpha", alpha, columns, between)?),
        };
        let positive_weight = per_column("pos_weight", self.pos_weight, columns, positive)?;
        let ratios = priors.map(|priors| priors.of_columns(columns)).transpose()?;
        let own = |parameter: PerColumn| match parameter {
            PerColumn::All(x) => T::holds(x),
            PerColumn::Each(table) => table.iter().all(|&x| T::holds(x)),
        };
        // The powers of the asymmetric loss go through logarithms.
        let holds = asymmetric.is_none()
            && self.alpha.is_none_or(own)
            && own(self.pos_weight)
            && T::holds(self.label_smoothing / 2.0)
            && ratios.iter().flatten().all(|&ratio| T::holds(ratio));
        let odds = match &ratios {
            None => kernels::PerColumn::All(1.0),
            Some(ratios) => kernels::PerColumn::Each(ratios.as_ptr()),
        };
        let options = Options {
            columns,
            alpha,
            positive_weight,
            gamma: self.gamma,
            asymmetric,
            label_smoothing: self.label_smoothing,
        };
        // SAFETY: the arguments have been checked; each array is as long as it is said to be.
        unsafe {
            if holds {
                places.probabilities.copy_from_slice(logits);
                posterior_elements::<T::Vector>(&options.of(places.probabilities), odds);
            } else {
                let mut wide = widened(logits.as_ptr(), logits.len());
                posterior_elements::<F64x2>(&options.of(&mut wide), odds);
                places.put(&wide);
            }
        }
        Ok(())
    }
}

impl AsymmetricLoss {
    /// The probabilities of yes that `logits`, in so many columns, stand for under this loss, as
    /// [`SigmoidFocalLoss::posterior`] has them; computed in float64. Below the margin they are 0,
    /// and just above it they have the error of `p` relative to `p − m`.
    ///
    /// # Errors
    /// What is wrong with the arguments, see [`Error`].
    pub fn posterior<T: Float>(
        &self,
        logits: &[T],
        columns: usize,
        priors: Option<Priors>,
        probabilities: &mut [T],
    ) -> Result<(), Error> {
        let (sigmoid, asymmetric) = self.parameters()?;
        let places = Places { logits, classes: columns, probabilities };
        sigmoid.posterior_of(places, priors, Some(asymmetric))
    }
}

/// The options of a loss on elements.
struct Options {
    columns: usize,
    alpha: Option<kernels::PerColumn>,
    positive_weight: kernels::PerColumn,
    gamma: f64,
    asymmetric: Option<Asymmetric>,
    label_smoothing: f64,
}

impl Options {
    /// Elements in place of whose logits results go.
    fn of<T: Float>(&self, logits: &mut [T]) -> kernels::Elements<T> {
        let grad = logits.as_mut_ptr();
        kernels::Elements {
            logits: grad,
            targets: ptr::null(),
            grad,
            values: ptr::null_mut(),
            count: logits.len(),
            columns: self.columns,
            asymmetric: self.asymmetric,
            gamma: self.gamma,
            label_smoothing: self.label_smoothing,
            alpha: self.alpha,
            positive_weight: self.positive_weight,
            weights: ptr::null(),
            scale: 1.0,
            scales: ptr::null(),
            ignored: None,
        }
    }
}
