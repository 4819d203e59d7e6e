//! Sinks, into which kernels put the values of rows.

use crate::simd::vector::{Vector, WideSum};
#[cfg(feature = "analysis")]
use crate::{
    math::exact_sum::Adder,
    simd::{F32x4, F64x2},
};

/// Sinks take the values of rows block by block. The lanes of rows that do not count hold 0.
pub trait Sink<V: Vector> {
    /// Adds `vectors` vectors of values, at most a block.
    ///
    /// # Safety
    /// `values` must be valid for reading them.
    unsafe fn add(&mut self, values: *const V::Scalar, vectors: usize);
}

/// The total of a batch: one float64 sum per lane, in the order of the rows.
#[derive(Clone, Copy, Debug)]
pub struct Total<V: Vector>(V::Wide);

impl<V: Vector> Total<V> {
    /// Begins at 0.
    pub fn zero() -> Self {
        Self(V::Wide::zero())
    }

    /// The sum of all lanes.
    pub fn sum(&self) -> f64 {
        self.0.total()
    }
}

impl<V: Vector> Sink<V> for Total<V> {
    unsafe fn add(&mut self, values: *const V::Scalar, vectors: usize) {
        let mut total = self.0;
        for g in 0..vectors {
            // SAFETY: passed on.
            total = total.accumulate(unsafe { V::load(values.add(g * V::LANES)) });
        }
        self.0 = total;
    }
}

#[cfg(feature = "analysis")]
impl Sink<F32x4> for Adder {
    unsafe fn add(&mut self, values: *const f32, vectors: usize) {
        // SAFETY: passed on.
        unsafe { self.add_block(values, vectors) }
    }
}

#[cfg(feature = "analysis")]
impl Sink<F64x2> for Adder {
    unsafe fn add(&mut self, values: *const f64, vectors: usize) {
        // SAFETY: passed on.
        unsafe { self.add_block(values, vectors) }
    }
}
