//! The tasks: what is made of two rows once their softmax is known.

use super::{
    super::block::Column,
    passes::{D, Mixtures, Outlined, Seen, Task, Two},
    side_by_side::{Mixture, losses},
    source::{CHUNK, Chunk, ROWS},
};
use crate::{
    loss::{
        derivatives::{Curvature, gamma_grad},
        each_class::Class,
        focal::{FocusOn, Hard, probabilities},
        guards::positive,
        soft_targets::SoftRow,
        softmax::RowLoss,
    },
    simd::vector::{Vector, WideSum},
};

impl Mixtures<'_> {
    /// Two rows, from their softmax.
    ///
    /// # Safety
    /// They must have been looked at.
    #[inline(always)]
    pub(super) unsafe fn two(&mut self, two: &Two, skipped: &[bool; ROWS], chunk: &mut Chunk) {
        // SAFETY: passed on; rows that have no gradients yet are those that are wanted.
        unsafe {
            let targets = two.rows.map(|row| self.source.target(row));
            let loss = self.loss.of_rows([targets[0] as i32, targets[1] as i32].as_ptr());
            let wanted =
                |i: usize| !skipped[two.rows[i] % ROWS] && (i == 0 || two.rows[1] != two.rows[0]);
            match self.task {
                Task::Mixture | Task::FocusOnTarget => self.mixture(two, &loss, wanted, chunk),
                Task::EachClass => {
                    for i in (0..2).filter(|&i| wanted(i)) {
                        let loss = self.loss.of_rows([targets[i] as i32; 2].as_ptr());
                        self.each_class(two, i, &loss, chunk);
                    }
                }
                Task::Hessian { gauss_newton } => {
                    self.hessian(two, &loss, gauss_newton, wanted, chunk)
                }
                Task::GammaGrad(focus_on) => {
                    let value = gamma_grad(
                        &loss,
                        self.target(two, focus_on == FocusOn::Smoothed),
                        two.weight,
                    );
                    self.set_values(two, value);
                }
            }
        }
    }

    #[inline(always)]
    fn set_values(&mut self, two: &Two, values: D) {
        for (i, row) in two.rows.into_iter().enumerate().rev() {
            self.values[row % ROWS] = values.lane(i);
        }
    }

    #[inline(always)]
    fn soft_row(&self, two: &Two) -> SoftRow<D> {
        SoftRow {
            softmax: two.softmax,
            own: self.lanes(two, |seen| seen.own),
            rest: self.lanes(two, |seen| seen.rest),
            distance: self.lanes(two, |seen| seen.distance),
        }
    }

    /// # Safety
    /// As for [`Self::two`].
    #[inline(never)]
    unsafe fn mixture(
        &mut self,
        two: &Two,
        loss: &Hard<D, Outlined>,
        wanted: impl Fn(usize) -> bool,
        chunk: &mut Chunk,
    ) {
        let soft = self.soft_row(two);
        let weight = two.weight.mul(self.lanes(two, |seen| seen.mean));
        let zero = D::constant(0.0);
        // SAFETY: passed on.
        unsafe {
            let focus_on_target = self.task == Task::FocusOnTarget;
            let (row_loss, pull, one_minus_pt) = if focus_on_target {
                let (_, pt, one_minus_pt) = self.target(two, false);
                let (row_loss, pull) =
                    soft.focus_on_target(loss, (pt, one_minus_pt), weight, two.scale);
                (row_loss, pull, one_minus_pt)
            } else {
                (self.mixture_loss(two, loss, weight), zero, zero)
            };
            self.set_values(two, row_loss.value);
            if !self.source.wants_gradients() {
                return;
            }
            // The pull on the target is shared by the other classes in proportion to their
            // probabilities.
            let share = pull.div(positive(one_minus_pt));
            let plain = row_loss.common.mul(soft.mass()).mul(two.inverse);
            let factor = plain.add(share.mul(two.inverse));
            for i in (0..2).filter(|&i| wanted(i)) {
                let row = two.rows[i];
                let lane = |v: D| D::splat(v.lane(i));
                let target = self.source.target(row);
                let is_largest = target == self.seen[row % ROWS].largest;
                let pulled =
                    if is_largest { lane(pull).neg() } else { lane(share.mul(two.softmax.pt)) };
                let largest = lane(row_loss.target).add(pulled);
                // The target, where it is not the largest.
                let other = (focus_on_target && !is_largest).then(|| {
                    self.source.load(row, target, 1, chunk);
                    let x = chunk.logits[0] - self.seen[row % ROWS].shift;
                    let (e, q) = (self.exponential_of(row, x), chunk.shares[0]);
                    let own = e * plain.lane(i) - row_loss.common.lane(i) * q;
                    (target, own - pull.lane(i) + 0.0)
                });
                let (factor, derivative) = (lane(factor), lane(row_loss.common));
                // An infinite pull leaves a masked class alone.
                let infinite = factor.abs().equals(D::constant(f64::INFINITY));
                let gradient = |[_, q, e]: [D; 3], _| {
                    let masked = D::both(infinite, e.equals(zero));
                    e.mul(factor).clear(masked).sub(derivative.mul(q))
                };
                self.write(row, chunk, gradient, largest, other);
            }
        }
    }

    /// The losses of two mixtures, of which the gammas are known.
    unsafe fn mixture_loss(&self, two: &Two, loss: &Hard<D, Outlined>, weight: D) -> RowLoss<D> {
        let soft = self.soft_row(two);
        let (mut rows, mut mixtures, mut row_losses) =
            (Column::new(), Column::new(), Column::new());
        let (mut weights, mut scales) = (Column::new(), Column::new());
        let SoftRow { softmax, own, rest, distance } = soft;
        // SAFETY: one group; no target is looked at.
        unsafe {
            rows.set(0, softmax);
            mixtures.set(0, Mixture { own, rest, distance });
            weights.set(0, weight);
            scales.set(0, two.scale);
            let factors = [&weights, &scales];
            losses(loss, [0; 2].as_ptr(), 1, &rows, &mixtures, factors, &mut row_losses);
            row_losses.get(0)
        }
    }

    /// Row `i` of two.
    ///
    /// # Safety
    /// As for [`Self::two`].
    #[inline(never)]
    unsafe fn each_class(
        &mut self,
        two: &Two,
        i: usize,
        loss: &Hard<D, Outlined>,
        chunk: &mut Chunk,
    ) {
        let row = two.rows[i];
        let Seen { top, own, .. } = self.seen[row % ROWS];
        let lane = |v: D| D::splat(v.lane(i));
        let (weight, scale, inverse) = (lane(two.weight), lane(two.scale), lane(two.inverse));
        let (log_sum, pt, one_minus_pt) =
            (lane(two.softmax.log_sum), lane(two.softmax.pt), lane(two.softmax.one_minus_pt));
        let zero = D::constant(0.0);
        // The weight of a class is 0 only where that of the row is, or its share.
        let least = D::constant(f64::from_bits(1)).keep(weight.gt(zero));
        let weigh = |q: D| q.mul(weight).pmax(least.keep(q.gt(zero)));
        // Value and −d_j of two classes, and their probabilities.
        let classes = |[x, q, e]: [D; 3]| {
            let p = e.mul(inverse);
            let nll = log_sum.add(D::splat(top).sub(x));
            (
                terms(
                    loss,
                    &Class { pt: p, one_minus_pt: D::constant(1.0).sub(p), nll, weight: weigh(q) },
                ),
                p,
            )
        };
        let [largest, pull] =
            terms(loss, &Class { pt, one_minus_pt, nll: log_sum, weight: weigh(D::splat(own)) });
        let mut totals = [<D as Vector>::Wide::ZERO; 2];
        // SAFETY: classes of the row, and entries of the chunk.
        unsafe {
            for from in (0..self.classes).step_by(CHUNK) {
                let n = self.load(row, from, chunk);
                for j in (0..n).step_by(2) {
                    let load = |entries: &[f64; CHUNK]| D::load(entries.as_ptr().add(j));
                    let (terms, _) = classes([
                        load(&chunk.logits),
                        load(&chunk.shares),
                        load(&chunk.exponentials),
                    ]);
                    totals = [totals[0].accumulate(terms[0]), totals[1].accumulate(terms[1])];
                }
            }
            let [value, rest] = totals.map(WideSum::total);
            // A NaN among the logits has no weight where its class has none.
            self.values[row % ROWS] = value + largest.lane(0) + (log_sum.lane(0) - log_sum.lane(0));
            if self.source.wants_gradients() {
                let (rest, all) = (D::splat(rest), D::splat(rest).add(pull));
                // p_k·D − d_k; for the largest class, where both are nearly the same, from 1 − p_k
                // and the others.
                let gradient = |class: [D; 3], _| {
                    let ([_, pull], p) = classes(class);
                    p.mul(all).sub(pull).mul(scale)
                };
                let largest = pt.mul(rest).sub(pull.mul(one_minus_pt)).mul(scale).add(zero);
                self.write(row, chunk, gradient, largest, None);
            }
        }
    }

    /// `ℓ`, `pt` and `1 − pt` of the target classes; of their smoothed mixtures, if they are
    /// smoothed and `of_mixture`. `ℓ` is always that of what they are.
    ///
    /// # Safety
    /// As for [`Self::two`].
    #[inline(never)]
    unsafe fn target(&self, two: &Two, of_mixture: bool) -> (D, D, D) {
        let (mut nlls, mut pts, mut ones_minus_pt) = ([0.0; 2], [0.0; 2], [0.0; 2]);
        for (i, row) in two.rows.into_iter().enumerate() {
            let Seen { largest, shift, top, .. } = self.seen[row % ROWS];
            // SAFETY: a class of the row.
            let (target, x) = unsafe {
                let target = self.source.target(row);
                (target, self.source.logit(row, target) - shift)
            };
            nlls[i] = two.softmax.log_sum.lane(i) + (top - x);
            (pts[i], ones_minus_pt[i]) = if target == largest {
                (two.softmax.pt.lane(i), two.softmax.one_minus_pt.lane(i))
            } else {
                let pt = self.exponential_of(row, x) * two.inverse.lane(i);
                (pt, 1.0 - pt)
            };
        }
        let [mut nll, mut pt, mut one_minus_pt] =
            [nlls, pts, ones_minus_pt].map(|lanes| D::from_lanes(|i| lanes[i % 2]));
        if !self.hard {
            // The shares of a smoothed class sum to 1 but for rounding, and are taken to.
            nll = two.softmax.log_sum.add(self.lanes(two, |seen| seen.distance));
            if of_mixture {
                (pt, one_minus_pt) = probabilities(nll);
            }
        }
        (nll, pt, one_minus_pt)
    }

    /// # Safety
    /// As for [`Self::two`].
    #[inline(never)]
    unsafe fn hessian(
        &mut self,
        two: &Two,
        loss: &Hard<D, Outlined>,
        gauss_newton: bool,
        wanted: impl Fn(usize) -> bool,
        chunk: &mut Chunk,
    ) {
        let one = D::constant(1.0);
        let (hard, soft) = (self.hard, self.soft_row(two));
        // SAFETY: passed on.
        unsafe {
            let (nll, pt, one_minus_pt) = self.target(two, true);
            let curvature = Curvature::new(
                loss,
                (nll, pt, one_minus_pt),
                two.weight.mul(two.scale),
                hard,
                gauss_newton,
            );
            for i in (0..2).filter(|&i| wanted(i)) {
                let row = two.rows[i];
                let Seen { largest, .. } = self.seen[row % ROWS];
                let lane = |v: D| D::splat(v.lane(i));
                let (pt, one_minus_pt, inverse) =
                    (lane(pt), positive(lane(one_minus_pt)), lane(two.inverse));
                let (square, variance) = (lane(curvature.square), lane(curvature.variance));
                let target = self.source.target(row);
                // The entry of a class with this p, 1 − p and, if smoothed, p − q.
                let entry = |p: D, rest: D, difference: D, j: usize| {
                    let (difference, spread) = if hard {
                        let is_target = D::lane_is(target.wrapping_sub(j));
                        let share = p.div(one_minus_pt);
                        (one.select(share, is_target), pt.select(share.mul(rest), is_target))
                    } else {
                        (difference, p.mul(rest))
                    };
                    square.mul(difference.mul(difference)).add(variance.mul(spread))
                };
                let of_largest = entry(
                    lane(two.softmax.pt),
                    lane(two.softmax.one_minus_pt),
                    lane(soft.largest_difference()),
                    largest,
                );
                let gradient = |[_, q, e]: [D; 3], j| {
                    let p = e.mul(inverse);
                    entry(p, one.sub(p), p.sub(q), j)
                };
                self.write(row, chunk, gradient, of_largest, None);
            }
        }
    }
}

/// One function for the places that ask for it: it is a large one.
#[inline(never)]
fn terms(loss: &Hard<D, Outlined>, class: &Class<D>) -> [D; 2] {
    class.value_and_pull(loss)
}
