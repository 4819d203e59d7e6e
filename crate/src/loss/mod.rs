//! The formulas of the losses, each once, for [`Vector::LANES`](crate::vector::Vector::LANES) rows at a time.

pub mod focal;
pub mod softmax;
