//! The losses in arbitrary precision, from the definitions alone.

use std::{
    cell::RefCell,
    ops::{Add, Div, Mul, Neg, Sub},
};

use astro_float::{BigFloat, Consts, RoundingMode};

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
        let terms = (1..=5).rev().fold(Self::new(0.0), |sum, n| Self::new(1.0 / f64::from(n)) - sum * self.clone());
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
        let top = words.last().map_or(0.0, |&w| w as f64) * 2f64.powi(-64);
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
    /// Under smoothing, the largest of the two terms `a·f′·p_j` and `a·f′·q_j` whose difference is the gradient.
    pub terms: f64,
}

/// The focal loss of one row of finite logits.
pub fn focal(x: &[f64], target: usize, weight: f64, gamma: f64, smoothing: f64) -> Row {
    let one = || Exact::new(1.0);
    let gap = |j: usize| Exact::new(x[j]) - Exact::new(x[target]);
    let odds: Vec<Exact> = (0..x.len()).map(|j| gap(j).exp()).collect();
    let others = (0..x.len()).filter(|&j| j != target).fold(Exact::new(0.0), |s, j| s + odds[j].clone());
    let total = one() + others.clone();
    let cross_entropy = others.ln_1p();
    let p = |j: usize| odds[j].clone() / total.clone();
    let weight = Exact::new(weight);
    if smoothing == 0.0 {
        let miss = others.clone() / total.clone();
        let focusing = weight * miss.pow(gamma);
        let slope = Exact::new(gamma) * cross_entropy.clone() / total.clone() + miss;
        let slope = slope * focusing.clone();
        let grad = |j: usize| {
            if j == target { -slope.clone() } else { slope.clone() * (odds[j].clone() / others.clone()) }
        };
        return Row { value: focusing * cross_entropy, grad: (0..x.len()).map(grad).collect(), terms: 0.0 };
    }
    let smoothing = Exact::new(smoothing);
    let each = smoothing.clone() / Exact::new(x.len() as f64);
    let distances = (0..x.len()).fold(Exact::new(0.0), |s, j| s - gap(j));
    let cross_entropy = cross_entropy + each.clone() * distances;
    let hit = (-cross_entropy.clone()).exp();
    let miss = one() - hit.clone();
    let focusing = weight * miss.pow(gamma);
    let slope = focusing.clone() * (one() + Exact::new(gamma) * cross_entropy.clone() * hit / miss);
    let q = |j: usize| if j == target { one() - smoothing.clone() + each.clone() } else { each.clone() };
    let grad = (0..x.len()).map(|j| slope.clone() * (p(j) - q(j))).collect();
    let largest = (0..x.len()).map(|j| p(j).to_f64().max(q(j).to_f64())).fold(0.0, f64::max);
    Row { value: focusing * cross_entropy, grad, terms: slope.to_f64() * largest }
}
