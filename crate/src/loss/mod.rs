//! The formulas of the losses, each once, for [`Vector::LANES`](crate::vector::Vector::LANES) rows at a time.

pub mod each_class;
pub mod focal;
pub mod second;
pub mod sigmoid;
pub mod soft;
pub mod softmax;
