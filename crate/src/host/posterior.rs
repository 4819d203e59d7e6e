//! The class probabilities that logits stand for under a loss.

use core::ptr;

use super::{
    abi::{area, flag},
    call::by_float,
    state::State,
};
use crate::{
    kernels::{Elements, PerColumn, PosteriorRows, Problem, posterior_elements},
    loss::focal::{Focal, FocusOn},
    simd::{F32x4, F64x2},
};

impl State {
    /// Replaces the logits of rows in the tile by the probabilities that they stand for under the
    /// loss that flags and numbers state. The area of weights has the factor of each class; that of
    /// positive weights how much likelier it has become, if the bit of that is set. Probabilities
    /// and stage serve as room.
    ///
    /// # Safety
    /// The rows must be in the tile, laid out for such with probabilities and a stage.
    pub unsafe fn posterior(&mut self, rows: usize, classes: usize, flags: u32) {
        let focal = match self.problem(flags) {
            Problem::CrossEntropy(label_smoothing) => {
                Focal { label_smoothing, focus_on: FocusOn::EachClass, ..Focal::default() }
            }
            Problem::Focal(focal)
            | Problem::GammaGrad(focal)
            | Problem::Hessian { of: focal, .. } => focal,
        };
        let priors: *mut f64 =
            self.address_if(flags, flag::POS_WEIGHT_PER_COLUMN, area::POSITIVE_WEIGHTS);
        let address = |area: usize| self.tile.address(area);
        by_float!(flags, V => {
            let rows = PosteriorRows {
                logits: address(area::LOGITS).cast(),
                rows,
                classes,
                focal,
                factors: address(area::WEIGHTS).cast_const().cast(),
                priors,
                room: [address(area::PROBABILITIES).cast(), address(area::STAGE).cast()],
            };
            // SAFETY: the caller vouches for the rows; the areas have room for four rows, which
            // the columns of two or four take.
            unsafe { rows.run::<V>() };
        });
    }

    /// Replaces logits in the tile by the probabilities of yes that they stand for under the loss
    /// on elements that flags and numbers state. The area of γ has the factor of each column's
    /// odds, if the bit of that is set.
    ///
    /// # Safety
    /// The logits must be in the tile, laid out for rows of `columns`.
    pub unsafe fn posterior_elements(&mut self, count: usize, columns: usize, flags: u32) {
        let logits = self.tile.address(area::LOGITS);
        let odds: *mut f64 = self.address_if(flags, flag::GAMMA_PER_CLASS, area::GAMMAS);
        let odds = if odds.is_null() { PerColumn::All(1.0) } else { PerColumn::Each(odds) };
        by_float!(flags, V => {
            let elements = Elements {
                grad: logits.cast(),
                ..self.elements(logits, ptr::null(), count, columns, flags)
            };
            // SAFETY: the caller vouches for the logits.
            unsafe { posterior_elements::<V>(&elements, odds) };
        });
    }
}
