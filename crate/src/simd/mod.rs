//! The vectors behind [`Vector`](vector::Vector): WebAssembly SIMD128 where the target has it,
//! plain arrays elsewhere.

pub mod generic;
pub mod vector;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub mod wasm;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub use generic::{F32x4, F64x2, largest_unsigned};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use wasm::{F32x4, F64x2, largest_unsigned};
