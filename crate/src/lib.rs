//! The focal-loss family: value and analytic gradient in one fused SIMD pass.
//!
//! [`FocalLoss`], [`PolyFocalLoss`], [`CrossEntropyLoss`], [`SigmoidFocalLoss`] and
//! [`AsymmetricLoss`] are what to begin with. Below them,
//! [`kernels`] has the loops over rows, [`loss`] the formulas, [`math`] the elementary functions
//! and [`simd`] the few operations that all of them are written in; [`host`] is how another
//! language hands rows over.
//!
//! The results are accurate to a few roundings even where the probability of the target is within
//! 1e-30 of 1, and have the same bits natively and in WebAssembly.

pub mod host;
pub mod kernels;
pub mod loss;
pub mod math;
pub mod simd;
mod slices;

pub use loss::focal::FocusOn;
pub use math::Float;
pub use slices::*;
