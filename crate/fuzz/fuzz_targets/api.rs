//! The losses on slices: whatever they are called with, an error leaves everything as it is, and
//! results do not depend on what else is computed.

#![no_main]

mod input;

use arbitrary::{Result, Unstructured};
use focal_loss::{
    Alpha, Batch, CrossEntropyLoss, Elements, Float, FocalLoss, Gamma, GradOutput, HessianKind,
    PerColumn, Reduction, SigmoidFocalLoss, Targets,
};
use input::{
    classes, focus_on, ignored, number, numbers, parameter, parameters, probabilities, same,
    targets,
};
use libfuzzer_sys::fuzz_target;

/// The contents of memory in which nothing has been written.
const UNTOUCHED: f64 = 9.0;

/// The three calls of a loss, by what they are given to write to.
trait Loss<T, B> {
    type Error: std::fmt::Debug;
    fn forward(&self, batch: &B) -> std::result::Result<f64, Self::Error>;
    fn value_and_grad(&self, batch: &B, grad: &mut [T]) -> std::result::Result<f64, Self::Error>;
    fn rows(
        &self,
        batch: &B,
        values: &mut [T],
        grad: Option<&mut [T]>,
    ) -> std::result::Result<(), Self::Error>;
}

macro_rules! loss {
    ($Loss:ty, $Batch:ident, $rows:ident) => {
        impl<T: Float> Loss<T, $Batch<'_, T>> for $Loss {
            type Error = focal_loss::Error;
            fn forward(&self, batch: &$Batch<'_, T>) -> std::result::Result<f64, Self::Error> {
                self.forward(batch)
            }
            fn value_and_grad(
                &self,
                batch: &$Batch<'_, T>,
                grad: &mut [T],
            ) -> std::result::Result<f64, Self::Error> {
                self.value_and_grad(batch, grad)
            }
            fn rows(
                &self,
                batch: &$Batch<'_, T>,
                values: &mut [T],
                grad: Option<&mut [T]>,
            ) -> std::result::Result<(), Self::Error> {
                self.$rows(batch, values, grad)
            }
        }
    };
}
loss!(FocalLoss<'_, T>, Batch, rows);
loss!(CrossEntropyLoss<'_, T>, Batch, rows);
loss!(SigmoidFocalLoss<'_>, Elements, each);

/// All calls agree. `tame`: nothing in the batch is out of the ordinary, so that nothing of the
/// results is NaN.
fn agree<T: Float, B>(loss: &impl Loss<T, B>, batch: &B, count: usize, size: usize, tame: bool) {
    let untouched = |n: usize| vec![T::from_f64(UNTOUCHED); n];
    let (mut grad, mut values, mut each) = (untouched(size), untouched(count), untouched(size));
    let both = loss.value_and_grad(batch, &mut grad);
    let rows = loss.rows(batch, &mut values, Some(&mut each));
    match (loss.forward(batch), both) {
        (Ok(forward), Ok(value)) => {
            assert!(
                forward.to_bits() == value.to_bits() || (forward.is_nan() && value.is_nan()),
                "{forward} {value}"
            );
            rows.unwrap();
            let mut again = untouched(count);
            loss.rows(batch, &mut again, None).unwrap();
            assert!(same(&again, &values));
            let good = |x: &T| {
                x.to_f64().is_finite() && (x.to_f64() != 0.0 || x.to_f64().is_sign_positive())
            };
            assert!(!tame || values.iter().all(good), "{values:?}");
            assert!(!tame || each.iter().all(good), "{each:?}");
        }
        (Err(_), Err(_)) => {
            assert!(
                same(&grad, &untouched(size))
                    && same(&values, &untouched(count))
                    && same(&each, &untouched(size))
            );
        }
        (forward, both) => panic!("{forward:?} {both:?}"),
    }
}

fn is_tame<T: Float>(array: &[T]) -> bool {
    array.iter().all(|x| x.to_f64().abs() <= 1e4)
}

fn softmax<T: Float>(u: &mut Unstructured) -> Result<()> {
    let classes = classes(u)?;
    let rows = u.int_in_range(0..=40)?;
    let size = if u.ratio(1, 30)? { u.int_in_range(0..=200)? } else { rows * classes };
    let indices = targets(u, rows, classes)?;
    let soft = if u.ratio(1, 3)? { Some(probabilities::<T>(u, rows, classes)?) } else { None };
    let weights = if u.ratio(1, 3)? { Some(parameters::<T>(u, rows, 4.0)?) } else { None };
    let scales = if u.ratio(1, 3)? { Some(parameters::<T>(u, rows, 4.0)?) } else { None };
    let entries = if u.ratio(1, 30)? { 3 } else { classes };
    let table = parameters::<T>(u, entries, 4.0)?;
    let gammas: Vec<f64> = parameters(u, classes, 6.0)?;
    let (ignore_index, label_smoothing, gamma) =
        (ignored(u)?, parameter(u, 1.0)?, parameter(u, 6.0)?);
    let normalizer = if u.ratio(1, 4)? { Some(parameter(u, 50.0)?) } else { None };
    let reduction = *u.choose(&[Reduction::Mean, Reduction::Sum])?;
    let factor = number(u)?;
    let focal = FocalLoss {
        alpha: match u.int_in_range(0..=2)? {
            0 => Alpha::None,
            1 => Alpha::Positive(parameter(u, 1.0)?),
            _ => Alpha::PerClass(&table),
        },
        gamma: if u.ratio(1, 5)? { Gamma::PerClass(&gammas) } else { Gamma::All(gamma) },
        label_smoothing,
        focus_on: focus_on(u)?,
        ignore_index,
        normalizer,
        reduction,
    };
    let weight = u.ratio(1, 2)?.then_some(&table[..]);
    let cross_entropy =
        CrossEntropyLoss { weight, label_smoothing, ignore_index, normalizer, reduction };
    let logits = numbers::<T>(u, size)?;
    let batch = Batch {
        logits: &logits,
        targets: soft.as_deref().map_or(Targets::Classes(&indices), Targets::Probabilities),
        classes,
        sample_weights: weights.as_deref(),
        grad_output: scales.as_deref().map_or(GradOutput::All(factor), GradOutput::Each),
    };
    let tame = is_tame(&logits)
        && [weights.as_deref(), scales.as_deref(), Some(&table)].into_iter().flatten().all(is_tame)
        && gammas.iter().chain([&gamma, &factor]).all(|x| x.abs() <= 1e4);
    agree(&focal, &batch, rows, size, tame);
    agree(&cross_entropy, &batch, rows, size, tame);

    let (mut hessian, mut values) = (vec![T::default(); size], vec![T::default(); rows]);
    let _ = focal.hessian_diag(&batch, HessianKind::Exact, &mut hessian);
    let _ = focal.hessian_diag(&batch, HessianKind::GaussNewton, &mut hessian);
    let _ = focal.gamma_grad(&batch, &mut values);
    Ok(())
}

fn sigmoid<T: Float>(u: &mut Unstructured) -> Result<()> {
    let columns = u.int_in_range(0..=9)?;
    let count = if u.ratio(1, 30)? {
        u.int_in_range(0..=40)?
    } else {
        columns * u.int_in_range(0..=20usize)?
    };
    let targets = parameters::<T>(u, count, 1.0)?;
    let weights = if u.ratio(1, 3)? { Some(parameters::<T>(u, count, 4.0)?) } else { None };
    let scales = if u.ratio(1, 3)? { Some(parameters::<T>(u, count, 4.0)?) } else { None };
    let (alphas, positives) =
        (parameters::<f64>(u, columns, 1.0)?, parameters::<f64>(u, columns, 4.0)?);
    let factor = number(u)?;
    let criterion = SigmoidFocalLoss {
        alpha: match u.int_in_range(0..=2)? {
            0 => None,
            1 => Some(PerColumn::All(parameter(u, 1.0)?)),
            _ => Some(PerColumn::Each(&alphas)),
        },
        gamma: parameter(u, 6.0)?,
        label_smoothing: parameter(u, 1.0)?,
        pos_weight: if u.arbitrary()? {
            PerColumn::Each(&positives)
        } else {
            PerColumn::All(parameter(u, 4.0)?)
        },
        ignore_index: ignored(u)?.map(f64::from),
        normalizer: if u.ratio(1, 4)? { Some(parameter(u, 50.0)?) } else { None },
        reduction: *u.choose(&[Reduction::Mean, Reduction::Sum])?,
    };
    let positive = match criterion.pos_weight {
        PerColumn::All(weight) => weight.abs() <= 1e4,
        PerColumn::Each(weights) => is_tame(weights),
    };
    let logits = numbers::<T>(u, count)?;
    let batch = Elements {
        logits: &logits,
        targets: &targets,
        columns,
        sample_weights: weights.as_deref(),
        grad_output: scales.as_deref().map_or(GradOutput::All(factor), GradOutput::Each),
    };
    let tame = is_tame(&logits)
        && [weights.as_deref(), scales.as_deref()].into_iter().flatten().all(is_tame)
        && positive
        && factor.abs() <= 1e4
        && criterion.gamma.abs() <= 1e4;
    agree(&criterion, &batch, count, count, tame);
    Ok(())
}

fuzz_target!(|data: &[u8]| {
    let u = &mut Unstructured::new(data);
    // Too few bytes are no input.
    let _ = match data.len() % 4 {
        0 => softmax::<f32>(u),
        1 => softmax::<f64>(u),
        2 => sigmoid::<f32>(u),
        _ => sigmoid::<f64>(u),
    };
});
