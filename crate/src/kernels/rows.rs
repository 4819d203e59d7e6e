//! A batch of rows.

use crate::math::Real;
use crate::simd::vector::Scalar;

/// The weight `a_t` of a row, from its target class.
#[derive(Clone, Copy, Debug)]
pub enum Weights<S> {
    /// One weight for class 1, another for every other class.
    Pair {
        /// Weight of every class but 1.
        other: S,
        /// Weight of class 1.
        one: S,
    },
    /// A weight per class.
    PerClass(*const S),
}

impl<S: Scalar> Weights<S> {
    /// Every row weighs 1.
    pub fn none() -> Self {
        Self::pair(1.0, 1.0)
    }

    /// True if every row weighs 1.
    pub(super) fn is_none(self) -> bool {
        matches!(self, Self::Pair { other, one } if other.to_f64() == 1.0 && one.to_f64() == 1.0)
    }

    /// One weight for class 1, another for every other class.
    pub fn pair(other: f64, one: f64) -> Self {
        Self::Pair { other: S::from_f64(other), one: S::from_f64(one) }
    }

    /// The weight of class `j`.
    ///
    /// # Safety
    /// There must be a weight for it.
    #[inline(always)]
    pub(super) unsafe fn of_class(self, j: usize) -> S {
        match self {
            Self::Pair { other, one } => {
                if j == 1 {
                    one
                } else {
                    other
                }
            }
            // SAFETY: the caller vouches for the weight.
            Self::PerClass(table) => unsafe { *table.add(j) },
        }
    }

    /// The weights of a group of targets.
    ///
    /// # Safety
    /// `targets` must be valid for reading a group of class indices, and those be valid for the
    /// weights.
    #[inline(always)]
    pub(super) unsafe fn of<V: Real<Scalar = S>>(self, targets: *const i32) -> V {
        match self {
            Self::Pair { other, one } => {
                // SAFETY: the caller vouches for the targets.
                let index = unsafe { V::load_index(targets) };
                V::splat(one).select(V::splat(other), V::index_is(index, 1))
            }
            Self::PerClass(table) => {
                // SAFETY: the caller vouches for the targets and for a weight at each of them.
                V::from_lanes(|i| unsafe { *table.add(*targets.add(i) as usize) })
            }
        }
    }
}

/// A batch of rows: where its logits and targets are and where the results go.
#[derive(Clone, Copy, Debug)]
pub struct Rows<S> {
    /// `rows × classes` logits.
    pub logits: *const S,
    /// A class index per row, or null where rows have none.
    pub targets: *const i32,
    /// `rows × classes` gradients, or null. May be the logits themselves, which are then
    /// overwritten.
    pub grad: *mut S,
    /// A value per row, or null.
    pub values: *mut S,
    /// Number of rows.
    pub rows: usize,
    /// Number of classes.
    pub classes: usize,
    /// Weight of each class.
    pub weights: Weights<S>,
    /// Weight of each row, or null where all weigh 1.
    pub row_weights: *const S,
    /// Factor of the gradient.
    pub scale: S,
    /// Factor of each row's gradient, or null where all have `scale` alone.
    pub row_scales: *const S,
    /// The target of rows that do not count: value 0, gradient 0, whatever their logits.
    pub ignored: Option<i32>,
}

/// The factor of a gradient: in two parts where float64 does not hold it, or not its products.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The part that the kernels multiply with.
    pub factor: f64,
    /// The part that is left to multiply with.
    rest: f64,
}

/// The rest of a factor that float64, or a product with it, might leave: 2¹²⁸.
const REST: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;

impl Scale {
    /// `upstream / denominator`; 0 where there is nothing to divide by.
    pub fn new(upstream: f64, denominator: f64) -> Self {
        let factor = if denominator == 0.0 { 0.0 } else { upstream / denominator };
        if factor.abs() <= f64::MAX / REST || upstream.is_infinite() {
            return Self { factor, rest: 1.0 };
        }
        // A factor that is still infinite makes every gradient so, but for those that are 0.
        let factor = upstream / REST / denominator;
        Self { factor: factor.clamp(-f64::MAX, f64::MAX), rest: REST }
    }

    /// Multiplies `n` gradients with what is left.
    ///
    /// # Safety
    /// `grad` must be valid for them, or null.
    #[inline(never)]
    pub unsafe fn finish<S: Scalar>(self, grad: *mut S, n: usize) {
        if self.rest == 1.0 || grad.is_null() {
            return;
        }
        for i in 0..n {
            // SAFETY: passed on.
            unsafe { *grad.add(i) = S::from_f64((*grad.add(i)).to_f64() * self.rest) };
        }
    }
}

/// `x`, rounded, with +0 for −0, which a small negative number is rounded to.
#[inline(always)]
pub(crate) fn narrow<S: Scalar>(x: f64) -> S {
    S::from_f64(S::from_f64(x).to_f64() + 0.0)
}
