//! Sweeps of a host: the focal loss for every γ, ε and weighting at once.

use core::{ptr, slice};

use super::{
    abi::{
        area, flag,
        size::{SWEEP_STATE, SWEEP_WEIGHTS, TILE_ROWS},
    },
    call::{Float, by_float},
    state::State,
};
use crate::{
    kernels::{self, Elements, Rows, Sweep, SweepSize, TargetCheck, Weights},
    math::Real,
    simd::vector::WideSum,
    simd::{F32x4, F64x2},
};

/// The parts of a sweep's buffer, all in float64 numbers, one after the other.
struct Buffer {
    /// State of each sum so far, zeros at first: [`SWEEP_STATE`] for each.
    sums: *mut f64,
    /// Room for the weights of a block: [`SWEEP_WEIGHTS`] for each weighting.
    weights: *mut f64,
    /// Out: each sum.
    totals: *mut f64,
    /// In and out: how many rows counted so far.
    counted: *mut f64,
    /// Each γ.
    gammas: *const f64,
    /// Each ε.
    smoothings: *const f64,
    /// Each weighting: the number of a table, or one of [`weighting`](super::abi::weighting).
    weightings: *const f64,
    /// The weights of the classes, one table after the other.
    tables: *const f64,
}

impl Buffer {
    /// The buffer of a sweep of this size.
    fn new(start: *mut f64, size: SweepSize) -> Self {
        let sums = size.sums();
        let mut next = start;
        let mut take = |count: usize| {
            let part = next;
            next = part.wrapping_add(count);
            part
        };
        Self {
            sums: take(SWEEP_STATE * sums),
            weights: take(SWEEP_WEIGHTS * size.weightings),
            totals: take(sums),
            counted: take(1),
            gammas: take(size.gammas),
            smoothings: take(size.smoothings),
            weightings: take(size.weightings),
            tables: take(0),
        }
    }
}

/// Has `run` add to the sums of a sweep, and return how many rows count.
///
/// # Safety
/// There must be a whole [`Buffer`].
unsafe fn sweeping<V: Real>(
    buffer: *mut f64,
    size: SweepSize,
    run: impl FnOnce(&Sweep<V>) -> usize,
) {
    let Buffer { sums, weights, totals, counted, gammas, smoothings, weightings, tables } =
        Buffer::new(buffer, size);
    let (sums, weights) = (sums.cast::<V::Wide>(), weights.cast());
    let rows = run(&Sweep { size, gammas, smoothings, weightings, tables, sums, weights });
    // SAFETY: passed on.
    unsafe {
        *counted += rows as f64;
        for i in 0..size.sums() {
            totals.add(i).write((*sums.add(i)).total());
        }
    }
}

impl State {
    /// Sweeps over rows. Returns −1, or the first row whose target is neither a class nor ignored;
    /// then nothing is computed.
    ///
    /// # Safety
    /// As for [`Self::solve`]; and there must be a whole buffer.
    #[allow(clippy::too_many_arguments, reason = "the arguments are those of the host")]
    pub unsafe fn sweep(
        &mut self,
        logits: *const u8,
        targets: *const u8,
        rows: usize,
        classes: usize,
        flags: u32,
        size: SweepSize,
        buffer: *mut f64,
    ) -> i32 {
        let is_soft = flags & flag::SOFT != 0;
        let ignored = self.ignored(flags).map(|ignored| ignored as i32);
        if !is_soft {
            // SAFETY: the caller vouches for the targets.
            let targets = unsafe { slice::from_raw_parts(targets.cast(), rows) };
            if let TargetCheck::Invalid(row) = kernels::check_targets(targets, classes, ignored) {
                return row as i32;
            }
        }
        let values = self.tile.address(area::VALUES);
        // Each row of class probabilities needs room for its value in the tile.
        let step = if is_soft { TILE_ROWS } else { rows.max(1) };
        by_float!(flags, V => {
            let batch: Rows<Float<V>> = self.rows(logits, targets, rows, classes, flags);
            // SAFETY: the caller vouches for all of it, and the targets have been checked.
            unsafe {
                sweeping::<V>(buffer, size, |sweep| {
                    let mut counted = 0;
                    for start in (0..rows).step_by(step) {
                        let part = Rows {
                            logits: batch.logits.wrapping_add(start * classes),
                            rows: step.min(rows - start),
                            weights: Weights::none(),
                            ..batch
                        };
                        let soft = targets.cast::<Float<V>>().wrapping_add(start * classes);
                        counted += sweep.run(&part, if is_soft { soft } else { ptr::null() }, values.cast());
                    }
                    counted
                });
            }
        });
        -1
    }

    /// Sweeps over elements.
    ///
    /// # Safety
    /// As for [`Self::sigmoid`]; and there must be a whole buffer.
    #[allow(clippy::too_many_arguments, reason = "the arguments are those of the host")]
    pub unsafe fn sweep_elements(
        &mut self,
        logits: *const u8,
        targets: *const u8,
        count: usize,
        columns: usize,
        flags: u32,
        size: SweepSize,
        buffer: *mut f64,
    ) {
        by_float!(flags, V => {
            let elements = Elements { alpha: None, ..self.elements::<Float<V>>(logits, targets, count, columns, flags) };
            // SAFETY: the caller vouches for all of it.
            unsafe { sweeping::<V>(buffer, size, |sweep| sweep.run_elements(&elements)) };
        });
    }
}
