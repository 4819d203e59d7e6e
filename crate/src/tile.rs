//! The memory through which a host language hands rows to the kernels.
//!
//! A tile has an area for logits, which the kernels overwrite with gradients, one for targets, one for a value per row and one
//! for a weight per class. It is made once and only grows when four rows, or the weights, do not fit.

use std::collections::TryReserveError;

use core::{ptr, slice};

use crate::{
    kernels::{self, Focal, Rows, Targets, Weights},
    vector::{Scalar, Vector},
};

/// Bytes of logits that a tile holds at once, unless four rows take more: in and out of the first-level cache.
const LOGITS_BYTES: usize = 32 * 1024;
/// Class indices that a tile holds.
pub const TARGETS: usize = 4096;
/// Bytes of weights that a new tile has room for.
const WEIGHTS_BYTES: usize = 4096;

/// The unit of allocation: a cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[allow(dead_code, reason = "only the address counts")] [u8; 64]);

/// Memory of the host: written and read by address alone.
struct Area(Vec<Line>);

impl Area {
    const fn new() -> Self {
        Self(Vec::new())
    }

    /// A larger area, if this one has no room for `bytes`.
    ///
    /// # Errors
    /// Where the memory cannot be had.
    fn grown(&self, bytes: usize) -> Result<Option<Self>, TryReserveError> {
        let lines = bytes.div_ceil(size_of::<Line>());
        if lines <= self.0.capacity() {
            return Ok(None);
        }
        let mut larger = Vec::new();
        larger.try_reserve_exact(lines)?;
        Ok(Some(Self(larger)))
    }

    fn address<T>(&mut self) -> *mut T {
        self.0.as_mut_ptr().cast()
    }
}

/// What is to be computed of the rows in the tile.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Number of rows.
    pub rows: usize,
    /// Number of classes.
    pub classes: usize,
    /// Weight of every class but 1, and of class 1; `None` where the weights area holds one per class.
    pub weights: Option<(f64, f64)>,
    /// The loss.
    pub focal: Focal,
    /// Factor of the gradient.
    pub scale: f64,
    /// Whether to overwrite the logits with the gradient.
    pub grad: bool,
    /// Whether to write a value per row.
    pub values: bool,
}

/// The tile.
pub struct Tile {
    logits: Area,
    targets: Area,
    values: Area,
    weights: Area,
}

impl Tile {
    /// A tile without memory.
    pub const fn new() -> Self {
        Self { logits: Area::new(), targets: Area::new(), values: Area::new(), weights: Area::new() }
    }

    /// Makes room for rows of `classes` logits of `element_bytes` each and returns how many rows go into the tile: a multiple of
    /// four; or 0 where the memory cannot be had, and then nothing has changed.
    pub fn reserve(&mut self, element_bytes: usize, classes: usize) -> usize {
        let Some(row_bytes) = classes.checked_mul(element_bytes) else { return 0 };
        let Some(four_rows) = row_bytes.checked_mul(4) else { return 0 };
        // Beyond this no allocation can succeed, and rounding up would overflow.
        if four_rows > isize::MAX as usize {
            return 0;
        }
        let rows = ((LOGITS_BYTES / row_bytes.max(1)).min(TARGETS) & !3).max(4);
        if self
            .grow([
                LOGITS_BYTES.max(four_rows),
                TARGETS * size_of::<i32>(),
                TARGETS * size_of::<f64>(),
                WEIGHTS_BYTES.max(row_bytes),
            ])
            .is_ok()
        {
            rows
        } else {
            0
        }
    }

    /// Makes room for so many bytes in each area. What stood in an area that grows is lost.
    fn grow(&mut self, bytes: [usize; 4]) -> Result<(), TryReserveError> {
        let areas = [&mut self.logits, &mut self.targets, &mut self.values, &mut self.weights];
        let mut grown = [const { None }; 4];
        for ((larger, area), bytes) in grown.iter_mut().zip(&areas).zip(bytes) {
            *larger = area.grown(bytes)?;
        }
        for (area, larger) in areas.into_iter().zip(grown) {
            if let Some(larger) = larger {
                *area = larger;
            }
        }
        Ok(())
    }

    /// Where the logits go, and the gradients come.
    pub fn logits<S>(&mut self) -> *mut S {
        self.logits.address()
    }

    /// Where the class indices go.
    pub fn targets(&mut self) -> *mut i32 {
        self.targets.address()
    }

    /// Where the values of the rows come.
    pub fn values<S>(&mut self) -> *mut S {
        self.values.address()
    }

    /// Where the weights of the classes go.
    pub fn weights<S>(&mut self) -> *mut S {
        self.weights.address()
    }

    /// The first of `count` targets in the tile that is not a class index.
    ///
    /// # Safety
    /// The tile must have been reserved, `count` targets have been written, and they be at most [`TARGETS`].
    pub unsafe fn find_invalid_target(&mut self, count: usize, classes: usize) -> Option<usize> {
        // SAFETY: the caller vouches for the targets.
        match kernels::look_over(unsafe { slice::from_raw_parts(self.targets(), count) }, classes, None) {
            Targets::Invalid(row) => Some(row),
            Targets::Counted(_) => None,
        }
    }

    /// Computes `job` and adds the values of its rows to `sums`, or returns the first row with a target that is not a class index,
    /// having computed nothing.
    ///
    /// # Safety
    /// The tile must have been reserved for these classes, the rows be no more than that gave, and logits, targets and weights have
    /// been written.
    pub unsafe fn run<V: Vector>(&mut self, job: &Job, sums: &mut V::Wide) -> Result<(), usize> {
        // SAFETY: the caller vouches for the targets.
        if let Some(row) = unsafe { self.find_invalid_target(job.rows, job.classes) } {
            return Err(row);
        }
        let logits = self.logits::<V::Scalar>();
        let rows = Rows {
            logits,
            targets: self.targets(),
            grad: if job.grad { logits } else { ptr::null_mut() },
            values: if job.values { self.values() } else { ptr::null_mut() },
            rows: job.rows,
            classes: job.classes,
            row_weights: ptr::null(),
            scale: V::Scalar::from_f64(job.scale),
            row_scales: ptr::null(),
            ignored: None,
            weights: match job.weights {
                Some((other, one)) => Weights::pair(other, one),
                None => Weights::PerClass(self.weights::<V::Scalar>()),
            },
        };
        // SAFETY: the caller vouches for the areas, and the targets have been checked.
        *sums = unsafe { kernels::focal::<V>(&rows, &job.focal, *sums) };
        Ok(())
    }
}

impl Default for Tile {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Alpha, FocalLoss,
        arch::F32x4,
        loss::focal::{FocusOn, Gamma},
        vector::WideSum,
    };

    const JOB: Job = Job {
        rows: 0,
        classes: 2,
        weights: Some((0.75, 0.25)),
        focal: Focal { gamma: Gamma::All(2.0), label_smoothing: 0.0, focus_on: FocusOn::Smoothed },
        scale: 1.0,
        grad: true,
        values: true,
    };

    #[test]
    fn rows_come_in_fours_and_the_tile_grows_for_wide_ones_alone() {
        let mut tile = Tile::new();
        assert_eq!(tile.reserve(4, 2), 4096);
        let address = tile.logits::<u8>();
        assert_eq!(tile.reserve(8, 10), 408);
        assert_eq!(tile.reserve(4, 2048), 4);
        assert_eq!(tile.logits::<u8>(), address);
        assert_eq!(tile.reserve(4, 300_000), 4);
        assert_ne!(tile.logits::<u8>(), address);
        assert_eq!(tile.reserve(4, 2), 4096);
    }

    #[test]
    fn memory_that_cannot_be_had_changes_nothing() {
        let mut tile = Tile::new();
        tile.reserve(4, 2);
        let address = tile.logits::<u8>();
        for classes in [usize::MAX / 4, usize::MAX / 16, isize::MAX as usize / 16] {
            assert_eq!(tile.reserve(4, classes), 0);
        }
        assert_eq!(tile.logits::<u8>(), address);
        assert_eq!(tile.reserve(4, 2), 4096);
    }

    #[test]
    fn an_invalid_target_is_found_before_anything_is_computed() {
        let mut tile = Tile::new();
        tile.reserve(4, 2);
        for (row, value) in [(0, -1), (699, 2), (300, i32::MIN), (256, i32::MAX)] {
            // SAFETY: 700 rows fit.
            unsafe {
                (0..1400).for_each(|i| *tile.logits::<f32>().add(i) = i as f32);
                (0..700).for_each(|i| *tile.targets().add(i) = if i == row { value } else { i as i32 % 2 });
                let mut sums = <F32x4 as Vector>::Wide::zero();
                assert_eq!(tile.run::<F32x4>(&Job { rows: 700, ..JOB }, &mut sums), Err(row));
                assert!((0..1400).all(|i| *tile.logits::<f32>().add(i) == i as f32));
                assert_eq!(sums.total(), 0.0);
            }
        }
    }

    #[test]
    fn a_tile_gives_what_slices_give() {
        let mut tile = Tile::new();
        let classes = 5;
        let rows = 23;
        assert!(tile.reserve(4, classes) >= rows);
        let logits: Vec<f32> = (0..rows * classes).map(|i| (i * 7919 % 101) as f32 / 9.0 - 5.0).collect();
        let targets: Vec<i32> = (0..rows).map(|i| (i * 31 % classes) as i32).collect();
        let weights = [0.5, 1.0, 2.0, 0.25, 4.0];
        // SAFETY: the rows fit.
        let (grad, values, total) = unsafe {
            ptr::copy_nonoverlapping(logits.as_ptr(), tile.logits(), logits.len());
            ptr::copy_nonoverlapping(targets.as_ptr(), tile.targets(), rows);
            ptr::copy_nonoverlapping(weights.as_ptr(), tile.weights::<f32>(), classes);
            let mut sums = <F32x4 as Vector>::Wide::zero();
            tile.run::<F32x4>(&Job { rows, classes, weights: None, ..JOB }, &mut sums).unwrap();
            let slice = |p: *const f32, n| slice::from_raw_parts(p, n).to_vec();
            (slice(tile.logits(), logits.len()), slice(tile.values(), rows), sums.total())
        };
        let criterion = FocalLoss { alpha: Alpha::PerClass(&weights), ..FocalLoss::default() };
        let (mut expected, mut each) = (vec![0.0; logits.len()], vec![0.0; rows]);
        criterion.rows(&logits, &targets, classes, &mut each, Some(&mut expected)).unwrap();
        assert_eq!((grad, values), (expected, each));
        let sum = FocalLoss { reduction: crate::Reduction::Sum, ..criterion };
        assert_eq!(total, sum.forward(&logits, &targets, classes).unwrap());
    }
}
