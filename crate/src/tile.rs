//! The memory through which a host language hands rows to the kernels.
//!
//! A tile has an area for logits, which the kernels overwrite with gradients, one for targets, one for a value per row and one
//! for a weight per class. It is made once and only grows when four rows, or the weights, do not fit.

use core::{ptr, slice};

use crate::{
    kernels::{self, FocalParameters, Rows, Weights},
    vector::Vector,
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

    /// Makes room for `bytes`; whether there is. The contents are lost when it grows.
    fn reserve(&mut self, bytes: usize) -> bool {
        let lines = bytes.div_ceil(size_of::<Line>());
        if lines <= self.0.capacity() {
            return true;
        }
        let mut grown = Vec::new();
        let fits = grown.try_reserve_exact(lines).is_ok();
        if fits {
            self.0 = grown;
        }
        fits
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
    pub focal: FocalParameters,
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
        let fits = self.logits.reserve(LOGITS_BYTES.max(four_rows))
            && self.targets.reserve(TARGETS * size_of::<i32>())
            && self.values.reserve(TARGETS * size_of::<f64>())
            && self.weights.reserve(WEIGHTS_BYTES.max(row_bytes));
        if fits { ((LOGITS_BYTES / row_bytes.max(1)).min(TARGETS) & !3).max(4) } else { 0 }
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
        kernels::find_invalid_target(unsafe { slice::from_raw_parts(self.targets(), count) }, classes)
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
