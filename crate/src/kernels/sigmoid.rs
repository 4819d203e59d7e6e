//! The sigmoid focal loss and the asymmetric one: an element after the other, a vector at a time.

use core::ptr;

use super::{
    block::{Column, GROUPS},
    sink::Sink,
    stages::focus,
};
use crate::math::Real;
use crate::{
    loss::{
        asymmetric::{self, Asymmetric, Margin},
        focal::Hard,
        focusing::{Gamma, Later, Power},
        sigmoid::{Aim, Logistic, odds, row_loss},
        softmax::RowLoss,
    },
    simd::vector::{MAX_LANES, Scalar},
};

/// A parameter that each element or each column has.
#[derive(Clone, Copy, Debug)]
pub enum PerColumn {
    /// One for all.
    All(f64),
    /// One for each column.
    Each(*const f64),
}

/// A batch of elements and what is to be computed of them.
#[derive(Clone, Copy, Debug)]
pub struct Elements<S> {
    /// The logits.
    pub logits: *const S,
    /// The targets, as many, in [0, 1].
    pub targets: *const S,
    /// The gradients, as many, or null. May be the logits themselves.
    pub grad: *mut S,
    /// A value per element, or null.
    pub values: *mut S,
    /// Number of elements, a multiple of the columns.
    pub count: usize,
    /// Number of columns.
    pub columns: usize,
    /// Focusing parameter, at least 0.
    pub gamma: f64,
    /// The further parameters of the asymmetric loss, if it is that; what it has no parameters for
    /// (smoothing, alpha, the factor of the positive term) is then not looked at.
    pub asymmetric: Option<Asymmetric>,
    /// ε in [0, 1].
    pub label_smoothing: f64,
    /// Weight of positives; negatives weigh 1 less it, which float32 would not hold to all digits.
    /// `None`: both weigh 1.
    pub alpha: Option<PerColumn>,
    /// Factor of the positive term.
    pub positive_weight: PerColumn,
    /// Weight of each element, or null where all weigh 1.
    pub weights: *const S,
    /// Factor of the gradient.
    pub scale: f64,
    /// Factor of each element's gradient, or null where all have `scale` alone.
    pub scales: *const S,
    /// The target of elements that do not count.
    pub ignored: Option<f64>,
}

impl<S: Scalar> Elements<S> {
    /// The vector at `at` of an array, or `otherwise` where it is null.
    ///
    /// # Safety
    /// There must be whole vectors of elements.
    #[inline(always)]
    unsafe fn load<V: Real<Scalar = S>>(array: *const S, at: usize, otherwise: f64) -> V {
        // SAFETY: passed on.
        if array.is_null() { V::constant(otherwise) } else { unsafe { V::load(array.add(at)) } }
    }

    /// The parameter after `f`, for the vector at `at`.
    ///
    /// # Safety
    /// There must be whole vectors of elements, each at its own column counted from `first`.
    #[inline(always)]
    pub(super) unsafe fn of_column<V: Real<Scalar = S>>(
        &self,
        parameter: PerColumn,
        at: usize,
        f: impl Fn(f64) -> f64,
    ) -> V {
        match parameter {
            PerColumn::All(x) => V::constant(f(x)),
            PerColumn::Each(table) => V::from_lanes(|i| {
                // SAFETY: one for each column.
                S::from_f64(f(unsafe { *table.add((at + i) % self.columns.max(1)) }))
            }),
        }
    }

    /// The shares of yes and no in the vector at `at`, smoothed.
    ///
    /// # Safety
    /// There must be whole vectors of elements.
    #[inline(always)]
    pub(super) unsafe fn shares<V: Real<Scalar = S>>(&self, at: usize) -> (V, V) {
        // SAFETY: passed on.
        self.smoothed(unsafe { V::load(self.targets.add(at)) })
    }

    /// The shares of yes and no of targets, smoothed.
    #[inline(always)]
    pub(super) fn smoothed<V: Real<Scalar = S>>(&self, y: V) -> (V, V) {
        // Half of what is drawn is not rounded to 0.
        let least = if self.label_smoothing > 0.0 {
            2.0 * V::Scalar::TINY * V::Scalar::EPSILON
        } else {
            0.0
        };
        let drawn = V::constant(0.5).sub(y).mul(V::constant(self.label_smoothing.max(least)));
        (y.add(drawn), V::constant(1.0).sub(y).sub(drawn))
    }

    /// Clears the lanes, of the vector at `at`, that do not count.
    ///
    /// # Safety
    /// There must be whole vectors of elements.
    #[inline(always)]
    pub(super) unsafe fn clear<V: Real<Scalar = S>, const N: usize>(
        &self,
        at: usize,
        values: [V; N],
    ) -> [V; N] {
        let Some(ignored) = self.ignored else { return values };
        // SAFETY: passed on.
        let ignored = unsafe { V::load(self.targets.add(at)).equals(V::constant(ignored)) };
        values.map(|value| value.clear(ignored))
    }

    /// The loss and gradient of the vector at `at`, but for the focusing. `first`: the column of
    /// the first element.
    ///
    /// # Safety
    /// There must be whole vectors of elements.
    #[inline(always)]
    pub(super) unsafe fn row_loss<V: Real<Scalar = S>>(
        &self,
        loss: &Hard<V, Later<'_, V>>,
        logistic: Logistic<V>,
        at: usize,
        first: usize,
    ) -> RowLoss<V> {
        // SAFETY: passed on.
        unsafe { self.row_loss_of(loss, logistic, self.shares(at), at, first) }
    }

    /// The same with those shares of yes and no for targets.
    ///
    /// # Safety
    /// There must be whole vectors of elements.
    #[inline(always)]
    pub(super) unsafe fn row_loss_of<V: Real<Scalar = S>>(
        &self,
        loss: &Hard<V, Later<'_, V>>,
        logistic: Logistic<V>,
        (positive, negative): (V, V),
        at: usize,
        first: usize,
    ) -> RowLoss<V> {
        let one = V::constant(1.0);
        // SAFETY: passed on.
        unsafe {
            let x = V::load(self.logits.add(at));
            let alpha = self.alpha.map_or(one, |alpha| {
                let of_positives: V = self.of_column(alpha, first + at, |alpha| alpha);
                let of_negatives: V = self.of_column(alpha, first + at, |alpha| 1.0 - alpha);
                of_positives.mul(positive).add(of_negatives.mul(negative))
            });
            let aim = Aim {
                positive,
                negative,
                positive_weight: self.of_column(self.positive_weight, first + at, |weight| weight),
                weight: alpha.mul(Self::load(self.weights, at, 1.0)).add(V::constant(0.0)),
            };
            row_loss(
                loss,
                (x, logistic),
                &aim,
                V::constant(self.scale).mul(Self::load(self.scales, at, 1.0)),
            )
        }
    }

    /// The asymmetric losses and gradients of the `n` vectors from one on.
    ///
    /// # Safety
    /// There must be such, and the columns have been set for them.
    #[inline(never)]
    unsafe fn asymmetric<V: Real<Scalar = S>>(
        &self,
        parameters: &Asymmetric,
        (loss, power): (&Hard<V, Later<'_, V>>, &Power<V>),
        logistics: &Column<Logistic<V>>,
        (from, n): (usize, usize),
        row_losses: &mut Column<RowLoss<V>>,
    ) {
        let gamma = Gamma::All(parameters.gamma);
        let power_of_negatives = Power::new(gamma);
        let losses = [loss, &Hard::new(gamma, Later(&power_of_negatives))];
        let margin = Margin::new(parameters.margin);
        let mut negatives = Column::new();
        // SAFETY: passed on; columns are set before they are read.
        unsafe {
            for g in 0..n {
                let at = (from + g) * V::LANES;
                let (x, y) = (V::load(self.logits.add(at)), V::load(self.targets.add(at)));
                let weight = Self::load(self.weights, at, 1.0);
                let weights = [y, V::constant(1.0).sub(y)].map(|share| share.mul(weight));
                let scale = V::constant(self.scale).mul(Self::load(self.scales, at, 1.0));
                let logistic = logistics.get(g);
                let [yes, no] = asymmetric::parts((x, logistic), losses, &margin, weights, scale);
                row_losses.set(g, yes);
                negatives.set(g, no);
            }
            focus(power, ptr::null(), n, row_losses);
            focus(&power_of_negatives, ptr::null(), n, &mut negatives);
            for g in 0..n {
                let (yes, no): (RowLoss<V>, RowLoss<V>) = (row_losses.get(g), negatives.get(g));
                let (value, target) = (yes.value.add(no.value), no.target.sub(yes.target));
                row_losses.set(g, RowLoss { value, target, ..yes });
            }
        }
    }

    /// Writes the loss of the vector at `at`. Returns the values, 0 for elements that do not
    /// count.
    ///
    /// # Safety
    /// There must be whole vectors of elements.
    #[inline(always)]
    unsafe fn write<V: Real<Scalar = S>>(&self, row_loss: &RowLoss<V>, at: usize) -> V {
        // SAFETY: passed on.
        unsafe {
            let [value, grad] = self.clear(at, [row_loss.value, row_loss.target]);
            if !self.grad.is_null() {
                grad.store(self.grad.add(at));
            }
            if !self.values.is_null() {
                value.store(self.values.add(at));
            }
            value
        }
    }

    /// Runs whole vectors, the first of which is of column `first`.
    ///
    /// # Safety
    /// There must be such.
    #[inline(never)]
    unsafe fn run<V: Real<Scalar = S>>(&self, first: usize, sink: &mut dyn Sink<V>) {
        let gamma = Gamma::All(self.gamma);
        let power = Power::new(gamma);
        let loss = Hard::new(gamma, Later(&power));
        let (mut e, mut logistics, mut row_losses) = (Column::new(), Column::new(), Column::new());
        let vectors = self.count / V::LANES;
        for from in (0..vectors).step_by(GROUPS) {
            let n = GROUPS.min(vectors - from);
            let at = |g: usize| (from + g) * V::LANES;
            // SAFETY: elements of the batch; columns are set before they are read.
            unsafe {
                for g in 0..n {
                    e.set(g, odds(V::load(self.logits.add(at(g)))));
                }
                for g in 0..n {
                    logistics.set(g, Logistic::new(e.get(g)));
                }
                if let Some(parameters) = &self.asymmetric {
                    let with = (&loss, &power);
                    self.asymmetric(parameters, with, &logistics, (from, n), &mut row_losses);
                } else {
                    for g in 0..n {
                        row_losses.set(g, self.row_loss(&loss, logistics.get(g), at(g), first));
                    }
                    focus(&power, ptr::null(), n, &mut row_losses);
                }
                for g in 0..n {
                    // The odds have served.
                    e.set(g, self.write(&row_losses.get(g), at(g)));
                }
                sink.add(e.lanes(), n);
            }
        }
    }
}

/// The `n` values from `at` on of an array, or `otherwise` where it is null, filled up with zeros.
///
/// # Safety
/// They must be elements, fewer than a vector's.
#[inline(never)]
pub(super) unsafe fn fill_up<S: Scalar>(
    array: *const S,
    at: usize,
    n: usize,
    otherwise: S,
) -> [S; MAX_LANES] {
    let mut values = [S::default(); MAX_LANES];
    for (i, value) in values.iter_mut().enumerate().take(n) {
        // SAFETY: passed on.
        *value = if array.is_null() { otherwise } else { unsafe { *array.add(at + i) } };
    }
    values
}

/// Runs the sigmoid focal loss, or the asymmetric one, over `elements` and puts its values into
/// `sink`.
///
/// # Safety
/// The pointers of `elements` must be valid for the sizes it states.
pub unsafe fn sigmoid<V: Real>(elements: &Elements<V::Scalar>, sink: &mut dyn Sink<V>) {
    let rest = elements.count % V::LANES;
    let whole = elements.count - rest;
    let mut part = *elements;
    part.count = whole;
    // SAFETY: elements of the batch; the last, fewer than a vector's, are filled up with such as
    // weigh nothing.
    unsafe {
        part.run::<V>(0, sink);
        if rest == 0 {
            return;
        }
        let filled = |array, otherwise| fill_up(array, whole, rest, V::Scalar::from_f64(otherwise));
        let (mut grad, mut values) = (filled(elements.logits, 0.0), filled(ptr::null(), 0.0));
        let targets = filled(elements.targets, 0.0);
        let (weights, scales) = (filled(elements.weights, 1.0), filled(elements.scales, 1.0));
        (part.grad, part.values) = (grad.as_mut_ptr(), values.as_mut_ptr());
        // The gradients' pointer serves for the logits too: a second borrow would end its validity.
        (part.logits, part.targets, part.count) = (part.grad, targets.as_ptr(), V::LANES);
        (part.weights, part.scales) = (weights.as_ptr(), scales.as_ptr());
        part.run::<V>(whole, sink);
        for i in 0..rest {
            if !elements.grad.is_null() {
                *elements.grad.add(whole + i) = grad[i % MAX_LANES];
            }
            if !elements.values.is_null() {
                *elements.values.add(whole + i) = values[i % MAX_LANES];
            }
        }
    }
}
