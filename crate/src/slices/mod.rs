//! The losses on slices.

mod batch;
mod cross_entropy_loss;
mod error;
mod focal_loss;
#[cfg(feature = "analysis")]
mod posterior;
mod sigmoid_focal_loss;

pub use batch::{Batch, GradOutput, Reduction, Targets};
pub use cross_entropy_loss::*;
pub use error::Error;
pub use focal_loss::*;
#[cfg(feature = "analysis")]
pub use posterior::Priors;
pub use sigmoid_focal_loss::{AsymmetricLoss, Elements, PerColumn, SigmoidFocalLoss};
