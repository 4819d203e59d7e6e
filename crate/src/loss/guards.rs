//! Guards at the ends of the number range, for products and quotients whose other factor is 0
//! there.

use crate::simd::vector::{Scalar, Vector, stored};

/// `x`, or the largest number where it is infinite: for products with a probability, which is 0
/// there.
#[inline(always)]
pub(crate) fn finite<V: Vector>(x: V) -> V {
    x.pmin(stored!(V, V::Scalar::HUGE))
}

/// `x`, or the smallest normal number: for quotients whose numerator is 0 where `x` is.
#[inline(always)]
pub(crate) fn positive<V: Vector>(x: V) -> V {
    x.pmax(stored!(V, V::Scalar::TINY))
}

/// `x`, with +0 for −0.
#[inline(always)]
pub(crate) fn plus_zero<V: Vector>(x: V) -> V {
    x.add(V::constant(0.0))
}
