//! Transposition, for logits that have their classes first.

use crate::vector::Vector;

/// Turns `height × width` into `width × height`.
///
/// # Safety
/// Both must be valid for `height · width` values, and not overlap.
pub unsafe fn transpose<V: Vector>(from: *const V::Scalar, to: *mut V::Scalar, height: usize, width: usize) {
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
