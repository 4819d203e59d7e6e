//! Two classes, one target each: one exponential and one logarithm a row, everything in registers.
//!
//! Only the difference of the two logits counts. Its rounding error (two-sum) is carried into the exponential.

use super::{
    few,
    rows::{Group, Kernel, MAX_LANES, Partial, one_group, padded},
};
use crate::{
    loss::focal::{Focusing, Hard},
    math::{
        exp::{self, ExpTable},
        log::unit_log_1p,
    },
    vector::Vector,
};

/// The kernel of a loss on two classes.
pub(super) struct Pair<V: Vector, P, const GRAD: bool> {
    loss: Hard<V, P>,
}

/// Values and the gradients of both classes.
#[derive(Clone, Copy)]
struct Outcome<V> {
    value: V,
    zero: V,
    one: V,
}

impl<V: Vector, P: Focusing<V>, const GRAD: bool> Pair<V, P, GRAD> {
    #[inline(always)]
    pub(super) fn new(loss: Hard<V, P>) -> Self {
        Self { loss }
    }

    /// Rows that the fast path leaves: a gap too wide for it, or a logit that is not finite. Lanes of `fast` that are good stay
    /// as they are, so that no row's bits depend on its neighbours.
    #[cold]
    #[inline(never)]
    unsafe fn rare(&self, group: Group<V>, fast: Outcome<V>, good: V::Mask) -> Outcome<V> {
        let few = few::Few::<V, _, GRAD>::new(self.loss.general(), 2);
        let mut grad = [V::Scalar::default(); 2 * MAX_LANES];
        // SAFETY: the caller's group, and a local place for its gradients.
        let (value, (zero, one)) = unsafe {
            let value = one_group(&few, 2, Group { grad: grad.as_mut_ptr(), ..group });
            (value, V::load_pairs(grad.as_ptr()))
        };
        Outcome { value: fast.value.select(value, good), zero: fast.zero.select(zero, good), one: fast.one.select(one, good) }
    }
}

impl<V: Vector, P: Focusing<V>, const GRAD: bool> Kernel<V> for Pair<V, P, GRAD> {
    #[inline(always)]
    unsafe fn group(&self, group: Group<V>) -> V {
        // SAFETY: the caller vouches for a group of rows and their targets.
        let ((a, b), target_is_one, loss) = unsafe {
            let target_is_one = V::index_is(V::load_index(group.targets), 1);
            (V::load_pairs(group.logits), target_is_one, self.loss.of_rows(group.targets))
        };
        let zero = V::constant(0.0);
        let one = V::constant(1.0);

        // b − a and what rounding took from it; then both for −|b − a|.
        let difference = b.sub(a);
        let rounded = difference.add(a);
        let lost = b.sub(rounded).add(rounded.sub(difference).sub(a));
        let distance = difference.abs().neg();
        let lost = lost.negate(difference.gt(zero));
        // How far the other class lies above the target, if it does.
        let excess = difference.negate(target_is_one);
        let below = excess.gt(zero);

        // e = the odds of the less likely class, at most 1.
        let exp::Reduced { fraction, exponent } = exp::reduce(distance);
        let e = exp::scale(exp::fraction_exp(fraction.add(lost)), exponent);
        // 1/(1 + e) and e/(2 + e) from one division.
        let plus_one = e.add(one);
        let plus_two = e.add(V::constant(2.0));
        let quotient = one.div(plus_one.mul(plus_two));
        let likely = plus_two.mul(quotient);
        let unlikely = e.mul(likely);
        let nll = unit_log_1p(e, e.mul(plus_one).mul(quotient)).add(excess.keep(below));
        let miss = likely.select(unlikely, below);
        let hit = unlikely.select(likely, below);

        let [value, slope] = loss.value_and_slope(nll, miss, hit, group.weight, group.scale);
        // Adding +0 turns −0 into +0.
        let grad_one = slope.negate(target_is_one).add(zero);
        let mut outcome = Outcome { value, zero: zero.sub(grad_one), one: grad_one };
        let good = distance.gt(V::constant(V::Scalar::EXP_NORMAL));
        if !V::all(good) {
            // SAFETY: the caller's group.
            outcome = unsafe { self.rare(group, outcome, good) };
        }
        if GRAD {
            // SAFETY: the caller vouches for a group of gradients.
            unsafe { V::store_pairs(outcome.zero, outcome.one, group.grad) };
        }
        outcome.value
    }
}

impl<V: Vector, P: Focusing<V>, const GRAD: bool> Partial<V> for Pair<V, P, GRAD> {
    unsafe fn partial(&self, group: Group<V>, n: usize) -> V {
        // SAFETY: passed on.
        unsafe { padded::<V, GRAD>(self, 2, group, n) }
    }
}
