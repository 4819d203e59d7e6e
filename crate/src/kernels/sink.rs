//! Sinks, into which kernels put the values of rows.

#[cfg(feature = "analysis")]
use crate::{math::exact_sum::Adder, simd::F32x4};
use crate::{
    simd::F64x2,
    simd::vector::{Compensated, MAX_LANES, Vector, WideSum},
};

/// Sinks take the values of rows block by block. The lanes of rows that do not count hold 0.
pub trait Sink<V: Vector> {
    /// Adds `vectors` vectors of values, at most a block.
    ///
    /// # Safety
    /// `values` must be valid for reading them.
    unsafe fn add(&mut self, values: *const V::Scalar, vectors: usize);
}

/// The most rows of a block.
const BLOCK_ROWS: usize = 4096;

/// Logits of a block, if its rows can have as many.
const BLOCK_LOGITS: usize = 32 * 1024;

/// The fewest rows of a block: those of whole vectors.
const FEWEST_ROWS: usize = MAX_LANES;

/// Rows of a block of a batch whose rows have so many logits: a power of two. TypeScript has the
/// same function.
pub const fn block_rows(width: usize) -> usize {
    let rows = match BLOCK_LOGITS.checked_div(width) {
        Some(rows) if rows < FEWEST_ROWS => FEWEST_ROWS,
        Some(rows) if rows < BLOCK_ROWS => rows,
        _ => BLOCK_ROWS,
    };
    1 << rows.ilog2()
}

/// The total of a batch. Its rows are in blocks of a fixed size, each of which has one float64 sum
/// per lane, in the order of the rows; the sums of the blocks are added up in their order. So parts
/// of a batch that are whole blocks can be added up apart, to the same bits.
#[derive(Clone, Copy, Debug)]
pub struct Total<V: Vector> {
    /// The sum of the blocks that are complete, in the first lane, where there is one.
    blocks: Compensated<F64x2>,
    /// The sum of the block at hand.
    lanes: V::Wide,
    /// Vectors that the block at hand has not seen yet.
    left: usize,
    /// Vectors of a block.
    length: usize,
    /// True until a block is complete.
    is_first: bool,
}

impl<V: Vector> Total<V> {
    /// A total of nothing, for rows of one logit.
    pub const ZERO: Self = Self {
        blocks: Compensated::ZERO,
        lanes: V::Wide::ZERO,
        left: BLOCK_ROWS / V::LANES,
        length: BLOCK_ROWS / V::LANES,
        is_first: true,
    };

    /// A total of nothing yet, for rows of so many logits.
    pub fn new(width: usize) -> Self {
        let mut total = Self::ZERO;
        total.begin(width);
        total
    }

    /// Begins at 0, for rows of so many logits.
    #[inline(always)]
    pub fn begin(&mut self, width: usize) {
        self.length = block_rows(width) / V::LANES;
        self.left = self.length;
        self.lanes = V::Wide::ZERO;
        self.is_first = true;
    }

    /// The sum of all rows so far.
    #[inline(always)]
    pub fn sum(&self) -> f64 {
        let block = self.block();
        if self.is_first { block } else { with(self.blocks, block).total() }
    }

    /// The sum of the block at hand.
    #[inline(never)]
    fn block(&self) -> f64 {
        self.lanes.total()
    }

    /// Goes on to the next block.
    #[cold]
    #[inline(never)]
    fn end_block(&mut self) {
        let blocks = if self.is_first { Compensated::ZERO } else { self.blocks };
        let blocks = with(blocks, self.block());
        *self = Self { blocks, lanes: V::Wide::ZERO, left: self.length, is_first: false, ..*self };
    }
}

/// A sum with one more number.
#[inline(never)]
fn with(sum: Compensated<F64x2>, number: f64) -> Compensated<F64x2> {
    sum.accumulate(F64x2::from_lanes(|i| if i == 0 { number } else { 0.0 }))
}

impl<V: Vector> Sink<V> for Total<V> {
    unsafe fn add(&mut self, values: *const V::Scalar, vectors: usize) {
        let mut done = 0;
        while done < vectors {
            let end = vectors.min(done + self.left);
            let mut lanes = self.lanes;
            for g in done..end {
                // SAFETY: passed on.
                lanes = lanes.accumulate(unsafe { V::load(values.add(g * V::LANES)) });
            }
            self.lanes = lanes;
            self.left -= end - done;
            if self.left == 0 {
                self.end_block();
            }
            done = end;
        }
    }
}

#[cfg(feature = "analysis")]
impl Sink<F32x4> for Adder {
    unsafe fn add(&mut self, values: *const f32, vectors: usize) {
        // SAFETY: passed on.
        unsafe { self.add_block(values, vectors) }
    }
}

#[cfg(feature = "analysis")]
impl Sink<F64x2> for Adder {
    unsafe fn add(&mut self, values: *const f64, vectors: usize) {
        // SAFETY: passed on.
        unsafe { self.add_block(values, vectors) }
    }
}
