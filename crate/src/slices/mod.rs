//! The losses on slices.

mod batch;
mod cross_entropy_loss;
mod error;
mod focal_loss;
mod sigmoid_focal_loss;

pub use batch::{Batch, GradOutput, Reduction, Targets};
pub use cross_entropy_loss::*;
pub use error::Error;
pub use focal_loss::*;
pub use sigmoid_focal_loss::*;
