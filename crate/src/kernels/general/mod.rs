//! Rows whose classes each have a target of their own, and the rarer things asked of a row.
//!
//! All is computed in float64, whatever the rows are in: gradients are differences `p_j − q_j`
//! here, and where a row is near its optimum float32 would have few digits of them left. [`source`]
//! knows what the rows are in; it hands their classes, some at a time, to [`passes`] and [`tasks`],
//! which there are once for both types.

mod passes;
mod side_by_side;
mod source;
mod tasks;

use passes::Mixtures;
pub(super) use passes::{Outlined, Task};
use side_by_side::{CLASSES, SideBySide, rows_of};
pub(super) use source::{Aims, Inputs};
use source::{ROWS, Typed};

use super::{
    block::{Block, Kernel},
    hard,
    rows::{Rows, Weights, narrow},
    sink::Total,
};
use crate::{
    loss::focal::{Focal, Hard},
    math::Real,
    simd::{F64x2, vector::Scalar},
};
/// The kernel.
#[derive(Clone, Copy)]
pub(super) struct General<S> {
    pub loss: Hard<F64x2, Outlined>,
    pub inputs: Inputs<S>,
    pub task: Task,
    /// For rows whose probabilities are those of a single class: the loss with that class as the
    /// target, and the weights of the classes. Such rows give the bits of a target class.
    pub single: Option<(Focal, Weights<S>)>,
}

impl<S: Scalar> General<S> {
    fn is_side_by_side(&self) -> bool {
        self.task == Task::Mixture && self.inputs.classes <= CLASSES
    }

    /// Computes the `n` rows of the block from `row` on as such with target classes.
    ///
    /// # Safety
    /// They must be rows of the block, `targets` have a class for each, and the kernel be one with
    /// a loss for a single class.
    unsafe fn by_class<V: Real<Scalar = S>>(
        &self,
        block: &mut Block<V>,
        row: usize,
        n: usize,
        targets: *const i32,
    ) {
        let Some((loss, weights)) = self.single else { return };
        let grad = if block.grad.is_null() {
            block.grad
        } else {
            block.grad.wrapping_add(row * self.inputs.classes)
        };
        let rows = Rows {
            logits: block.logits.wrapping_add(row * self.inputs.classes),
            targets,
            grad,
            values: block.value.lanes().wrapping_add(row),
            rows: n,
            classes: self.inputs.classes,
            weights,
            row_weights: block.weight.lanes().wrapping_add(row),
            scale: S::from_f64(1.0),
            row_scales: block.scale.lanes().wrapping_add(row),
            ignored: None,
        };
        // SAFETY: passed on.
        unsafe { hard::focal::<V>(&rows, &loss, &mut Total::new(1)) };
    }
}

impl<V: Real> Kernel<V> for General<V::Scalar> {
    fn groups(&self) -> usize {
        let rows = if self.is_side_by_side() { rows_of(self.inputs.classes) } else { ROWS };
        rows / V::LANES
    }

    fn only_whole_groups(&self) -> bool {
        false
    }

    unsafe fn run(&self, block: &mut Block<V>) {
        let (classes, n) = (self.inputs.classes, block.rows);
        let mut singles = [0; ROWS];
        let mut is_single = [false; ROWS];
        let rows = || 0..n.min(ROWS);
        // SAFETY: rows of the block.
        unsafe {
            for i in rows() {
                if self.single.is_none() {
                    break;
                }
                if let Some(class) =
                    self.inputs.single_class(block.logits.wrapping_add(i * classes))
                {
                    (singles[i], is_single[i]) = (class as i32, true);
                }
            }
            if rows().all(|i| is_single[i]) {
                return self.by_class(block, 0, n, singles.as_ptr());
            }
            let source = Typed { inputs: &self.inputs, block };
            let mixed = if self.is_side_by_side() {
                let smoothing = self.inputs.aims.smoothing;
                SideBySide { source: &source, loss: &self.loss, classes, smoothing }
                    .run(n, &is_single)
            } else {
                let smoothing = self.inputs.aims.smoothing;
                Mixtures::new(&source, self.loss, classes, self.task, smoothing).run(n, &is_single)
            };
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
