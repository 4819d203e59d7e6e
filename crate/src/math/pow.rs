//! Powers of numbers in `[0, 1]` with one exponent for all of them.
//!
//! Method: `u^γ = 2^y`, `y = γ·k + γ·log2 m` with `u = m·2^k`. `γ` is split so that its leading
//! part times the integer `k` is exact; what remains of `y` after its nearest integer is taken off
//! is then small, and so is its error. The relative error therefore grows with `γ` but not with
//! `log u`: it is at most [`POW_ROUNDINGS`]` · (1 + γ)` roundings.

use core::f64::consts::{LN_2, LOG2_E};

use super::{exp, log, real::Real};
use crate::simd::vector::Scalar;

/// Largest relative error of [`UnitPower::of`], divided by `1 + γ`, in roundings (2⁻²⁴ in float32,
/// 2⁻⁵³ in float64), as the tests measure it.
pub const POW_ROUNDINGS: f64 = 1.5;

/// An exponent for each lane, prepared.
#[derive(Clone, Copy, Debug)]
pub struct UnitPower<V> {
    exponent: V,
    leading: V,
    rest: V,
    smallest: V,
}

impl<V: Real> UnitPower<V> {
    /// Prepares the exponent `gamma(i)` for lane `i`, a finite number ≥ 0.
    #[inline(never)]
    pub fn new(gamma: impl Fn(usize) -> f64) -> Self {
        // Far above this every power of a number below 1 is 0, and float32 ends at 3.4e38.
        let gamma = |i: usize| gamma(i).min(1e30);
        // Half as many bits as the mantissa has: short enough for a product with an exponent to be
        // exact.
        let dropped = f64::MANTISSA_BITS - V::Scalar::MANTISSA_BITS / 2;
        let leading = |i: usize| f64::from_bits(gamma(i).to_bits() >> dropped << dropped);
        let lanes = |f: &dyn Fn(usize) -> f64| V::from_lanes(|i| V::Scalar::from_f64(f(i)));
        Self {
            exponent: lanes(&gamma),
            leading: lanes(&leading),
            rest: lanes(&|i| gamma(i) - leading(i)),
            smallest: lanes(&|i| if gamma(i) > 0.0 { V::Scalar::TINY } else { 0.0 }),
        }
    }

    /// Prepares half the exponents that are given, numbers from 0 to a quarter of the bias, in two
    /// parts: rounded, and what that left.
    #[inline(always)]
    pub fn half_of([gamma, low]: [V; 2]) -> Self {
        let half = V::constant(0.5);
        let exponent = gamma.mul(half);
        // Half of the mantissa goes into the leading part (Veltkamp).
        let factor = exp::two_to(i64::from(V::Scalar::MANTISSA_BITS / 2 + 1)) + 1.0;
        let scaled = exponent.mul(V::constant(factor));
        let leading = scaled.sub(scaled.sub(exponent));
        Self {
            exponent,
            leading,
            rest: exponent.sub(leading).add(low.mul(half)),
            smallest: V::constant(V::Scalar::TINY).keep(exponent.gt(V::constant(0.0))),
        }
    }

    /// `u^γ` for `u` in `[0, 1]`, with 0⁰ = 1; +0 where the result is below the normal range, or
    /// `u` is and `γ > 0`. A NaN gives any number.
    #[inline(always)]
    pub fn of(&self, u: V) -> V {
        let magic = V::constant(V::Scalar::MAGIC);
        let split = log::split(u);
        let log2 =
            log::fraction_log_1p(split.mantissa.sub(V::constant(1.0))).mul(V::constant(LOG2_E));
        let high = self.leading.mul(split.exponent);
        let low = self.rest.mul(split.exponent).add(self.exponent.mul(log2));
        let y = high.add(low);
        let exponent = y.add(magic);
        let fraction = high.sub(exponent.sub(magic)).add(low).mul(V::constant(LN_2));
        let power = exp::fraction_exp(fraction).mul(exp::power_of_two(exponent));
        power.clear(y.lt(V::constant(1.0 - V::Scalar::BIAS))).clear(u.lt(self.smallest))
    }
}
