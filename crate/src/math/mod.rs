//! Elementary functions, lane by lane, with the same bits on every machine.
//!
//! The polynomials are minimax in the relative error of the function (Remez exchange at 60 digits,
//! `scripts/build/minimax.py`), evaluated without fused operations.

#[cfg(feature = "analysis")]
pub mod exact_sum;
pub mod exp;
pub mod log;
mod polynomial;
pub mod pow;
mod real;
mod subnormals;

pub use real::{Float, Real};
pub use subnormals::flushes_subnormals;
