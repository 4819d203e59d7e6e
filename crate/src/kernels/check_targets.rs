//! Checks of targets before a kernel may run: that targets are classes or probabilities. Nothing is
//! computed or written where they are not.

use crate::simd::{largest_unsigned, vector::Scalar};

/// The result of a check of a batch's targets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TargetCheck {
    /// A row whose target is neither a class nor ignored: the first.
    Invalid(usize),
    /// All is well; so many rows count.
    Counted(usize),
}

/// A test whether a target is a class index in `[0, classes)`.
#[inline(always)]
fn is_class(target: i32, classes: usize) -> bool {
    (target as u32 as usize) < classes
}

/// A test whether some of the targets with that [`largest_unsigned`] may be `ignored`: where this
/// is a class, or one of them is none.
#[inline(always)]
pub(super) fn may_hold(largest: u32, classes: usize, ignored: i32) -> bool {
    is_class(ignored, classes) || !is_class(largest as i32, classes)
}

/// Looks whether every target is a class index in `[0, classes)`, or `ignored`, and counts those
/// that are not ignored.
pub fn check_targets(targets: &[i32], classes: usize, ignored: Option<i32>) -> TargetCheck {
    let is_class = |target: i32| is_class(target, classes);
    let mut counted = 0;
    // The largest of a stretch as an unsigned number tells whether to look closer.
    for (k, chunk) in targets.chunks(256).enumerate() {
        let largest = largest_unsigned(chunk);
        counted += match ignored {
            Some(ignored) if may_hold(largest, classes, ignored) => {
                chunk.iter().filter(|&&t| t != ignored).count()
            }
            _ => chunk.len(),
        };
        if !is_class(largest as i32) {
            let invalid = chunk.iter().position(|&t| !is_class(t) && Some(t) != ignored);
            if let Some(i) = invalid {
                return TargetCheck::Invalid(k * 256 + i);
            }
        }
    }
    TargetCheck::Counted(counted)
}

/// The largest distance of a row's sum of probabilities from 1.
const SUM_TOLERANCE: f64 = 1e-3;

/// The first row of probabilities with one that is negative or not finite, or whose sum is not 1.
pub fn find_invalid_probabilities<S: Scalar>(probabilities: &[S], classes: usize) -> Option<usize> {
    probabilities.chunks_exact(classes.max(1)).position(|row| {
        let sum: f64 = row.iter().map(|q| q.to_f64()).sum();
        // False for NaN, which any infinite or NaN entry leads to, or to an infinite sum.
        let one = (sum - 1.0).abs() <= SUM_TOLERANCE;
        !one || row.iter().any(|q| q.to_f64() < 0.0)
    })
}

/// Counts the targets of elements that are not `ignored`.
///
/// # Errors
/// The first that is neither in [0, 1] nor ignored.
pub fn check_elements<S: Scalar>(targets: &[S], ignored: Option<f64>) -> Result<usize, usize> {
    let ignored = |y: S| ignored.is_some_and(|ignored| y == S::from_f64(ignored));
    let invalid = |y: S| !(0.0..=1.0).contains(&y.to_f64()) && !ignored(y);
    match targets.iter().position(|&y| invalid(y)) {
        Some(element) => Err(element),
        None => Ok(targets.iter().filter(|&&y| !ignored(y)).count()),
    }
}
