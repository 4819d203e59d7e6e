//! What the figures of rows add up to.

use super::abi::{Bin, Counts, Decisions, Group, Tally};
use crate::{
    kernels::{LossFigures, SoftmaxFigures, UNCOUNTED},
    simd::{F32x4, F64x2, vector::Vector},
};

/// The vector that figures are added up in.
type D = F64x2;

/// The vector whose rows are listed at a time.
type F = F32x4;

/// A number where something is true, else 0. Engines jump for a choice between numbers, often to
/// the wrong place where it depends on rows.
#[inline(always)]
fn if_true(is_true: bool, x: f64) -> f64 {
    f64::from_bits(x.to_bits() & u64::from(is_true).wrapping_neg())
}

impl Decisions {
    /// Adds the decisions of `n` rows, which weigh 1 where there are no weights, to this, to the
    /// bins of their confidences, of which there must be one, and to the counts of their classes.
    /// Of a row that weighs nothing, whatever its figures, it is only put down that its classes
    /// occur.
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
            // SAFETY: both are classes.
            unsafe {
                (*counts.add(label)).occurs = 1.0;
                (*counts.add(predicted)).occurs = 1.0;
            }
            if weight == 0.0 {
                continue;
            }
            let is_right = label == predicted;
            let (right, wrong) = (if_true(is_right, weight), if_true(!is_right, weight));
            // SAFETY: as above.
            unsafe {
                (*counts.add(label)).support += weight;
                let guess = &mut *counts.add(predicted);
                guess.right += right;
                guess.wrong += wrong;
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

/// Up to so many classes, each is added up by itself: of many sums in memory, engines' processors
/// have to find out for each row which of the rows before have changed its own.
const FEW: usize = 8;

/// What is no class, nor the complement of one.
const NEITHER: i32 = i32::MIN;

/// The class of a row that is listed: see [`Tally::list`].
#[inline(always)]
fn class_of(decision: i32) -> i32 {
    decision ^ (decision >> 31)
}

impl Tally {
    /// Adds `n` rows, of which the first has the number `first`: to this, to the group of each of
    /// the classes and, where there are `columns`, to that of their column. Lists their numbers,
    /// and moves their figures to the front.
    ///
    /// # Safety
    /// The figures must have been put down, and there be a group for every class and column.
    pub unsafe fn add(
        &mut self,
        figures: &LossFigures,
        (n, first): (usize, usize),
        classes: &mut [Group],
        columns: &mut [Group],
    ) {
        // SAFETY: passed on; what is listed has been put down.
        unsafe {
            let listed = self.list(figures, (n, first));
            if listed == 0 {
                return;
            }
            self.add_up(figures, listed);
            self.decide(figures, listed);
            if classes.len() <= FEW {
                for (class, group) in classes.iter_mut().enumerate() {
                    group.add(figures, listed, class as i32);
                }
            } else {
                join(figures, listed, classes, |decision, _| class_of(decision) as usize);
            }
            let columned = columns.len();
            if columned > 0 {
                join(figures, listed, columns, |_, number| number as usize % columned);
            }
            self.rows += listed as f64;
        }
    }

    /// Lists rows that count, and puts the figures of those that are finite first; in place of what
    /// was predicted the class, or its complement where that was not predicted. Returns how many
    /// there are.
    ///
    /// # Safety
    /// The figures must have been put down.
    #[inline(never)]
    unsafe fn list(&mut self, figures: &LossFigures, (n, first): (usize, usize)) -> usize {
        let LossFigures {
            label, predicted, confidence, loss, gradient, number, non_finite, ..
        } = *figures;
        let (mut listed, mut others) = (0, 0);
        // SAFETY: passed on; there are as many places, and a vector more.
        unsafe {
            // The first ones, as long as all are listed, stay where they are.
            while listed + F::LANES <= n {
                let classes = F::load_index(label.add(listed));
                let is_finite = |i: usize| {
                    let [loss, gradient] = [loss, gradient].map(|of| D::load(of.add(i)));
                    // Infinity less itself is NaN.
                    loss.sub(loss).add(gradient.sub(gradient)).equals(D::ZERO)
                };
                let are_finite = D::both(is_finite(listed), is_finite(listed + D::LANES));
                if !(D::all(are_finite) && F::none(F::index_below(classes, 0))) {
                    break;
                }
                let predicted = predicted.add(listed);
                F::store_index(F::as_decided(classes, F::load_index(predicted)), predicted);
                (0..F::LANES)
                    .for_each(|k| number.add(listed + k).write((first + listed + k) as u32));
                listed += F::LANES;
            }
            let settled = listed;
            for i in settled..n {
                let class = *label.add(i);
                if class == UNCOUNTED {
                    continue;
                }
                let row = (first + i) as u32;
                if !((*loss.add(i)).is_finite() & (*gradient.add(i)).is_finite()) {
                    non_finite.add(others).write(row);
                    others += 1;
                    continue;
                }
                number.add(listed).write(row);
                predicted.add(listed).write(class ^ -i32::from(*predicted.add(i) != class));
                if listed < i {
                    figures.copy(i, listed);
                }
                listed += 1;
            }
            predicted.add(listed).write(NEITHER);
            confidence.add(listed).write(0.0);
        }
        self.non_finite += others as f64;
        listed
    }

    /// Adds up the figures of `n` rows, of which there is one: of two rows at a time, and at the
    /// end the two sums and the last of an odd number.
    ///
    /// # Safety
    /// They must be listed.
    #[inline(never)]
    unsafe fn add_up(&mut self, figures: &LossFigures, n: usize) {
        let LossFigures { loss, confidence, factor, weight, .. } = *figures;
        let last = n - 1;
        let mut sums = [D::ZERO; 5];
        // SAFETY: passed on.
        unsafe {
            let mut least = [loss, confidence].map(|of| D::splat(*of.add(last)));
            let mut most = least;
            for i in (0..last).step_by(D::LANES) {
                let [loss, confidence, factor, weight] =
                    [loss, confidence, factor, weight].map(|of| D::load(of.add(i)));
                least = [least[0].pmin(loss), least[1].pmin(confidence)];
                most = [most[0].pmax(loss), most[1].pmax(confidence)];
                let addends = [loss, confidence, factor, weight, weight.mul(weight)];
                for (sum, addend) in sums.iter_mut().zip(addends) {
                    *sum = sum.add(addend);
                }
            }
            let [of_loss, of_confidence, of_factor, of_weight] =
                [loss, confidence, factor, weight].map(|of| *of.add(last));
            let rest = [of_loss, of_confidence, of_factor, of_weight, of_weight * of_weight];
            let is_odd = n % 2 == 1;
            let places = [
                &mut self.loss,
                &mut self.confidence,
                &mut self.factor,
                &mut self.weight,
                &mut self.squares,
            ];
            for ((place, sum), rest) in places.into_iter().zip(sums).zip(rest) {
                *place += total(sum) + if_true(is_odd, rest);
            }
            let [least_loss, least_confidence] = least.map(|v| v.lane(0).min(v.lane(1)));
            let [most_loss, most_confidence] = most.map(|v| v.lane(0).max(v.lane(1)));
            if self.rows == 0.0 {
                (self.least_loss, self.least_confidence) = (least_loss, least_confidence);
                (self.most_loss, self.most_confidence) = (most_loss, most_confidence);
            } else {
                self.least_loss = self.least_loss.min(least_loss);
                self.least_confidence = self.least_confidence.min(least_confidence);
                self.most_loss = self.most_loss.max(most_loss);
                self.most_confidence = self.most_confidence.max(most_confidence);
            }
        }
    }

    /// Counts the decisions of `n` rows, and lists those that are sure.
    ///
    /// # Safety
    /// They must be listed.
    #[inline(never)]
    unsafe fn decide(&mut self, figures: &LossFigures, n: usize) {
        let LossFigures { predicted, confidence, loss, number, sure, .. } = *figures;
        let [half, one, threshold] = [0.5, 1.0, self.threshold].map(D::constant);
        let mut listed = 0;
        let mut sums = [D::ZERO; 4];
        for i in (0..n).step_by(D::LANES) {
            // SAFETY: passed on; behind the last there is none that is right or sure.
            unsafe {
                let is_wrong = D::index_below(D::load_index(predicted.add(i)), 0);
                let confidence = D::load(confidence.add(i));
                for k in 0..D::LANES {
                    // The next one takes its place where it is not.
                    sure.add(listed).write(*number.add(i + k));
                    listed += usize::from(confidence.lane(k) > self.threshold);
                }
                let is_likely = confidence.gt(half);
                let addends = [
                    one.clear(is_wrong),
                    one.keep(is_likely).clear(is_wrong),
                    D::load(loss.add(i)).keep(is_likely).clear(is_wrong),
                    one.keep(D::both(confidence.gt(threshold), is_wrong)),
                ];
                for (sum, addend) in sums.iter_mut().zip(addends) {
                    *sum = sum.add(addend);
                }
            }
        }
        let [right, easy, easy_loss, sure_and_wrong] = sums.map(total);
        self.sure += listed as f64;
        self.right += right;
        self.easy += easy;
        self.easy_loss += easy_loss;
        self.sure_and_wrong += sure_and_wrong;
    }
}

/// The sum of both lanes.
#[inline(always)]
fn total(v: D) -> f64 {
    v.lane(0) + v.lane(1)
}

impl Group {
    /// Adds those of `n` rows that are of a class.
    ///
    /// # Safety
    /// They must be listed.
    #[inline(never)]
    unsafe fn add(&mut self, figures: &LossFigures, n: usize, class: i32) {
        let one = D::constant(1.0);
        let mut sums = [D::ZERO; 4];
        for i in (0..n).step_by(D::LANES) {
            // SAFETY: passed on; behind the last there is neither.
            unsafe {
                let decisions = D::load_index(figures.predicted.add(i));
                let right = D::index_is(decisions, class);
                let is_own = D::either(right, D::index_is(decisions, !class));
                let [loss, gradient] =
                    [figures.loss, figures.gradient].map(|of| D::load(of.add(i)).keep(is_own));
                let addends = [one.keep(is_own), one.keep(right), loss, gradient];
                for (sum, addend) in sums.iter_mut().zip(addends) {
                    *sum = sum.add(addend);
                }
            }
        }
        let [rows, right, loss, gradient] = sums.map(total);
        self.rows += rows;
        self.right += right;
        self.loss += loss;
        self.gradient += gradient;
    }
}

/// Adds each of `n` rows to a group, that which `group_of` says of its decision and its number.
///
/// # Safety
/// They must be listed.
#[inline(always)]
unsafe fn join(
    figures: &LossFigures,
    n: usize,
    groups: &mut [Group],
    group_of: impl Fn(i32, u32) -> usize,
) {
    for i in 0..n {
        // SAFETY: passed on.
        unsafe {
            let (decision, number) = (*figures.predicted.add(i), *figures.number.add(i));
            if let Some(group) = groups.get_mut(group_of(decision, number)) {
                group.rows += 1.0;
                group.right += f64::from(decision >= 0);
                group.ones += f64::from(class_of(decision) == 1);
                group.loss += *figures.loss.add(i);
                group.gradient += *figures.gradient.add(i);
            }
        }
    }
}
