//! The focal-loss family: value and analytic gradient in one fused SIMD pass.
//!
//! [`FocalLoss`], [`SigmoidFocalLoss`] and [`CrossEntropyLoss`] are what to begin with. Below it: [`loss`] has the formulas, [`kernels`] the loops over rows, [`host`] how another language hands them over, [`math`] the
//! elementary functions, [`vector`] the few operations that all of them are written in, [`arch`] what these are on a machine.
//!
//! The results are accurate to a few roundings even where the probability of the target is within 1e-30 of 1, and have the
//! same bits natively and in WebAssembly.

mod api;
pub mod arch;
#[cfg(feature = "analysis")]
pub mod exact;
pub mod host;
pub mod kernels;
pub mod loss;
pub mod math;
pub mod vector;

pub use api::{
    Alpha, Batch, CrossEntropyLoss, Elements, Error, FocalLoss, Gamma, GradOutput, HessianKind, PerColumn, Reduction,
    SigmoidFocalLoss, Targets,
};
pub use loss::focal::FocusOn;
