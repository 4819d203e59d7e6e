//! Elementary functions, lane by lane, with the same bits on every machine.
//!
//! The polynomials are minimax in the relative error of the function (Remez exchange at 60 digits, `scripts/minimax.py`),
//! evaluated by Horner's rule without fused operations.

pub mod exp;
pub mod log;
pub mod pow;

use crate::vector::Vector;

/// `c[0] + c[1]·x + c[2]·x² + …`
#[inline(always)]
fn polynomial<V: Vector>(x: V, c: &[f64]) -> V {
    let (last, rest) = c.split_last().expect("a polynomial has a coefficient");
    rest.iter().rev().fold(V::constant(*last), |sum, &next| sum.mul(x).add(V::constant(next)))
}
