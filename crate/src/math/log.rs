//! The logarithm and `log1p`.
//!
//! Method: `v = m·2^k` with `m` in `[√½, √2)`, then `log v = k·ln 2 + log m`, and with `s = (m −
//! 1)/(m + 1)`, `z = s²`: `log m = 2·atanh s = 2s + s·z·r(z)`. `r` has 3 terms in float32 (relative
//! error of `log m`: 8.1e-10) and 7 in float64 (1.3e-18). `log1p(w)` puts what the sum `1 + w`
//! rounded off back into `m − 1`.

use super::polynomial::polynomial;
use crate::simd::vector::{Scalar, Stored, Vector, stored};

/// The constants that the logarithm needs of a float type.
pub trait LogTable: Scalar {
    /// Coefficients of `r` for `z ≤ 0.0295`, constant first.
    const LOG_R: &'static [Stored<Self>];
    /// Coefficients of `r` for `z ≤ 1/9`, constant first.
    const LOG_R_UNIT: &'static [Stored<Self>];
    /// 2^mantissa: its bits, or'ed with a small integer, are 2^mantissa plus that integer.
    const INTEGER: f64;
    /// `1 − √½` in the integer sense: the bits of 1 minus the bits of √½, as a float with these
    /// bits.
    const HALF_OCTAVE: Self;
    /// Largest error of [`log`] over all inputs, in units in the last place, as the tests measure
    /// it.
    const LOG_ULP: f64;
    /// Largest error of [`log_1p`] likewise.
    const LOG_1P_ULP: f64;
}

#[allow(clippy::excessive_precision, reason = "as the fit has them")]
impl LogTable for f32 {
    const LOG_R: &'static [Stored<Self>] =
        &Stored::each([0.666_667_759_4, 0.399_775_683_9, 0.298_710_703_8]);
    const LOG_R_UNIT: &'static [Stored<Self>] =
        &Stored::each([0.666_664_183_1, 0.400_215_268_1, 0.280_018_061_4, 0.280_119_866_1]);
    const INTEGER: f64 = 8_388_608.0;
    const HALF_OCTAVE: f32 = f32::from_bits(0x3f80_0000 - 0x3f35_04f3);
    const LOG_ULP: f64 = 1.1;
    const LOG_1P_ULP: f64 = 1.6;
}

impl LogTable for f64 {
    const LOG_R: &'static [Stored<Self>] = &Stored::each([
        0.666_666_666_666_673_4,
        0.399_999_999_994_160_2,
        0.285_714_287_421_020_45,
        0.222_221_986_011_525_7,
        0.181_835_629_425_115_45,
        0.153_140_841_904_646_14,
        0.147_956_302_725_400_95,
    ]);
    const LOG_R_UNIT: &'static [Stored<Self>] = &Stored::each([
        0.666_666_666_666_663_1,
        0.400_000_000_001_551_17,
        0.285_714_285_481_180_5,
        0.222_222_239_536_438_7,
        0.181_817_444_791_599_4,
        0.153_865_483_910_579_47,
        0.133_011_213_961_029,
        0.121_049_448_150_905_99,
        0.083_449_716_552_633_54,
        0.170_097_568_072_335_61,
    ]);
    const INTEGER: f64 = 4_503_599_627_370_496.0;
    const HALF_OCTAVE: f64 = f64::from_bits(0x3ff0_0000_0000_0000 - 0x3fe6_a09e_667f_3bcd);
    const LOG_ULP: f64 = 1.75;
    const LOG_1P_ULP: f64 = 1.75;
}

/// `v = mantissa·2^exponent` with the mantissa in `[√½, √2)`.
#[derive(Clone, Copy, Debug)]
pub struct Split<V> {
    /// The exponent, a whole number.
    pub exponent: V,
    /// The mantissa.
    pub mantissa: V,
    /// The exponent with its bias, as an integer.
    biased: V,
}

/// Splits positive normal numbers.
#[inline(always)]
pub fn split<V: Vector<Scalar: LogTable>>(v: V) -> Split<V> {
    let one = stored!(V, 1.0);
    let biased = v.bits_add(V::splat(V::Scalar::HALF_OCTAVE)).exponent_to_bits();
    let mantissa = v.bits_sub(biased.bits_to_exponent()).bits_add(one);
    let exponent = biased
        .bits_or(stored!(V, V::Scalar::INTEGER))
        .sub(stored!(V, V::Scalar::INTEGER + V::Scalar::BIAS));
    Split { exponent, mantissa, biased }
}

/// `log(1 + f)` for `1 + f` in `[√½, √2]`.
#[inline(always)]
pub fn fraction_log_1p<V: Vector<Scalar: LogTable>>(f: V) -> V {
    from_quotient(f, f.div(f.add(stored!(V, 2.0))), V::Scalar::LOG_R)
}

/// `log(1 + f)` for `f` in `[0, 1]`, given `s = f/(2 + f)`.
#[inline(always)]
pub fn unit_log_1p<V: Vector<Scalar: LogTable>>(f: V, s: V) -> V {
    from_quotient(f, s, V::Scalar::LOG_R_UNIT)
}

/// `log(1 + f) = 2s + s·z·r(z)`, written as `f − s·(f − z·r(z))` because `2s = f − s·f` and `f` has
/// no error.
#[inline(always)]
fn from_quotient<V: Vector<Scalar: LogTable>>(f: V, s: V, r: &'static [Stored<V::Scalar>]) -> V {
    let z = s.mul(s);
    f.sub(s.mul(f.sub(polynomial(z, r).mul(z))))
}

/// `log1p(w)` for `w` up to 2^bias with `1 + w` a positive normal number; NaN stays.
#[inline(always)]
pub fn finite_log_1p<V: Vector<Scalar: LogTable>>(w: V) -> V {
    let one = stored!(V, 1.0);
    let v = w.add(one);
    let lost = w.sub(v.sub(one));
    let Split { exponent, mantissa, biased } = split(v);
    // 2^−k: the bits of 2 shifted once more than those of 1, less the biased exponent.
    let scale =
        stored!(V, V::Scalar::MAGIC + 2.0 * V::Scalar::BIAS).bits_sub(biased).bits_to_exponent();
    let f = mantissa.sub(one).add(lost.mul(scale));
    exponent.mul(stored!(V, core::f64::consts::LN_2)).add(fraction_log_1p(f))
}

/// `log v` for positive normal numbers.
#[inline(always)]
pub fn finite_log<V: Vector<Scalar: LogTable>>(v: V) -> V {
    let Split { exponent, mantissa, .. } = split(v);
    exponent
        .mul(stored!(V, core::f64::consts::LN_2))
        .add(fraction_log_1p(mantissa.sub(stored!(V, 1.0))))
}

/// `log v` for every `v`: −Inf at 0, NaN below it, +Inf at +Inf, right for subnormals, NaN stays.
/// Off by at most [`LogTable::LOG_ULP`] units in the last place.
///
/// ```
/// use focal_loss::{math::log::log, simd::{F64x2, vector::Vector}};
/// assert_eq!(log(F64x2::splat(1.0)).lane(0), 0.0);
/// assert_eq!(log(F64x2::splat(0.0)).lane(1), f64::NEG_INFINITY);
/// ```
#[inline(always)]
pub fn log<V: Vector<Scalar: LogTable>>(v: V) -> V {
    let one = V::constant(1.0);
    let subnormal = v.lt(V::constant(V::Scalar::TINY));
    // 2^mantissa lifts a subnormal into the normal range.
    let lifted = v.mul(V::constant(V::Scalar::INTEGER)).select(v, subnormal);
    let Split { exponent, mantissa, .. } = split(lifted);
    let exponent = exponent.sub(V::constant(f64::from(V::Scalar::MANTISSA_BITS)).keep(subnormal));
    let finite =
        exponent.mul(V::constant(core::f64::consts::LN_2)).add(fraction_log_1p(mantissa.sub(one)));
    ends(v, finite)
}

/// `log1p(w)` for every `w`, without cancellation near 0: −Inf at −1, NaN below it, +Inf at +Inf,
/// NaN stays. Off by at most [`LogTable::LOG_1P_ULP`] units in the last place.
///
/// ```
/// use focal_loss::{math::log::log_1p, simd::{F64x2, vector::Vector}};
/// assert_eq!(log_1p(F64x2::splat(1e-300)).lane(0), 1e-300);
/// ```
#[inline(always)]
pub fn log_1p<V: Vector<Scalar: LogTable>>(w: V) -> V {
    // From 2^mantissa on, adding 1 changes nothing that counts.
    let integer = V::constant(V::Scalar::INTEGER);
    let near = ends(w.add(V::constant(1.0)), finite_log_1p(w));
    log(w).select(near, w.gt(integer))
}

/// `finite` where `v`, whose logarithm it is, is an ordinary number, and what IEEE 754 says
/// elsewhere.
#[inline(always)]
fn ends<V: Vector<Scalar: LogTable>>(v: V, finite: V) -> V {
    let infinite = V::constant(f64::INFINITY);
    let positive = finite.select(infinite, v.lt(infinite));
    // −Inf at 0; the root of a negative number or of NaN is NaN.
    positive.select(v.sqrt().sub(infinite), v.gt(V::constant(0.0)))
}
