//! The vectors behind [`Vector`]: WebAssembly SIMD128 where the target has it, plain arrays elsewhere.

pub mod lanes;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub mod simd128;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub use lanes::{F32x4, F64x2, largest_unsigned};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use simd128::{F32x4, F64x2, largest_unsigned};

use crate::vector::{Scalar, Vector};

/// A float type that the losses are computed in: `f32` or `f64`.
pub trait Float: Scalar {
    /// The vector of this target.
    type Vector: Vector<Scalar = Self>;
}

impl Float for f32 {
    type Vector = F32x4;
}

impl Float for f64 {
    type Vector = F64x2;
}
