//! What every softmax loss needs of a row: cross-entropy, probability of the target and of all other classes.

use crate::{
    math::{exp, log::finite_log_1p},
    vector::Vector,
};

/// What the passes over the classes leave of a row. Exponentials are relative to `2^N`, the power of two of the largest logit.
#[derive(Clone, Copy, Debug)]
pub struct RowSums<V> {
    /// Largest logit, the target's included.
    pub max: V,
    /// The target's logit `x_t`.
    pub target: V,
    /// `e^{x_t}`.
    pub target_exp: V,
    /// `Σ_{j≠t} e^{x_j}`: the target's own term is left out, never subtracted.
    pub others: V,
    /// `Σ_j (max − x_j)`; only where the loss asks for it.
    pub spread: V,
}

/// Softmax of a row, seen from its target.
#[derive(Clone, Copy, Debug)]
pub struct Row<V> {
    /// How far the target's logit lies below the largest one.
    pub gap: V,
    /// `lse − max`.
    pub log_sum: V,
    /// `p_t`.
    pub hit: V,
    /// `1 − p_t`, as a sum of the other classes.
    pub miss: V,
    /// `1 / Σ_j e^{x_j}`, relative to `2^N`.
    pub inverse: V,
}

impl<V: Vector> Row<V> {
    /// Where the target is the largest class, `lse − x_t = log1p(others / e^{x_t})`, exact to the last bits however small it is.
    /// Elsewhere the loss is at least log 2, and `log(Σ e^{x_j})` is good enough.
    #[inline(always)]
    pub fn new(sums: &RowSums<V>) -> Self {
        let one = V::constant(1.0);
        let gap = sums.max.sub(sums.target);
        let below = gap.gt(V::constant(0.0));
        let total = sums.others.add(sums.target_exp);
        let inverse = one.div(total);
        let ratio = total.sub(one).select(sums.others.div(sums.target_exp), below);
        let log_sum = finite_log_1p(ratio).sub(exp::reduce(sums.max).fraction.keep(below));
        Self { gap, log_sum, hit: sums.target_exp.mul(inverse), miss: sums.others.mul(inverse), inverse }
    }
}

/// What a loss makes of a row: its value, and `∂L/∂x_j = factor·e^{x_j} + offset` for all classes but the target.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<V> {
    /// Value of the row.
    pub value: V,
    /// Factor of `e^{x_j}`.
    pub factor: V,
    /// What every class but the target gets.
    pub offset: V,
    /// `∂L/∂x_t`.
    pub target: V,
}

/// A loss on rows of logits with one target class each.
pub trait SoftmaxLoss<V: Vector>: Copy {
    /// Whether [`RowSums::spread`] is needed.
    const SPREAD: bool;
    /// Value and gradient of rows whose classes weigh `weight`.
    fn outcome(&self, sums: &RowSums<V>, weight: V) -> Outcome<V>;
}
