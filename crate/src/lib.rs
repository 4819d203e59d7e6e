//! The focal-loss family: value and analytic gradient in one fused SIMD pass.
//!
//! [`FocalLoss`], [`SigmoidFocalLoss`] and [`CrossEntropyLoss`] are what to begin with. Below it: [`loss`] has the formulas, [`kernels`] the loops over rows, [`tile`] the memory through which another language hands them over, [`math`] the
//! elementary functions, [`vector`] the few operations that all of them are written in, [`arch`] what these are on a machine.
//!
//! The results are accurate to a few roundings even where the probability of the target is within 1e-30 of 1, and have the
//! same bits natively and in WebAssembly.

#[cfg(all(target_arch = "wasm32", feature = "no-allocator"))]
mod allocator;
mod api;
pub mod arch;
#[cfg(target_arch = "wasm32")]
mod bindings;
#[cfg(feature = "analysis")]
pub mod exact;
pub mod kernels;
pub mod loss;
pub mod math;
pub mod tile;
pub mod vector;

pub use api::{
    Alpha, Batch, CrossEntropyLoss, Elements, Error, FocalLoss, Gamma, GradOutput, HessianKind, PerColumn, Reduction,
    SigmoidFocalLoss, Targets,
};
pub use loss::focal::FocusOn;
