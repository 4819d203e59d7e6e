//! Sums without any rounding, so that they are the same in whatever order and however many parts.
//!
//! A sum is an integer in units of the smallest subnormal float64, in digits of 32 bits that wait
//! for their carries. Adding a number to them takes two dozen instructions. Batches take a short
//! cut: numbers are cut at fixed places, into parts that are multiples of powers of two, of which
//! so many can be added up in float64 without rounding; only these sums are added to the digits.
//! Adding a number to a sum that begins with a large constant is what cuts it: what the sum grows
//! by is the upper part.

use crate::{
    math::Float,
    simd::vector::{Scalar, Vector, in_fours},
    simd::{F32x4, F64x2},
};

/// Bits below 1 of the unit.
const FRACTION_BITS: usize = 1074;

/// Digits of a sum: all bits of a float64, and those that a product with a number of terms adds.
pub const DIGITS: usize = (FRACTION_BITS + 1024) / 32 + 2;

/// Numbers that a lane adds up before its sums go to the digits.
const TERMS: usize = 1 << 10;

/// Numbers that are looked at together.
pub const BLOCK: usize = 128;

/// Numbers that are cut are below two to this power, or at least their sums are below 2^10 times
/// that.
const TOP: i32 = 10;

/// Bits between one cut and the next: 52, less the 10 that a lane's sum has more than its terms.
const STEP: i32 = 42;

/// Number of blocks that are cut more often once one has to be.
const PATIENCE: u32 = 16;

/// The most cuts.
const CUTS: usize = 6;

/// `2^n`, for a normal number.
const fn power(n: i32) -> f64 {
    f64::from_bits(((n + 1023) as u64) << 52)
}

/// The beginning of the sums of the upper parts: half as much again as twice what they can be. Its
/// last bit is where it cuts.
fn cutter(k: usize) -> F64x2 {
    F64x2::splat(1.5 * power(TOP + 11 - STEP * k as i32))
}

/// The smallest number that can be cut so often. What is below the last cut is at most half of its
/// bit, `2^(TOP + 11 − 52)` for the first and [`STEP`] bits less for each other; a lane adds up
/// [`TERMS`] of that, and its sum has 53 bits.
fn smallest<S: Scalar>(cuts: usize) -> f64 {
    let highest = TOP + 11 - 53 - STEP * (cuts as i32 - 1) + 10;
    let last_bit = highest - 53;
    let mantissa = S::MANTISSA_BITS as i32;
    // Where every number can be, so can the subnormal ones.
    if last_bit < 2 - S::BIAS as i32 - mantissa { 0.0 } else { power(last_bit + mantissa) }
}

/// The sums of two pairs of lanes: what is above each cut, and last what is below them.
#[derive(Clone, Copy, Debug)]
pub struct CutSums {
    sums: [[F64x2; 2]; CUTS + 1],
    /// Number of terms that each has at most.
    terms: usize,
}

/// A sum.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct ExactSum {
    /// The sum of the finite numbers: `Σ digits[k]·2^(32k − 1074)`. Each digit waits for its
    /// carry, for 2^31 numbers at least.
    pub digits: [i64; DIGITS],
    /// Number of terms that were NaN.
    pub nan: i64,
    /// Number of terms that were infinite.
    pub infinite: i64,
}

impl ExactSum {
    /// Nothing.
    pub const fn new() -> Self {
        Self { digits: [0; DIGITS], nan: 0, infinite: 0 }
    }

    /// Adds a number.
    pub fn add(&mut self, x: f64) {
        if x == 0.0 {
            return;
        }
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
}

impl Default for ExactSum {
    fn default() -> Self {
        Self::new()
    }
}

/// Adders add batches of numbers to a sum.
#[derive(Clone, Debug, Default)]
pub struct Adder {
    sum: ExactSum,
    /// The part that is not in the sum yet: of numbers of about the same size, and of others.
    near: Option<CutSums>,
    wide: Option<CutSums>,
    /// For how many blocks the fewest cuts are not tried.
    patience: u32,
}

impl Adder {
    /// Nothing.
    pub const fn new() -> Self {
        Self { sum: ExactSum::new(), near: None, wide: None, patience: 0 }
    }

    /// Adds numbers.
    pub fn add_all<T: Summand>(&mut self, values: &[T]) {
        for block in values.chunks(BLOCK) {
            let vectors = block.len() / T::Vector::LANES;
            // SAFETY: so many vectors.
            unsafe { self.add_block(block.as_ptr(), vectors) };
            block.iter().skip(vectors * T::Vector::LANES).for_each(|x| self.sum.add(x.to_f64()));
        }
    }

    /// Adds a block of vectors, at most [`BLOCK`].
    ///
    /// # Safety
    /// There must be so many.
    #[inline(always)]
    pub(crate) unsafe fn add_block<T: Summand>(&mut self, values: *const T, vectors: usize) {
        // SAFETY: passed on.
        unsafe {
            if self.patience == 0 {
                if T::add_near(self.lanes(vectors, |adder| &mut adder.near), values, vectors) {
                    return;
                }
                self.patience = PATIENCE;
            }
            self.patience -= 1;
            if !T::add_wide(self.lanes(vectors, |adder| &mut adder.wide), values, vectors) {
                (0..vectors * T::Vector::LANES)
                    .for_each(|i| self.sum.add((*values.add(i)).to_f64()));
            }
        }
    }

    /// Lanes with room for so many terms more.
    #[inline(always)]
    fn lanes(
        &mut self,
        terms: usize,
        which: impl Fn(&mut Self) -> &mut Option<CutSums>,
    ) -> &mut CutSums {
        if which(self).as_ref().is_some_and(|lanes| lanes.terms + terms > TERMS) {
            self.flush();
        }
        which(self).get_or_insert_with(CutSums::new)
    }

    /// Puts everything into the sum.
    #[inline(never)]
    fn flush(&mut self) {
        for lanes in [self.near.take(), self.wide.take()].into_iter().flatten() {
            lanes.each(|sum| self.sum.add(sum));
        }
    }

    /// The sum of all that was added.
    pub fn sum(&mut self) -> &ExactSum {
        self.flush();
        &self.sum
    }
}

impl CutSums {
    fn new() -> Self {
        let mut sums = [[F64x2::splat(0.0); 2]; CUTS + 1];
        sums.iter_mut().take(CUTS).enumerate().for_each(|(k, sums)| *sums = [cutter(k); 2]);
        Self { sums, terms: 0 }
    }

    /// Calls `f` with the sums of all lanes.
    fn each(&self, mut f: impl FnMut(f64)) {
        for (k, sums) in self.sums.iter().enumerate() {
            let start = if k < CUTS { cutter(k) } else { F64x2::splat(0.0) };
            for sum in sums {
                (0..F64x2::LANES).for_each(|i| f(sum.sub(start).lane(i)));
            }
        }
    }

    /// Adds vectors of numbers by cutting them `K` times; if not `ANY`, they must all be above 0,
    /// and never below. Returns whether that is possible; where it is not, nothing has changed.
    ///
    /// # Safety
    /// There must be so many.
    #[inline(always)]
    unsafe fn cut<T: Summand, const K: usize, const ANY: bool>(
        &mut self,
        values: *const T,
        vectors: usize,
    ) -> bool {
        let zero = T::Vector::constant(0.0);
        let infinite = T::Vector::constant(f64::INFINITY);
        let smallest = smallest::<T>(K);
        let mut least = infinite;
        let mut upper: [[F64x2; 2]; K] = core::array::from_fn(|k| self.sums[k]);
        let mut lowest = self.sums[CUTS];
        in_fours(vectors, 1, |i, _| {
            // SAFETY: a vector of numbers.
            let x = unsafe { T::Vector::load(values.add(i * T::Vector::LANES)) };
            let is_zero_allowed = ANY && smallest > 0.0;
            least =
                if is_zero_allowed { infinite.select(x, x.equals(zero)) } else { x }.pmin(least);
            for (lane, mut x) in T::widen(x).into_iter().enumerate() {
                for sums in &mut upper {
                    let next = sums[lane].add(x);
                    x = x.sub(next.sub(sums[lane]));
                    sums[lane] = next;
                }
                lowest[lane] = lowest[lane].add(x);
            }
        });
        // Sums that only grow, and still have their last bit where they had it, always had it
        // there. They show a NaN, too.
        let fits = upper.first().is_none_or(|sums| {
            sums.iter().all(|sum| F64x2::all(sum.lt(F64x2::splat(power(TOP + 12)))))
        });
        let possible = fits && T::Vector::none(least.lt(T::Vector::constant(smallest)));
        if possible {
            self.sums.iter_mut().zip(upper).for_each(|(to, sums)| *to = sums);
            self.sums[CUTS] = lowest;
            self.terms += vectors;
        }
        possible
    }
}

/// Numbers that are added up.
pub trait Summand: Float {
    /// Two float64 or four, in vectors.
    type Wide: IntoIterator<Item = F64x2>;
    /// A vector in float64.
    fn widen(x: Self::Vector) -> Self::Wide;
    /// Adds vectors of numbers that are neither too large nor too small; or returns false and adds
    /// nothing.
    ///
    /// # Safety
    /// There must be so many.
    unsafe fn add_near(lanes: &mut CutSums, values: *const Self, vectors: usize) -> bool;
    /// Adds vectors of other numbers; or returns false and adds nothing.
    ///
    /// # Safety
    /// There must be so many.
    unsafe fn add_wide(lanes: &mut CutSums, values: *const Self, vectors: usize) -> bool;
}

impl Summand for f32 {
    type Wide = [F64x2; 2];

    #[inline(always)]
    fn widen(x: F32x4) -> [F64x2; 2] {
        x.widen()
    }

    /// From 2^−52 on.
    #[inline(always)]
    unsafe fn add_near(lanes: &mut CutSums, values: *const Self, vectors: usize) -> bool {
        // SAFETY: passed on.
        unsafe { lanes.cut::<Self, 1, false>(values, vectors) }
    }

    /// All.
    #[inline(never)]
    unsafe fn add_wide(lanes: &mut CutSums, values: *const Self, vectors: usize) -> bool {
        // SAFETY: passed on.
        unsafe { lanes.cut::<Self, 3, true>(values, vectors) }
    }
}

impl Summand for f64 {
    type Wide = [F64x2; 1];

    #[inline(always)]
    fn widen(x: F64x2) -> [F64x2; 1] {
        [x]
    }

    /// From 2^−65 on.
    #[inline(always)]
    unsafe fn add_near(lanes: &mut CutSums, values: *const Self, vectors: usize) -> bool {
        // SAFETY: passed on.
        unsafe { lanes.cut::<Self, 2, false>(values, vectors) }
    }

    /// From 2^−233 on, and 0.
    #[inline(never)]
    unsafe fn add_wide(lanes: &mut CutSums, values: *const Self, vectors: usize) -> bool {
        // SAFETY: passed on.
        unsafe { lanes.cut::<Self, { CUTS }, true>(values, vectors) }
    }
}
