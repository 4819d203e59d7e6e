//! WebAssembly SIMD128: each operation is an instruction, or a fixed shuffle of a few. No relaxed
//! ones.

use core::{arch::wasm32::*, ptr::read_volatile};

use crate::simd::vector::{Compensated, Stored, Vector, WideSum};

/// Four float32 lanes.
#[derive(Clone, Copy, Debug)]
pub struct F32x4(v128);

/// Two float64 lanes.
#[derive(Clone, Copy, Debug)]
pub struct F64x2(v128);

/// The operations that differ between the two types only in the name of the instruction.
macro_rules! operations {
    ($($method:ident $instruction:ident,)*) => {
        $(
            #[inline(always)]
            fn $method(self, b: Self) -> Self {
                Self($instruction(self.0, b.0))
            }
        )*
        #[inline(always)]
        fn select(self, other: Self, mask: v128) -> Self {
            Self(v128_bitselect(self.0, other.0, mask))
        }
        #[inline(always)]
        fn exchange(self, other: Self, mask: v128) -> (Self, Self) {
            // One instruction more than a single selection takes.
            let difference = v128_and(v128_xor(self.0, other.0), mask);
            (Self(v128_xor(self.0, difference)), Self(v128_xor(other.0, difference)))
        }
        #[inline(always)]
        fn keep(self, mask: v128) -> Self {
            Self(v128_and(self.0, mask))
        }
        #[inline(always)]
        fn clear(self, mask: v128) -> Self {
            Self(v128_andnot(self.0, mask))
        }
        #[inline(always)]
        fn both(a: v128, b: v128) -> v128 {
            v128_and(a, b)
        }
        #[inline(always)]
        fn either(a: v128, b: v128) -> v128 {
            v128_or(a, b)
        }
        #[inline(always)]
        fn none(mask: v128) -> bool {
            !v128_any_true(mask)
        }
        #[inline(always)]
        fn bits_or(self, b: Self) -> Self {
            Self(v128_or(self.0, b.0))
        }
        #[inline(always)]
        unsafe fn load(p: *const Self::Scalar) -> Self {
            // SAFETY: the caller vouches for 16 bytes; the instruction asks for no alignment.
            Self(unsafe { v128_load(p.cast()) })
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut Self::Scalar) {
            // SAFETY: the caller vouches for 16 bytes; the instruction asks for no alignment.
            unsafe { v128_store(p.cast(), self.0) }
        }
    };
}

impl Vector for F32x4 {
    type Scalar = f32;
    type Mask = v128;
    type Index = v128;
    type Block = [Self; 4];
    type Double = F64x2;
    type Doubles = [F64x2; 2];
    type Wide = Promoted;
    const LANES: usize = 4;
    const ZERO: Self = Self(f32x4(0.0, 0.0, 0.0, 0.0));

    operations! {
        add f32x4_add, sub f32x4_sub, mul f32x4_mul, div f32x4_div, pmax f32x4_pmax, pmin f32x4_pmin,
        bits_add i32x4_add, bits_sub i32x4_sub,
    }

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self(f32x4_splat(x))
    }
    #[inline(always)]
    fn from_lanes(mut f: impl FnMut(usize) -> f32) -> Self {
        Self(f32x4(f(0), f(1), f(2), f(3)))
    }
    #[inline(always)]
    fn lane(self, i: usize) -> f32 {
        match i {
            0 => f32x4_extract_lane::<0>(self.0),
            1 => f32x4_extract_lane::<1>(self.0),
            2 => f32x4_extract_lane::<2>(self.0),
            _ => f32x4_extract_lane::<3>(self.0),
        }
    }
    #[inline(always)]
    fn stored(x: &'static Stored<f32>) -> Self {
        // Volatile, or the compiler would make a constant of it.
        // SAFETY: it is a reference to a vector's bytes, aligned as a vector.
        Self(unsafe { read_volatile((&raw const x.words).cast()) })
    }
    #[inline(always)]
    fn widen(self) -> [F64x2; 2] {
        let upper = i32x4_shuffle::<2, 3, 0, 1>(self.0, self.0);
        [self.0, upper].map(|x| F64x2(f64x2_promote_low_f32x4(x)))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(f32x4_sqrt(self.0))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(f32x4_abs(self.0))
    }
    #[inline(always)]
    fn neg(self) -> Self {
        Self(f32x4_neg(self.0))
    }
    #[inline(always)]
    fn lt(self, b: Self) -> v128 {
        f32x4_lt(self.0, b.0)
    }
    #[inline(always)]
    fn gt(self, b: Self) -> v128 {
        f32x4_gt(self.0, b.0)
    }
    #[inline(always)]
    fn equals(self, b: Self) -> v128 {
        f32x4_eq(self.0, b.0)
    }
    #[inline(always)]
    fn differs(self, b: Self) -> v128 {
        f32x4_ne(self.0, b.0)
    }
    #[inline(always)]
    fn negate(self, mask: v128) -> Self {
        Self(v128_xor(self.0, v128_and(mask, f32x4_splat(-0.0))))
    }
    #[inline(always)]
    fn all(mask: v128) -> bool {
        // Engines need half a dozen instructions for `all_true`, and two for this.
        i32x4_bitmask(mask) == 0b1111
    }
    #[inline(always)]
    fn bits_to_exponent(self) -> Self {
        Self(i32x4_shl(self.0, 23))
    }
    #[inline(always)]
    fn exponent_to_bits(self) -> Self {
        Self(u32x4_shr(self.0, 23))
    }
    #[inline(always)]
    unsafe fn load_index(p: *const i32) -> v128 {
        // SAFETY: the caller vouches for four values.
        unsafe { v128_load(p.cast()) }
    }
    #[inline(always)]
    unsafe fn store_truth(mask: v128, p: *mut i32) {
        // SAFETY: the caller vouches for four values.
        unsafe { v128_store(p.cast(), u32x4_shr(mask, 31)) }
    }
    #[inline(always)]
    unsafe fn store_index(index: v128, p: *mut i32) {
        // SAFETY: the caller vouches for four values.
        unsafe { v128_store(p.cast(), index) }
    }
    #[inline(always)]
    fn as_decided(index: v128, predicted: v128) -> v128 {
        v128_xor(index, i32x4_ne(index, predicted))
    }
    #[inline(always)]
    fn index_is(index: v128, class: i32) -> v128 {
        i32x4_eq(index, i32x4_splat(class))
    }
    #[inline(always)]
    fn index_below(index: v128, class: i32) -> v128 {
        i32x4_lt(index, i32x4_splat(class))
    }
    #[inline(always)]
    fn lane_is(position: usize) -> v128 {
        i32x4_eq(i32x4(0, 1, 2, 3), i32x4_splat(position as i32))
    }
    #[inline(always)]
    fn lane_below(end: usize) -> v128 {
        i32x4_lt(i32x4(0, 1, 2, 3), i32x4_splat(end as i32))
    }
    #[inline(always)]
    unsafe fn load_pairs(p: *const f32) -> (Self, Self) {
        // SAFETY: the caller vouches for eight values.
        let (a, b) = unsafe { (Self::load(p).0, Self::load(p.add(4)).0) };
        (Self(i32x4_shuffle::<0, 2, 4, 6>(a, b)), Self(i32x4_shuffle::<1, 3, 5, 7>(a, b)))
    }
    #[inline(always)]
    unsafe fn store_pairs(first: Self, second: Self, p: *mut f32) {
        // SAFETY: the caller vouches for eight values.
        unsafe {
            Self(i32x4_shuffle::<0, 4, 1, 5>(first.0, second.0)).store(p);
            Self(i32x4_shuffle::<2, 6, 3, 7>(first.0, second.0)).store(p.add(4));
        }
    }
    #[inline(always)]
    unsafe fn load_block(p: *const f32, stride: usize) -> [Self; 4] {
        // SAFETY: the caller vouches for four values in each of four rows.
        transpose([0, 1, 2, 3].map(|i| unsafe { Self::load(p.add(i * stride)) }))
    }
    #[inline(always)]
    fn block(f: impl FnMut(usize) -> Self) -> [Self; 4] {
        core::array::from_fn(f)
    }
    #[inline(always)]
    unsafe fn store_block(block: [Self; 4], p: *mut f32, stride: usize) {
        for (i, row) in transpose(block).into_iter().enumerate() {
            // SAFETY: the caller vouches for four values in each of four rows.
            unsafe { row.store(p.add(i * stride)) };
        }
    }
    #[inline(always)]
    unsafe fn load_narrow(p: *const f32) -> [Self; 4] {
        // SAFETY: the caller vouches for twelve values. Each row but the last is read with the
        // beginning of the next.
        unsafe {
            let last = Self::load(p.add(8)).0;
            let last = Self(i32x4_shuffle::<1, 2, 3, 0>(last, last));
            transpose([Self::load(p), Self::load(p.add(3)), Self::load(p.add(6)), last])
        }
    }
    #[inline(always)]
    unsafe fn store_narrow(block: [Self; 4], p: *mut f32) {
        let [a, b, c, d] = transpose(block);
        // SAFETY: the caller vouches for twelve values. Each row overwrites what the one before
        // left of its last lane.
        unsafe {
            a.store(p);
            b.store(p.add(3));
            c.store(p.add(6));
            v128_store64_lane::<0>(d.0, p.add(9).cast());
            v128_store32_lane::<2>(d.0, p.add(11).cast());
        }
    }
}

#[inline(always)]
fn transpose([a, b, c, d]: [F32x4; 4]) -> [F32x4; 4] {
    let ab_low = i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0);
    let ab_high = i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0);
    let cd_low = i32x4_shuffle::<0, 4, 1, 5>(c.0, d.0);
    let cd_high = i32x4_shuffle::<2, 6, 3, 7>(c.0, d.0);
    [
        F32x4(i64x2_shuffle::<0, 2>(ab_low, cd_low)),
        F32x4(i64x2_shuffle::<1, 3>(ab_low, cd_low)),
        F32x4(i64x2_shuffle::<0, 2>(ab_high, cd_high)),
        F32x4(i64x2_shuffle::<1, 3>(ab_high, cd_high)),
    ]
}

impl Vector for F64x2 {
    type Scalar = f64;
    type Mask = v128;
    type Index = v128;
    type Block = [Self; 2];
    type Double = Self;
    type Doubles = [Self; 1];
    type Wide = Compensated<Self>;
    const LANES: usize = 2;
    const ZERO: Self = Self(f64x2(0.0, 0.0));

    operations! {
        add f64x2_add, sub f64x2_sub, mul f64x2_mul, div f64x2_div, pmax f64x2_pmax, pmin f64x2_pmin,
        bits_add i64x2_add, bits_sub i64x2_sub,
    }

    #[inline(always)]
    fn splat(x: f64) -> Self {
        Self(f64x2_splat(x))
    }
    #[inline(always)]
    fn from_lanes(mut f: impl FnMut(usize) -> f64) -> Self {
        Self(f64x2(f(0), f(1)))
    }
    #[inline(always)]
    fn lane(self, i: usize) -> f64 {
        match i {
            0 => f64x2_extract_lane::<0>(self.0),
            _ => f64x2_extract_lane::<1>(self.0),
        }
    }
    #[inline(always)]
    fn stored(x: &'static Stored<f64>) -> Self {
        // Volatile, or the compiler would make a constant of it.
        // SAFETY: it is a reference to a vector's bytes, aligned as a vector.
        Self(unsafe { read_volatile((&raw const x.words).cast()) })
    }
    #[inline(always)]
    fn widen(self) -> [Self; 1] {
        [self]
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(f64x2_sqrt(self.0))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(f64x2_abs(self.0))
    }
    #[inline(always)]
    fn neg(self) -> Self {
        Self(f64x2_neg(self.0))
    }
    #[inline(always)]
    fn lt(self, b: Self) -> v128 {
        f64x2_lt(self.0, b.0)
    }
    #[inline(always)]
    fn gt(self, b: Self) -> v128 {
        f64x2_gt(self.0, b.0)
    }
    #[inline(always)]
    fn equals(self, b: Self) -> v128 {
        f64x2_eq(self.0, b.0)
    }
    #[inline(always)]
    fn differs(self, b: Self) -> v128 {
        f64x2_ne(self.0, b.0)
    }
    #[inline(always)]
    fn negate(self, mask: v128) -> Self {
        Self(v128_xor(self.0, v128_and(mask, f64x2_splat(-0.0))))
    }
    #[inline(always)]
    fn all(mask: v128) -> bool {
        i64x2_bitmask(mask) == 0b11
    }
    #[inline(always)]
    fn bits_to_exponent(self) -> Self {
        Self(i64x2_shl(self.0, 52))
    }
    #[inline(always)]
    fn exponent_to_bits(self) -> Self {
        Self(u64x2_shr(self.0, 52))
    }
    #[inline(always)]
    unsafe fn load_index(p: *const i32) -> v128 {
        // SAFETY: the caller vouches for two values.
        unsafe { i64x2_load_extend_i32x2(p) }
    }
    #[inline(always)]
    unsafe fn store_truth(mask: v128, p: *mut i32) {
        let halves = u32x4_shr(i32x4_shuffle::<0, 2, 0, 2>(mask, mask), 31);
        // SAFETY: the caller vouches for two values.
        unsafe { v128_store64_lane::<0>(halves, p.cast()) }
    }
    #[inline(always)]
    unsafe fn store_index(index: v128, p: *mut i32) {
        // SAFETY: the caller vouches for two values.
        unsafe { v128_store64_lane::<0>(i32x4_shuffle::<0, 2, 0, 2>(index, index), p.cast()) }
    }
    #[inline(always)]
    fn as_decided(index: v128, predicted: v128) -> v128 {
        v128_xor(index, i64x2_ne(index, predicted))
    }
    #[inline(always)]
    fn index_is(index: v128, class: i32) -> v128 {
        i64x2_eq(index, i64x2_splat(i64::from(class)))
    }
    #[inline(always)]
    fn index_below(index: v128, class: i32) -> v128 {
        i64x2_lt(index, i64x2_splat(i64::from(class)))
    }
    #[inline(always)]
    fn lane_is(position: usize) -> v128 {
        i64x2_eq(i64x2(0, 1), i64x2_splat(position as i64))
    }
    #[inline(always)]
    fn lane_below(end: usize) -> v128 {
        i64x2_lt(i64x2(0, 1), i64x2_splat(end as i64))
    }
    #[inline(always)]
    unsafe fn load_pairs(p: *const f64) -> (Self, Self) {
        // SAFETY: the caller vouches for four values.
        let [first, second] = unsafe { Self::load_block(p, 2) };
        (first, second)
    }
    #[inline(always)]
    unsafe fn store_pairs(first: Self, second: Self, p: *mut f64) {
        // SAFETY: the caller vouches for four values.
        unsafe { Self::store_block([first, second], p, 2) }
    }
    #[inline(always)]
    unsafe fn load_block(p: *const f64, stride: usize) -> [Self; 2] {
        // SAFETY: the caller vouches for two values in each of two rows.
        let (a, b) = unsafe { (Self::load(p).0, Self::load(p.add(stride)).0) };
        [Self(i64x2_shuffle::<0, 2>(a, b)), Self(i64x2_shuffle::<1, 3>(a, b))]
    }
    #[inline(always)]
    fn block(f: impl FnMut(usize) -> Self) -> [Self; 2] {
        core::array::from_fn(f)
    }
    #[inline(always)]
    unsafe fn store_block([first, second]: [Self; 2], p: *mut f64, stride: usize) {
        // SAFETY: the caller vouches for two values in each of two rows.
        unsafe {
            Self(i64x2_shuffle::<0, 2>(first.0, second.0)).store(p);
            Self(i64x2_shuffle::<1, 3>(first.0, second.0)).store(p.add(stride));
        }
    }
    #[inline(always)]
    unsafe fn load_narrow(p: *const f64) -> [Self; 2] {
        // SAFETY: the caller vouches for two values.
        [unsafe { Self::load(p) }; 2]
    }
    #[inline(always)]
    unsafe fn store_narrow([first, _]: [Self; 2], p: *mut f64) {
        // SAFETY: the caller vouches for two values.
        unsafe { first.store(p) };
    }
}

/// The float64 sums of four float32 lanes, as two vectors.
#[derive(Clone, Copy, Debug)]
pub struct Promoted {
    low: F64x2,
    high: F64x2,
}

impl WideSum<F32x4> for Promoted {
    const ZERO: Self = Self { low: F64x2::ZERO, high: F64x2::ZERO };
    #[inline(always)]
    fn accumulate(self, v: F32x4) -> Self {
        let upper = i32x4_shuffle::<2, 3, 0, 1>(v.0, v.0);
        Self {
            low: self.low.add(F64x2(f64x2_promote_low_f32x4(v.0))),
            high: self.high.add(F64x2(f64x2_promote_low_f32x4(upper))),
        }
    }
    #[inline(always)]
    fn total(self) -> f64 {
        let sum = self.low.add(self.high);
        sum.lane(0) + sum.lane(1)
    }
}

/// The largest of some numbers, taken as unsigned; 0 for none.
#[inline(never)]
pub fn largest_unsigned(numbers: &[i32]) -> u32 {
    let mut largest = u32x4_splat(0);
    let fours = numbers.chunks_exact(4);
    let rest = fours.remainder().iter();
    for four in fours {
        // SAFETY: four numbers.
        largest = u32x4_max(largest, unsafe { v128_load(four.as_ptr().cast()) });
    }
    let low = u32x4_max(largest, i32x4_shuffle::<2, 3, 0, 1>(largest, largest));
    let all = u32x4_max(low, i32x4_shuffle::<1, 0, 3, 2>(low, low));
    rest.fold(u32x4_extract_lane::<0>(all), |largest, &x| largest.max(x as u32))
}
