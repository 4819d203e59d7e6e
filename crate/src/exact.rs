//! Sums without any rounding, so that they are the same in whatever order and however many parts.
//!
//! A sum is an integer in units of the smallest subnormal float64, in digits of 32 bits that wait for their carries. Adding a number to
//! them takes a dozen instructions; batches take a short cut. Numbers whose sizes differ by no more than a fixed factor are cut at
//! fixed places by adding and subtracting a large constant: then sums of the parts are exact in float64, or as integers, and only
//! these sums are added to the digits.

use crate::{
    arch::{F32x4, F64x2, Float},
    vector::{Scalar, Vector, WideSum},
};

/// Bits below 1 of the unit.
const FRACTION_BITS: usize = 1074;

/// Digits of a sum: all bits of a float64, and those that a product with a number of terms adds.
const DIGITS: usize = (FRACTION_BITS + 1024) / 32 + 2;

/// How many numbers are cut together.
const CHUNK: usize = 4096;

/// How many float64 are.
const WIDE_CHUNK: usize = 512;

/// The exponent of a float64, that of its leading bit where it is a normal number.
fn exponent(x: f64) -> i32 {
    (x.to_bits() >> 52 & 0x7ff) as i32 - 1023
}

/// `1.5·2^n`, which added to a number of less than `2^(n−1)` cuts it where its own last bit is.
fn magic(n: i32) -> f64 {
    f64::from_bits(((n + 1023) as u64) << 52 | 1 << 51)
}

/// The largest of some numbers in size, and the smallest but 0: infinite where there are others.
#[inline(always)]
fn extent<V: Vector>(values: &[V::Scalar]) -> (f64, f64) {
    let (zero, infinite) = (V::constant(0.0), V::constant(f64::INFINITY));
    let (mut most, mut least) = ([zero; 2], [infinite; 2]);
    for (i, vector) in values.chunks_exact(V::LANES).enumerate() {
        // SAFETY: a whole vector.
        let x = unsafe { V::load(vector.as_ptr()) }.abs();
        most[i % 2] = most[i % 2].pmax(x);
        least[i % 2] = least[i % 2].pmin(x.select(infinite, x.gt(zero)));
    }
    let (most, least) = (most[0].pmax(most[1]), least[0].pmin(least[1]));
    let lanes = |v: V| (0..V::LANES).map(move |i| v.lane(i).to_f64());
    (lanes(most).fold(0.0, f64::max), lanes(least).fold(f64::INFINITY, f64::min))
}

/// A sum.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct ExactSum {
    /// What the finite numbers add up to: `Σ digits[k]·2^(32k − 1074)`.
    pub digits: [i64; DIGITS],
    /// How many were NaN.
    pub nan: i64,
    /// How many were infinite.
    pub infinite: i64,
}

impl ExactSum {
    /// Nothing.
    pub const fn new() -> Self {
        Self { digits: [0; DIGITS], nan: 0, infinite: 0 }
    }

    /// Adds a number.
    pub fn add(&mut self, x: f64) {
        if !x.is_finite() {
            if x.is_nan() {
                self.nan += 1;
            } else {
                self.infinite += 1;
            }
            return;
        }
        let bits = x.to_bits();
        let biased = (bits >> 52 & 0x7ff) as usize;
        let mantissa = bits & ((1 << 52) - 1) | u64::from(biased > 0) << 52;
        let place = biased.saturating_sub(1);
        let shifted = u128::from(mantissa) << (place % 32);
        let sign = if x.is_sign_negative() { -1 } else { 1 };
        let digits = self.digits.iter_mut().skip(place / 32).take(3);
        for (k, digit) in digits.enumerate() {
            *digit += sign * i64::from((shifted >> (32 * k)) as u32);
        }
    }

    /// Adds numbers.
    pub fn add_all<T: Summand>(&mut self, values: &[T]) {
        for chunk in values.chunks(CHUNK) {
            let (vectors, rest) = chunk.split_at(chunk.len() - chunk.len() % <T::Vector as Vector>::LANES);
            T::add_vectors(self, vectors);
            rest.iter().for_each(|x| self.add(x.to_f64()));
        }
    }

    /// Adds float32 numbers, whole vectors of them: cut once, the upper parts are added up as integers, the lower ones in float64.
    /// Returns whether that is exact; elsewhere nothing has changed.
    #[inline(never)]
    fn add_near(&mut self, values: &[f32]) -> bool {
        // Of the numbers, exponents lie in [top − 38, top]. The upper parts are multiples of 2^(top − 19), at most 2^20 times that; a
        // lane's 1024 of them add up to 2^30 times that. The lower parts are half of that or less, and multiples of 2^(top − 61):
        // all 4096 of them add up to less than 2^53 times that.
        let (most, least) = extent::<F32x4>(values);
        let top = exponent(most);
        if !(-60..100).contains(&top) || exponent(least) < top - 38 {
            return false;
        }
        let cut = magic(top + 4) as f32;
        let cutter = F32x4::splat(cut);
        let mut upper = [F32x4::splat(0.0); 2];
        let mut lower = [<F32x4 as Vector>::Wide::zero(); 2];
        for (i, vector) in values.chunks_exact(F32x4::LANES).enumerate() {
            // SAFETY: a whole vector.
            let x = unsafe { F32x4::load(vector.as_ptr()) };
            let shifted = x.add(cutter);
            upper[i % 2] = upper[i % 2].bits_add(shifted);
            lower[i % 2] = lower[i % 2].accumulate(x.sub(shifted.sub(cutter)));
        }
        let lower = lower[0].total() + lower[1].total();
        if !lower.is_finite() {
            // A NaN, which the extent does not show.
            return false;
        }
        let vectors = (values.len() / F32x4::LANES) as u32;
        let upper = upper[0].bits_add(upper[1]);
        let unit = magic(top - 19) / 1.5;
        for i in 0..F32x4::LANES {
            let units = upper.lane(i).to_bits().wrapping_sub(vectors.wrapping_mul(cut.to_bits()));
            self.add(f64::from(units as i32) * unit);
        }
        self.add(lower);
        true
    }

    /// Adds float64 numbers, whole vectors of them and at most [`WIDE_CHUNK`]: cut twice.
    #[inline(never)]
    fn add_wide(&mut self, values: &[f64]) {
        // Of the numbers, exponents lie in [top − 72, top]. Sums of parts begin with a constant, whose last bit is where the cut is, and
        // stay near it. The uppermost parts are multiples of 2^(top − 40), the next ones, at most half of that, of 2^(top − 81).
        let (most, least) = extent::<F64x2>(values);
        let top = exponent(most);
        let near = (-900..1000).contains(&top) && exponent(least) >= top - 72;
        let cuts = [magic(top.clamp(-900, 1000) + 12), magic(top.clamp(-900, 1000) - 29)].map(F64x2::splat);
        let mut sums = [[cuts[0], cuts[1], F64x2::splat(0.0)]; 2];
        if near {
            for (i, vector) in values.chunks_exact(F64x2::LANES).enumerate() {
                // SAFETY: a whole vector.
                let mut x = unsafe { F64x2::load(vector.as_ptr()) };
                let [upper, middle, lower] = &mut sums[i % 2];
                for sum in [upper, middle] {
                    let next = sum.add(x);
                    x = x.sub(next.sub(*sum));
                    *sum = next;
                }
                *lower = lower.add(x);
            }
        }
        let parts = sums.map(|[upper, middle, lower]| [upper.sub(cuts[0]), middle.sub(cuts[1]), lower]);
        let lanes = || parts.iter().flatten().flat_map(|v| (0..F64x2::LANES).map(|i| v.lane(i)));
        // A NaN is not to be seen in the extent.
        if near && lanes().all(f64::is_finite) {
            lanes().for_each(|x| self.add(x));
        } else {
            values.iter().for_each(|&x| self.add(x));
        }
    }
}

impl Default for ExactSum {
    fn default() -> Self {
        Self::new()
    }
}

/// What is added up.
pub trait Summand: Float {
    /// Adds whole vectors of numbers, at most so many as are cut together.
    fn add_vectors(sum: &mut ExactSum, values: &[Self]);
}

impl Summand for f32 {
    #[inline(always)]
    fn add_vectors(sum: &mut ExactSum, values: &[Self]) {
        if sum.add_near(values) {
            return;
        }
        let mut wide = [0.0; WIDE_CHUNK];
        for chunk in values.chunks(WIDE_CHUNK) {
            let wide = wide.get_mut(..chunk.len()).unwrap_or_default();
            wide.iter_mut().zip(chunk).for_each(|(to, &x)| *to = f64::from(x));
            sum.add_wide(wide);
        }
    }
}

impl Summand for f64 {
    #[inline(always)]
    fn add_vectors(sum: &mut ExactSum, values: &[Self]) {
        values.chunks(WIDE_CHUNK).for_each(|chunk| sum.add_wide(chunk));
    }
}
