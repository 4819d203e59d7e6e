//! The focal-loss family: value and analytic gradient in one fused SIMD pass.
//!
//! [`FocalLoss`] is what to begin with. Below it: [`loss`] has the formulas, `kernels` the loops over rows, [`math`] the
//! elementary functions, [`vector`] the few operations that all of them are written in, [`arch`] what these are on a machine.
//!
//! The results are accurate to a few roundings even where the probability of the target is within 1e-30 of 1, and have the
//! same bits natively and in WebAssembly.

pub mod arch;
#[cfg(target_arch = "wasm32")]
mod bindings;
mod focal_loss;
mod kernels;
pub mod loss;
pub mod math;
#[cfg(any(target_arch = "wasm32", test))]
mod tile;
pub mod vector;

pub use focal_loss::{Alpha, Error, FocalLoss, Reduction};
