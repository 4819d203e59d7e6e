//! Loops over rows of logits: two classes, few classes (one row per lane), many classes (along the
//! row).
//!
//! Rows are taken in groups of [`Vector::LANES`](crate::simd::vector::Vector::LANES). A row's
//! results depend on that row alone, bit for bit, whatever stands beside it and wherever a batch is
//! cut. Totals are summed over blocks of rows, lane by lane, so the cuts must fall between
//! groups.

mod block;
mod check_targets;
mod exponential;
mod few;
mod general;
mod hard;
mod many;
#[cfg(feature = "analysis")]
mod order;
mod pair;
#[cfg(feature = "analysis")]
mod posterior;
#[cfg(feature = "analysis")]
mod predict;
mod problem;
#[cfg(feature = "analysis")]
mod row_figures;
mod rows;
mod sigmoid;
mod sink;
mod solve;
mod stages;
#[cfg(feature = "analysis")]
mod sweep;
mod transpose;

pub use check_targets::{TargetCheck, check_elements, check_targets, find_invalid_probabilities};
#[cfg(feature = "analysis")]
pub use order::{Sizes, leave_above, sort, sort_by, take_apart};
#[cfg(feature = "analysis")]
pub use posterior::{PosteriorRows, largest_gamma, posterior_elements};
#[cfg(feature = "analysis")]
pub use predict::{Wanted, softmax_output};
pub use problem::Problem;
#[cfg(feature = "analysis")]
pub use row_figures::{
    LossFigures, SoftmaxFigures, UNCOUNTED, element_figures, loss_figures, softmax_figures,
};
pub(crate) use rows::narrow;
pub use rows::{Rows, Scale, Weights};
pub use sigmoid::{Elements, PerColumn, sigmoid};
pub use sink::{Sink, Total, block_rows};
pub use solve::solve;
#[cfg(feature = "analysis")]
pub use sweep::{Sweep, SweepSize};
pub use transpose::transpose;
