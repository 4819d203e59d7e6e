//! Polynomials.

use crate::simd::vector::{Stored, Vector};

/// `c[0] + c[1]·x + c[2]·x² + …`, as a polynomial in `x²` of the pairs `c[0] + c[1]·x`: half as
/// long a chain of operations as Horner's rule in `x`, and one product more.
#[inline(always)]
pub(super) fn polynomial<V: Vector>(x: V, c: &'static [Stored<V::Scalar>]) -> V {
    polynomial_of(x, c, V::stored)
}

/// The same with coefficients that are still to be made vectors.
#[inline(always)]
pub(super) fn polynomial_of<'a, V: Vector, T>(x: V, c: &'a [T], of: impl Fn(&'a T) -> V) -> V {
    let square = x.mul(x);
    let pair = |c: &'a [T]| match c {
        [first, second] => x.mul(of(second)).add(of(first)),
        [first, ..] => of(first),
        [] => V::constant(0.0),
    };
    let mut pairs = c.chunks(2).rev().map(pair);
    let last = pairs.next().unwrap_or(V::constant(0.0));
    pairs.fold(last, |sum, next| sum.mul(square).add(next))
}
