//! Loops over rows of logits: two classes, few classes (one row per lane), many classes (along the row).
//!
//! Rows are taken in groups of [`Vector::LANES`]; what a row gives depends on that row alone, bit for bit, whatever stands
//! beside it and wherever a batch is cut. Sums over rows are kept one per lane, so the cuts must fall between groups.

mod exponential;
mod few;
mod many;
mod pair;
mod rows;

use rows::run;
pub use rows::{Rows, Targets, Weights, look_over};

use crate::{
    loss::{
        focal::{FocusOn, Focusing, Gamma, Hard, Power, Smoothed, Square},
        softmax::SoftmaxLoss,
    },
    vector::Vector,
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

/// Runs the focal loss over `rows` and adds its values to `total`.
///
/// # Safety
/// The pointers of `rows` must be valid for the sizes it states, every target be in `[0, classes)` or ignored, there be a gamma and
/// a weight for every class, and `classes ≥ 2`.
pub unsafe fn focal<V: Vector>(rows: &Rows<V::Scalar>, with: &Focal, total: V::Wide) -> V::Wide {
    let power = Power::<V>::new(with.gamma);
    // SAFETY: passed on.
    unsafe {
        if with.label_smoothing > 0.0 {
            let smoothed = Smoothed::new(Hard::new(with.gamma, power), with.label_smoothing, with.focus_on, rows.classes);
            softmax(rows, smoothed, total)
        } else if rows.classes > 2 {
            softmax(rows, Hard::new(with.gamma, power), total)
        } else if with.gamma == Gamma::All(2.0) {
            two_classes(rows, Hard::<V, _>::new(with.gamma, Square), total)
        } else {
            two_classes(rows, Hard::new(with.gamma, power), total)
        }
    }
}

/// # Safety
/// As for [`focal`], with two classes.
#[inline(always)]
unsafe fn two_classes<V: Vector, P: Focusing<V>>(rows: &Rows<V::Scalar>, loss: Hard<V, P>, total: V::Wide) -> V::Wide {
    // SAFETY: passed on; two classes have two weights, however they were given.
    unsafe {
        let (other, one) = (rows.weights.of_class(0), rows.weights.of_class(1));
        let rows = &Rows { weights: Weights::Pair { other, one }, ..*rows };
        if rows.grad.is_null() {
            run(&pair::Pair::<V, P, false>::new(loss), rows, total)
        } else {
            run(&pair::Pair::<V, P, true>::new(loss), rows, total)
        }
    }
}

/// # Safety
/// As for [`focal`].
#[inline(always)]
unsafe fn softmax<V: Vector, L: SoftmaxLoss<V>>(rows: &Rows<V::Scalar>, loss: L, total: V::Wide) -> V::Wide {
    let classes = rows.classes;
    // SAFETY: passed on.
    unsafe {
        match (classes <= few::MAX_CLASSES, rows.grad.is_null()) {
            (true, true) => run(&few::Few::<V, L, false>::new(loss, classes), rows, total),
            (true, false) => run(&few::Few::<V, L, true>::new(loss, classes), rows, total),
            (false, true) => run(&many::Many::<V, L, false>::new(loss, classes), rows, total),
            (false, false) => run(&many::Many::<V, L, true>::new(loss, classes), rows, total),
        }
    }
}
