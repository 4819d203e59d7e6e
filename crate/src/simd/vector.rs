//! The few operations that the mathematics and the kernels need of a vector of floats.
//!
//! Every algorithm of this crate is written once, over [`Vector`]. The implementations in
//! [`crate::simd`] hold no logic: each operation is one instruction (or a fixed shuffle of a few),
//! rounded as IEEE 754 says, so that all of them give the same bits. Nothing here is fused or
//! approximate.

use core::{fmt::Debug, marker::PhantomData};

/// The room that a factor leaves to the end of its type: for its products in a loss.
const HEADROOM: f64 = 1024.0;

/// A constant in each lane of the vector of `S`, as a load takes it.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub struct Stored<S> {
    /// The bits of the lanes, the lower half of a float64 first.
    pub(super) words: [u32; 4],
    scalar: PhantomData<S>,
}

impl<S> Stored<S> {
    /// `x`, rounded to the scalar type, in every lane.
    pub const fn new(x: f64) -> Self {
        let bits = x.to_bits();
        let (low, high) = (bits as u32, (bits >> 32) as u32);
        let words = if size_of::<S>() == size_of::<f32>() {
            [(x as f32).to_bits(); 4]
        } else {
            [low, high, low, high]
        };
        Self { words, scalar: PhantomData }
    }

    /// Each of `values` in every lane of its own.
    pub const fn each<const N: usize>(values: [f64; N]) -> [Self; N] {
        let mut all = [const { Self::new(0.0) }; N];
        let mut i = 0;
        while i < N {
            all[i] = Self::new(values[i]);
            i += 1;
        }
        all
    }
}

/// A constant expression as a vector of a type: see [`Vector::stored`].
macro_rules! stored {
    ($vector:ty, $x:expr) => {
        <$vector as $crate::simd::vector::Vector>::stored(
            const { &$crate::simd::vector::Stored::new($x) },
        )
    };
}
pub(crate) use stored;

/// A float type and the constants with which its bits are taken apart.
pub trait Scalar: Copy + PartialOrd + Debug + Default + 'static {
    /// Number of bits of the stored mantissa.
    const MANTISSA_BITS: u32;
    /// Bias of the exponent, which is also the exponent of the smallest value that counts as zero
    /// here.
    const BIAS: f64;
    /// Adding this to a small number rounds it to an integer and leaves that integer in the low
    /// bits: 1.5·2^mantissa.
    const MAGIC: f64;
    /// Smallest positive normal number.
    const TINY: f64;
    /// Largest finite number.
    const HUGE: f64;
    /// Distance from 1 to the next number: times [`Self::TINY`], the smallest positive number there
    /// is.
    const EPSILON: f64;
    /// Rounds a float64 to this type.
    fn from_f64(x: f64) -> Self;
    /// Widens exactly.
    fn to_f64(self) -> f64;
    /// True if this type holds `x` to all its digits, and its products in a loss, or no type does.
    #[inline(always)]
    fn holds(x: f64) -> bool {
        Self::HUGE == f64::MAX
            || x == 0.0
            || (Self::TINY..=Self::HUGE / HEADROOM).contains(&x.abs())
    }
}

impl Scalar for f32 {
    const MANTISSA_BITS: u32 = 23;
    const BIAS: f64 = 127.0;
    const MAGIC: f64 = 12_582_912.0;
    const TINY: f64 = f32::MIN_POSITIVE as f64;
    const HUGE: f64 = f32::MAX as f64;
    const EPSILON: f64 = f32::EPSILON as f64;
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as f64
    }
}

impl Scalar for f64 {
    const MANTISSA_BITS: u32 = 52;
    const BIAS: f64 = 1023.0;
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    const TINY: f64 = f64::MIN_POSITIVE;
    const HUGE: f64 = f64::MAX;
    const EPSILON: f64 = f64::EPSILON;
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
}

/// The most lanes a vector has.
pub(crate) const MAX_LANES: usize = 4;

/// A 128-bit vector of floats.
///
/// Comparisons are false for NaN. `bits_*` treat each lane as an unsigned integer of the same width
/// and wrap.
pub trait Vector: Copy + Debug {
    /// Type of a lane.
    type Scalar: Scalar;
    /// One truth value per lane.
    type Mask: Copy + Debug;
    /// One class index per lane.
    type Index: Copy;
    /// [`Self::LANES`] vectors: the columns of a square block.
    type Block: Copy + AsRef<[Self]> + AsMut<[Self]>;
    /// The vector of float64 lanes.
    type Double: Vector<Scalar = f64>;
    /// As many of these as hold all lanes.
    type Doubles: Copy + AsRef<[Self::Double]>;
    /// One float64 sum per lane.
    type Wide: WideSum<Self>;

    /// Number of lanes.
    const LANES: usize;
    /// +0 in every lane.
    const ZERO: Self;

    /// `x` in every lane.
    fn splat(x: Self::Scalar) -> Self;
    /// Lane `i` is `f(i)`.
    fn from_lanes(f: impl FnMut(usize) -> Self::Scalar) -> Self;
    /// The value of a lane.
    fn lane(self, i: usize) -> Self::Scalar;
    /// `x`, rounded to the scalar type, in every lane.
    #[inline(always)]
    fn constant(x: f64) -> Self {
        Self::splat(Self::Scalar::from_f64(x))
    }

    /// A constant, read from memory. Newer engines make a constant anew wherever it is used, with
    /// three instructions, also in loops, and some take as many to spread a number over the lanes;
    /// a load of the whole vector is one everywhere.
    fn stored(x: &'static Stored<Self::Scalar>) -> Self;

    /// All lanes, widened exactly.
    fn widen(self) -> Self::Doubles;
    /// Lane-wise `self + b`.
    fn add(self, b: Self) -> Self;
    /// Lane-wise `self − b`.
    fn sub(self, b: Self) -> Self;
    /// Lane-wise `self · b`.
    fn mul(self, b: Self) -> Self;
    /// Lane-wise `self / b`.
    fn div(self, b: Self) -> Self;
    /// Lane-wise square root.
    fn sqrt(self) -> Self;
    /// `if self < b { b } else { self }`: a NaN in `self` stays.
    fn pmax(self, b: Self) -> Self;
    /// `if b < self { b } else { self }`: a NaN in `self` stays.
    fn pmin(self, b: Self) -> Self;
    /// Clears the sign.
    fn abs(self) -> Self;
    /// Flips the sign.
    fn neg(self) -> Self;

    /// `self < b`.
    fn lt(self, b: Self) -> Self::Mask;
    /// `self > b`.
    fn gt(self, b: Self) -> Self::Mask;
    /// `self = b`.
    fn equals(self, b: Self) -> Self::Mask;
    /// `self ≠ b`: true for NaN.
    fn differs(self, b: Self) -> Self::Mask;
    /// Lane-wise `if mask { self } else { other }`.
    fn select(self, other: Self, mask: Self::Mask) -> Self;
    /// `self` and `other`, exchanged where the mask holds.
    fn exchange(self, other: Self, mask: Self::Mask) -> (Self, Self);
    /// Lane-wise `if mask { self } else { +0 }`.
    fn keep(self, mask: Self::Mask) -> Self;
    /// Lane-wise `if mask { +0 } else { self }`.
    fn clear(self, mask: Self::Mask) -> Self;
    /// Lane-wise `if mask { −self } else { self }`.
    fn negate(self, mask: Self::Mask) -> Self;
    /// True where both masks hold.
    fn both(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// True where either mask holds.
    fn either(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// True if the mask holds in every lane.
    fn all(mask: Self::Mask) -> bool;
    /// True if the mask holds in no lane.
    fn none(mask: Self::Mask) -> bool;

    /// Integer sum of the bits.
    fn bits_add(self, b: Self) -> Self;
    /// Integer difference of the bits.
    fn bits_sub(self, b: Self) -> Self;
    /// Bitwise or.
    fn bits_or(self, b: Self) -> Self;
    /// Moves the low bits up into the exponent field.
    fn bits_to_exponent(self) -> Self;
    /// Moves the exponent field (and the sign) down into the low bits.
    fn exponent_to_bits(self) -> Self;

    /// Class indices of [`Self::LANES`] rows.
    ///
    /// # Safety
    /// `p` must be valid for reading [`Self::LANES`] values.
    unsafe fn load_index(p: *const i32) -> Self::Index;
    /// Writes 1 where the mask holds, else 0.
    ///
    /// # Safety
    /// `p` must be valid for writing [`Self::LANES`] values.
    unsafe fn store_truth(mask: Self::Mask, p: *mut i32);
    /// Writes class indices of [`Self::LANES`] rows.
    ///
    /// # Safety
    /// `p` must be valid for writing [`Self::LANES`] values.
    unsafe fn store_index(index: Self::Index, p: *mut i32);
    /// A lane's index where that of `predicted` is the same, else its complement.
    fn as_decided(index: Self::Index, predicted: Self::Index) -> Self::Index;
    /// True where a lane's index is `class`.
    fn index_is(index: Self::Index, class: i32) -> Self::Mask;
    /// True where a lane's index is below `class`.
    fn index_below(index: Self::Index, class: i32) -> Self::Mask;
    /// True where lane `i` is `position`, false everywhere when `position` is not below
    /// [`Self::LANES`].
    fn lane_is(position: usize) -> Self::Mask;
    /// True where lane `i` is below `end`.
    fn lane_below(end: usize) -> Self::Mask;

    /// Reads [`Self::LANES`] consecutive values; no alignment is asked for.
    ///
    /// # Safety
    /// `p` must be valid for reading them.
    unsafe fn load(p: *const Self::Scalar) -> Self;
    /// Writes [`Self::LANES`] consecutive values.
    ///
    /// # Safety
    /// `p` must be valid for writing them.
    unsafe fn store(self, p: *mut Self::Scalar);
    /// Reads the pairs `(p[2i], p[2i+1])` into lane `i` of two vectors.
    ///
    /// # Safety
    /// `p` must be valid for reading `2·LANES` values.
    unsafe fn load_pairs(p: *const Self::Scalar) -> (Self, Self);
    /// Writes lane `i` of two vectors to `p[2i]` and `p[2i+1]`.
    ///
    /// # Safety
    /// `p` must be valid for writing `2·LANES` values.
    unsafe fn store_pairs(first: Self, second: Self, p: *mut Self::Scalar);
    /// Reads a square block, transposed: lane `i` of vector `j` is `p[i·stride + j]`.
    ///
    /// # Safety
    /// `p[i·stride .. i·stride + LANES]` must be valid for reading for each lane `i`.
    unsafe fn load_block(p: *const Self::Scalar, stride: usize) -> Self::Block;
    /// The block whose vector `j` is `f(j)`.
    fn block(f: impl FnMut(usize) -> Self) -> Self::Block;
    /// Writes a square block, transposed.
    ///
    /// # Safety
    /// `p[i·stride .. i·stride + LANES]` must be valid for writing for each lane `i`.
    unsafe fn store_block(block: Self::Block, p: *mut Self::Scalar, stride: usize);
    /// [`Self::load_block`] for rows of one value less, side by side. The last vector is worthless.
    ///
    /// # Safety
    /// `p` must be valid for reading the rows.
    unsafe fn load_narrow(p: *const Self::Scalar) -> Self::Block;
    /// [`Self::store_block`] for rows of one value less, side by side. The last vector is left out.
    ///
    /// # Safety
    /// `p` must be valid for writing the rows.
    unsafe fn store_narrow(block: Self::Block, p: *mut Self::Scalar);
}

/// Float64 sums, one per lane, in a fixed order of additions.
pub trait WideSum<V>: Copy + Debug {
    /// All sums zero.
    const ZERO: Self;
    /// Adds each lane to its sum.
    fn accumulate(self, v: V) -> Self;
    /// The sum of all lanes.
    fn total(self) -> f64;
}

/// Float64 sums that carry what each addition rounded off (Knuth's two-sum), so that long sums lose
/// nothing.
#[derive(Clone, Copy, Debug)]
pub struct Compensated<V> {
    sum: V,
    lost: V,
}

impl<V: Vector<Scalar = f64>> WideSum<V> for Compensated<V> {
    const ZERO: Self = Self { sum: V::ZERO, lost: V::ZERO };
    #[inline(always)]
    fn accumulate(self, v: V) -> Self {
        let sum = self.sum.add(v);
        let added = sum.sub(self.sum);
        let lost = self.sum.sub(sum.sub(added)).add(v.sub(added));
        Self { sum, lost: self.lost.add(lost) }
    }
    #[inline(always)]
    fn total(self) -> f64 {
        let lanes = |v: V| (0..V::LANES).map(|i| v.lane(i)).sum::<f64>();
        let sum = lanes(self.sum);
        // The rounding errors are not numbers once a sum is infinite.
        if sum.is_finite() { sum + lanes(self.lost) } else { sum }
    }
}

/// Calls `f` with every multiple of `step` below `end`, itself one, and with which of four in turn
/// it is.
#[inline(always)]
pub(crate) fn in_fours(end: usize, step: usize, mut f: impl FnMut(usize, usize)) {
    let mut j = 0;
    while j + 4 * step <= end {
        (0..4).for_each(|k| f(j + k * step, k));
        j += 4 * step;
    }
    while j < end {
        f(j, 0);
        j += step;
    }
}
