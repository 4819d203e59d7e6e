//! The numbers that the elementary functions take.

use super::{exp::ExpTable, log::LogTable};
use crate::simd::{
    F32x4, F64x2,
    vector::{Scalar, Vector},
};

/// A vector whose scalar has the tables of the elementary functions.
pub trait Real: Vector<Scalar: ExpTable + LogTable> {}

impl<V: Vector<Scalar: ExpTable + LogTable>> Real for V {}

/// A float type that the losses are computed in: `f32` or `f64`.
pub trait Float: Scalar + ExpTable + LogTable {
    /// The vector of this target.
    type Vector: Real<Scalar = Self>;
}

impl Float for f32 {
    type Vector = F32x4;
}

impl Float for f64 {
    type Vector = F64x2;
}
