//! Rows whose classes each have a target of their own, and the rarer things asked of a row: a row after the other, along its classes,
//! in passes that each form the exponentials anew, so that no room is needed but for the gradient.
//!
//! All is computed in float64, whatever the rows are in. Here gradients are differences `p_j − q_j`, and where a row is near its
//! optimum float32 would have few digits of them left; and one kernel serves both types.

use core::ptr;

use super::{
    Focal,
    block::{Block, Kernel, MAX_LANES},
    exponential::{Exponential, bring_into_range, within_range},
    rows::{Rows, Weights},
};
use crate::{
    arch::F64x2,
    loss::{
        each_class::Class,
        focal::{FocusOn, Hard, Power, positive, probabilities},
        second::{Curvature, gamma_grad},
        soft::SoftRow,
        softmax::{Row, RowSums},
    },
    vector::{Scalar, Vector, WideSum},
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
}

/// What is asked of a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Task<S> {
    /// The loss on the row's mixture of classes; the row weighs the mean of these, by its unsmoothed `q_j`.
    Mixture(Weights<S>),
    /// The same with the focus on the target class.
    FocusOnTarget,
    /// The loss of each class by itself.
    EachClass,
    /// In place of the gradient, the diagonal of the Hessian, or of its Gauss-Newton approximation; for target classes.
    Hessian {
        /// Which of the two.
        gauss_newton: bool,
    },
    /// In place of the value, its derivative with respect to γ; for target classes.
    GammaGrad(FocusOn),
}

/// What all is computed in.
type D = F64x2;

/// The kernel.
#[derive(Clone, Copy)]
pub(super) struct Dense<S> {
    pub loss: Hard<D, Power<D>>,
    pub classes: usize,
    pub logits: *const S,
    pub aims: Aims<S>,
    pub task: Task<S>,
    /// For rows whose probabilities are those of a single class: the loss with that class as the target, and the weights of the
    /// classes. Such rows give the bits of a target class.
    pub single: Option<(Focal, Weights<S>)>,
}

/// Calls `f` with the first class and the number of classes of each vector of a row.
#[inline(always)]
fn vectors(classes: usize, mut f: impl FnMut(usize, usize)) {
    for j in (0..classes).step_by(D::LANES) {
        f(j, D::LANES.min(classes - j));
    }
}

/// # Safety
/// `p` must be valid for reading `n` values.
#[inline(always)]
unsafe fn load<S: Scalar>(p: *const S, n: usize, fill: f64) -> D {
    // SAFETY: only lanes below n are read.
    D::from_lanes(|i| if i < n { unsafe { *p.add(i) }.to_f64() } else { fill })
}

/// # Safety
/// `p` must be valid for writing `n` values.
#[inline(always)]
unsafe fn store<S: Scalar>(v: D, p: *mut S, n: usize) {
    for i in 0..n {
        // SAFETY: i < n.
        unsafe { *p.add(i) = narrow(v.lane(i)) };
    }
}

/// `x`, rounded, with +0 for −0, which a small negative number is rounded to.
#[inline(always)]
fn narrow<S: Scalar>(x: f64) -> S {
    let x = S::from_f64(x);
    if x == S::default() { S::default() } else { x }
}

/// A row, and what the first pass found of it.
struct Seen<S> {
    logits: *const S,
    probabilities: *const S,
    target: usize,
    /// The class with the largest logit.
    largest: usize,
    /// What comes off each logit.
    shift: D,
    /// The largest logit, less that.
    top: D,
    exponential: Exponential<D>,
    /// The softmax, seen from the largest class.
    softmax: Row<D>,
    /// `1 / Σ_j e^{x_j}`, in the unit of the exponentials.
    inverse: D,
}

impl<S: Scalar> Dense<S> {
    /// The first pass.
    ///
    /// # Safety
    /// `logits` must be valid for a row.
    #[inline(always)]
    unsafe fn look(&self, logits: *const S, probabilities: *const S, target: usize) -> Seen<S> {
        // The largest logit of all classes but one.
        // SAFETY: classes of the row.
        let largest = |but: usize| unsafe {
            let lowest = D::constant(f64::NEG_INFINITY);
            let mut max = lowest;
            vectors(self.classes, |j, n| {
                let x = load(logits.add(j), n, f64::NEG_INFINITY);
                max = max.pmax(lowest.select(x, D::lane_is(but.wrapping_sub(j))));
            });
            (1..D::LANES).fold(max.lane(0), |a, i| if a < max.lane(i) { max.lane(i) } else { a })
        };
        let top = largest(usize::MAX);
        // SAFETY: a class of the row.
        let logit = |j: usize| unsafe { *logits.add(j) }.to_f64();
        // None is the largest where all are NaN; then any will do.
        let class = (0..self.classes).find(|&j| logit(j) == top).unwrap_or(0);
        let (max, top) = (D::splat(largest(class)), D::splat(logit(class)));
        let (max, top, shift) = if within_range(max, top) { (max, top, D::splat(0.0)) } else { bring_into_range(max, top) };
        let exponential = Exponential::new(max);
        let mut others = <D as Vector>::Wide::zero();
        vectors(self.classes, |j, n| {
            // SAFETY: classes of the row.
            let x = unsafe { load(logits.add(j), n, f64::NEG_INFINITY) }.sub(shift);
            others = others.accumulate(exponential.of(x).clear(D::lane_is(class.wrapping_sub(j))));
        });
        let others = D::splat(others.total());
        let softmax = Row::new(&RowSums { target: top, max, others, spread: D::splat(0.0) });
        let inverse = softmax.miss.div(positive(others));
        Seen { logits, probabilities, target, largest: class, shift, top, exponential, softmax, inverse }
    }

    /// The logits of `n` classes from `j` on.
    ///
    /// # Safety
    /// They must be classes.
    #[inline(always)]
    unsafe fn logits(&self, row: &Seen<S>, j: usize, n: usize) -> D {
        // SAFETY: passed on.
        unsafe { load(row.logits.add(j), n, f64::NEG_INFINITY) }.sub(row.shift)
    }

    /// `q_j` before smoothing, and after it with its weight, for `n` classes from `j` on.
    ///
    /// # Safety
    /// They must be classes.
    #[inline(always)]
    unsafe fn aims(&self, row: &Seen<S>, j: usize, n: usize) -> (D, D) {
        let (smoothing, one) = (self.aims.smoothing, D::constant(1.0));
        let plain = if row.probabilities.is_null() {
            one.keep(D::lane_is(row.target.wrapping_sub(j)))
        } else {
            // SAFETY: passed on.
            unsafe { load(row.probabilities.add(j), n, 0.0) }
        };
        let smoothed = plain.mul(D::constant(1.0 - smoothing)).add(D::constant(smoothing / self.classes as f64));
        // SAFETY: passed on; lanes beyond weigh nothing.
        (plain, smoothed.mul(unsafe { class_weights(self.aims.weights, j, n) }))
    }

    /// `p_j` of all classes but the largest.
    #[inline(always)]
    fn probabilities(&self, row: &Seen<S>, x: D) -> D {
        row.exponential.of(x).mul(row.inverse)
    }

    /// A row's mixture of classes, and the mean of the weights `by`.
    ///
    /// # Safety
    /// There must be aims and weights for the classes.
    #[inline(always)]
    unsafe fn soften(&self, row: &Seen<S>, by: Weights<S>) -> (SoftRow<D>, D) {
        let (mut rest, mut distance, mut mean) =
            (<D as Vector>::Wide::zero(), <D as Vector>::Wide::zero(), <D as Vector>::Wide::zero());
        let mut own = D::constant(0.0);
        // SAFETY: classes of the row.
        unsafe {
            vectors(self.classes, |j, n| {
                let (plain, q) = self.aims(row, j, n);
                let is_largest = D::lane_is(row.largest.wrapping_sub(j));
                // A class without a share adds nothing, also where its logit is −Inf.
                let away = q.mul(row.top.sub(self.logits(row, j, n))).keep(q.gt(D::constant(0.0)));
                own = own.add(q.keep(is_largest));
                rest = rest.accumulate(q.clear(is_largest));
                distance = distance.accumulate(away.clear(is_largest));
                mean = mean.accumulate(plain.mul(class_weights(by, j, n)));
            });
        }
        let own = D::splat((0..D::LANES).map(|i| own.lane(i)).sum());
        let (rest, distance) = (D::splat(rest.total()), D::splat(distance.total()));
        // Probabilities need not sum to exactly 1.
        let mean = if by.is_none() { 1.0 } else { mean.total() };
        (SoftRow { softmax: row.softmax, inverse: row.inverse, own, rest, distance }, D::splat(mean))
    }

    /// # Safety
    /// `row` must have been looked at, `grad` be valid for a row or null.
    #[inline(always)]
    unsafe fn mixture(&self, row: &Seen<S>, task: Task<S>, grad: *mut S, weight: D, scale: D) -> D {
        let by = if let Task::Mixture(by) = task { by } else { Weights::none() };
        // SAFETY: classes of the row.
        unsafe {
            let (soft, mean) = self.soften(row, by);
            let zero = D::constant(0.0);
            let (outcome, pull, miss) = if let Task::FocusOnTarget = task {
                let (_, hit, miss) = self.target(row);
                let (outcome, pull) = soft.focus_on_target(&self.loss, (hit, miss), weight, scale);
                (outcome, pull, miss)
            } else {
                (soft.outcome(&self.loss, weight.mul(mean), scale), zero, zero)
            };
            if !grad.is_null() {
                let share = pull.div(positive(miss));
                vectors(self.classes, |j, n| {
                    let (_, q) = self.aims(row, j, n);
                    let is_largest = D::lane_is(row.largest.wrapping_sub(j));
                    let is_target = D::lane_is(row.target.wrapping_sub(j));
                    let e = row.exponential.of(self.logits(row, j, n));
                    let g = outcome.largest.select(e.mul(outcome.factor).sub(outcome.derivative.mul(q)), is_largest);
                    let p = row.softmax.hit.select(e.mul(row.inverse), is_largest);
                    let pulled = pull.neg().select(share.mul(p), is_target);
                    store(g.add(pulled).add(zero), grad.add(j), n);
                });
            }
            outcome.value
        }
    }

    /// # Safety
    /// As for [`Self::mixture`].
    #[inline(always)]
    unsafe fn each_class(&self, row: &Seen<S>, grad: *mut S, weight: D, scale: D) -> D {
        // Value and −d_j of n classes from j on, and which of them is the largest.
        // SAFETY: classes of the row.
        let classes = |j: usize, n: usize| unsafe {
            let x = self.logits(row, j, n);
            let is_largest = D::lane_is(row.largest.wrapping_sub(j));
            let p = self.probabilities(row, x);
            let class = Class {
                hit: row.softmax.hit.select(p, is_largest),
                miss: row.softmax.miss.select(D::constant(1.0).sub(p), is_largest),
                nll: row.softmax.log_sum.add(row.top.sub(x)),
                weight: self.aims(row, j, n).1.mul(weight),
            };
            (class.value_and_pull(&self.loss), class.hit, is_largest)
        };
        let (mut value, mut rest) = (<D as Vector>::Wide::zero(), <D as Vector>::Wide::zero());
        let mut own = D::constant(0.0);
        vectors(self.classes, |j, n| {
            let ([v, pull], _, is_largest) = classes(j, n);
            value = value.accumulate(v);
            rest = rest.accumulate(pull.clear(is_largest));
            own = own.add(pull.keep(is_largest));
        });
        if !grad.is_null() {
            let own: f64 = (0..D::LANES).map(|i| own.lane(i)).sum();
            let (all, rest) = (D::splat(own + rest.total()), D::splat(rest.total()));
            vectors(self.classes, |j, n| {
                let ([_, pull], hit, is_largest) = classes(j, n);
                // p_k·D − d_k; for the largest class, where both are nearly the same, from 1 − p_k and the others.
                let largest = hit.mul(rest).sub(pull.mul(row.softmax.miss));
                let g = largest.select(hit.mul(all).sub(pull), is_largest);
                // SAFETY: classes of the row.
                unsafe { store(g.mul(scale).add(D::constant(0.0)), grad.add(j), n) };
            });
        }
        // A NaN among the logits has no weight where its class has none.
        D::splat(value.total()).add(row.softmax.log_sum.sub(row.softmax.log_sum))
    }

    /// `ℓ`, `pt` and `1 − pt` of the target class.
    ///
    /// # Safety
    /// The target must be a class.
    #[inline(always)]
    unsafe fn target(&self, row: &Seen<S>) -> (D, D, D) {
        // SAFETY: the target is a class.
        let x = D::splat(unsafe { *row.logits.add(row.target) }.to_f64()).sub(row.shift);
        let nll = row.softmax.log_sum.add(row.top.sub(x));
        if row.target == row.largest {
            return (nll, row.softmax.hit, row.softmax.miss);
        }
        let hit = self.probabilities(row, x);
        (nll, hit, D::constant(1.0).sub(hit))
    }

    /// The smoothed cross-entropy of a row with a target class.
    ///
    /// # Safety
    /// The target must be a class.
    #[inline(always)]
    unsafe fn smoothed(&self, row: &Seen<S>) -> D {
        // SAFETY: classes of the row.
        let (soft, _) = unsafe { self.soften(row, Weights::none()) };
        // The shares of a smoothed class sum to 1 but for rounding, and are taken to.
        row.softmax.log_sum.add(soft.distance)
    }

    /// # Safety
    /// As for [`Self::mixture`], for rows with a target class.
    #[inline(always)]
    unsafe fn hessian(&self, row: &Seen<S>, grad: *mut S, weight: D, gauss_newton: bool) {
        let one = D::constant(1.0);
        let hard = self.aims.smoothing == 0.0;
        // SAFETY: classes of the row.
        unsafe {
            let (nll, hit, miss) = if hard {
                self.target(row)
            } else {
                let nll = self.smoothed(row);
                let (hit, miss) = probabilities(nll);
                (nll, hit, miss)
            };
            let curvature = Curvature::new(&self.loss, (nll, hit, miss), weight, hard, gauss_newton);
            vectors(self.classes, |j, n| {
                let x = self.logits(row, j, n);
                let is_largest = D::lane_is(row.largest.wrapping_sub(j));
                let p = row.softmax.hit.select(self.probabilities(row, x), is_largest);
                let rest = row.softmax.miss.select(one.sub(p), is_largest);
                let (difference, spread) = if hard {
                    let is_target = D::lane_is(row.target.wrapping_sub(j));
                    let share = p.div(positive(miss));
                    (one.select(share, is_target), hit.select(share.mul(rest), is_target))
                } else {
                    // 1 − p − (1 − q) where p is the larger part of 1.
                    let q = self.aims(row, j, n).1;
                    let difference = one.sub(q).sub(rest).select(p.sub(q), p.gt(D::constant(0.5)));
                    (difference, p.mul(rest))
                };
                let square = curvature.square.mul(difference.mul(difference));
                store(square.add(curvature.variance.mul(spread)).add(D::constant(0.0)), grad.add(j), n);
            });
        }
    }

    /// # Safety
    /// As for [`Self::mixture`], for rows with a target class.
    #[inline(always)]
    unsafe fn gamma_grad(&self, row: &Seen<S>, weight: D, focus_on: FocusOn) -> D {
        // SAFETY: the target is a class.
        unsafe {
            let (mut nll, mut hit, mut miss) = self.target(row);
            if self.aims.smoothing > 0.0 {
                nll = self.smoothed(row);
                if focus_on == FocusOn::Smoothed {
                    (hit, miss) = probabilities(nll);
                }
            }
            gamma_grad(&self.loss, (nll, hit, miss), weight)
        }
    }
}

impl<S: Scalar> Dense<S> {
    /// The class that has all of the probability, where that makes the row one with a target class.
    ///
    /// # Safety
    /// `probabilities` must be valid for a row or null.
    #[inline(always)]
    unsafe fn single_class(&self, probabilities: *const S) -> Option<usize> {
        if probabilities.is_null() || self.single.is_none() {
            return None;
        }
        // SAFETY: a row of probabilities.
        let q = |j: usize| unsafe { *probabilities.add(j) }.to_f64();
        let first = (0..self.classes).find(|&j| q(j) != 0.0)?;
        let single = q(first) == 1.0 && (first + 1..self.classes).all(|j| q(j) == 0.0);
        single.then_some(first)
    }

    /// A row with a target class.
    ///
    /// # Safety
    /// `logits` must be valid for a row, `grad` be so or null, and `target` a class.
    unsafe fn by_class<V: Vector<Scalar = S>>(
        &self,
        target: usize,
        (logits, grad): (*const S, *mut S),
        (weight, scale): (S, S),
    ) -> S {
        let mut value = S::default();
        let Some((loss, weights)) = self.single else { return value };
        let target = target as i32;
        let rows = Rows {
            logits,
            targets: &target,
            grad,
            values: &mut value,
            rows: 1,
            classes: self.classes,
            weights,
            row_weights: &weight,
            scale,
            row_scales: ptr::null(),
            ignored: None,
        };
        // SAFETY: one row.
        unsafe { super::focal::<V>(&rows, &loss, V::Wide::zero()) };
        value
    }
}

/// The weights of `n` classes from `j` on; those beyond are 0.
///
/// # Safety
/// There must be weights for the classes.
#[inline(always)]
unsafe fn class_weights<S: Scalar>(weights: Weights<S>, j: usize, n: usize) -> D {
    // SAFETY: passed on.
    D::from_lanes(|i| if i < n { unsafe { weights.of_class(j + i) }.to_f64() } else { 0.0 })
}

impl<V: Vector> Kernel<V> for Dense<V::Scalar> {
    fn only_whole_groups(&self) -> bool {
        false
    }

    unsafe fn run(&self, block: &mut Block<V>) {
        // SAFETY: the rows of the block and their targets.
        unsafe {
            for g in 0..block.groups() {
                let (weight, scale) = (block.weight.get(g), block.scale.get(g));
                let mut values = [V::Scalar::default(); MAX_LANES];
                for (i, value) in values.iter_mut().enumerate().take(V::LANES.min(block.rows - g * V::LANES)) {
                    let logits = block.logits(g).add(i * self.classes);
                    let grad = if block.grad.is_null() { block.grad } else { block.grad(g).add(i * self.classes) };
                    // The logits may be overwritten by gradients, the probabilities keep their place.
                    let probabilities = self.aims.probabilities;
                    let probabilities = if probabilities.is_null() {
                        probabilities
                    } else {
                        probabilities.add(logits.offset_from(self.logits) as usize)
                    };
                    let factors = (weight.lane(i), scale.lane(i));
                    *value = match self.single_class(probabilities) {
                        Some(target) => self.by_class::<V>(target, (logits, grad), factors),
                        None => self.row(logits, probabilities, *block.targets(g).add(i), grad, factors),
                    };
                }
                block.value.set(g, V::load(values.as_ptr()));
            }
        }
    }
}

impl<S: Scalar> Dense<S> {
    /// A row: writes what the task has in place of a gradient, where `grad` is not null, and returns what it has in place of a value.
    ///
    /// # Safety
    /// The pointers must be valid for a row, or null where the task does not need them, and the target a class.
    #[inline(never)]
    unsafe fn row(&self, logits: *const S, probabilities: *const S, target: i32, grad: *mut S, (weight, scale): (S, S)) -> S {
        let (weight, scale) = (D::splat(weight.to_f64()), D::splat(scale.to_f64()));
        // SAFETY: passed on.
        let value = unsafe {
            let this = Self { loss: self.loss.of_rows([target; MAX_LANES].as_ptr()), ..*self };
            let seen = this.look(logits, probabilities, target as usize);
            match self.task {
                Task::Mixture(_) | Task::FocusOnTarget => this.mixture(&seen, self.task, grad, weight, scale),
                Task::EachClass => this.each_class(&seen, grad, weight, scale),
                Task::Hessian { gauss_newton } => {
                    this.hessian(&seen, grad, weight.mul(scale), gauss_newton);
                    D::splat(0.0)
                }
                Task::GammaGrad(focus_on) => this.gamma_grad(&seen, weight, focus_on),
            }
        };
        narrow(value.lane(0))
    }
}
