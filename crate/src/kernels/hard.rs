//! The kernels for rows with one target class each, of which the fastest for so many classes is
//! taken.

use super::{
    block::{MAX_CLASSES, run_blocks},
    few::Few,
    many::Many,
    pair::Pair,
    rows::{Rows, Weights},
    sink::Sink,
    stages::Evaluation,
};
use crate::loss::{
    focal::{Focal, Hard, Loss},
    focusing::{Later, Power},
    smoothing::Smoothing,
};
use crate::math::Real;

/// Computes the focal loss of all `rows`. The focus is on the smoothed cross-entropy.
///
/// # Safety
/// As for [`super::solve`].
pub(super) unsafe fn focal<V: Real>(rows: &Rows<V::Scalar>, with: &Focal, sink: &mut dyn Sink<V>) {
    let power = Power::new(with.gamma);
    let loss = loss_of::<V>(with, &power, rows.classes);
    // A module has one copy of the kernels. Where all that it evaluates is this loss, the compiler
    // may know so.
    #[cfg(not(feature = "analysis"))]
    let evaluation = &loss;
    #[cfg(feature = "analysis")]
    let evaluation: &dyn Evaluation<V> = &loss;
    // SAFETY: passed on.
    unsafe { evaluate(rows, evaluation, sink) }
}

/// The focal loss of rows of so many classes, with the power of its γ.
#[inline(always)]
pub(super) fn loss_of<'a, V: Real>(
    with: &Focal,
    power: &'a Power<V>,
    classes: usize,
) -> Loss<'a, V> {
    Loss {
        hard: Hard::of(with, Later(power)),
        smoothing: (with.label_smoothing > 0.0)
            .then(|| Smoothing::new(with.label_smoothing, classes)),
    }
}

/// Runs `evaluation` on the softmax of all `rows` and puts the values into `sink`.
///
/// # Safety
/// As for [`super::solve`], with a target class for every row.
pub(super) unsafe fn evaluate<V: Real, E: Evaluation<V> + ?Sized>(
    rows: &Rows<V::Scalar>,
    evaluation: &E,
    sink: &mut dyn Sink<V>,
) {
    let classes = rows.classes;
    // SAFETY: passed on; two classes have two weights, however they were given.
    unsafe {
        match classes {
            2 => {
                let (other, one) = (rows.weights.of_class(0), rows.weights.of_class(1));
                run_blocks(
                    &Pair { evaluation },
                    &Rows { weights: Weights::Pair { other, one }, ..*rows },
                    sink,
                )
            }
            ..=MAX_CLASSES => run_blocks(&Few { evaluation, classes }, rows, sink),
            _ => run_blocks(&Many { evaluation, classes }, rows, sink),
        }
    }
}
