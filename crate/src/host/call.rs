//! Calls of a host: flags and numbers become rows and a problem.
//!
//! The host validates. These functions trust that addresses are those of areas of the tile or of
//! allocated memory, and that rows and classes fit; they check what a host cannot see all at once:
//! the targets.

use core::{ptr, slice};

#[cfg(feature = "analysis")]
use super::abi::{elementary, output};
use super::{
    abi::{area, flag},
    state::{HostVector, State},
};
#[cfg(feature = "analysis")]
use crate::math::{exp::decay, log::log};
use crate::{
    kernels::{self, Elements, PerColumn, Problem, Rows, Scale, Sink, TargetCheck, Weights},
    loss::{
        asymmetric::Asymmetric,
        focal::{Focal, FocusOn},
        focusing::Gamma,
    },
    simd::vector::{Scalar, Vector},
    simd::{F32x4, F64x2},
};

/// Runs `$body` with `$V` the vector of the float type that is meant.
macro_rules! by_float {
    ($flags:expr, $V:ident => $body:expr) => {
        if $flags & crate::host::abi::flag::FLOAT64 != 0 {
            type $V = F64x2;
            $body
        } else {
            type $V = F32x4;
            $body
        }
    };
}
#[cfg(feature = "analysis")]
pub(super) use by_float;

/// The float type of a vector.
pub(super) type Float<V> = <V as Vector>::Scalar;

/// The answer of a call that finds nothing invalid.
const NONE: i32 = -1;

/// The answer of a call that may find something invalid.
fn index_or_none(index: Option<usize>) -> i32 {
    index.map_or(NONE, |i| i as i32)
}

impl State {
    /// Checks `count` targets. Returns the first that is neither a class nor ignored, or −1 having
    /// counted them: how many are not ignored, and what these weigh where each class has a weight.
    ///
    /// # Safety
    /// The targets must be there; and so must, in their area, the weights.
    pub unsafe fn count_targets(
        &mut self,
        targets: *const i32,
        count: usize,
        classes: usize,
        flags: u32,
        ignore: i32,
    ) -> i32 {
        let ignored = (flags & flag::IGNORE != 0).then_some(ignore);
        // SAFETY: the caller vouches for them.
        let targets = unsafe { slice::from_raw_parts(targets, count) };
        self.counting(flags, |state| {
            match kernels::check_targets(targets, classes, ignored) {
                TargetCheck::Invalid(row) => return Err(row),
                TargetCheck::Counted(rows) => state.totals.rows += rows as f64,
            }
            if flags & flag::ALPHA_PER_CLASS == 0 {
                state.totals.weights = state.totals.rows;
                return Ok(());
            }
            by_float!(flags, V => {
                let weights = state.tile.address(area::WEIGHTS).cast::<Float<V>>();
                for &target in targets.iter().filter(|&&target| Some(target) != ignored) {
                    // SAFETY: every target that is not ignored is a class, and has a weight.
                    state.totals.weights += unsafe { *weights.add(target as usize) }.to_f64();
                }
            });
            Ok(())
        })
    }

    /// Checks `count` targets of elements. Returns the first that is neither in [0, 1] nor ignored,
    /// or −1 having counted those that are not ignored.
    ///
    /// # Safety
    /// The targets must be there.
    pub unsafe fn count_elements(
        &mut self,
        targets: *const u8,
        count: usize,
        flags: u32,
        ignore: f64,
    ) -> i32 {
        let ignored = (flags & flag::IGNORE != 0).then_some(ignore);
        self.counting(flags, |state| {
            by_float!(flags, V => {
                // SAFETY: the caller vouches for them.
                let targets = unsafe { slice::from_raw_parts(targets.cast::<Float<V>>(), count) };
                state.totals.rows += kernels::check_elements(targets, ignored)? as f64;
            });
            Ok(())
        })
    }

    /// Counts by `count`, from nothing or on from the call before. What it has found invalid has
    /// been counted nowhere.
    fn counting(&mut self, flags: u32, count: impl FnOnce(&mut Self) -> Result<(), usize>) -> i32 {
        if flags & flag::CONTINUES == 0 {
            (self.totals.rows, self.totals.weights) = (0.0, 0.0);
        }
        index_or_none(count(self).err())
    }

    /// Computes the problem that flags and numbers state for `rows` rows of logits. Without a
    /// `grad` there is no gradient. Returns −1, or the first row whose target is neither a class
    /// nor ignored; then nothing is computed.
    ///
    /// # Safety
    /// The addresses must be valid for the rows, and what else the flags name be in its area. The
    /// tile must have been laid out for these classes.
    pub unsafe fn solve(
        &mut self,
        logits: *const u8,
        targets: *const u8,
        grad: *mut u8,
        rows: usize,
        classes: usize,
        flags: u32,
    ) -> i32 {
        let ignored = self.ignored(flags).map(|ignored| ignored as i32);
        if flags & flag::SOFT == 0 {
            // SAFETY: the caller vouches for the targets.
            let targets = unsafe { slice::from_raw_parts(targets.cast(), rows) };
            if let TargetCheck::Invalid(row) = kernels::check_targets(targets, classes, ignored) {
                return row as i32;
            }
        }
        let problem = self.problem(flags);
        let scale = Scale::new(self.numbers.upstream, self.numbers.denominator);
        by_float!(flags, V => {
            let rows = Rows { grad: grad.cast(), scale: Float::<V>::from_f64(scale.factor), ..self.rows(logits, targets, rows, classes, flags) };
            let soft = if flags & flag::SOFT == 0 { ptr::null() } else { targets.cast() };
            // SAFETY: the caller vouches for all of it, and the targets have been checked.
            unsafe {
                kernels::solve::<V>(&rows, soft, &problem, self.sink(classes, flags));
                scale.finish(rows.grad, rows.rows * classes);
            }
            self.end::<V>();
        });
        #[cfg(feature = "analysis")]
        if flags & flag::METER != 0 {
            // SAFETY: likewise.
            unsafe { self.count_metered(targets, rows, classes, flags) };
        }
        NONE
    }

    /// Computes the loss that flags and numbers state for `count` elements in `columns`. Returns
    /// −1.
    ///
    /// # Safety
    /// As for [`Self::solve`]; the targets must have been checked.
    pub unsafe fn sigmoid(
        &mut self,
        logits: *const u8,
        targets: *const u8,
        grad: *mut u8,
        count: usize,
        columns: usize,
        flags: u32,
    ) -> i32 {
        let scale = Scale::new(self.numbers.upstream, self.numbers.denominator);
        by_float!(flags, V => {
            let elements = Elements { grad: grad.cast(), scale: scale.factor, ..self.elements(logits, targets, count, columns, flags) };
            // SAFETY: the caller vouches for all of it.
            unsafe {
                kernels::sigmoid::<V>(&elements, self.sink(1, flags));
                scale.finish(elements.grad, count);
            }
            self.end::<V>();
        });
        #[cfg(feature = "analysis")]
        if flags & flag::METER != 0 {
            // SAFETY: likewise.
            unsafe { self.count_metered_elements(targets, count, flags) };
        }
        NONE
    }

    /// Counts the rows of a call whose values have gone to the meter, and adds up their weights
    /// where these are what a mean divides by.
    ///
    /// # Safety
    /// As for [`Self::solve`], with targets that have been checked.
    #[cfg(feature = "analysis")]
    unsafe fn count_metered(
        &mut self,
        targets: *const u8,
        rows: usize,
        classes: usize,
        flags: u32,
    ) {
        let has = |bit: u32| flags & bit != 0;
        if has(flag::SOFT) {
            return self.meter.count(rows);
        }
        let ignored = self.ignored(flags).map(|ignored| ignored as i32);
        // SAFETY: the caller vouches for the targets.
        let targets = unsafe { slice::from_raw_parts(targets.cast::<i32>(), rows) };
        if let TargetCheck::Counted(rows) = kernels::check_targets(targets, classes, ignored) {
            self.meter.count(rows);
        }
        if has(flag::CROSS_ENTROPY) && has(flag::ALPHA_PER_CLASS) {
            by_float!(flags, V => {
                let weights = self.tile.address(area::WEIGHTS).cast::<Float<V>>();
                let counting = targets.iter().filter(|&&target| Some(target) != ignored);
                // SAFETY: every target that is not ignored is a class, and has a weight.
                self.meter.add_weights(counting.map(|&target| unsafe { *weights.add(target as usize) }));
            });
        }
    }

    /// Counts the elements of a call whose values have gone to the meter.
    ///
    /// # Safety
    /// As for [`Self::sigmoid`].
    #[cfg(feature = "analysis")]
    unsafe fn count_metered_elements(&mut self, targets: *const u8, count: usize, flags: u32) {
        by_float!(flags, V => {
            // SAFETY: the caller vouches for the targets.
            let targets = unsafe { slice::from_raw_parts(targets.cast::<Float<V>>(), count) };
            self.meter.count(kernels::check_elements(targets, self.ignored(flags)).unwrap_or(0));
        });
    }

    /// Checks rows of probabilities. Returns the first that is none, or −1.
    ///
    /// # Safety
    /// The probabilities must be there.
    pub unsafe fn find_invalid_probabilities(
        probabilities: *const u8,
        rows: usize,
        classes: usize,
        flags: u32,
    ) -> i32 {
        by_float!(flags, V => {
            // SAFETY: the caller vouches for them.
            let probabilities = unsafe { slice::from_raw_parts(probabilities.cast::<Float<V>>(), rows * classes) };
            index_or_none(kernels::find_invalid_probabilities(probabilities, classes))
        })
    }

    /// Turns `height × width` numbers into `width × height`.
    ///
    /// # Safety
    /// Both must be valid for so many, and lie apart.
    pub unsafe fn transpose(from: *const u8, to: *mut u8, height: usize, width: usize, flags: u32) {
        // SAFETY: passed on.
        by_float!(flags, V => unsafe { kernels::transpose::<V>(from.cast(), to.cast(), height, width) });
    }

    /// Replaces the logits of rows in the tile by what is wanted of them, a number of [`output`].
    /// The likeliest classes go to the area of targets, and their probabilities to that of values.
    ///
    /// # Safety
    /// The rows must be in the tile.
    #[cfg(feature = "analysis")]
    pub unsafe fn softmax(&mut self, rows: usize, classes: usize, wanted: u32, flags: u32) {
        let wanted = match wanted {
            output::PROBABILITIES => kernels::Wanted::Probabilities,
            output::LOGARITHMS => kernels::Wanted::Logarithms,
            _ => kernels::Wanted::Confidence,
        };
        let [logits, likeliest, values] =
            [area::LOGITS, area::TARGETS, area::VALUES].map(|area| self.tile.address(area));
        // SAFETY: passed on.
        by_float!(flags, V => unsafe {
            kernels::softmax_output::<V>(logits.cast(), (rows, classes), likeliest.cast(), values.cast(), wanted);
        });
    }

    /// Replaces the first so many float64 numbers in the tile's place of logits by a function of
    /// them, a number of [`elementary`].
    ///
    /// # Safety
    /// The numbers must be in the tile.
    #[cfg(feature = "analysis")]
    pub unsafe fn elementary(&mut self, count: usize, function: u32) {
        // SAFETY: passed on.
        let numbers = unsafe {
            slice::from_raw_parts_mut(self.tile.address(area::LOGITS).cast::<f64>(), count)
        };
        for lanes in numbers.chunks_mut(F64x2::LANES) {
            let x = F64x2::from_lanes(|i| lanes.get(i).copied().unwrap_or(0.0));
            let y = if function == elementary::LOG { log(x) } else { decay(x).1 };
            for (i, number) in lanes.iter_mut().enumerate() {
                *number = y.lane(i);
            }
        }
    }

    /// The rows of a call, but for their gradient.
    pub(super) fn rows<S: Scalar>(
        &self,
        logits: *const u8,
        targets: *const u8,
        rows: usize,
        classes: usize,
        flags: u32,
    ) -> Rows<S> {
        let per_class: *mut S = self.address_if(flags, flag::ALPHA_PER_CLASS, area::WEIGHTS);
        Rows {
            logits: logits.cast(),
            targets: if flags & flag::SOFT == 0 { targets.cast() } else { ptr::null() },
            grad: ptr::null_mut(),
            values: self.address_if(flags, flag::VALUES, area::VALUES),
            rows,
            classes,
            weights: if per_class.is_null() {
                Weights::pair(self.numbers.alpha_other, self.numbers.alpha_one)
            } else {
                Weights::PerClass(per_class)
            },
            row_weights: self.address_if(flags, flag::ROW_WEIGHTS, area::ROW_WEIGHTS),
            scale: S::from_f64(1.0),
            row_scales: self.address_if(flags, flag::ROW_SCALES, area::ROW_SCALES),
            ignored: self.ignored(flags).map(|ignored| ignored as i32),
        }
    }

    /// The elements of a call, but for their gradient.
    pub(super) fn elements<S: Scalar>(
        &self,
        logits: *const u8,
        targets: *const u8,
        count: usize,
        columns: usize,
        flags: u32,
    ) -> Elements<S> {
        let per_column =
            |bit: u32, area: usize, all: f64| match self.address_if::<f64>(flags, bit, area) {
                each if each.is_null() => PerColumn::All(all),
                each => PerColumn::Each(each),
            };
        Elements {
            alpha: (flags & flag::NO_ALPHA == 0)
                .then(|| per_column(flag::ALPHA_PER_CLASS, area::WEIGHTS, self.numbers.alpha_one)),
            positive_weight: per_column(
                flag::POS_WEIGHT_PER_COLUMN,
                area::POSITIVE_WEIGHTS,
                self.numbers.positive_weight,
            ),
            logits: logits.cast(),
            targets: targets.cast(),
            grad: ptr::null_mut(),
            values: self.address_if(flags, flag::VALUES, area::VALUES),
            count,
            columns,
            gamma: self.numbers.gamma,
            asymmetric: (flags & flag::ASYMMETRIC != 0).then_some(Asymmetric {
                gamma: self.numbers.gamma_negative,
                margin: self.numbers.margin,
            }),
            label_smoothing: self.numbers.label_smoothing,
            weights: self.address_if(flags, flag::ROW_WEIGHTS, area::ROW_WEIGHTS),
            scale: 1.0,
            scales: self.address_if(flags, flag::ROW_SCALES, area::ROW_SCALES),
            ignored: self.ignored(flags),
        }
    }

    /// The problem of a call.
    pub(super) fn problem(&self, flags: u32) -> Problem {
        let has = |bit: u32| flags & bit != 0;
        let gammas: *mut f64 = self.address_if(flags, flag::GAMMA_PER_CLASS, area::GAMMAS);
        let focal = Focal {
            gamma: if gammas.is_null() {
                Gamma::All(self.numbers.gamma)
            } else {
                Gamma::PerClass(gammas)
            },
            label_smoothing: self.numbers.label_smoothing,
            epsilon: self.numbers.epsilon,
            focus_on: if has(flag::FOCUS_CLASS) {
                FocusOn::EachClass
            } else if has(flag::FOCUS_TARGET) {
                FocusOn::Target
            } else {
                FocusOn::Smoothed
            },
        };
        if has(flag::CROSS_ENTROPY) {
            Problem::CrossEntropy(focal.label_smoothing)
        } else if has(flag::HESSIAN) {
            Problem::Hessian { of: focal, gauss_newton: has(flag::GAUSS_NEWTON) }
        } else if has(flag::GAMMA_GRAD) {
            Problem::GammaGrad(focal)
        } else {
            Problem::Focal(focal)
        }
    }

    /// The target of what does not count in a call.
    pub(super) fn ignored(&self, flags: u32) -> Option<f64> {
        (flags & flag::IGNORE != 0).then_some(self.numbers.ignored)
    }

    /// The sink for the values of a call on rows of so many logits.
    fn sink<V: HostVector>(&mut self, width: usize, flags: u32) -> &mut dyn Sink<V> {
        #[cfg(feature = "analysis")]
        if flags & flag::METER != 0 {
            return V::exact(self.meter.begin(flags));
        }
        let total = V::total(self);
        if flags & flag::CONTINUES == 0 {
            total.begin(width);
        }
        total
    }

    /// Shows the host the total that the values of a call went into.
    fn end<V: HostVector>(&mut self) {
        self.totals.values = V::total(self).sum();
    }
}
