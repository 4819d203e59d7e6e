//! Looks at the softmax of rows, in place of a loss that judges it: what the losses' kernels have in common with all else that begins
//! with a softmax.

use super::{
    block::{Block, Column, Kernel, run},
    few::{Few, MAX_CLASSES},
    many::Many,
    pair::Pair,
    rows::Rows,
};
use crate::{
    loss::{
        focal::{Gamma, Hard, Later, Loss, Power, Smoothing},
        softmax::{Outcome, Row, RowSums},
    },
    vector::{Vector, WideSum},
};

/// What looks at blocks of rows.
pub(super) trait Observer<V: Vector> {
    /// Looks at a block. Where there is a place for gradients, each group's outcome must be set: what it says of the target goes there,
    /// and of what is common the other classes get their shares. Unless there are two classes: then all gradients are the observer's to
    /// write.
    ///
    /// # Safety
    /// `rows`, and `sums` if there are any, must have been set for the groups of the block.
    unsafe fn observe(
        &self,
        block: &mut Block<V>,
        rows: &Column<Row<V>>,
        sums: Option<&Column<RowSums<V>>>,
        outcomes: &mut Column<Outcome<V>>,
    );
}

/// A kernel with somebody who looks at its rows.
struct Observed<'a, V: Vector, O> {
    kernel: &'a dyn Kernel<V>,
    observer: &'a O,
}

impl<V: Vector + 'static, O: Observer<V> + 'static> Kernel<V> for Observed<'_, V, O> {
    fn groups(&self) -> usize {
        self.kernel.groups()
    }

    fn only_whole_groups(&self) -> bool {
        self.kernel.only_whole_groups()
    }

    unsafe fn run(&self, block: &mut Block<V>) {
        let observer: *const O = self.observer;
        block.observer = Some(observer);
        // SAFETY: passed on. The observer outlives the block.
        unsafe { self.kernel.run(block) }
    }
}

/// Has `observer` look at all `rows`. `with_spread`: also at the [`RowSums::spread`].
///
/// # Safety
/// As for [`super::solve`], with a target class for every row.
pub(super) unsafe fn observe<V: Vector + 'static, O: Observer<V> + 'static>(
    rows: &Rows<V::Scalar>,
    with_spread: bool,
    observer: &O,
) {
    let classes = rows.classes;
    let gamma = Gamma::All(0.0);
    let power = Power::new(gamma);
    let loss = Loss::<V> {
        hard: Hard::new(gamma, Later(&power)),
        // How much is smoothed is the observer's to say.
        smoothing: with_spread.then(|| Smoothing::new(1.0, classes)),
    };
    let kernel: &dyn Kernel<V> = match classes {
        2 => &Pair { loss: &loss },
        ..=MAX_CLASSES => &Few { loss: &loss, classes },
        _ => &Many { loss: &loss, classes },
    };
    // SAFETY: passed on.
    unsafe { run(&Observed { kernel, observer }, rows, V::Wide::zero()) };
}
