//! The exponential.
//!
//! Method: `x = n·ln 2 + g` with `n` the nearest integer to `x / ln 2` and `|g| ≤ ln 2 / 2` (Cody
//! and Waite: `ln 2` in two parts, the first short enough that `n` times it is exact), then `e^x =
//! e^g · 2^n` with `e^g = 1 + g + g²·q(g)`. `q` has degree 4 in float32 (relative error of `e^g`:
//! 3.1e-9) and 9 in float64 (3.6e-18), so that rounding alone decides.
//!
//! The parts are public because the kernels put them together in their own way: a row of logits is
//! reduced once, and only the integer of its maximum is taken off each exponent, so that no
//! difference `x_j − max` is ever rounded.

use super::polynomial::{polynomial, polynomial_of};
use crate::simd::vector::{Scalar, Stored, Vector, stored};

/// The constants that the exponential needs of a float type.
pub trait ExpTable: Scalar {
    /// 1.
    const ONE: &'static Stored<Self>;
    /// log2 e.
    const LOG2_E: &'static Stored<Self>;
    /// The leading bits of ln 2: a product with an integer `n`, `|n·ln 2| ≤
    /// 1.4·`[`Self::EXACT_LIMIT`], is exact.
    const LN2_HIGH: &'static Stored<Self>;
    /// ln 2 − [`Self::LN2_HIGH`].
    const LN2_LOW: &'static Stored<Self>;
    /// The reduction is accurate for `|x|` up to 1.4 times this.
    const EXACT_LIMIT: f64;
    /// Coefficients of `q`, constant first.
    const EXP_Q: &'static [Stored<Self>];
    /// Below this `e^x` rounds to zero.
    const EXP_MIN: f64;
    /// Above this, at or below 0, `e^x` is a normal number however it is put together.
    const EXP_NORMAL: f64;
    /// Largest error of `e^x` in [`decay`] over all inputs, in units in the last place, as the
    /// tests measure it.
    const EXP_ULP: f64;
    /// Largest error of `e^x − 1` likewise.
    const EXP_M1_ULP: f64;
}

#[allow(clippy::excessive_precision, reason = "as the fit has them")]
impl ExpTable for f32 {
    const ONE: &'static Stored<Self> = &Stored::new(1.0);
    const LOG2_E: &'static Stored<Self> = &Stored::new(core::f64::consts::LOG2_E);
    const LN2_HIGH: &'static Stored<Self> = &Stored::new(0.693_115_234_375);
    const LN2_LOW: &'static Stored<Self> = &Stored::new(3.194_618_329_871_446e-5);
    const EXACT_LIMIT: f64 = 1000.0;
    const EXP_Q: &'static [Stored<Self>] = &Stored::each([
        0.499_999_940_4,
        0.166_665_211_3,
        0.041_668_388_99,
        0.008_368_716_575,
        0.001_381_459_879,
    ]);
    const EXP_MIN: f64 = -104.0;
    const EXP_NORMAL: f64 = -86.5;
    const EXP_ULP: f64 = 1.0;
    const EXP_M1_ULP: f64 = 1.0;
}

impl ExpTable for f64 {
    const ONE: &'static Stored<Self> = &Stored::new(1.0);
    const LOG2_E: &'static Stored<Self> = &Stored::new(core::f64::consts::LOG2_E);
    const LN2_HIGH: &'static Stored<Self> = &Stored::new(0.693_147_180_369_123_8);
    const LN2_LOW: &'static Stored<Self> = &Stored::new(1.908_214_929_270_587_7e-10);
    const EXACT_LIMIT: f64 = 1_048_576.0;
    const EXP_Q: &'static [Stored<Self>] = &Stored::each([
        0.500_000_000_000_001_1,
        0.166_666_666_666_664_13,
        0.041_666_666_666_530_155,
        0.008_333_333_333_494_463,
        0.001_388_888_894_363_038,
        0.000_198_412_695_065_757_44,
        2.480_149_309_863_533e-5,
        2.755_758_637_567_864_6e-6,
        2.763_024_847_316_803e-7,
        2.500_006_118_325_138_8e-8,
    ]);
    const EXP_MIN: f64 = -746.0;
    const EXP_NORMAL: f64 = -707.5;
    const EXP_ULP: f64 = 1.25;
    const EXP_M1_ULP: f64 = 1.25;
}

/// `x = n·ln 2 + fraction`, accurate for `|x| ≤ 1.4·`[`ExpTable::EXACT_LIMIT`]; NaN or worthless
/// beyond the integers.
#[derive(Clone, Copy, Debug)]
pub struct Reduced<V> {
    /// The remainder, at most ln 2 / 2 in magnitude.
    pub fraction: V,
    /// `n + `[`Scalar::MAGIC`]: `n` as a float, and at the same time as an integer in the low
    /// bits.
    pub exponent: V,
}

/// The constants of [`reduce_by`], for loops that keep them in registers.
#[derive(Clone, Copy, Debug)]
pub struct Reduction<V> {
    log2_e: V,
    ln2_high: V,
    ln2_low: V,
}

impl<V: Vector<Scalar: ExpTable>> Reduction<V> {
    /// As they lie in memory.
    #[inline(always)]
    pub fn stored() -> Self {
        Self {
            log2_e: V::stored(V::Scalar::LOG2_E),
            ln2_high: V::stored(V::Scalar::LN2_HIGH),
            ln2_low: V::stored(V::Scalar::LN2_LOW),
        }
    }

    /// See [`reduce_by`].
    #[inline(always)]
    pub fn reduce_by(&self, magic: V, x: V) -> Reduced<V> {
        let exponent = x.mul(self.log2_e).add(magic);
        let n = exponent.sub(magic);
        let fraction = x.sub(n.mul(self.ln2_high)).sub(n.mul(self.ln2_low));
        Reduced { fraction, exponent }
    }
}

/// The most coefficients that a loop keeps in registers, of which there are 16.
const KEPT: usize = 5;

/// The constants of [`fraction_exp`], for loops that keep them in registers: those of float32. Of
/// float64 there are too many, and they are read where they are used.
#[derive(Clone, Copy, Debug)]
pub struct FractionExp<V> {
    q: Option<[V; KEPT]>,
    one: V,
}

impl<V: Vector<Scalar: ExpTable>> FractionExp<V> {
    /// As they lie in memory.
    #[inline(always)]
    pub fn stored() -> Self {
        let q = <&[_; KEPT]>::try_from(V::Scalar::EXP_Q).ok();
        Self { q: q.map(|q| q.each_ref().map(V::stored)), one: V::stored(V::Scalar::ONE) }
    }

    /// See [`fraction_exp`].
    #[inline(always)]
    pub fn of(&self, g: V) -> V {
        let q = match &self.q {
            Some(q) => polynomial_of(g, q, |&q| q),
            None => polynomial(g, V::Scalar::EXP_Q),
        };
        exp_m1_from(q, g).add(self.one)
    }
}

/// `e^g − 1`, from `g` and what [`ExpTable::EXP_Q`] makes of it.
#[inline(always)]
fn exp_m1_from<V: Vector>(q: V, g: V) -> V {
    q.mul(g.mul(g)).add(g)
}

/// Splits `x` into an integer multiple of ln 2 and a remainder.
#[inline(always)]
pub fn reduce<V: Vector<Scalar: ExpTable>>(x: V) -> Reduced<V> {
    reduce_by(stored!(V, V::Scalar::MAGIC), x)
}

/// The same with another whole number near [`Scalar::MAGIC`] added to `n` in [`Reduced::exponent`].
/// With a bias in it, shifting that up makes a power of two of it.
#[inline(always)]
pub fn reduce_by<V: Vector<Scalar: ExpTable>>(magic: V, x: V) -> Reduced<V> {
    Reduction::stored().reduce_by(magic, x)
}

/// `e^g − 1` for `|g| ≤ ln 2 / 2`.
#[inline(always)]
fn fraction_exp_m1<V: Vector<Scalar: ExpTable>>(g: V) -> V {
    exp_m1_from(polynomial(g, V::Scalar::EXP_Q), g)
}

/// `e^g` for `|g| ≤ ln 2 / 2`.
#[inline(always)]
pub fn fraction_exp<V: Vector<Scalar: ExpTable>>(g: V) -> V {
    fraction_exp_m1(g).add(V::stored(V::Scalar::ONE))
}

/// `2^n`, a normal number, from its bits: powers and logarithms of the platform promise none.
pub const fn two_to(n: i64) -> f64 {
    f64::from_bits(((1023 + n) as u64) << 52)
}

/// `2^n` for exponents as [`Reduced`] has them; −bias gives +0, and what lies outside `[−bias,
/// bias]` is the caller's to avoid.
#[inline(always)]
pub fn power_of_two<V: Vector<Scalar: ExpTable>>(exponent: V) -> V {
    exponent.bits_sub(stored!(V, V::Scalar::MAGIC - V::Scalar::BIAS)).bits_to_exponent()
}

/// `p·2^exponent` for `p` in `[½, 2]` where the result is a normal number: a sum of exponents, not
/// a product.
#[inline(always)]
pub fn times_power_of_two<V: Vector<Scalar: ExpTable>>(p: V, exponent: V) -> V {
    p.bits_add(exponent.bits_to_exponent())
}

/// `e^x` and `e^x − 1` for `x ≤ 0`: 0 and −1 at the end, gradual underflow of the one and no
/// cancellation in the other; NaN stays. Off by at most [`ExpTable::EXP_ULP`] and
/// [`ExpTable::EXP_M1_ULP`] units in the last place.
///
/// ```
/// use focal_loss::{math::exp::decay, simd::{F64x2, vector::Vector}};
/// let (power, less_one) = decay(F64x2::splat(-1e-300));
/// assert_eq!((power.lane(0), less_one.lane(0)), (1.0, -1e-300));
/// ```
#[inline(always)]
pub fn decay<V: Vector<Scalar: ExpTable>>(x: V) -> (V, V) {
    Decay::new(V::constant).of(x)
}

/// The constants of [`decay`].
#[derive(Clone, Copy, Debug)]
pub struct Decay<V> {
    least: V,
    magic: V,
    lower: V,
}

impl<V: Vector<Scalar: ExpTable>> Decay<V> {
    /// As `constant` makes them.
    #[inline(always)]
    pub fn new(constant: impl Fn(f64) -> V) -> Self {
        // The exponent is kept this much too large until the last product, which is the only one
        // that may be rounded.
        let lift = (V::Scalar::BIAS + 1.0) / 2.0;
        Self {
            least: constant(V::Scalar::EXP_MIN),
            magic: constant(V::Scalar::MAGIC + lift),
            lower: constant(two_to(-(lift as i64))),
        }
    }

    /// See [`decay`].
    #[inline(always)]
    pub fn of(&self, x: V) -> (V, V) {
        let Reduced { fraction, exponent } = reduce_by(self.magic, x.pmax(self.least));
        let less_one = fraction_exp_m1(fraction);
        let one = V::stored(V::Scalar::ONE);
        // Products, in which a NaN stays one.
        let lifted = times_power_of_two(one, exponent);
        let power = lifted.mul(self.lower);
        (less_one.add(one).mul(lifted).mul(self.lower), less_one.mul(power).add(power.sub(one)))
    }
}

/// `e^x` where that is a normal number, twice which is one as well; given [`Scalar::MAGIC`].
#[inline(always)]
pub fn normal_exp<V: Vector<Scalar: ExpTable>>(magic: V, x: V) -> V {
    let Reduced { fraction, exponent } = reduce_by(magic, x);
    times_power_of_two(fraction_exp(fraction), exponent)
}
