//! Figures of rows, for who looks at rows one by one: what a softmax says of each, and what a loss
//! makes of it.
//!
//! A loss and its figures come from one pass over the rows where it has a fast kernel; elsewhere
//! from the kernels that compute its parts.

use core::{cell::Cell, ptr, slice};

use super::{
    block::{Block, Column},
    hard,
    predict::{confidences, largest},
    problem::Problem,
    rows::{Rows, Weights},
    sigmoid::{Elements, PerColumn, sigmoid},
    sink::Total,
    solve::{plain, solve},
    stages::Evaluation,
};
use crate::{
    loss::{
        focal::{Focal, Loss, probabilities},
        focusing::{Focusing, Gamma, Later, Power},
        sigmoid::{Logistic, odds},
        smoothing::Smoothing,
        softmax::{RowLoss, RowSums, Softmax},
    },
    math::{
        Real,
        exp::decay,
        log::{log_1p, unit_log_1p},
    },
    simd::{
        F64x2,
        vector::{Scalar, Vector},
    },
};

/// The vector that softmax figures are computed in.
type D = F64x2;

/// The label of rows that do not count.
pub const UNCOUNTED: i32 = -1;

/// The places of what a softmax says of rows: in each, one entry for each row and up to a vector
/// more.
#[derive(Clone, Copy, Debug)]
pub struct SoftmaxFigures {
    /// The likeliest class, the first of equals; the first NaN, if there is one.
    pub predicted: *mut i32,
    /// Its probability.
    pub confidence: *mut f64,
    /// Minus the logarithm of that, with all its digits also where it is nearly 0.
    pub neg_log_confidence: *mut f64,
    /// The cross-entropy with the target.
    pub cross_entropy: *mut f64,
    /// The squared distance of the probabilities from the target.
    pub distance: *mut f64,
    /// Of two classes the log-odds of the second, NaN where there are none; 0 of more.
    pub score: *mut f64,
    /// Room for a number for each class, and one more.
    pub scratch: *mut f64,
}

/// The figures of one row.
struct Figures {
    predicted: usize,
    confidence: f64,
    neg_log_confidence: f64,
    cross_entropy: f64,
    distance: f64,
    score: f64,
}

impl SoftmaxFigures {
    /// # Safety
    /// There must be a place for row `i`.
    #[inline(always)]
    unsafe fn set(&self, i: usize, figures: &Figures) {
        // SAFETY: passed on.
        unsafe {
            self.predicted.add(i).write(figures.predicted as i32);
            self.confidence.add(i).write(figures.confidence);
            self.neg_log_confidence.add(i).write(figures.neg_log_confidence);
            self.cross_entropy.add(i).write(figures.cross_entropy);
            self.distance.add(i).write(figures.distance);
            self.score.add(i).write(figures.score);
        }
    }
}

/// Computes, in float64, the figures of `rows × classes` logits, whose targets are the `labels` or,
/// where they are not null, the probabilities `shares`. Rows whose softmax is none get NaN.
///
/// # Safety
/// The pointers must be valid for so many rows, labels for whole vectors and classes, and
/// `classes ≥ 2`.
pub unsafe fn softmax_figures<S: Scalar>(
    logits: *const S,
    (rows, classes): (usize, usize),
    labels: *const i32,
    shares: *const S,
    out: &SoftmaxFigures,
) {
    // SAFETY: the caller vouches for the rows.
    unsafe {
        if classes == 2 && shares.is_null() {
            return pairs(logits, rows, labels, out);
        }
        let terms = slice::from_raw_parts_mut(out.scratch, classes + 1);
        for i in 0..rows {
            let row = |array: *const S| slice::from_raw_parts(array.add(i * classes), classes);
            let shares = (!shares.is_null()).then(|| row(shares));
            out.set(i, &row_figures(row(logits), *labels.add(i) as usize, shares, terms));
        }
    }
}

/// The same for rows of two classes that have one target class each, two rows at a time.
///
/// # Safety
/// As for [`softmax_figures`], with labels and places for whole vectors.
#[inline(never)]
unsafe fn pairs<S: Scalar>(
    logits: *const S,
    rows: usize,
    labels: *const i32,
    out: &SoftmaxFigures,
) {
    let (zero, one) = (D::constant(0.0), D::constant(1.0));
    for first in (0..rows).step_by(2) {
        // An odd row is its own neighbour.
        let second = (first + 1).min(rows - 1);
        // SAFETY: logits of the rows.
        let load = |j: usize| unsafe {
            let of_row = |row: usize| (*logits.add(2 * row + j)).to_f64();
            let (x, y) = (of_row(first), of_row(second));
            D::from_lanes(|i| if i == 0 { x } else { y })
        };
        let (a, b) = (load(0), load(1));
        let difference = b.sub(a);
        let top = a.pmax(b);
        // An infinite logit has no probability.
        let odds = decay(difference.abs().neg()).0.add(top.sub(top));
        let likely = one.div(odds.add(one));
        let unlikely = odds.mul(likely);
        let unsure = unit_log_1p(odds, odds.div(odds.add(D::constant(2.0))));
        // SAFETY: labels of a whole vector, and places for their figures.
        unsafe {
            let is_one = D::index_is(D::load_index(labels.add(first)), 1);
            // The way from the target up to the other class.
            let gap = difference.negate(is_one);
            let error = likely.select(unlikely, gap.gt(zero));
            likely.store(out.confidence.add(first));
            unsure.store(out.neg_log_confidence.add(first));
            unsure.add(gap.pmax(zero)).store(out.cross_entropy.add(first));
            error.mul(error).mul(D::constant(2.0)).store(out.distance.add(first));
            // Without probabilities there are no odds.
            difference.add(odds.sub(odds)).store(out.score.add(first));
            for i in 0..2 {
                let is_one = is_second(a.lane(i), b.lane(i));
                out.predicted.add(first + i).write(i32::from(is_one));
            }
        }
    }
}

/// True where the second of two logits is the larger one, as [`largest`] has it.
#[inline(always)]
fn is_second(x: f64, y: f64) -> bool {
    // Without a jump, which would often go to the wrong place.
    (y > x) | (y.is_nan() & !x.is_nan())
}

/// The figures of a row of any number of classes. `terms` is room for one more.
#[inline(never)]
fn row_figures<S: Scalar>(
    row: &[S],
    label: usize,
    shares: Option<&[S]>,
    terms: &mut [f64],
) -> Figures {
    let predicted = largest(row);
    let at = |j: usize| row.get(j).map_or(f64::NEG_INFINITY, |x| x.to_f64());
    let top = at(predicted);
    for (pair, two) in terms.chunks_mut(D::LANES).enumerate() {
        let first = pair * D::LANES;
        let exponentials = decay(D::from_lanes(|i| at(first + i) - top)).0;
        two.iter_mut().enumerate().for_each(|(i, term)| *term = exponentials.lane(i));
    }
    let terms = terms.get_mut(..row.len()).unwrap_or_default();
    // The largest term, which is 1, is left out: so there are digits of the others where they are
    // few.
    terms.iter_mut().skip(predicted).take(1).for_each(|term| *term = 0.0);
    let others = if top == f64::INFINITY { f64::NAN } else { sum_in_any_order(terms) };
    let neg_log_confidence = log_1p(D::splat(others)).lane(0);
    let confidence = 1.0 / (1.0 + others);
    terms.iter_mut().skip(predicted).take(1).for_each(|term| *term = 1.0);
    let (mut cross_entropy, mut distance, mut rest) = (0.0, 0.0, 0.0);
    match shares {
        None => {
            cross_entropy = neg_log_confidence + (top - at(label));
            for (_, term) in terms.iter().enumerate().filter(|&(j, _)| j != label) {
                let p = term * confidence;
                distance += p * p;
                rest += p;
            }
        }
        Some(shares) => {
            for ((term, share), x) in terms.iter().zip(shares).zip(row) {
                let (share, p) = (share.to_f64(), term * confidence);
                // A class without a share adds nothing, also where it is masked.
                if share > 0.0 {
                    cross_entropy += share * (neg_log_confidence + (top - x.to_f64()));
                }
                distance += (p - share) * (p - share);
            }
            if neg_log_confidence.is_nan() {
                cross_entropy = f64::NAN;
            }
        }
    }
    let distance = distance + rest * rest;
    let score = match row.len() {
        2 if others.is_nan() => f64::NAN,
        2 => at(1) - at(0),
        _ => 0.0,
    };
    Figures { predicted, confidence, neg_log_confidence, cross_entropy, distance, score }
}

/// The bits of a number.
const PRECISION: u32 = 53;
/// From more terms than 2 to this power on, sums in any order may be rounded.
const MOST_BITS: u32 = 26;

/// The sum of terms that are not negative, which does not depend on their order, to the last bit:
/// of each, the bits above a fixed one are added up, and then those below, which in either sum are
/// too few for anything to be rounded (Demmel and Nguyen, Fast Reproducible Floating-Point
/// Summation, 2013). Its relative error is below 2⁻⁵² for up to 2¹⁷ terms, and below 2⁻⁴⁵ for 2²⁰.
fn sum_in_any_order(terms: &[f64]) -> f64 {
    let most = terms.iter().fold(0.0, |most, &term| if term > most { term } else { most });
    let bits = (usize::BITS - (terms.len() - 1).leading_zeros()).clamp(3, MOST_BITS);
    let power = |n: u32| f64::from_bits(u64::from(n) << 52);
    // The smallest power of 2 above them; 0 where they are subnormal, whose sums are exact.
    let bound = 2.0 * f64::from_bits(most.to_bits() & (0x7ff << 52));
    // Where one is added and taken away again, the bits above it are left.
    let cut = bound * (1.5 * power(1023 + bits - 1));
    let lower_cut = cut * power(1023 + bits - PRECISION);
    let (mut upper, mut lower) = (0.0, 0.0);
    for &term in terms {
        let above = term + cut - cut;
        upper += above;
        lower += term - above + lower_cut - lower_cut;
    }
    upper + lower
}

/// The places of what a loss makes of rows: in each, one entry for each row and up to a vector
/// more.
#[derive(Clone, Copy, Debug)]
pub struct LossFigures {
    /// The class of each row, the likeliest one where targets are probabilities;
    /// [`UNCOUNTED`] where the row does not count.
    pub label: *mut i32,
    /// The likeliest class, as that of [`SoftmaxFigures`].
    pub predicted: *mut i32,
    /// Its probability.
    pub confidence: *mut f64,
    /// The loss.
    pub loss: *mut f64,
    /// The size of the gradient: the absolute values of its entries, added up.
    pub gradient: *mut f64,
    /// The focusing factor, without a weight.
    pub factor: *mut f64,
    /// The weight of the row's cross-entropy in its loss: the factor with alpha, or the class
    /// weight.
    pub weight: *mut f64,
    /// The numbers of the rows that a tally has added up.
    pub number: *mut u32,
    /// The numbers of those that are overconfident.
    pub sure: *mut u32,
    /// The numbers of rows that count and whose loss or gradient is not finite.
    pub non_finite: *mut u32,
}

impl LossFigures {
    /// Gives the row at `to` what the loss makes of the row at `from`.
    ///
    /// # Safety
    /// There must be places for both.
    #[inline(never)]
    pub unsafe fn copy(&self, from: usize, to: usize) {
        for of in [self.confidence, self.loss, self.gradient, self.factor, self.weight] {
            // SAFETY: passed on.
            unsafe { of.add(to).write(*of.add(from)) };
        }
    }
}

/// Writes the lanes of a vector, as float64 numbers.
///
/// # Safety
/// There must be room for them.
#[inline(always)]
unsafe fn put<V: Real>(v: V, to: *mut f64) {
    for (i, two) in v.widen().as_ref().iter().enumerate() {
        // SAFETY: passed on.
        unsafe { two.store(to.add(i * D::LANES)) };
    }
}

/// A loss whose figures are put down as it is evaluated, block by block.
struct Figured<'a, V> {
    loss: &'a Loss<'a, V>,
    classes: usize,
    /// Rows that have been evaluated.
    done: Cell<usize>,
    out: LossFigures,
}

impl<V: Real> Evaluation<V> for Figured<'_, V> {
    fn wants_spread(&self) -> bool {
        self.loss.wants_spread()
    }

    fn smoothing(&self) -> Option<&Smoothing<V>> {
        self.loss.smoothing()
    }

    unsafe fn evaluate(
        &self,
        block: &mut Block<V>,
        rows: &Column<Softmax<V>>,
        sums: Option<&Column<RowSums<V>>>,
        row_losses: &mut Column<RowLoss<V>>,
    ) {
        let Later(power) = self.loss.hard.power;
        // SAFETY: groups of the block, each of which has a place.
        unsafe {
            self.loss.evaluate(block, rows, sums, row_losses);
            for g in 0..block.groups() {
                let (row, at) = (rows.get(g), self.done.get() + g * V::LANES);
                let (power, _) = power.of_rows(block.targets(g));
                let [factor] = power.focus([V::constant(1.0)], row_losses.get(g).one_minus_pt);
                let confidence = if self.classes == 2 {
                    row.pt.pmax(row.one_minus_pt)
                } else {
                    probabilities(row.log_sum).0
                };
                put(block.value.get(g), self.out.loss.add(at));
                put(factor, self.out.factor.add(at));
                put(factor.mul(block.weight.get(g)), self.out.weight.add(at));
                put(confidence, self.out.confidence.add(at));
            }
        }
        self.done.set(self.done.get() + block.rows);
    }
}

/// Puts down the classes of rows of two, and those that are likelier. Returns how many logits of
/// rows that count are not finite.
///
/// # Safety
/// As for [`loss_figures`].
unsafe fn pair_decisions<V: Real>(rows: &Rows<V::Scalar>, out: &LossFigures) -> usize {
    let n = rows.rows;
    let is_ignored = |target: i32| rows.ignored.is_some_and(|ignored| target == ignored);
    // SAFETY: passed on.
    unsafe {
        for i in 0..n {
            let target = *rows.targets.add(i);
            out.label.add(i).write(if is_ignored(target) { UNCOUNTED } else { target });
        }
        let mut non_finite = 0;
        let infinite = V::constant(f64::INFINITY);
        for first in (0..n).step_by(V::LANES) {
            let of_rows = rows.logits.add(2 * first);
            let (x, y) = if first + V::LANES <= n {
                V::load_pairs(of_rows)
            } else {
                let column = |j| V::from_lanes(|i| *of_rows.add(2 * i.min(n - 1 - first) + j));
                (column(0), column(1))
            };
            // The second is where the first is a number, and not at least as large.
            let is_second = V::both(x.equals(x), V::either(y.gt(x), y.differs(y)));
            V::store_truth(is_second, out.predicted.add(first));
            if V::all(V::both(x.abs().lt(infinite), y.abs().lt(infinite))) {
                continue;
            }
            for i in (first..n).take(V::LANES).filter(|&i| *out.label.add(i) != UNCOUNTED) {
                non_finite +=
                    [x, y].iter().filter(|v| !v.lane(i - first).to_f64().is_finite()).count();
            }
        }
        non_finite
    }
}

/// Computes the figures of `problem`, a loss, for `rows`, whose gradients go where these have a
/// place for them, and whose values are overwritten. Returns how many logits of rows that count are
/// not finite.
///
/// # Safety
/// As for [`solve`], with places for gradients and values, and for all figures.
pub unsafe fn loss_figures<V: Real>(
    rows: &Rows<V::Scalar>,
    shares: *const V::Scalar,
    problem: &Problem,
    out: &LossFigures,
) -> usize {
    let (n, classes) = (rows.rows, rows.classes);
    let mut non_finite = 0;
    // SAFETY: the caller vouches for the rows.
    unsafe {
        if classes == 2 && shares.is_null() {
            non_finite = pair_decisions::<V>(rows, out);
        } else {
            for i in 0..n {
                let row = |array: *const V::Scalar| {
                    slice::from_raw_parts(array.add(i * classes), classes)
                };
                let label = if shares.is_null() {
                    Some(*rows.targets.add(i)).filter(|&target| Some(target) != rows.ignored)
                } else {
                    Some(largest(row(shares)) as i32)
                };
                out.label.add(i).write(label.unwrap_or(UNCOUNTED));
                let logits = row(rows.logits);
                out.predicted.add(i).write(largest(logits) as i32);
                if label.is_some() {
                    non_finite += logits.iter().filter(|x| !x.to_f64().is_finite()).count();
                }
            }
        }
        match plain(problem, !shares.is_null(), rows.weights.is_none()) {
            Some(focal) => {
                let power = Power::new(focal.gamma);
                let loss = hard::loss_of(&focal, &power, classes);
                let figured = Figured { loss: &loss, classes, done: Cell::new(0), out: *out };
                hard::evaluate::<V, dyn Evaluation<V>>(rows, &figured, &mut Total::new(1));
            }
            None => by_parts::<V>(rows, shares, problem, out),
        }
        // Of two classes a vector at a time.
        let whole = if classes == 2 { n - n % V::LANES } else { 0 };
        for first in (0..whole).step_by(V::LANES) {
            let (a, b) = V::load_pairs(rows.grad.add(2 * first));
            let (a, b) = (a.abs().widen(), b.abs().widen());
            for (i, (a, b)) in a.as_ref().iter().zip(b.as_ref()).enumerate() {
                a.add(*b).store(out.gradient.add(first + i * D::LANES));
            }
        }
        for i in whole..n {
            let of = |j: usize| (*rows.grad.add(i * classes + j)).to_f64().abs();
            out.gradient.add(i).write((2..classes).fold(of(0) + of(1), |size, j| size + of(j)));
        }
    }
    non_finite
}

/// The figures of a loss from the kernels of its parts: factors are what it makes of
/// cross-entropies.
///
/// # Safety
/// As for [`loss_figures`], which has put down labels and predictions.
#[inline(never)]
unsafe fn by_parts<V: Real>(
    rows: &Rows<V::Scalar>,
    shares: *const V::Scalar,
    problem: &Problem,
    out: &LossFigures,
) {
    let focal = match *problem {
        Problem::CrossEntropy(label_smoothing) => Focal { label_smoothing, ..Focal::default() },
        Problem::Focal(of) | Problem::GammaGrad(of) | Problem::Hessian { of, .. } => of,
    };
    let is_focal = matches!(problem, Problem::Focal(_));
    let (n, values) = (rows.rows, rows.values);
    let value_of = |problem: &Problem, weights: Weights<V::Scalar>, to: *mut f64| {
        let rows = Rows { grad: ptr::null_mut(), weights, ..*rows };
        // SAFETY: passed on.
        unsafe {
            solve::<V>(&rows, shares, problem, &mut Total::new(1));
            widen(values, n, to);
        }
    };
    let without_poly = Problem::Focal(Focal { epsilon: 0.0, ..focal });
    // SAFETY: passed on; every row that counts has a label.
    unsafe {
        confidences::<V>(rows.logits, (n, rows.classes), out.predicted, values);
        widen(values, n, out.confidence);
        // The place of the gradients is free until there are any.
        let entropies = out.gradient;
        value_of(&Problem::CrossEntropy(focal.label_smoothing), Weights::none(), entropies);
        value_of(if is_focal { &without_poly } else { problem }, rows.weights, out.weight);
        if is_focal {
            value_of(&without_poly, Weights::none(), out.factor);
        } else {
            ptr::copy_nonoverlapping(entropies, out.factor, n);
        }
        let of_label = |label: usize| {
            let gamma = match focal.gamma {
                Gamma::All(gamma) => gamma,
                Gamma::PerClass(table) => *table.add(label),
            };
            let factor = if gamma == 0.0 { 1.0 } else { 0.0 };
            (factor, factor * rows.weights.of_class(label).to_f64())
        };
        divide(n, entropies, out, |_, label| of_label(label));
        solve::<V>(rows, shares, problem, &mut Total::new(1));
        widen(values, n, out.loss);
    }
}

/// Computes the figures of the loss on `elements`, each of which is a row of two classes. The rest
/// is as for [`loss_figures`].
///
/// # Safety
/// As for [`sigmoid`], with places for gradients and values, and for all figures.
pub unsafe fn element_figures<V: Real>(elements: &Elements<V::Scalar>, out: &LossFigures) -> usize {
    let (n, values) = (elements.count, elements.values);
    let mut non_finite = 0;
    // SAFETY: the caller vouches for the elements.
    unsafe {
        for i in 0..n {
            let x = (*elements.logits.add(i)).to_f64();
            let y = (*elements.targets.add(i)).to_f64();
            let counts = elements.ignored != Some(y);
            out.label.add(i).write(if counts { i32::from(y > 0.5) } else { UNCOUNTED });
            out.predicted.add(i).write(i32::from(x > 0.0 || x.is_nan()));
            non_finite += usize::from(counts && !x.is_finite());
        }
        for first in (0..n).step_by(V::LANES) {
            let x = V::from_lanes(|i| *elements.logits.add((first + i).min(n - 1)));
            put(Logistic::new(odds(x)).likely, out.confidence.add(first));
        }
        let value_of = |elements: &Elements<V::Scalar>, to: *mut f64| {
            let elements = Elements { grad: ptr::null_mut(), ..*elements };
            sigmoid::<V>(&elements, &mut Total::new(1));
            widen(values, n, to);
        };
        let plain = Elements { alpha: None, positive_weight: PerColumn::All(1.0), ..*elements };
        // The place of the gradients is free until there are any.
        let entropies = out.gradient;
        value_of(&Elements { gamma: 0.0, asymmetric: None, ..plain }, entropies);
        value_of(&plain, out.factor);
        sigmoid::<V>(elements, &mut Total::new(1));
        widen(values, n, out.loss);
        ptr::copy_nonoverlapping(out.loss, out.weight, n);
        let of_column = |parameter, i: usize| match parameter {
            PerColumn::All(x) => x,
            PerColumn::Each(table) => *table.add(i % elements.columns.max(1)),
        };
        divide(n, entropies, out, |i, label| {
            let gamma = match elements.asymmetric {
                // Below the margin a negative has no loss at all.
                Some(of) if label == 0 => of.gamma + of.margin,
                _ => elements.gamma,
            };
            let factor = if gamma == 0.0 { 1.0 } else { 0.0 };
            let alpha = elements.alpha.map_or(1.0, |alpha| {
                let alpha = of_column(alpha, i);
                if label == 1 { alpha } else { 1.0 - alpha }
            });
            let positive = if label == 1 { of_column(elements.positive_weight, i) } else { 1.0 };
            (factor, factor * alpha * positive)
        });
        for i in 0..n {
            out.gradient.add(i).write((*elements.grad.add(i)).to_f64().abs());
        }
    }
    non_finite
}

/// Copies `n` numbers as float64 ones.
///
/// # Safety
/// There must be so many.
unsafe fn widen<S: Scalar>(from: *const S, n: usize, to: *mut f64) {
    for i in 0..n {
        // SAFETY: passed on.
        unsafe { to.add(i).write((*from.add(i)).to_f64()) };
    }
}

/// Divides factors and weights of `n` rows by their cross-entropies. Where one has become 0,
/// `otherwise` says both for a row and its label.
///
/// # Safety
/// All of them, and the labels, must have been put down.
unsafe fn divide(
    n: usize,
    entropies: *const f64,
    out: &LossFigures,
    otherwise: impl Fn(usize, usize) -> (f64, f64),
) {
    for i in 0..n {
        // SAFETY: passed on.
        unsafe {
            let (entropy, label) = (*entropies.add(i), *out.label.add(i));
            let (factor, weight) = (out.factor.add(i), out.weight.add(i));
            if entropy > 0.0 {
                (*factor, *weight) = (*factor / entropy, *weight / entropy);
            } else if label != UNCOUNTED {
                (*factor, *weight) = otherwise(i, label as usize);
            }
        }
    }
}
