//! The rows of a block as float64 numbers, whatever they are in.

use core::{mem::MaybeUninit, ptr, slice};

use super::super::{
    block::{Block, Column, GROUPS},
    few::COLUMNS,
    rows::{Weights, narrow},
};
use crate::{
    math::Real,
    simd::{
        F64x2,
        vector::{Scalar, Vector},
    },
};

/// Classes that are looked at together, an even number.
pub(super) const CHUNK: usize = 128;

/// The most rows of a block.
pub(super) const ROWS: usize = GROUPS * F64x2::LANES;

/// Some classes of a row.
pub(super) struct Chunk {
    /// Their logits.
    pub logits: [f64; CHUNK],
    /// Their `q_j`, smoothed and weighted.
    pub shares: [f64; CHUNK],
    /// Their parts of the row's mean weight.
    pub means: [f64; CHUNK],
    /// The exponentials of their logits, in the unit of [`RowSums::others`].
    pub(super) exponentials: [f64; CHUNK],
    /// Out: their gradients.
    pub(super) gradients: [f64; CHUNK],
}

impl Chunk {
    /// All of them 0.
    pub(super) const ZERO: Self = Self {
        logits: [0.0; CHUNK],
        shares: [0.0; CHUNK],
        means: [0.0; CHUNK],
        exponentials: [0.0; CHUNK],
        gradients: [0.0; CHUNK],
    };
}

/// Rows in float64, one after the other, and what is asked of them.
pub(super) struct Wide {
    /// Their logits, and then their gradients.
    pub(super) logits: [MaybeUninit<f64>; COLUMNS * F64x2::LANES],
    /// Their shares, neither smoothed nor weighted.
    pub(super) shares: [MaybeUninit<f64>; COLUMNS * F64x2::LANES],
    /// The target class of each, for a γ that depends on it.
    pub(super) targets: *const i32,
}

/// The source of rows, and the place for their gradients.
///
/// # Safety
/// All methods: `row` must be a row, and `n` classes follow `from`, or `j` be one.
pub(super) trait Source {
    /// The weights of the first `n` rows, and the factors of their gradients.
    unsafe fn factors(&self, n: usize, to: [&mut Column<F64x2>; 2]);
    /// The target class of a row.
    unsafe fn target(&self, row: usize) -> usize;
    /// The logit of class `j`.
    unsafe fn logit(&self, row: usize, j: usize) -> f64;
    /// The class with the largest logit.
    unsafe fn largest(&self, row: usize) -> usize;
    /// Fills a chunk.
    unsafe fn load(&self, row: usize, from: usize, n: usize, chunk: &mut Chunk);
    /// Fills a block of `n` rows, and another row with zeros where that is an odd number.
    unsafe fn widen(&self, n: usize, to: &mut Wide);
    /// The factor of the share of class `j`, or of its part of the mean weight, if there is any.
    unsafe fn weight(&self, mean: bool, j: usize) -> Option<f64>;
    /// Writes gradients.
    unsafe fn store(&self, row: usize, from: usize, n: usize, gradients: &[f64]);
    /// True where there is a place for gradients.
    fn wants_gradients(&self) -> bool;
    /// True where rows weigh the mean of their classes' weights, which is not 1 where those are,
    /// since probabilities need not sum to exactly 1.
    fn has_mean_weights(&self) -> bool;
}

/// The aims of the classes of the rows: `q_j`.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Aims<S> {
    /// `rows × classes` probabilities, or null where each row has a target class.
    pub probabilities: *const S,
    /// ε.
    pub smoothing: f64,
    /// The factors of each `q_j`.
    pub weights: Weights<S>,
    /// The row weighs the sum of these, each times its unsmoothed `q_j`, if there are any.
    pub mean: Option<Weights<S>>,
}

/// The inputs of all rows.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Inputs<S> {
    /// Number of classes.
    pub classes: usize,
    /// Logits of all rows.
    pub logits: *const S,
    /// Aims of all rows.
    pub aims: Aims<S>,
}

impl<S: Scalar> Inputs<S> {
    /// The probabilities of the row with these logits, or null. They keep their place where
    /// gradients overwrite the logits.
    #[inline(always)]
    fn probabilities(&self, logits: *const S) -> *const S {
        let Aims { probabilities, .. } = self.aims;
        if probabilities.is_null() {
            return probabilities;
        }
        let offset = (logits as usize - self.logits as usize) / size_of::<S>();
        probabilities.wrapping_add(offset)
    }

    /// The class that has all of the probability, where that makes the row one with a target class.
    ///
    /// # Safety
    /// `logits` must be those of a row.
    pub(super) unsafe fn single_class(&self, logits: *const S) -> Option<usize> {
        let probabilities = self.probabilities(logits);
        if probabilities.is_null() {
            return None;
        }
        // SAFETY: a row of probabilities.
        let q = |j: usize| unsafe { *probabilities.add(j) }.to_f64();
        let first = (0..self.classes).find(|&j| q(j) != 0.0)?;
        let single = q(first) == 1.0 && (first + 1..self.classes).all(|j| q(j) == 0.0);
        single.then_some(first)
    }
}

/// The rows of a block, to be read and written in float64.
pub(super) struct Typed<'a, V: Real> {
    pub(super) inputs: &'a Inputs<V::Scalar>,
    pub(super) block: &'a Block<V>,
}

impl<V: Real> Typed<'_, V> {
    #[inline(always)]
    fn logits(&self, row: usize) -> *const V::Scalar {
        self.block.logits.wrapping_add(row * self.inputs.classes)
    }
}

impl<V: Real> Typed<'_, V> {
    /// The unsmoothed probabilities of the classes from `from` on.
    ///
    /// # Safety
    /// They must be classes.
    #[inline(always)]
    unsafe fn probabilities(&self, row: usize, from: usize, to: &mut [f64]) {
        let probabilities = self.inputs.probabilities(self.logits(row));
        // SAFETY: passed on.
        unsafe {
            if probabilities.is_null() {
                to.fill(0.0);
                if let Some(target) = to.get_mut(self.target(row).wrapping_sub(from)) {
                    *target = 1.0;
                }
                return;
            }
            widen::<V>(probabilities.add(from), to.len(), to.as_mut_ptr());
        }
    }

    /// Smooths and weighs the probabilities of the classes from `from` on.
    ///
    /// # Safety
    /// They must be classes.
    #[inline(always)]
    unsafe fn smooth(&self, from: usize, shares: &mut [f64]) {
        let Aims { smoothing, weights, .. } = self.inputs.aims;
        if smoothing > 0.0 {
            // Every class has a share, which a masked one makes infinite.
            let (kept, each) =
                (1.0 - smoothing, (smoothing / self.inputs.classes as f64).max(f64::from_bits(1)));
            shares.iter_mut().for_each(|q| *q = *q * kept + each);
        }
        if !weights.is_none() {
            for (i, q) in shares.iter_mut().enumerate() {
                // SAFETY: passed on.
                *q = part(*q, unsafe { weights.of_class(from + i) }.to_f64());
            }
        }
    }
}

/// The product of a share and a weight: 0 only where one of them is, so that an infinite
/// cross-entropy is not lost.
#[inline(always)]
fn part(share: f64, weight: f64) -> f64 {
    if share > 0.0 && weight > 0.0 {
        (share * weight).max(f64::from_bits(1))
    } else {
        share * weight
    }
}

impl<V: Real> Source for Typed<'_, V> {
    unsafe fn factors(&self, n: usize, to: [&mut Column<F64x2>; 2]) {
        for (from, to) in [&self.block.weight, &self.block.scale].into_iter().zip(to) {
            // SAFETY: rows of the block, and those that fill a group up.
            unsafe {
                widen::<V>(ptr::from_ref(from).cast(), n.next_multiple_of(V::LANES), to.lanes());
            }
        }
    }

    unsafe fn target(&self, row: usize) -> usize {
        // SAFETY: a row of the block.
        unsafe { *self.block.targets.add(row) as usize }
    }

    unsafe fn logit(&self, row: usize, j: usize) -> f64 {
        // SAFETY: a class of a row.
        unsafe { *self.logits(row).add(j) }.to_f64()
    }

    unsafe fn largest(&self, row: usize) -> usize {
        // SAFETY: a row.
        let logits = unsafe { slice::from_raw_parts(self.logits(row), self.inputs.classes) };
        let (mut largest, mut top) = (0, V::Scalar::from_f64(f64::NEG_INFINITY));
        for (j, &x) in logits.iter().enumerate() {
            if x > top {
                (largest, top) = (j, x);
            }
        }
        largest
    }

    unsafe fn load(&self, row: usize, from: usize, n: usize, chunk: &mut Chunk) {
        let n = n.min(chunk.logits.len());
        // SAFETY: classes of a row, each with its weights.
        unsafe {
            widen::<V>(self.logits(row).add(from), n, chunk.logits.as_mut_ptr());
            self.probabilities(row, from, &mut chunk.shares[..n]);
            if let Some(mean) = self.inputs.aims.mean {
                for (i, (to, plain)) in
                    chunk.means[..n].iter_mut().zip(&chunk.shares[..n]).enumerate()
                {
                    *to = part(*plain, mean.of_class(from + i).to_f64());
                }
            }
            self.smooth(from, &mut chunk.shares[..n]);
        }
    }

    unsafe fn widen(&self, n: usize, to: &mut Wide) {
        let classes = self.inputs.classes;
        let logits = to.logits.as_mut_ptr().cast::<f64>();
        let shares = to.shares.as_mut_ptr().cast::<f64>();
        // SAFETY: rows of the block, each class with its weights.
        unsafe {
            let end = n * classes;
            for to in [logits, shares] {
                to.add(end).write_bytes(0, (n % 2) * classes);
            }
            widen::<V>(self.block.logits, end, logits);
            let probabilities = self.inputs.probabilities(self.block.logits);
            if probabilities.is_null() {
                shares.write_bytes(0, end);
                (0..n).for_each(|row| *shares.add(row * classes + self.target(row)) = 1.0);
            } else {
                widen::<V>(probabilities, end, shares);
            }
            to.targets = self.block.targets;
        }
    }

    unsafe fn weight(&self, mean: bool, j: usize) -> Option<f64> {
        let Aims { weights, mean: means, .. } = self.inputs.aims;
        let weights = if mean { means? } else { weights };
        // SAFETY: a class, with its weights.
        (mean || !weights.is_none()).then(|| unsafe { weights.of_class(j) }.to_f64())
    }

    unsafe fn store(&self, row: usize, from: usize, n: usize, gradients: &[f64]) {
        let grad = self.block.grad.wrapping_add(row * self.inputs.classes + from);
        // SAFETY: classes of a row.
        let grad = unsafe { slice::from_raw_parts_mut(grad, n) };
        grad.iter_mut().zip(gradients).for_each(|(to, &x)| *to = narrow(x));
    }

    fn wants_gradients(&self) -> bool {
        !self.block.grad.is_null()
    }

    fn has_mean_weights(&self) -> bool {
        self.inputs.aims.mean.is_some()
    }
}

/// Widens `n` numbers.
///
/// # Safety
/// There must be so many, and room for them.
#[inline(never)]
unsafe fn widen<V: Real>(from: *const V::Scalar, n: usize, to: *mut f64) {
    let whole = n - n % V::LANES;
    // SAFETY: passed on.
    unsafe {
        for k in (0..whole).step_by(V::LANES) {
            for (i, &double) in V::load(from.add(k)).widen().as_ref().iter().enumerate() {
                double.store(to.add(k + 2 * i));
            }
        }
        (whole..n).for_each(|k| *to.add(k) = (*from.add(k)).to_f64());
    }
}
