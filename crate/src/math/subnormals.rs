//! A test whether the processor keeps subnormal numbers.

use crate::simd::vector::{Scalar, Vector};

/// A test whether this processor takes subnormal numbers for 0, as it does where it is told to (the
/// mode "flush to zero") and in the vector unit of 32-bit ARM. `half` is 0.5: a product of
/// constants would be the compiler's.
pub fn flushes_subnormals<V: Vector>(half: f64) -> bool {
    let product = V::constant(V::Scalar::TINY).mul(V::constant(half));
    !V::none(product.equals(V::constant(0.0)))
}

#[cfg(test)]
mod tests {
    use super::flushes_subnormals;
    use crate::simd::{F32x4, F64x2};

    #[test]
    fn subnormals_are_there() {
        assert!(!flushes_subnormals::<F32x4>(0.5) && !flushes_subnormals::<F64x2>(0.5));
        // A product that is 0 itself stands for one that was flushed.
        assert!(flushes_subnormals::<F32x4>(1e-9) && flushes_subnormals::<F64x2>(1e-18));
    }
}
