//! Figures of rows of a host, each in a place of a buffer: see [`figure`].

use core::{ptr, slice};

use super::{
    abi::{Above, Bin, Decisions, Group, Tally, area, figure, flag, list},
    call::{Float, by_float},
    state::State,
};
use crate::{
    kernels::{self, Elements, LossFigures, Rows, SoftmaxFigures, TargetCheck},
    simd::{F32x4, F64x2},
};

/// The place of a figure in a buffer with room for so many rows.
fn place<T>(buffer: *mut f64, room: usize, figure: usize) -> *mut T {
    buffer.wrapping_add(figure * room).cast()
}

/// The parts of a buffer for what a loss makes of rows, all in float64 numbers.
struct LossBuffer {
    tally: *mut Tally,
    figures: LossFigures,
    /// One for each class, and behind them one for each column, where there are several.
    groups: *mut Group,
    classes: usize,
    columns: usize,
}

impl LossBuffer {
    /// The buffer of so many classes and columns, with room for the figures of so many rows, and
    /// behind a record of numbers above a threshold for lists of so many. These go on where they
    /// end so far.
    ///
    /// # Safety
    /// The tally must be there.
    unsafe fn new(
        (start, room, lists): (*mut f64, usize, usize),
        (classes, columns): (usize, usize),
    ) -> Self {
        let figures = start.wrapping_add(Tally::ALL.len());
        let groups: *mut Group = place(figures, room, figure::LABEL + 1);
        let first = groups.wrapping_add(classes + columns).cast::<f64>();
        let first = first.wrapping_add(Above::ALL.len());
        let numbers = |which: usize| first.cast::<u32>().wrapping_add(which * lists);
        let tally: *mut Tally = start.cast();
        // SAFETY: passed on.
        let Tally { rows, sure, non_finite, .. } = unsafe { *tally };
        let figures = LossFigures {
            label: place(figures, room, figure::LABEL),
            predicted: place(figures, room, figure::PREDICTED),
            confidence: place(figures, room, figure::CONFIDENCE),
            gradient: place(figures, room, figure::GRADIENT),
            factor: place(figures, room, figure::FACTOR),
            weight: place(figures, room, figure::WEIGHT),
            loss: place::<f64>(first, lists, list::LOSS).wrapping_add(rows as usize),
            number: numbers(list::NUMBER).wrapping_add(rows as usize),
            sure: numbers(list::SURE).wrapping_add(sure as usize),
            non_finite: numbers(list::NON_FINITE).wrapping_add(non_finite as usize),
        };
        Self { tally, figures, groups, classes, columns }
    }

    /// Adds up the figures of `n` rows, of which the first has the number `first`, and so many
    /// logits that are not finite.
    ///
    /// # Safety
    /// The buffer must be there, and the figures have been put down.
    unsafe fn add(&self, (n, first): (usize, usize), logits: usize) {
        // SAFETY: passed on; nothing else looks at the buffer.
        unsafe {
            let tally = &mut *self.tally;
            tally.logits += logits as f64;
            let groups = |first: *mut Group, count| slice::from_raw_parts_mut(first, count);
            let classes = groups(self.groups, self.classes);
            let columns = groups(self.groups.wrapping_add(self.classes), self.columns);
            tally.add(&self.figures, (n, first), classes, columns);
        }
    }
}

impl State {
    /// Puts down what a softmax says of rows in the tile, whose classes are in the area of targets;
    /// where the targets are probabilities, these are in theirs as well. Adds the decisions up by
    /// so many bins, behind the scratch, and by the classes behind these, or by none; by weights,
    /// if the call has them.
    ///
    /// # Safety
    /// The rows must be in the tile, and the buffer have room for them, in whole vectors, and
    /// behind them for its scratch.
    pub unsafe fn softmax_figures(
        &mut self,
        rows: usize,
        classes: usize,
        flags: u32,
        buffer: *mut f64,
        room: usize,
        bins: usize,
    ) {
        let out = SoftmaxFigures {
            predicted: place(buffer, room, figure::PREDICTED),
            confidence: place(buffer, room, figure::CONFIDENCE),
            neg_log_confidence: place(buffer, room, figure::NEG_LOG_CONFIDENCE),
            cross_entropy: place(buffer, room, figure::CROSS_ENTROPY),
            distance: place(buffer, room, figure::DISTANCE),
            score: place(buffer, room, figure::SCORE),
            scratch: place(buffer, room, figure::SCRATCH),
        };
        let [logits, labels] = [area::LOGITS, area::TARGETS].map(|area| self.tile.address(area));
        by_float!(flags, V => {
            let shares: *mut Float<V> = self.address_if(flags, flag::SOFT, area::PROBABILITIES);
            let logits = logits.cast::<Float<V>>();
            // SAFETY: passed on.
            unsafe { kernels::softmax_figures(logits, (rows, classes), labels.cast(), shares, &out) };
        });
        if bins == 0 {
            return;
        }
        let decisions: *mut Decisions = out.scratch.wrapping_add(classes + 1).cast();
        let weights: *const f64 = if flags & flag::ROW_WEIGHTS == 0 {
            ptr::null()
        } else {
            place(buffer, room, figure::WEIGHTS)
        };
        // SAFETY: the figures have been put down, and all else is the buffer's.
        unsafe {
            let first: *mut Bin = decisions.add(1).cast();
            let counts = first.add(bins).cast();
            let bins = slice::from_raw_parts_mut(first, bins);
            (*decisions).add(&out, rows, labels.cast(), weights, bins, counts);
        }
    }

    /// Puts down what the loss that flags and numbers state makes of rows, of which the first has
    /// the number `first`, and adds it up. Gradients go to the tile. Returns −1, or the first row
    /// whose target is neither a class nor ignored; then nothing is computed.
    ///
    /// # Safety
    /// As for [`Self::solve`]; and the buffer must have room for them, in whole vectors.
    pub unsafe fn loss_figures(
        &mut self,
        logits: *const u8,
        targets: *const u8,
        (rows, classes): (usize, usize),
        flags: u32,
        buffer: (*mut f64, usize, usize),
        first: usize,
    ) -> i32 {
        let is_soft = flags & flag::SOFT != 0;
        if !is_soft {
            let ignored = self.ignored(flags).map(|ignored| ignored as i32);
            // SAFETY: the caller vouches for the targets.
            let targets = unsafe { slice::from_raw_parts(targets.cast(), rows) };
            if let TargetCheck::Invalid(row) = kernels::check_targets(targets, classes, ignored) {
                return row as i32;
            }
        }
        let problem = self.problem(flags);
        let [grad, values] = [area::LOGITS, area::VALUES].map(|area| self.tile.address(area));
        by_float!(flags, V => {
            let rows: Rows<Float<V>> = Rows {
                grad: grad.cast(),
                values: values.cast(),
                ..self.rows(logits, targets, rows, classes, flags)
            };
            let shares = if is_soft { targets.cast() } else { ptr::null() };
            // SAFETY: the caller vouches for all of it, and the targets have been checked.
            unsafe {
                let buffer = LossBuffer::new(buffer, (classes, 0));
                let logits = kernels::loss_figures::<V>(&rows, shares, &problem, &buffer.figures);
                buffer.add((rows.rows, first), logits);
            }
        });
        -1
    }

    /// The same of elements, whose targets have been checked; also for each of so many `groups` of
    /// columns.
    ///
    /// # Safety
    /// As for [`Self::sigmoid`]; and the buffer must have room for them, in whole vectors.
    pub unsafe fn element_figures(
        &mut self,
        logits: *const u8,
        targets: *const u8,
        (count, columns): (usize, usize),
        flags: u32,
        buffer: (*mut f64, usize, usize),
        (first, groups): (usize, usize),
    ) {
        let [grad, values] = [area::LOGITS, area::VALUES].map(|area| self.tile.address(area));
        by_float!(flags, V => {
            let elements: Elements<Float<V>> = Elements {
                grad: grad.cast(),
                values: values.cast(),
                ..self.elements(logits, targets, count, columns, flags)
            };
            // SAFETY: the caller vouches for all of it.
            unsafe {
                let buffer = LossBuffer::new(buffer, (2, groups));
                let logits = kernels::element_figures::<V>(&elements, &buffer.figures);
                buffer.add((count, first), logits);
            }
        });
    }
}
