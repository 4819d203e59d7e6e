//! Loops over rows of logits: two classes, few classes (one row per lane), many classes (along the row).
//!
//! Rows are taken in groups of [`Vector::LANES`]; what a row gives depends on that row alone, bit for bit, whatever stands
//! beside it and wherever a batch is cut. Sums over rows are kept one per lane, so the cuts must fall between groups.

mod block;
mod dense;
mod elements;
mod exponential;
mod few;
mod many;
mod pair;
mod rows;
mod stages;
mod transpose;
mod validate;

use core::ptr;

use block::run;
use dense::{Aims, Dense, Task};
pub use elements::{Elements, PerColumn, sigmoid};
use few::{Few, MAX_CLASSES};
use many::Many;
use pair::Pair;
pub use rows::{Rows, Weights};
pub use transpose::transpose;
pub use validate::{Look, find_invalid_probabilities, look_over, look_over_elements};

use crate::{
    loss::focal::{FocusOn, Gamma, Hard, Loss, Power, Smoothing},
    vector::{Scalar, Vector, WideSum},
};

/// What a focal loss is made of, but for its weights.
#[derive(Clone, Copy, Debug)]
pub struct Focal {
    /// Focusing parameter, at least 0.
    pub gamma: Gamma,
    /// ε in [0, 1].
    pub label_smoothing: f64,
    /// Whose probability the focusing looks at.
    pub focus_on: FocusOn,
}

impl Focal {
    /// The cross-entropy.
    fn cross_entropy(label_smoothing: f64) -> Self {
        Self { gamma: Gamma::All(0.0), label_smoothing, focus_on: FocusOn::Smoothed }
    }
}

/// Runs the focal loss over `rows` and adds its values to `total`.
///
/// # Safety
/// The pointers of `rows` must be valid for the sizes it states, every target be in `[0, classes)` or ignored, there be a gamma and
/// a weight for every class, and `classes ≥ 2`.
pub unsafe fn focal<V: Vector>(rows: &Rows<V::Scalar>, with: &Focal, total: V::Wide) -> V::Wide {
    let classes = rows.classes;
    // SAFETY: passed on; two classes have two weights, however they were given.
    unsafe {
        if with.label_smoothing > 0.0 && with.focus_on == FocusOn::Target {
            return run::<V>(&by_class(rows, with, Task::FocusOnTarget), rows, total);
        }
        if with.label_smoothing > 0.0 && with.focus_on == FocusOn::EachClass {
            return dense::<V>(rows, with, ptr::null(), total);
        }
        let loss = Loss {
            hard: Hard::new(with.gamma, Power::<V>::new(with.gamma)),
            smoothing: (with.label_smoothing > 0.0).then(|| Smoothing::new(with.label_smoothing, classes)),
        };
        match classes {
            2 => {
                let (other, one) = (rows.weights.of_class(0), rows.weights.of_class(1));
                run(&Pair { loss }, &Rows { weights: Weights::Pair { other, one }, ..*rows }, total)
            }
            ..=MAX_CLASSES => run(&Few { loss, classes }, rows, total),
            _ => run(&Many { loss, classes }, rows, total),
        }
    }
}

/// Runs the focal loss on rows of class probabilities.
///
/// # Safety
/// As for [`focal`], with `probabilities` for each logit in place of targets.
pub unsafe fn soft_focal<V: Vector>(
    rows: &Rows<V::Scalar>,
    probabilities: *const V::Scalar,
    with: &Focal,
    total: V::Wide,
) -> V::Wide {
    // SAFETY: passed on.
    unsafe { dense::<V>(rows, with, probabilities, total) }
}

/// Runs the cross-entropy over `rows`, on target classes or, where they are not null, on class probabilities.
///
/// # Safety
/// As for [`focal`] and [`soft_focal`].
pub unsafe fn cross_entropy<V: Vector>(
    rows: &Rows<V::Scalar>,
    probabilities: *const V::Scalar,
    label_smoothing: f64,
    total: V::Wide,
) -> V::Wide {
    let with = Focal::cross_entropy(label_smoothing);
    let plain = rows.weights.is_none();
    if probabilities.is_null() && (plain || label_smoothing == 0.0) {
        // SAFETY: passed on.
        return unsafe { focal::<V>(rows, &with, total) };
    }
    let kernel = Dense {
        loss: Hard::new(with.gamma, Power::new(with.gamma)),
        classes: rows.classes,
        logits: rows.logits,
        // The weights are those of the classes' terms, not of the row.
        aims: Aims { probabilities, smoothing: label_smoothing, weights: rows.weights },
        task: Task::Mixture(Weights::none()),
        single: (plain || label_smoothing == 0.0).then_some((with, rows.weights)),
    };
    // SAFETY: passed on.
    unsafe { run::<V>(&kernel, &Rows { weights: Weights::none(), ..*rows }, total) }
}

/// Writes the diagonal of the Hessian in place of the gradient; with `gauss_newton`, an approximation that is never negative.
///
/// # Safety
/// As for [`focal`].
pub unsafe fn hessian<V: Vector>(rows: &Rows<V::Scalar>, with: &Focal, gauss_newton: bool) {
    // SAFETY: passed on.
    unsafe { run::<V>(&by_class(rows, with, Task::Hessian { gauss_newton }), rows, V::Wide::zero()) };
}

/// The derivative of the values with respect to γ, in place of the values.
///
/// # Safety
/// As for [`focal`].
pub unsafe fn gamma_grad<V: Vector>(rows: &Rows<V::Scalar>, with: &Focal, total: V::Wide) -> V::Wide {
    // SAFETY: passed on.
    unsafe { run::<V>(&by_class(rows, with, Task::GammaGrad(with.focus_on)), rows, total) }
}

/// The kernel that does a rarer task on target classes.
fn by_class<S: Scalar>(rows: &Rows<S>, with: &Focal, task: Task<S>) -> Dense<S> {
    Dense {
        loss: Hard::new(with.gamma, Power::new(with.gamma)),
        classes: rows.classes,
        logits: rows.logits,
        aims: Aims { probabilities: ptr::null(), smoothing: with.label_smoothing, weights: Weights::none() },
        task,
        single: None,
    }
}

/// # Safety
/// As for [`focal`]; `probabilities` may be null.
unsafe fn dense<V: Vector>(rows: &Rows<V::Scalar>, with: &Focal, probabilities: *const V::Scalar, total: V::Wide) -> V::Wide {
    let each_class = with.focus_on == FocusOn::EachClass;
    let kernel = Dense {
        aims: Aims {
            probabilities,
            smoothing: with.label_smoothing,
            weights: if each_class { rows.weights } else { Weights::none() },
        },
        // Unsmoothed, a single class is the same for each class and for the row.
        single: (!each_class || with.label_smoothing == 0.0).then_some((*with, rows.weights)),
        ..by_class(rows, with, if each_class { Task::EachClass } else { Task::Mixture(rows.weights) })
    };
    // SAFETY: passed on.
    unsafe { run::<V>(&kernel, &Rows { weights: Weights::none(), ..*rows }, total) }
}
