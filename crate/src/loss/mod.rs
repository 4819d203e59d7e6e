//! The formulas of the losses, each once, for [`Vector::LANES`](crate::simd::vector::Vector::LANES)
//! rows at a time.

pub mod asymmetric;
pub mod derivatives;
pub mod each_class;
pub mod focal;
pub mod focusing;
pub(crate) mod guards;
#[cfg(feature = "analysis")]
pub mod posterior;
pub mod sigmoid;
pub mod smoothing;
pub mod soft_targets;
pub mod softmax;
