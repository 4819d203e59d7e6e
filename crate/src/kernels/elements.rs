//! The sigmoid focal loss: an element after the other, a vector at a time.

use crate::{
    loss::{
        focal::{Gamma, Hard, Power},
        sigmoid::{Aim, value_and_grad},
    },
    vector::{Scalar, Vector, WideSum},
};

/// A parameter that each element or each column has.
#[derive(Clone, Copy, Debug)]
pub enum PerColumn<S> {
    /// One for all.
    All(f64),
    /// One for each column.
    Each(*const S),
}

/// A batch of elements and what is to be computed of them.
#[derive(Clone, Copy, Debug)]
pub struct Elements<S> {
    /// The logits.
    pub logits: *const S,
    /// As many targets in [0, 1].
    pub targets: *const S,
    /// As many gradients, or null. May be the logits themselves.
    pub grad: *mut S,
    /// A value per element, or null.
    pub values: *mut S,
    /// Number of elements, a multiple of the columns.
    pub count: usize,
    /// Number of columns.
    pub columns: usize,
    /// Focusing parameter, at least 0.
    pub gamma: f64,
    /// ε in [0, 1].
    pub label_smoothing: f64,
    /// Weight of positives; negatives weigh 1 less it. `None`: both weigh 1.
    pub alpha: Option<PerColumn<S>>,
    /// Factor of the positive term.
    pub positive_weight: PerColumn<S>,
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
    /// `n` values from `at` on of an array, or `otherwise` where it is null.
    ///
    /// # Safety
    /// They must be elements.
    #[inline(always)]
    unsafe fn load<V: Vector<Scalar = S>>(array: *const S, at: usize, n: usize, otherwise: f64) -> V {
        if array.is_null() {
            return V::constant(otherwise);
        }
        // SAFETY: passed on.
        unsafe { if n == V::LANES { V::load(array.add(at)) } else { V::load_partial(array.add(at), n, S::from_f64(otherwise)) } }
    }

    /// A parameter of `n` elements from `at` on.
    ///
    /// # Safety
    /// They must be elements.
    #[inline(always)]
    unsafe fn of_column<V: Vector<Scalar = S>>(&self, parameter: PerColumn<S>, at: usize) -> V {
        match parameter {
            PerColumn::All(x) => V::constant(x),
            // SAFETY: one for each column.
            PerColumn::Each(table) => V::from_lanes(|i| unsafe { *table.add((at + i) % self.columns.max(1)) }),
        }
    }

    /// `n` elements from `at` on; lanes beyond are 0.
    ///
    /// # Safety
    /// They must be elements.
    #[inline(always)]
    unsafe fn vector<V: Vector<Scalar = S>>(&self, loss: &Hard<V, Power<V>>, at: usize, n: usize) -> V {
        let (zero, one) = (V::constant(0.0), V::constant(1.0));
        let (kept, each) = (V::constant(1.0 - self.label_smoothing), V::constant(self.label_smoothing / 2.0));
        // SAFETY: passed on.
        unsafe {
            let x = Self::load::<V>(self.logits, at, n, 0.0);
            let y = Self::load::<V>(self.targets, at, n, 0.0);
            let positive = y.mul(kept).add(each);
            let negative = one.sub(y).mul(kept).add(each);
            let alpha = self.alpha.map_or(one, |alpha| {
                let alpha = self.of_column::<V>(alpha, at);
                alpha.mul(positive).add(one.sub(alpha).mul(negative))
            });
            let aim = Aim {
                positive,
                negative,
                positive_weight: self.of_column(self.positive_weight, at),
                weight: alpha.mul(Self::load(self.weights, at, n, 1.0)),
            };
            let scale = V::constant(self.scale).mul(Self::load(self.scales, at, n, 1.0));
            let [mut value, mut grad] = value_and_grad(loss, x, &aim, scale);
            if let Some(ignored) = self.ignored {
                let target = S::from_f64(ignored);
                let ignored = V::from_lanes(|i| if y.lane(i) == target { S::from_f64(1.0) } else { S::default() }).gt(zero);
                (value, grad) = (value.clear(ignored), grad.clear(ignored));
            }
            if !self.grad.is_null() {
                Self::store(grad, self.grad.add(at), n);
            }
            if !self.values.is_null() {
                Self::store(value, self.values.add(at), n);
            }
            if n == V::LANES { value } else { V::from_lanes(|i| if i < n { value.lane(i) } else { S::default() }) }
        }
    }

    /// # Safety
    /// `p` must be valid for writing `n` values.
    #[inline(always)]
    unsafe fn store<V: Vector<Scalar = S>>(v: V, p: *mut S, n: usize) {
        // SAFETY: passed on.
        unsafe { if n == V::LANES { v.store(p) } else { v.store_partial(p, n) } }
    }
}

/// Runs the sigmoid focal loss over `elements` and adds its values to `total`.
///
/// # Safety
/// The pointers of `elements` must be valid for the sizes it states.
pub unsafe fn sigmoid<V: Vector>(elements: &Elements<V::Scalar>, mut total: V::Wide) -> V::Wide {
    let gamma = Gamma::All(elements.gamma);
    let loss = Hard::new(gamma, Power::new(gamma));
    for at in (0..elements.count).step_by(V::LANES) {
        // SAFETY: elements of the batch.
        let values = unsafe { elements.vector(&loss, at, V::LANES.min(elements.count - at)) };
        total = total.accumulate(values);
    }
    total
}
