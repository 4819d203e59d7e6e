//! The losses in arbitrary precision, from the definitions alone.

use std::{
    cell::RefCell,
    ops::{Add, Div, Mul, Neg, Sub},
};

use astro_float::{BigFloat, Consts, RoundingMode, WORD_BIT_SIZE};

const BITS: usize = 256;
const ROUNDING: RoundingMode = RoundingMode::ToEven;

thread_local! {
    static CONSTANTS: RefCell<Consts> = RefCell::new(Consts::new().expect("memory for constants"));
}

/// A number of 256 bits.
#[derive(Clone, Debug)]
pub struct Exact(BigFloat);

impl Exact {
    pub fn new(x: f64) -> Self {
        Self(BigFloat::from_f64(x, BITS))
    }

    pub fn exp(&self) -> Self {
        CONSTANTS.with_borrow_mut(|c| Self(self.0.exp(BITS, ROUNDING, c)))
    }

    pub fn ln(&self) -> Self {
        CONSTANTS.with_borrow_mut(|c| Self(self.0.ln(BITS, ROUNDING, c)))
    }

    /// `ln(1 + self)`, by its series where the sum would lose digits.
    pub fn ln_1p(&self) -> Self {
        if self.0.exponent().is_none_or(|e| e > -60) {
            return (Self::new(1.0) + self.clone()).ln();
        }
        let terms = (1..=5)
            .rev()
            .fold(Self::new(0.0), |sum, n| Self::new(1.0 / f64::from(n)) - sum * self.clone());
        terms * self.clone()
    }

    /// `self^exponent` for `self ≥ 0`, with 0⁰ = 1.
    pub fn pow(&self, exponent: f64) -> Self {
        if exponent == 0.0 {
            Self::new(1.0)
        } else if self.0.is_zero() {
            Self::new(0.0)
        } else {
            (self.ln() * Self::new(exponent)).exp()
        }
    }

    /// Truncated, which is good to one unit in the last place.
    pub fn to_f64(&self) -> f64 {
        let Some((words, _, sign, exponent, _)) = self.0.as_raw_parts() else { return f64::NAN };
        // Words have 64 bits, or 32 on processors whose pointers do.
        let first = words.iter().rev().take(64 / WORD_BIT_SIZE);
        let bits = first.fold(0, |bits, &word| (bits << WORD_BIT_SIZE) | u128::from(word));
        let top = bits as f64 * 2f64.powi(-64);
        let magnitude = if exponent < -1000 {
            top * 2f64.powi(-1000) * 2f64.powi((exponent + 1000).max(-1000))
        } else {
            top * 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2)
        };
        if sign.is_negative() { -magnitude } else { magnitude }
    }

    /// `|got − self|`.
    pub fn distance(&self, got: f64) -> f64 {
        (Self::new(got) - self.clone()).to_f64().abs()
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl $trait for Exact {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(&other.0, BITS, ROUNDING))
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl Neg for Exact {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.neg())
    }
}

/// A loss of one row.
pub struct Row {
    pub value: Exact,
    pub grad: Vec<Exact>,
    /// Where the gradient is a difference `a·f′·(Q·p_j − q_j)`, the largest of the terms.
    pub terms: f64,
}

/// The softmax of a row of finite logits, all of it relative to its largest class `m`, so that no
/// probability loses digits.
struct Softmax {
    largest: usize,
    p: Vec<Exact>,
    /// `1 − p_j`.
    rest: Vec<Exact>,
    /// `−log p_j`.
    nll: Vec<Exact>,
}

impl Softmax {
    fn new(x: &[f64]) -> Self {
        let largest =
            (0..x.len()).max_by(|&i, &j| x[i].total_cmp(&x[j])).expect("a row has classes");
        let below = |j: usize| Exact::new(x[largest]) - Exact::new(x[j]);
        let odds: Vec<Exact> = (0..x.len()).map(|j| (-below(j)).exp()).collect();
        let others = sum((0..x.len()).filter(|&j| j != largest).map(|j| odds[j].clone()));
        let total = Exact::new(1.0) + others.clone();
        let p: Vec<Exact> = odds.iter().map(|e| e.clone() / total.clone()).collect();
        let rest = (0..x.len())
            .map(|j| {
                if j == largest {
                    others.clone() / total.clone()
                } else {
                    Exact::new(1.0) - p[j].clone()
                }
            })
            .collect();
        let nll = (0..x.len()).map(|j| others.ln_1p() + below(j)).collect();
        Self { largest, p, rest, nll }
    }

    /// `Q·p_j − q_j` for each class.
    fn differences(&self, q: &[Exact]) -> Vec<Exact> {
        let others = sum((0..q.len()).filter(|&i| i != self.largest).map(|i| q[i].clone()));
        let mass = others.clone() + q[self.largest].clone();
        let difference = |j: usize| {
            if j == self.largest {
                others.clone() - mass.clone() * self.rest[j].clone()
            } else {
                mass.clone() * self.p[j].clone() - q[j].clone()
            }
        };
        (0..q.len()).map(difference).collect()
    }

    /// `Σ_j q_j·ℓ_j`.
    fn cross_entropy(&self, q: &[Exact]) -> Exact {
        sum(q.iter().zip(&self.nll).map(|(q, nll)| q.clone() * nll.clone()))
    }

    /// The largest of `Q·p_j` and `q_j`.
    fn terms(&self, q: &[Exact]) -> f64 {
        let mass = sum(q.iter().cloned()).to_f64();
        q.iter().zip(&self.p).map(|(q, p)| q.to_f64().max(mass * p.to_f64())).fold(0.0, f64::max)
    }
}

fn sum(terms: impl Iterator<Item = Exact>) -> Exact {
    terms.fold(Exact::new(0.0), |a, b| a + b)
}

/// The class probabilities of a row, and their logarithms.
pub fn softmax(x: &[f64]) -> (Vec<Exact>, Vec<Exact>) {
    let softmax = Softmax::new(x);
    (softmax.p, softmax.nll.into_iter().map(|nll| -nll).collect())
}

/// `(1 − ε)·q_j + ε/C`.
pub fn smooth(q: &[f64], smoothing: f64) -> Vec<Exact> {
    let (kept, each) = (
        Exact::new(1.0) - Exact::new(smoothing),
        Exact::new(smoothing) / Exact::new(q.len() as f64),
    );
    q.iter().map(|&q| kept.clone() * Exact::new(q) + each.clone()).collect()
}

/// All of the probability on one class.
pub fn one_hot(target: usize, classes: usize) -> Vec<f64> {
    (0..classes).map(|j| f64::from(u8::from(j == target))).collect()
}

/// `1 − e^{−ℓ}`, by its series where the difference would lose digits.
fn miss(nll: &Exact) -> Exact {
    if nll.to_f64() > 1e-20 {
        return Exact::new(1.0) - (-nll.clone()).exp();
    }
    let half = nll.clone() / Exact::new(2.0);
    let third = nll.clone() / Exact::new(3.0);
    nll.clone() * (Exact::new(1.0) - half * (Exact::new(1.0) - third))
}

/// The focal loss of a row on one class, unsmoothed.
pub fn focal(x: &[f64], target: usize, weight: f64, gamma: f64) -> Row {
    let softmax = Softmax::new(x);
    let (hit, miss, nll) = (&softmax.p[target], &softmax.rest[target], &softmax.nll[target]);
    let focusing = Exact::new(weight) * miss.pow(gamma);
    let slope = focusing.clone() * (miss.clone() + Exact::new(gamma) * nll.clone() * hit.clone());
    let share = |j: usize| softmax.p[j].clone() / miss.clone();
    let grad = (0..x.len())
        .map(|j| if j == target { -slope.clone() } else { slope.clone() * share(j) })
        .collect();
    Row { value: focusing * nll.clone(), grad, terms: 0.0 }
}

/// The focal loss of a row on a mixture `q` of its classes.
pub fn mixture(x: &[f64], q: &[Exact], weight: f64, gamma: f64) -> Row {
    let softmax = Softmax::new(x);
    let nll = softmax.cross_entropy(q);
    let (hit, miss) = ((-nll.clone()).exp(), miss(&nll));
    let focusing = Exact::new(weight) * miss.pow(gamma);
    let slope = focusing.clone() * (Exact::new(1.0) + Exact::new(gamma) * nll.clone() * hit / miss);
    let grad =
        softmax.differences(q).into_iter().map(|difference| slope.clone() * difference).collect();
    Row { value: focusing * nll, grad, terms: slope.to_f64() * softmax.terms(q) }
}

/// The diagonal of the Hessian of the focal loss of a row on one class, smoothed or not, in the
/// place of a gradient; `value` is the cross-entropy. `terms` is the largest of what its entries
/// are sums of, each term taken as positive.
pub fn hessian(
    x: &[f64],
    target: usize,
    smoothing: f64,
    weight: f64,
    gamma: f64,
    gauss_newton: bool,
) -> Row {
    let softmax = Softmax::new(x);
    let hard = smoothing == 0.0;
    let q = smooth(&one_hot(target, x.len()), smoothing);
    let nll = if hard { softmax.nll[target].clone() } else { softmax.cross_entropy(&q) };
    let (hit, miss) = if hard {
        (softmax.p[target].clone(), softmax.rest[target].clone())
    } else {
        ((-nll.clone()).exp(), miss(&nll))
    };
    let number = Exact::new;
    let focusing = number(weight) * miss.pow(gamma);
    let ratio = nll.clone() * hit.clone() / miss.clone();
    let first = focusing.clone() * (number(1.0) + number(gamma) * ratio.clone());
    let outer = if gauss_newton { number(0.0) } else { focusing * number(gamma) * hit / miss };
    let second = outer.clone() * (number(2.0) + number(gamma - 1.0) * ratio.clone() - nll.clone());
    let size = outer * (number(2.0) + number((gamma - 1.0).abs()) * ratio + nll.clone());
    let mut terms = 0.0_f64;
    let grad = softmax.differences(&q).into_iter().enumerate().map(|(j, difference)| {
        let square = difference.clone() * difference;
        let variance = first.clone() * softmax.p[j].clone() * softmax.rest[j].clone();
        terms = terms.max((size.clone() * square.clone() + variance.clone()).to_f64());
        second.clone() * square + variance
    });
    Row { grad: grad.collect(), value: nll, terms }
}

/// The same for a smoothed class, with the focus on the probability of the class.
pub fn focus_on_target(x: &[f64], target: usize, smoothing: f64, weight: f64, gamma: f64) -> Row {
    let softmax = Softmax::new(x);
    let q = smooth(&one_hot(target, x.len()), smoothing);
    let nll = softmax.cross_entropy(&q);
    let (hit, miss) = (&softmax.p[target], &softmax.rest[target]);
    let focusing = Exact::new(weight) * miss.pow(gamma);
    let pull = focusing.clone() * Exact::new(gamma) * hit.clone() * nll.clone();
    let grad = softmax.differences(&q).into_iter().enumerate().map(|(j, difference)| {
        let share =
            if j == target { Exact::new(-1.0) } else { softmax.p[j].clone() / miss.clone() };
        focusing.clone() * difference + pull.clone() * share
    });
    Row {
        grad: grad.collect(),
        terms: focusing.to_f64() * softmax.terms(&q),
        value: focusing * nll,
    }
}

/// The focal loss of every class by itself; class `j` weighs `weights[j]`.
pub fn each_class(x: &[f64], q: &[Exact], weights: &[f64], gamma: f64) -> Row {
    let softmax = Softmax::new(x);
    let (mut value, mut pulls) = (Exact::new(0.0), Vec::new());
    for j in 0..x.len() {
        let focusing = Exact::new(weights[j]) * q[j].clone() * softmax.rest[j].pow(gamma);
        let ratio = softmax.p[j].clone() * softmax.nll[j].clone() / softmax.rest[j].clone();
        value = value + focusing.clone() * softmax.nll[j].clone();
        pulls.push(focusing * (Exact::new(1.0) + Exact::new(gamma) * ratio));
    }
    let all = sum(pulls.iter().cloned());
    let grad =
        (0..x.len()).map(|k| softmax.p[k].clone() * all.clone() - pulls[k].clone()).collect();
    let terms = pulls
        .iter()
        .zip(&softmax.p)
        .map(|(d, p)| d.to_f64().max((p.clone() * all.clone()).to_f64()));
    Row { value, grad, terms: terms.fold(0.0, f64::max) }
}

/// The sigmoid focal loss of one element: `y` is its target, `positive_weight` the factor of the
/// positive term.
pub fn sigmoid(
    x: f64,
    y: f64,
    smoothing: f64,
    alpha: f64,
    positive_weight: f64,
    gamma: f64,
) -> Row {
    let smoothed = smooth(&[1.0 - y, y], smoothing);
    let (negative, positive) = (smoothed[0].clone(), smoothed[1].clone());
    let softmax = Softmax::new(&[0.0, x]);
    let (sigma, sigma_neg) = (&softmax.p[1], &softmax.p[0]);
    let pulled = Exact::new(positive_weight) * positive.clone();
    let nll = pulled.clone() * softmax.nll[1].clone() + negative.clone() * softmax.nll[0].clone();
    let miss = positive.clone() * sigma_neg.clone() + negative.clone() * sigma.clone();
    let alpha = Exact::new(alpha);
    let weight = alpha.clone() * positive.clone() + (Exact::new(1.0) - alpha) * negative.clone();
    let focusing = weight * miss.pow(gamma);
    let turn =
        Exact::new(gamma) * (negative.clone() - positive) * sigma.clone() * sigma_neg.clone()
            / miss
            * nll.clone();
    // As p − q, and as (1 − q) − (1 − p): what it is a difference of is the smaller of the two.
    let mass = negative.to_f64() + pulled.to_f64();
    let (low, high) = (
        (mass * sigma.to_f64()).max(pulled.to_f64()),
        (mass * sigma_neg.to_f64()).max(negative.to_f64()),
    );
    let terms = focusing.to_f64() * low.min(high).max(turn.to_f64().abs());
    let (up, down) = (negative * sigma.clone(), pulled * sigma_neg.clone());
    Row { grad: vec![focusing.clone() * (up - down + turn)], value: focusing * nll, terms }
}

/// A loss for [`posterior`], by its options.
#[derive(Clone, Debug)]
pub struct Means {
    pub gammas: Vec<f64>,
    pub weights: Vec<f64>,
    /// The `ε₁` of poly-1.
    pub epsilon: f64,
    pub smoothing: f64,
    pub focus_on: focal_loss::FocusOn,
}

impl Means {
    /// True where classes have different `γ`.
    pub fn has_own_gammas(&self) -> bool {
        self.gammas.iter().any(|&gamma| gamma != self.gammas[0])
    }
}

/// The class probabilities that a row of logits stands for under a loss: what is left of them where
/// those below 0 are 0.
pub fn posterior(x: &[f64], means: &Means) -> Vec<Exact> {
    use focal_loss::FocusOn;

    let classes = x.len();
    let softmax = Softmax::new(x);
    let each = Exact::new(means.smoothing) / Exact::new(classes as f64);
    let kept = Exact::new(1.0) - Exact::new(means.smoothing);
    let (one, zero) = (Exact::new(1.0), Exact::new(0.0));
    let is_smoothed = means.smoothing > 0.0 && means.focus_on != FocusOn::EachClass;
    let all = sum(softmax.nll.iter().cloned());
    let nll = |j: usize| {
        let own = softmax.nll[j].clone();
        if is_smoothed { kept.clone() * own + each.clone() * all.clone() } else { own }
    };
    let on_target = is_smoothed && means.focus_on == FocusOn::Target;
    // u and h of each class.
    let parts: Vec<(Exact, Exact)> = (0..classes)
        .map(|j| {
            let nll = nll(j);
            let (pt, rest) = if is_smoothed && !on_target {
                ((-nll.clone()).exp(), miss(&nll))
            } else {
                (softmax.p[j].clone(), softmax.rest[j].clone())
            };
            let gamma = Exact::new(means.gammas[j]);
            let own = if on_target { kept.clone() } else { one.clone() };
            let poly = Exact::new(means.epsilon) * (gamma.clone() + one.clone()) * pt.clone();
            let h = own + gamma * nll * pt / rest.clone() + poly;
            (rest, h)
        })
        .collect();
    let taken = if on_target {
        let shares = sum((0..classes).map(|j| softmax.p[j].clone() / parts[j].1.clone()));
        let inverses = sum((0..classes).map(|j| one.clone() / parts[j].1.clone()));
        each.clone() * shares / (one.clone() + each.clone() * inverses)
    } else if is_smoothed {
        each.clone()
    } else {
        zero.clone()
    };
    let clipped = |x: Exact| if x.to_f64() > 0.0 { x } else { zero.clone() };
    let normalized = |values: Vec<Exact>| -> Vec<Exact> {
        let total = sum(values.iter().cloned());
        values.into_iter().map(|value| value / total.clone()).collect()
    };
    let probabilities = normalized(
        (0..classes)
            .map(|j| {
                let (rest, h) = &parts[j];
                let weight = Exact::new(means.weights[j]) * rest.pow(means.gammas[j]);
                clipped(softmax.p[j].clone() - taken.clone()) / (weight * h.clone())
            })
            .collect(),
    );
    if means.smoothing == 0.0 || is_smoothed {
        return probabilities;
    }
    normalized(probabilities.into_iter().map(|q| clipped(q - each.clone())).collect())
}
