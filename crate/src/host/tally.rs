//! What the figures of rows add up to.

use super::abi::{Bin, Counts, Decisions, Group, Tally};
use crate::{
    kernels::{LossFigures, SoftmaxFigures, UNCOUNTED},
    simd::{F64x2, vector::Vector},
};

/// A number where something is true, else 0. Engines jump for a choice between numbers, often to
/// the wrong place where it depends on rows.
#[inline(always)]
fn if_true(is_true: bool, x: f64) -> f64 {
    f64::from_bits(x.to_bits() & u64::from(is_true).wrapping_neg())
}

impl Decisions {
    /// Adds the decisions of `n` rows, which weigh 1 where there are no weights, to this, to the
    /// bins of their confidences, of which there must be one, and to the counts of their classes.
    ///
    /// # Safety
    /// The figures must have been put down, and there be so many labels and weights, and counts for
    /// every class.
    pub unsafe fn add(
        &mut self,
        figures: &SoftmaxFigures,
        n: usize,
        labels: *const i32,
        weights: *const f64,
        bins: &mut [Bin],
        counts: *mut Counts,
    ) {
        // The record lies in memory, where each sum would have to be written back.
        let mut sums = *self;
        let count = bins.len() as f64;
        for i in 0..n {
            // SAFETY: rows whose figures are there.
            let (weight, label, predicted, confidence, cross_entropy, distance) = unsafe {
                (
                    if weights.is_null() { 1.0 } else { *weights.add(i) },
                    *labels.add(i) as usize,
                    *figures.predicted.add(i) as usize,
                    *figures.confidence.add(i),
                    *figures.cross_entropy.add(i),
                    *figures.distance.add(i),
                )
            };
            let is_right = label == predicted;
            let (right, wrong) = (if_true(is_right, weight), if_true(!is_right, weight));
            // SAFETY: both are classes.
            unsafe {
                (*counts.add(label)).support += weight;
                (*counts.add(label)).occurs = 1.0;
                let guess = &mut *counts.add(predicted);
                guess.right += right;
                guess.wrong += wrong;
                guess.occurs = 1.0;
            }
            sums.weight += weight;
            sums.right += right;
            sums.wrong += wrong;
            sums.non_finite += f64::from(confidence.is_nan());
            sums.cross_entropy += cross_entropy * weight;
            sums.distance += distance * weight;
            // The bin whose upper edge it is not above. A NaN has none of its own: it makes the
            // first one's figures NaN.
            let place = (confidence * count).ceil() as i32;
            if let Some(bin) = bins.get_mut((place - 1).max(0) as usize) {
                bin.weight += weight;
                bin.confidence += weight * confidence;
                bin.right += right;
            }
        }
        *self = sums;
    }
}

impl Tally {
    /// Adds `n` rows, of which the first has the number `first`: to this, to the group of their
    /// class and, where there are `columns`, to that of their column. Lists their numbers, and puts
    /// their losses first.
    ///
    /// # Safety
    /// The figures must have been put down, and there be a group for every class and column.
    pub unsafe fn add(
        &mut self,
        figures: &LossFigures,
        (n, first): (usize, usize),
        classes: *mut Group,
        columns: &mut [Group],
    ) {
        let (mut listed, mut sure, mut non_finite) = (0, 0, 0);
        let (mut right, mut easy, mut sure_and_wrong) = (0, 0, 0);
        // The record lies in memory, where each sum would have to be written back.
        let mut sums = *self;
        if sums.rows == 0.0 {
            (sums.least_loss, sums.least_confidence) = (f64::INFINITY, f64::INFINITY);
            (sums.most_loss, sums.most_confidence) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        }
        let two = |a: f64, b: f64| F64x2::from_lanes(|i| if i == 0 { a } else { b });
        // Two sums at a time: of losses and confidences, of factors and weights.
        let mut both = two(sums.loss, sums.confidence);
        let mut least = two(sums.least_loss, sums.least_confidence);
        let mut most = two(sums.most_loss, sums.most_confidence);
        let mut factors = two(sums.factor, sums.weight);
        for i in 0..n {
            // SAFETY: the caller vouches for the figures, the classes and the lists.
            unsafe {
                let label = *figures.label.add(i);
                if label == UNCOUNTED {
                    continue;
                }
                let number = first + i;
                let (loss, gradient) = (*figures.loss.add(i), *figures.gradient.add(i));
                if !(loss.is_finite() & gradient.is_finite()) {
                    figures.non_finite.add(non_finite).write(number as u32);
                    non_finite += 1;
                    continue;
                }
                figures.loss.add(listed).write(loss);
                figures.number.add(listed).write(number as u32);
                listed += 1;
                let is_right = *figures.predicted.add(i) == label;
                let confidence = *figures.confidence.add(i);
                let is_sure = confidence > sums.threshold;
                // The next one takes its place where it is not.
                figures.sure.add(sure).write(number as u32);
                sure += usize::from(is_sure);
                let is_easy = is_right & (confidence > 0.5);
                easy += usize::from(is_easy);
                sums.easy_loss += if_true(is_easy, loss);
                sure_and_wrong += usize::from(is_sure & !is_right);
                right += usize::from(is_right);
                let own = two(loss, confidence);
                both = both.add(own);
                least = least.pmin(own);
                most = most.pmax(own);
                let weight = *figures.weight.add(i);
                factors = factors.add(two(*figures.factor.add(i), weight));
                sums.squares += weight * weight;
                let join = |group: &mut Group| {
                    group.rows += 1.0;
                    group.right += f64::from(is_right);
                    group.loss += loss;
                    group.gradient += gradient;
                };
                join(&mut *classes.add(label as usize));
                let columned = columns.len();
                if columned > 0
                    && let Some(column) = columns.get_mut(number % columned)
                {
                    column.ones += f64::from(label == 1);
                    join(column);
                }
            }
        }
        [sums.loss, sums.confidence] = [0, 1].map(|i| both.lane(i));
        [sums.least_loss, sums.least_confidence] = [0, 1].map(|i| least.lane(i));
        [sums.most_loss, sums.most_confidence] = [0, 1].map(|i| most.lane(i));
        [sums.factor, sums.weight] = [0, 1].map(|i| factors.lane(i));
        sums.rows += listed as f64;
        sums.right += right as f64;
        sums.easy += easy as f64;
        sums.sure_and_wrong += sure_and_wrong as f64;
        (sums.listed, sums.sure, sums.non_finite) = (listed as f64, sure as f64, non_finite as f64);
        *self = sums;
    }
}
