//! The native twin: arrays of lanes with the same operations in the same order as the SIMD128
//! vectors.

use core::array::from_fn;

use crate::simd::vector::{Compensated, Stored, Vector, WideSum};

macro_rules! lanes {
    ($name:ident, $scalar:ident, $bits:ident, $lanes:literal, $mantissa:literal, $wide:ty, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug)]
        pub struct $name([$scalar; $lanes]);

        impl $name {
            /// # Safety
            /// `p[i·stride]` must be valid for reading for each lane `i`.
            #[inline(always)]
            unsafe fn load_column(p: *const $scalar, stride: usize) -> Self {
                // SAFETY: the caller vouches for each lane's address.
                Self(from_fn(|i| unsafe { *p.add(i * stride) }))
            }
            /// # Safety
            /// `p[i·stride]` must be valid for writing for each lane `i`.
            #[inline(always)]
            unsafe fn store_column(self, p: *mut $scalar, stride: usize) {
                for (i, &x) in self.0.iter().enumerate() {
                    // SAFETY: the caller vouches for each lane's address.
                    unsafe { *p.add(i * stride) = x };
                }
            }
            #[inline(always)]
            fn zip(self, b: Self, f: impl Fn($scalar, $scalar) -> $scalar) -> Self {
                Self(from_fn(|i| f(self.0[i], b.0[i])))
            }
            #[inline(always)]
            fn zip_bits(self, b: Self, f: impl Fn($bits, $bits) -> $bits) -> Self {
                self.zip(b, |x, y| $scalar::from_bits(f(x.to_bits(), y.to_bits())))
            }
            #[inline(always)]
            fn mask_bits(self, mask: [bool; $lanes], f: impl Fn($scalar, bool) -> $scalar) -> Self {
                Self(from_fn(|i| f(self.0[i], mask[i])))
            }
        }

        impl Vector for $name {
            type Scalar = $scalar;
            type Mask = [bool; $lanes];
            type Index = [i32; $lanes];
            type Block = [Self; $lanes];
            type Double = F64x2;
            type Doubles = [F64x2; $lanes / 2];
            type Wide = $wide;
            const LANES: usize = $lanes;
            const ZERO: Self = Self([0.0; $lanes]);

            #[inline(always)]
            fn splat(x: $scalar) -> Self {
                Self([x; $lanes])
            }
            #[inline(always)]
            fn from_lanes(f: impl FnMut(usize) -> $scalar) -> Self {
                Self(from_fn(f))
            }
            #[inline(always)]
            fn lane(self, i: usize) -> $scalar {
                self.0[i]
            }
            #[inline(always)]
            fn stored(x: &'static Stored<$scalar>) -> Self {
                let [low, high, ..] = x.words.map(u64::from);
                Self::splat($scalar::from_bits((low | high << 32) as $bits))
            }
            #[inline(always)]
            fn widen(self) -> Self::Doubles {
                from_fn(|k| F64x2(from_fn(|i| self.0[2 * k + i] as f64)))
            }
            #[inline(always)]
            fn add(self, b: Self) -> Self {
                self.zip(b, |x, y| x + y)
            }
            #[inline(always)]
            fn sub(self, b: Self) -> Self {
                self.zip(b, |x, y| x - y)
            }
            #[inline(always)]
            fn mul(self, b: Self) -> Self {
                self.zip(b, |x, y| x * y)
            }
            #[inline(always)]
            fn div(self, b: Self) -> Self {
                self.zip(b, |x, y| x / y)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self(self.0.map($scalar::sqrt))
            }
            #[inline(always)]
            fn pmax(self, b: Self) -> Self {
                self.zip(b, |x, y| if x < y { y } else { x })
            }
            #[inline(always)]
            fn pmin(self, b: Self) -> Self {
                self.zip(b, |x, y| if y < x { y } else { x })
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Self(self.0.map($scalar::abs))
            }
            #[inline(always)]
            fn neg(self) -> Self {
                Self(self.0.map(|x| -x))
            }
            #[inline(always)]
            fn lt(self, b: Self) -> Self::Mask {
                from_fn(|i| self.0[i] < b.0[i])
            }
            #[inline(always)]
            fn gt(self, b: Self) -> Self::Mask {
                from_fn(|i| self.0[i] > b.0[i])
            }
            #[inline(always)]
            fn equals(self, b: Self) -> Self::Mask {
                from_fn(|i| self.0[i] == b.0[i])
            }
            #[inline(always)]
            fn differs(self, b: Self) -> Self::Mask {
                from_fn(|i| self.0[i] != b.0[i])
            }
            #[inline(always)]
            fn select(self, other: Self, mask: Self::Mask) -> Self {
                Self(from_fn(|i| if mask[i] { self.0[i] } else { other.0[i] }))
            }
            #[inline(always)]
            fn exchange(self, other: Self, mask: Self::Mask) -> (Self, Self) {
                (other.select(self, mask), self.select(other, mask))
            }
            #[inline(always)]
            fn keep(self, mask: Self::Mask) -> Self {
                self.mask_bits(mask, |x, yes| if yes { x } else { 0.0 })
            }
            #[inline(always)]
            fn clear(self, mask: Self::Mask) -> Self {
                self.mask_bits(mask, |x, yes| if yes { 0.0 } else { x })
            }
            #[inline(always)]
            fn negate(self, mask: Self::Mask) -> Self {
                self.mask_bits(mask, |x, yes| if yes { -x } else { x })
            }
            #[inline(always)]
            fn both(a: Self::Mask, b: Self::Mask) -> Self::Mask {
                from_fn(|i| a[i] & b[i])
            }
            #[inline(always)]
            fn either(a: Self::Mask, b: Self::Mask) -> Self::Mask {
                from_fn(|i| a[i] | b[i])
            }
            #[inline(always)]
            fn all(mask: Self::Mask) -> bool {
                mask.iter().all(|&yes| yes)
            }
            #[inline(always)]
            fn none(mask: Self::Mask) -> bool {
                !mask.iter().any(|&yes| yes)
            }
            #[inline(always)]
            fn bits_add(self, b: Self) -> Self {
                self.zip_bits(b, $bits::wrapping_add)
            }
            #[inline(always)]
            fn bits_sub(self, b: Self) -> Self {
                self.zip_bits(b, $bits::wrapping_sub)
            }
            #[inline(always)]
            fn bits_or(self, b: Self) -> Self {
                self.zip_bits(b, |x, y| x | y)
            }
            #[inline(always)]
            fn bits_to_exponent(self) -> Self {
                Self(self.0.map(|x| $scalar::from_bits(x.to_bits() << $mantissa)))
            }
            #[inline(always)]
            fn exponent_to_bits(self) -> Self {
                Self(self.0.map(|x| $scalar::from_bits(x.to_bits() >> $mantissa)))
            }
            #[inline(always)]
            unsafe fn load_index(p: *const i32) -> Self::Index {
                // SAFETY: the caller vouches for LANES values.
                from_fn(|i| unsafe { *p.add(i) })
            }
            #[inline(always)]
            unsafe fn store_truth(mask: Self::Mask, p: *mut i32) {
                for (i, yes) in mask.into_iter().enumerate() {
                    // SAFETY: the caller vouches for each lane's address.
                    unsafe { *p.add(i) = i32::from(yes) };
                }
            }
            #[inline(always)]
            unsafe fn store_index(index: Self::Index, p: *mut i32) {
                for (i, class) in index.into_iter().enumerate() {
                    // SAFETY: the caller vouches for each lane's address.
                    unsafe { *p.add(i) = class };
                }
            }
            #[inline(always)]
            fn as_decided(index: Self::Index, predicted: Self::Index) -> Self::Index {
                from_fn(|i| index[i] ^ -i32::from(index[i] != predicted[i]))
            }
            #[inline(always)]
            fn index_is(index: Self::Index, class: i32) -> Self::Mask {
                index.map(|i| i == class)
            }
            #[inline(always)]
            fn index_below(index: Self::Index, class: i32) -> Self::Mask {
                index.map(|i| i < class)
            }
            #[inline(always)]
            fn lane_is(position: usize) -> Self::Mask {
                from_fn(|i| i == position)
            }
            #[inline(always)]
            fn lane_below(end: usize) -> Self::Mask {
                from_fn(|i| i < end)
            }
            #[inline(always)]
            unsafe fn load(p: *const $scalar) -> Self {
                // SAFETY: the caller vouches for LANES values.
                Self(unsafe { p.cast::<[$scalar; $lanes]>().read_unaligned() })
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $scalar) {
                // SAFETY: the caller vouches for LANES values.
                unsafe { p.cast::<[$scalar; $lanes]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            unsafe fn load_pairs(p: *const $scalar) -> (Self, Self) {
                // SAFETY: the caller vouches for 2·LANES values.
                unsafe { (Self::load_column(p, 2), Self::load_column(p.add(1), 2)) }
            }
            #[inline(always)]
            unsafe fn store_pairs(first: Self, second: Self, p: *mut $scalar) {
                // SAFETY: the caller vouches for 2·LANES values.
                unsafe {
                    first.store_column(p, 2);
                    second.store_column(p.add(1), 2);
                }
            }
            #[inline(always)]
            unsafe fn load_block(p: *const $scalar, stride: usize) -> Self::Block {
                // SAFETY: the caller vouches for LANES values in each of LANES rows.
                from_fn(|j| unsafe { Self::load_column(p.add(j), stride) })
            }
            #[inline(always)]
            fn block(f: impl FnMut(usize) -> Self) -> Self::Block {
                from_fn(f)
            }
            #[inline(always)]
            unsafe fn store_block(block: Self::Block, p: *mut $scalar, stride: usize) {
                for (j, column) in block.into_iter().enumerate() {
                    // SAFETY: the caller vouches for LANES values in each of LANES rows.
                    unsafe { column.store_column(p.add(j), stride) };
                }
            }
            #[inline(always)]
            unsafe fn load_narrow(p: *const $scalar) -> Self::Block {
                // SAFETY: the caller vouches for all columns but the last, which is another one
                // once more.
                from_fn(|j| unsafe { Self::load_column(p.add(j.min($lanes - 2)), $lanes - 1) })
            }
            #[inline(always)]
            unsafe fn store_narrow(block: Self::Block, p: *mut $scalar) {
                for (j, column) in block.into_iter().enumerate().take($lanes - 1) {
                    // SAFETY: the caller vouches for all columns but the last.
                    unsafe { column.store_column(p.add(j), $lanes - 1) };
                }
            }
        }
    };
}

lanes!(F32x4, f32, u32, 4, 23, [f64; 4], "Four float32 lanes.");
lanes!(F64x2, f64, u64, 2, 52, Compensated<Self>, "Two float64 lanes.");

impl WideSum<F32x4> for [f64; 4] {
    const ZERO: Self = [0.0; 4];

    #[inline(always)]
    fn accumulate(self, v: F32x4) -> Self {
        from_fn(|i| self[i] + v.0[i] as f64)
    }
    #[inline(always)]
    fn total(self) -> f64 {
        (self[0] + self[2]) + (self[1] + self[3])
    }
}

/// The largest of some numbers, taken as unsigned; 0 for none.
pub fn largest_unsigned(numbers: &[i32]) -> u32 {
    numbers.iter().fold(0, |largest, &x| largest.max(x as u32))
}
