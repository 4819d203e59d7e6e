//! The memory through which a host language hands rows to the kernels.
//!
//! A tile has areas for logits, which the kernels overwrite with gradients, for targets, and for
//! what else a call may bring. They are laid out once in memory of the host's, and again when four
//! rows, or what each class has, do not fit. Logits, targets and gradients can also lie elsewhere:
//! the kernels then work on them where they are.

use core::ptr;

use super::abi::{
    area::{self, COUNT},
    extra,
    size::TILE_ROWS,
};

/// Bytes of logits that a tile holds at once, unless four rows take more: in and out of the
/// first-level cache.
const LOGITS_BYTES: usize = 32 * 1024;
/// Classes that a new tile has room for.
const CLASSES: usize = 512;

/// Areas begin at cache lines.
const LINE: usize = 64;

/// The tile, which knows where each [`area`] lies. Calls say by the bits of [`extra`] what else it
/// must have.
pub struct Tile {
    memory: *mut u8,
    /// Bytes of each area, one after the other.
    sizes: [usize; COUNT],
}

impl Tile {
    /// A tile without areas.
    pub const fn new() -> Self {
        Self { memory: ptr::null_mut(), sizes: [0; COUNT] }
    }

    /// Bytes of memory that the tile takes with room for rows of `classes` logits of
    /// `element_bytes` each: beside that for all before, or with `anew` for these alone. 0
    /// where no memory has as many.
    pub fn bytes(&self, element_bytes: usize, classes: usize, extras: u32, anew: bool) -> usize {
        self.sizes_with(element_bytes, classes, extras, anew)
            .and_then(|sizes| {
                sizes.iter().try_fold(0, |total: usize, &size| total.checked_add(size))
            })
            .filter(|&total| total <= isize::MAX as usize)
            .unwrap_or(0)
    }

    /// Makes that room. Returns how many rows go into the tile: a multiple of four. What stood in
    /// its areas is lost where one has to grow or lies elsewhere.
    ///
    /// # Safety
    /// The memory must be aligned to cache lines, have the [bytes](Self::bytes) of these arguments,
    /// more than 0, and be the tile's.
    pub unsafe fn lay_out(
        &mut self,
        memory: *mut u8,
        element_bytes: usize,
        classes: usize,
        extras: u32,
        anew: bool,
    ) -> usize {
        if let Some(sizes) = self.sizes_with(element_bytes, classes, extras, anew) {
            (self.memory, self.sizes) = (memory, sizes);
        }
        ((LOGITS_BYTES / (classes * element_bytes).max(1)).min(TILE_ROWS) & !3).max(4)
    }

    /// Bytes that each area has then.
    fn sizes_with(
        &self,
        element_bytes: usize,
        classes: usize,
        extras: u32,
        anew: bool,
    ) -> Option<[usize; COUNT]> {
        let row_bytes = classes.checked_mul(element_bytes)?;
        // Far beyond this there is no memory, and sizes would overflow.
        if row_bytes > isize::MAX as usize / 16 {
            return None;
        }
        let logits = LOGITS_BYTES.max(4 * row_bytes);
        let has = |bit: u32| extras & bit != 0;
        let per_row =
            if has(extra::ELEMENTS) { logits } else { 0 }.max(TILE_ROWS * size_of::<f64>());
        let per_class = classes.max(CLASSES) * size_of::<f64>();
        let mut sizes = if anew { [0; COUNT] } else { self.sizes };
        let mut grow = |area: usize, bytes: usize| {
            if let Some(size) = sizes.get_mut(area) {
                *size = (*size).max(bytes.next_multiple_of(LINE));
            }
        };
        grow(area::LOGITS, logits);
        grow(area::PROBABILITIES, if has(extra::PROBABILITIES) { logits } else { 0 });
        grow(area::STAGE, if has(extra::STAGE) { logits } else { 0 });
        grow(area::TARGETS, TILE_ROWS * size_of::<i32>());
        for area in [area::VALUES, area::ROW_WEIGHTS, area::ROW_SCALES] {
            grow(area, per_row);
        }
        for area in [area::WEIGHTS, area::POSITIVE_WEIGHTS, area::GAMMAS] {
            grow(area, per_class);
        }
        Some(sizes)
    }

    /// The address of an area.
    #[inline(never)]
    pub fn address(&self, area: usize) -> *mut u8 {
        self.memory.wrapping_add(self.sizes.iter().take(area).sum())
    }
}

impl Default for Tile {
    fn default() -> Self {
        Self::new()
    }
}
