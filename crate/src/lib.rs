//! The focal-loss family: value and analytic gradient in one fused SIMD pass.

pub mod arch;
#[cfg(target_arch = "wasm32")]
mod bindings;
mod kernels;
pub mod loss;
pub mod math;
mod tile;
pub mod vector;
