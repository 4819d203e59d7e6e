//! Rows whose classes each have a target of their own, and the rarer things asked of a row.
//!
//! All is computed in float64, whatever the rows are in: gradients are differences `p_j − q_j` here, and where a row is near its
//! optimum float32 would have few digits of them left. This file is the part that knows what the rows are in; it hands their classes,
//! some at a time, to [`super::mixture`], which there is once for both types.

use core::slice;

use super::{
    block::{Block, Kernel},
    hard,
    mixture::{Chunk, Mixtures, Outlined, ROWS, Source, Task},
    problem::Focal,
    rows::{Rows, Weights},
    sink::Total,
};
use crate::{
    arch::F64x2,
    loss::focal::Hard,
    vector::{Scalar, Vector},
};

/// What the classes of the rows are aimed at: `q_j`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aims<S> {
    /// `rows × classes` probabilities, or null where each row has a target class.
    pub probabilities: *const S,
    /// ε.
    pub smoothing: f64,
    /// What each `q_j` is multiplied with.
    pub weights: Weights<S>,
    /// The row weighs the sum of these, each times its unsmoothed `q_j`, if there are any.
    pub mean: Option<Weights<S>>,
}

/// The kernel.
#[derive(Clone, Copy)]
pub(super) struct Dense<S> {
    pub loss: Hard<F64x2, Outlined>,
    pub classes: usize,
    pub logits: *const S,
    pub aims: Aims<S>,
    pub task: Task,
    /// For rows whose probabilities are those of a single class: the loss with that class as the target, and the weights of the
    /// classes. Such rows give the bits of a target class.
    pub single: Option<(Focal, Weights<S>)>,
}

impl<S: Scalar> Dense<S> {
    /// The probabilities of the row with these logits, or null. They keep their place where gradients overwrite the logits.
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
    unsafe fn single_class(&self, logits: *const S) -> Option<usize> {
        let probabilities = self.probabilities(logits);
        if probabilities.is_null() || self.single.is_none() {
            return None;
        }
        // SAFETY: a row of probabilities.
        let q = |j: usize| unsafe { *probabilities.add(j) }.to_f64();
        let first = (0..self.classes).find(|&j| q(j) != 0.0)?;
        let single = q(first) == 1.0 && (first + 1..self.classes).all(|j| q(j) == 0.0);
        single.then_some(first)
    }

    /// Computes the `n` rows of the block from `row` on as such with target classes.
    ///
    /// # Safety
    /// They must be rows of the block, `targets` have a class for each, and the kernel be one with a loss for a single class.
    unsafe fn by_class<V: Vector<Scalar = S>>(&self, block: &mut Block<V>, row: usize, n: usize, targets: *const i32) {
        let Some((loss, weights)) = self.single else { return };
        let grad = if block.grad.is_null() { block.grad } else { block.grad.wrapping_add(row * self.classes) };
        let rows = Rows {
            logits: block.logits.wrapping_add(row * self.classes),
            targets,
            grad,
            values: block.value.lanes().wrapping_add(row),
            rows: n,
            classes: self.classes,
            weights,
            row_weights: block.weight.lanes().wrapping_add(row),
            scale: S::from_f64(1.0),
            row_scales: block.scale.lanes().wrapping_add(row),
            ignored: None,
        };
        // SAFETY: passed on.
        unsafe { hard::focal::<V>(&rows, &loss, &mut Total::zero()) };
    }
}

impl<V: Vector> Kernel<V> for Dense<V::Scalar> {
    fn groups(&self) -> usize {
        ROWS / V::LANES
    }

    fn only_whole_groups(&self) -> bool {
        false
    }

    unsafe fn run(&self, block: &mut Block<V>) {
        let (classes, n) = (self.classes, block.rows);
        let mut singles = [0; ROWS];
        let mut is_single = [false; ROWS];
        let rows = || 0..n.min(ROWS);
        // SAFETY: rows of the block.
        unsafe {
            for i in rows() {
                if let Some(class) = self.single_class(block.logits.wrapping_add(i * classes)) {
                    (singles[i], is_single[i]) = (class as i32, true);
                }
            }
            if rows().all(|i| is_single[i]) {
                return self.by_class(block, 0, n, singles.as_ptr());
            }
            let source = Typed { kernel: self, block };
            let mixtures = Mixtures::new(&source, self.loss, classes, self.task, self.aims.smoothing);
            let mixed = mixtures.run(n, &is_single);
            for i in rows() {
                if is_single[i] {
                    self.by_class(block, i, 1, singles.as_ptr().wrapping_add(i));
                } else {
                    block.value.lanes().add(i).write(narrow(mixed[i]));
                }
            }
        }
    }
}

/// `x`, rounded, with +0 for −0, which a small negative number is rounded to.
#[inline(always)]
pub(crate) fn narrow<S: Scalar>(x: f64) -> S {
    S::from_f64(S::from_f64(x).to_f64() + 0.0)
}

/// The rows of a block, to be read and written in float64.
struct Typed<'a, V: Vector> {
    kernel: &'a Dense<V::Scalar>,
    block: &'a Block<V>,
}

impl<V: Vector> Typed<'_, V> {
    #[inline(always)]
    fn logits(&self, row: usize) -> *const V::Scalar {
        self.block.logits.wrapping_add(row * self.kernel.classes)
    }
}

impl<V: Vector> Typed<'_, V> {
    /// The unsmoothed probabilities of the classes from `from` on.
    ///
    /// # Safety
    /// They must be classes.
    #[inline(always)]
    unsafe fn probabilities(&self, row: usize, from: usize, to: &mut [f64]) {
        let probabilities = self.kernel.probabilities(self.logits(row));
        // SAFETY: passed on.
        unsafe {
            if probabilities.is_null() {
                to.fill(0.0);
                if let Some(target) = to.get_mut(self.target(row).wrapping_sub(from)) {
                    *target = 1.0;
                }
                return;
            }
            let row = slice::from_raw_parts(probabilities.add(from), to.len());
            for (to, q) in to.iter_mut().zip(row) {
                *to = q.to_f64();
            }
        }
    }

    /// Smooths and weighs the probabilities of the classes from `from` on.
    ///
    /// # Safety
    /// They must be classes.
    #[inline(always)]
    unsafe fn smooth(&self, from: usize, shares: &mut [f64]) {
        let Aims { smoothing, weights, .. } = self.kernel.aims;
        if smoothing > 0.0 {
            // Every class has a share, which a masked one makes infinite.
            let (kept, each) = (1.0 - smoothing, (smoothing / self.kernel.classes as f64).max(f64::from_bits(1)));
            shares.iter_mut().for_each(|q| *q = *q * kept + each);
        }
        if !weights.is_none() {
            for (i, q) in shares.iter_mut().enumerate() {
                // SAFETY: passed on.
                *q *= unsafe { weights.of_class(from + i) }.to_f64();
            }
        }
    }
}

impl<V: Vector> Source for Typed<'_, V> {
    unsafe fn factors(&self, row: usize) -> (f64, f64) {
        let (g, i) = (row / V::LANES, row % V::LANES);
        // SAFETY: a row of the block.
        unsafe { (self.block.weight.get(g).lane(i).to_f64(), self.block.scale.get(g).lane(i).to_f64()) }
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
        let logits = unsafe { slice::from_raw_parts(self.logits(row), self.kernel.classes) };
        let (mut largest, mut top) = (0, V::Scalar::from_f64(f64::NEG_INFINITY));
        for (j, &x) in logits.iter().enumerate() {
            if x > top {
                (largest, top) = (j, x);
            }
        }
        largest
    }

    unsafe fn share(&self, row: usize, j: usize) -> f64 {
        let mut share = [0.0];
        // SAFETY: passed on.
        unsafe {
            self.probabilities(row, j, &mut share);
            self.smooth(j, &mut share);
        }
        share[0]
    }

    unsafe fn load(&self, row: usize, from: usize, n: usize, chunk: &mut Chunk) {
        let n = n.min(chunk.logits.len());
        // SAFETY: classes of a row, each with its weights.
        unsafe {
            for (to, x) in chunk.logits[..n].iter_mut().zip(slice::from_raw_parts(self.logits(row).add(from), n)) {
                *to = x.to_f64();
            }
            self.probabilities(row, from, &mut chunk.shares[..n]);
            if let Some(mean) = self.kernel.aims.mean {
                for (i, (to, plain)) in chunk.means[..n].iter_mut().zip(&chunk.shares[..n]).enumerate() {
                    *to = plain * mean.of_class(from + i).to_f64();
                }
            }
            self.smooth(from, &mut chunk.shares[..n]);
        }
    }

    unsafe fn store(&self, row: usize, from: usize, n: usize, gradients: &[f64]) {
        let grad = self.block.grad.wrapping_add(row * self.kernel.classes + from);
        // SAFETY: classes of a row.
        let grad = unsafe { slice::from_raw_parts_mut(grad, n) };
        grad.iter_mut().zip(gradients).for_each(|(to, &x)| *to = narrow(x));
    }

    fn wants_gradients(&self) -> bool {
        !self.block.grad.is_null()
    }

    fn has_mean_weights(&self) -> bool {
        self.kernel.aims.mean.is_some()
    }
}
