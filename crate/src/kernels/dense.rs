//! Rows whose classes each have a target of their own, and the rarer things asked of a row: a row after the other, along its classes,
//! in two passes that both form the exponentials. No room is needed but for the gradient.

use core::ptr;

use super::{
    Focal,
    exponential::{Exponential, bring_into_range, within_range},
    many::{self, largest},
    rows::{Group, Kernel, MAX_LANES, Rows, Weights},
};
use crate::{
    loss::{
        each_class::Class,
        focal::{FocusOn, Hard, Power, probabilities},
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

/// The kernel.
#[derive(Clone, Copy)]
pub(super) struct Dense<V: Vector> {
    pub loss: Hard<V, Power<V>>,
    pub classes: usize,
    pub logits: *const V::Scalar,
    pub aims: Aims<V::Scalar>,
    pub task: Task<V::Scalar>,
    /// For rows whose probabilities are those of a single class: the loss with that class as the target, and the weights of the
    /// classes. Such rows give the bits of a target class.
    pub single: Option<(Focal, Weights<V::Scalar>)>,
}

/// Calls `f` with the first class and the number of classes of each vector of a row.
#[inline(always)]
fn vectors<V: Vector>(classes: usize, mut f: impl FnMut(usize, usize)) {
    for j in (0..classes).step_by(V::LANES) {
        f(j, V::LANES.min(classes - j));
    }
}

/// # Safety
/// `p` must be valid for reading `n` values.
#[inline(always)]
unsafe fn load<V: Vector>(p: *const V::Scalar, n: usize, fill: f64) -> V {
    // SAFETY: passed on.
    unsafe { if n == V::LANES { V::load(p) } else { V::load_partial(p, n, V::Scalar::from_f64(fill)) } }
}

/// # Safety
/// `p` must be valid for writing `n` values.
#[inline(always)]
unsafe fn store<V: Vector>(v: V, p: *mut V::Scalar, n: usize) {
    // SAFETY: passed on.
    unsafe { if n == V::LANES { v.store(p) } else { v.store_partial(p, n) } }
}

/// A row, and what the first pass found of it.
struct Seen<V: Vector> {
    logits: *const V::Scalar,
    probabilities: *const V::Scalar,
    target: usize,
    /// The class with the largest logit.
    largest: usize,
    /// What comes off each logit.
    shift: V,
    /// The largest logit, less that.
    top: V,
    exponential: Exponential<V>,
    /// The softmax, seen from the largest class.
    softmax: Row<V>,
}

impl<V: Vector> Dense<V> {
    /// The first pass.
    ///
    /// # Safety
    /// `logits` must be valid for a row.
    #[inline(always)]
    unsafe fn look(&self, logits: *const V::Scalar, probabilities: *const V::Scalar, target: usize) -> Seen<V> {
        let row = many::Row { logits, grad: ptr::null_mut(), target: usize::MAX };
        // SAFETY: a row of logits.
        unsafe {
            let top = largest::<V>(row, self.classes);
            // None is the largest where all are NaN; then any will do.
            let largest_class = (0..self.classes).find(|&j| *logits.add(j) == top).unwrap_or(0);
            let top = V::splat(*logits.add(largest_class));
            let max = V::splat(largest::<V>(many::Row { target: largest_class, ..row }, self.classes));
            let (max, top, shift) =
                if within_range(max, top) { (max, top, V::constant(0.0)) } else { bring_into_range(max, top) };
            let exponential = Exponential::new(max);
            let mut others = V::Wide::zero();
            vectors::<V>(self.classes, |j, n| {
                let x = load::<V>(logits.add(j), n, f64::NEG_INFINITY).sub(shift);
                others = others.accumulate(exponential.of(x).clear(V::lane_is(largest_class.wrapping_sub(j))));
            });
            let others = V::splat(V::Scalar::from_f64(others.total()));
            let softmax = Row::new(&RowSums { target: top, max, others, spread: V::constant(0.0) });
            Seen { logits, probabilities, target, largest: largest_class, shift, top, exponential, softmax }
        }
    }

    /// The logits of `n` classes from `j` on.
    ///
    /// # Safety
    /// They must be classes.
    #[inline(always)]
    unsafe fn logits(&self, row: &Seen<V>, j: usize, n: usize) -> V {
        // SAFETY: passed on.
        unsafe { load::<V>(row.logits.add(j), n, f64::NEG_INFINITY) }.sub(row.shift)
    }

    /// `q_j` before smoothing, and after it with its weight, for `n` classes from `j` on.
    ///
    /// # Safety
    /// They must be classes.
    #[inline(always)]
    unsafe fn aims(&self, row: &Seen<V>, j: usize, n: usize) -> (V, V) {
        let (smoothing, one) = (self.aims.smoothing, V::constant(1.0));
        let plain = if row.probabilities.is_null() {
            one.keep(V::lane_is(row.target.wrapping_sub(j)))
        } else {
            // SAFETY: passed on.
            unsafe { load::<V>(row.probabilities.add(j), n, 0.0) }
        };
        let smoothed = plain.mul(V::constant(1.0 - smoothing)).add(V::constant(smoothing / self.classes as f64));
        // SAFETY: passed on; lanes beyond weigh nothing.
        (plain, smoothed.mul(unsafe { class_weights::<V>(self.aims.weights, j, n) }))
    }

    /// `p_j` of all classes but the largest.
    #[inline(always)]
    fn probabilities(&self, row: &Seen<V>, x: V) -> V {
        row.exponential.of(x).mul(row.softmax.inverse)
    }

    /// # Safety
    /// `row` must have been looked at, `grad` be valid for a row or null.
    #[inline(always)]
    unsafe fn mixture(&self, row: &Seen<V>, by: Weights<V::Scalar>, grad: *mut V::Scalar, weight: V, scale: V) -> V {
        let (mut rest, mut distance, mut mean) = (V::Wide::zero(), V::Wide::zero(), V::Wide::zero());
        let mut own = V::constant(0.0);
        // SAFETY: classes of the row.
        unsafe {
            vectors::<V>(self.classes, |j, n| {
                let (plain, q) = self.aims(row, j, n);
                let is_largest = V::lane_is(row.largest.wrapping_sub(j));
                // A class without a share adds nothing, also where its logit is −Inf.
                let away = q.mul(row.top.sub(self.logits(row, j, n))).keep(q.gt(V::constant(0.0)));
                own = own.add(q.keep(is_largest));
                rest = rest.accumulate(q.clear(is_largest));
                distance = distance.accumulate(away.clear(is_largest));
                mean = mean.accumulate(plain.mul(class_weights::<V>(by, j, n)));
            });
        }
        let splat = |x: f64| V::splat(V::Scalar::from_f64(x));
        let own = splat((0..V::LANES).map(|i| own.lane(i).to_f64()).sum());
        let soft = SoftRow { softmax: row.softmax, own, rest: splat(rest.total()), distance: splat(distance.total()) };
        let outcome = soft.outcome(&self.loss, weight.mul(splat(mean.total())), scale);
        if !grad.is_null() {
            // SAFETY: classes of the row.
            unsafe {
                vectors::<V>(self.classes, |j, n| {
                    let (_, q) = self.aims(row, j, n);
                    let e = row.exponential.of(self.logits(row, j, n));
                    let g = e.mul(outcome.factor).sub(outcome.derivative.mul(q));
                    let g = outcome.largest.select(g, V::lane_is(row.largest.wrapping_sub(j)));
                    store(g.add(V::constant(0.0)), grad.add(j), n);
                });
            }
        }
        outcome.value
    }

    /// # Safety
    /// As for [`Self::mixture`].
    #[inline(always)]
    unsafe fn each_class(&self, row: &Seen<V>, grad: *mut V::Scalar, weight: V, scale: V) -> V {
        // Value and −d_j of n classes from j on, and which of them is the largest.
        // SAFETY: classes of the row.
        let classes = |j: usize, n: usize| unsafe {
            let x = self.logits(row, j, n);
            let is_largest = V::lane_is(row.largest.wrapping_sub(j));
            let p = self.probabilities(row, x);
            let class = Class {
                hit: row.softmax.hit.select(p, is_largest),
                miss: row.softmax.miss.select(V::constant(1.0).sub(p), is_largest),
                nll: row.softmax.log_sum.add(row.top.sub(x)),
                weight: self.aims(row, j, n).1.mul(weight),
            };
            (class.value_and_pull(&self.loss), class.hit, is_largest)
        };
        let (mut value, mut rest) = (V::Wide::zero(), V::Wide::zero());
        let mut own = V::constant(0.0);
        vectors::<V>(self.classes, |j, n| {
            let ([v, pull], _, is_largest) = classes(j, n);
            value = value.accumulate(v);
            rest = rest.accumulate(pull.clear(is_largest));
            own = own.add(pull.keep(is_largest));
        });
        let splat = |x: f64| V::splat(V::Scalar::from_f64(x));
        if !grad.is_null() {
            let own: f64 = (0..V::LANES).map(|i| own.lane(i).to_f64()).sum();
            let (all, rest) = (splat(own + rest.total()), splat(rest.total()));
            vectors::<V>(self.classes, |j, n| {
                let ([_, pull], hit, is_largest) = classes(j, n);
                // p_k·D − d_k; for the largest class, where both are nearly the same, from 1 − p_k and the others.
                let largest = hit.mul(rest).sub(pull.mul(row.softmax.miss));
                let g = largest.select(hit.mul(all).sub(pull), is_largest);
                // SAFETY: classes of the row.
                unsafe { store(g.mul(scale).add(V::constant(0.0)), grad.add(j), n) };
            });
        }
        // A NaN among the logits has no weight where its class has none.
        splat(value.total()).add(row.softmax.log_sum.sub(row.softmax.log_sum))
    }

    /// `ℓ`, `pt` and `1 − pt` of the target class, and its logit.
    ///
    /// # Safety
    /// The target must be a class.
    #[inline(always)]
    unsafe fn target(&self, row: &Seen<V>) -> (V, V, V) {
        // SAFETY: the target is a class.
        let x = V::splat(unsafe { *row.logits.add(row.target) }).sub(row.shift);
        let nll = row.softmax.log_sum.add(row.top.sub(x));
        if row.target == row.largest {
            return (nll, row.softmax.hit, row.softmax.miss);
        }
        let hit = self.probabilities(row, x);
        (nll, hit, V::constant(1.0).sub(hit))
    }

    /// The smoothed cross-entropy of a row with a target class.
    ///
    /// # Safety
    /// The target must be a class.
    #[inline(always)]
    unsafe fn smoothed(&self, row: &Seen<V>) -> V {
        let mut distance = V::Wide::zero();
        // SAFETY: classes of the row.
        unsafe {
            vectors::<V>(self.classes, |j, n| {
                let (_, q) = self.aims(row, j, n);
                let away = q.mul(row.top.sub(self.logits(row, j, n))).keep(q.gt(V::constant(0.0)));
                distance = distance.accumulate(away);
            });
        }
        row.softmax.log_sum.add(V::splat(V::Scalar::from_f64(distance.total())))
    }

    /// # Safety
    /// As for [`Self::mixture`], for rows with a target class.
    #[inline(always)]
    unsafe fn hessian(&self, row: &Seen<V>, grad: *mut V::Scalar, weight: V, gauss_newton: bool) {
        let one = V::constant(1.0);
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
            let smallest = V::constant(V::Scalar::TINY);
            vectors::<V>(self.classes, |j, n| {
                let x = self.logits(row, j, n);
                let is_largest = V::lane_is(row.largest.wrapping_sub(j));
                let p = row.softmax.hit.select(self.probabilities(row, x), is_largest);
                let rest = row.softmax.miss.select(one.sub(p), is_largest);
                let (difference, spread) = if hard {
                    let is_target = V::lane_is(row.target.wrapping_sub(j));
                    let share = p.div(miss.pmax(smallest));
                    (one.select(share, is_target), hit.select(share.mul(rest), is_target))
                } else {
                    // 1 − p − (1 − q) where p is the larger part of 1.
                    let q = self.aims(row, j, n).1;
                    let difference = one.sub(q).sub(rest).select(p.sub(q), p.gt(V::constant(0.5)));
                    (difference, p.mul(rest))
                };
                let square = curvature.square.mul(difference.mul(difference));
                store(square.add(curvature.variance.mul(spread)).add(V::constant(0.0)), grad.add(j), n);
            });
        }
    }

    /// # Safety
    /// As for [`Self::mixture`], for rows with a target class.
    #[inline(always)]
    unsafe fn gamma_grad(&self, row: &Seen<V>, weight: V, focus_on: FocusOn) -> V {
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

impl<V: Vector> Dense<V> {
    /// The class that has all of the probability, where that makes the row one with a target class.
    ///
    /// # Safety
    /// `probabilities` must be valid for a row or null.
    #[inline(always)]
    unsafe fn single_class(&self, probabilities: *const V::Scalar) -> Option<usize> {
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
    unsafe fn by_class(&self, target: usize, logits: *const V::Scalar, grad: *mut V::Scalar, weight: V, scale: V) -> V::Scalar {
        let mut value = V::Scalar::default();
        let Some((loss, weights)) = self.single else { return value };
        let (target, weight) = (target as i32, weight.lane(0));
        let rows = Rows {
            logits,
            targets: &target,
            grad,
            values: &mut value,
            rows: 1,
            classes: self.classes,
            weights,
            row_weights: &weight,
            scale: scale.lane(0),
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
unsafe fn class_weights<V: Vector>(weights: Weights<V::Scalar>, j: usize, n: usize) -> V {
    match weights {
        Weights::PerClass(table) => {
            // SAFETY: passed on.
            unsafe { load::<V>(table.add(j), n, 0.0) }
        }
        Weights::Pair { other, one } => {
            let zero = V::Scalar::default();
            V::from_lanes(|i| {
                if i >= n {
                    zero
                } else if i + j == 1 {
                    one
                } else {
                    other
                }
            })
        }
    }
}

impl<V: Vector> Kernel<V> for Dense<V> {
    unsafe fn group(&self, group: Group<V>) -> V {
        // SAFETY: passed on.
        unsafe { self.partial(group, V::LANES) }
    }

    #[inline(never)]
    unsafe fn partial(&self, group: Group<V>, n: usize) -> V {
        let mut values = [V::Scalar::default(); MAX_LANES];
        // SAFETY: the caller vouches for n rows and their targets.
        unsafe {
            for (i, value) in values.iter_mut().enumerate().take(n) {
                let logits = group.logits.add(i * self.classes);
                // The logits may be overwritten by gradients, the probabilities keep their place.
                let offset = logits.offset_from(self.logits) as usize;
                let probabilities = self.aims.probabilities;
                let probabilities = if probabilities.is_null() { probabilities } else { probabilities.add(offset) };
                let target = *group.targets.add(i) as usize;
                let grad = if group.grad.is_null() { group.grad } else { group.grad.add(i * self.classes) };
                let (weight, scale) = (V::splat(group.weight.lane(i)), V::splat(group.scale.lane(i)));
                if let Some(target) = self.single_class(probabilities) {
                    *value = self.by_class(target, logits, grad, weight, scale);
                    continue;
                }
                let row = Self { loss: self.loss.of_rows([target as i32; MAX_LANES].as_ptr()), ..*self };
                let seen = row.look(logits, probabilities, target);
                *value = match self.task {
                    Task::Mixture(by) => row.mixture(&seen, by, grad, weight, scale).lane(0),
                    Task::EachClass => row.each_class(&seen, grad, weight, scale).lane(0),
                    Task::Hessian { gauss_newton } => {
                        row.hessian(&seen, grad, weight.mul(scale), gauss_newton);
                        V::Scalar::default()
                    }
                    Task::GammaGrad(focus_on) => row.gamma_grad(&seen, weight, focus_on).lane(0),
                };
            }
            V::load(values.as_ptr())
        }
    }
}
