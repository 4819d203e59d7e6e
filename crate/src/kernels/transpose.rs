//! Transposition, for logits that have their classes first.

use crate::simd::vector::Vector;

/// Turns `height × width` into `width × height`.
///
/// # Safety
/// Both must be valid for `height · width` values, and not overlap.
pub unsafe fn transpose<V: Vector>(
    from: *const V::Scalar,
    to: *mut V::Scalar,
    height: usize,
    width: usize,
) {
    let (whole_height, whole_width) = (height - height % V::LANES, width - width % V::LANES);
    // SAFETY: blocks within both, then what is left of them.
    unsafe {
        for i in (0..whole_height).step_by(V::LANES) {
            for j in (0..whole_width).step_by(V::LANES) {
                let block = V::load_block(from.add(i * width + j), width);
                for (k, column) in block.as_ref().iter().enumerate() {
                    column.store(to.add((j + k) * height + i));
                }
            }
        }
        for i in 0..height {
            let done = if i < whole_height { whole_width } else { 0 };
            for j in done..width {
                *to.add(j * height + i) = *from.add(i * width + j);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::F32x4;

    #[test]
    fn transposition_and_back() {
        for width in [2, 3, 4, 7, 8, 9, 21] {
            for height in [1, 3, 4, 5, 8, 30] {
                let there: Vec<f32> = (0..height * width).map(|i| i as f32).collect();
                let (mut here, mut back) = (vec![0.0; there.len()], vec![0.0; there.len()]);
                // SAFETY: so many values.
                unsafe {
                    transpose::<F32x4>(there.as_ptr(), here.as_mut_ptr(), height, width);
                    transpose::<F32x4>(here.as_ptr(), back.as_mut_ptr(), width, height);
                }
                for (i, j) in (0..height).flat_map(|i| (0..width).map(move |j| (i, j))) {
                    assert_eq!(here[j * height + i], there[i * width + j]);
                }
                assert_eq!(back, there);
            }
        }
    }
}
