//! Polynomials.

use crate::simd::vector::{Stored, Vector};

/// `c[0] + c[1]·x + c[2]·x² + …`, as a polynomial in `x²` of the pairs `c[0] + c[1]·x`: half as
/// long a chain of operations as Horner's rule in `x`, and one product more.
#[inline(always)]
pub(super) fn polynomial<V: Vector>(x: V, c: &'static [Stored<V::Scalar>]) -> V {
    let square = x.mul(x);
    let pair = |c: &'static [Stored<V::Scalar>]| match c {
        [first, second] => x.mul(V::stored(second)).add(V::stored(first)),
        [first, ..] => V::stored(first),
        [] => V::constant(0.0),
    };
    let mut pairs = c.chunks(2).rev().map(pair);
    let last = pairs.next().unwrap_or(V::constant(0.0));
    pairs.fold(last, |sum, next| sum.mul(square).add(next))
}
