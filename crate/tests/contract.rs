//! The numerics contract: relative errors of values and of every gradient entry, against arbitrary
//! precision.
//!
//! Slow in a debug build: run with `--release`.

mod support;

use focal_loss::{
    Alpha, Batch, CrossEntropyLoss, Elements, Float, FocalLoss, FocusOn, Gamma, PerColumn,
    SigmoidFocalLoss,
};
use support::{Contract, Random, exact, sampled};

/// A row, what is asked of it, and how far the answer is off, in units of the bound.
#[derive(Clone, Debug, Default)]
struct Worst {
    ratio: f64,
    case: String,
}

impl Worst {
    fn see(&mut self, ratio: f64, case: impl FnOnce() -> String) {
        if ratio > self.ratio || ratio.is_nan() {
            *self = Self { ratio, case: case() };
        }
    }
}

/// Random logits of many scales, offsets and gaps, exactly representable in `T`.
fn logits<T: Float>(random: &mut Random, classes: usize) -> Vec<T> {
    let scale = random.choose(&[0.01, 0.3, 1.0, 4.0, 12.0, 40.0]);
    let offset = random.choose(&[0.0, 0.0, 0.0, 3.0, -100.0, 900.0, -1e4, 1e4]);
    let lifted = random.below(2 * classes);
    let lift = random.choose(&[5.0, 17.0, 30.0, 60.0, 80.0]);
    (0..classes)
        .map(|j| {
            let x = random.normal() * scale + offset + if j == lifted { lift } else { 0.0 };
            T::from_f64(x)
        })
        .collect()
}

/// The case that is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Focal,
    FocusOnTarget,
    EachClass,
    Soft,
    CrossEntropy,
    Sigmoid,
}

/// Random probabilities that are multiples of 1/64, some of them 0.
fn probabilities(random: &mut Random, classes: usize) -> Vec<f64> {
    let mut q = vec![0.0; classes];
    for _ in 0..64 {
        q[random.below(classes).min(random.below(classes))] += 1.0 / 64.0;
    }
    q
}

/// The values and gradient that the crate gives for a row, and the exact ones; and whether each
/// entry of the gradient is held to its own size.
#[allow(clippy::type_complexity, reason = "a tuple that is taken apart at once")]
fn both<T: Contract>(
    kind: Kind,
    random: &mut Random,
    x: &[T],
    gamma: f64,
    smoothing: f64,
) -> (T, Vec<T>, exact::Row, bool, String) {
    let classes = x.len();
    let wide: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
    let target = random.below(classes);
    // Powers of two, so that the weights add no rounding of their own to what is measured.
    let weights: Vec<T> =
        (0..classes).map(|_| T::from_f64(random.choose(&[0.25, 0.5, 1.0]))).collect();
    let each: Vec<f64> = weights.iter().map(|w| w.to_f64()).collect();
    let q = probabilities(random, classes);
    let q_scalars: Vec<T> = q.iter().map(|&q| T::from_f64(q)).collect();
    let (mut value, mut grad) = ([T::default()], vec![T::default(); classes]);
    let criterion = FocalLoss {
        alpha: Alpha::PerClass(&weights),
        gamma: Gamma::All(gamma),
        label_smoothing: smoothing,
        ..FocalLoss::default()
    };
    let targets = [target as i32];
    let hard = Batch::new(x, &targets, classes);
    let soft = Batch::soft(x, &q_scalars, classes);
    let case = format!("target {target}, q {:?}", &q[..classes.min(4)]);
    let exact = match kind {
        Kind::Focal => {
            criterion.rows(&hard, &mut value, Some(&mut grad)).unwrap();
            if smoothing == 0.0 {
                exact::focal(&wide, target, each[target], gamma)
            } else {
                exact::mixture(
                    &wide,
                    &exact::smooth(&exact::one_hot(target, classes), smoothing),
                    each[target],
                    gamma,
                )
            }
        }
        Kind::FocusOnTarget => {
            let criterion = FocalLoss { focus_on: FocusOn::Target, ..criterion };
            criterion.rows(&hard, &mut value, Some(&mut grad)).unwrap();
            exact::focus_on_target(&wide, target, smoothing, each[target], gamma)
        }
        Kind::EachClass => {
            let criterion = FocalLoss { focus_on: FocusOn::EachClass, ..criterion };
            criterion.rows(&soft, &mut value, Some(&mut grad)).unwrap();
            exact::each_class(&wide, &exact::smooth(&q, smoothing), &each, gamma)
        }
        Kind::Soft => {
            criterion.rows(&soft, &mut value, Some(&mut grad)).unwrap();
            let mean = q.iter().zip(&each).map(|(q, a)| q * a).sum();
            exact::mixture(&wide, &exact::smooth(&q, smoothing), mean, gamma)
        }
        Kind::CrossEntropy => {
            let criterion = CrossEntropyLoss {
                weight: Some(&weights),
                label_smoothing: smoothing,
                ..CrossEntropyLoss::default()
            };
            criterion.rows(&soft, &mut value, Some(&mut grad)).unwrap();
            let aims: Vec<_> = exact::smooth(&q, smoothing)
                .into_iter()
                .zip(&each)
                .map(|(q, &a)| q * exact::Exact::new(a))
                .collect();
            exact::mixture(&wide, &aims, 1.0, 0.0)
        }
        Kind::Sigmoid => {
            let y = random.choose(&[0.0, 1.0, 0.0, 1.0, 0.25, 0.5]);
            let criterion = SigmoidFocalLoss {
                alpha: Some(PerColumn::All(0.25)),
                gamma,
                label_smoothing: smoothing,
                pos_weight: PerColumn::All(4.0),
                ..SigmoidFocalLoss::default()
            };
            let targets = [T::from_f64(y)];
            let elements = Elements::new(&x[..1], &targets);
            criterion.each(&elements, &mut value, Some(&mut grad[..1])).unwrap();
            grad.truncate(1);
            let exact = exact::sigmoid(wide[0], y, smoothing, 0.25, 4.0, gamma);
            let hard = smoothing == 0.0 && (y == 0.0 || y == 1.0);
            return (value[0], grad, exact, hard, format!("y {y}"));
        }
    };
    (value[0], grad, exact, kind == Kind::Focal && smoothing == 0.0, case)
}

/// Measures random rows: values and the gradients of hard targets relative to themselves, other
/// gradients relative to the row's largest entry, or to half of the larger of the two terms where
/// they nearly cancel: no better are they known.
fn measure<T: Contract>(
    kind: Kind,
    rows: usize,
    gammas: &[f64],
    smoothings: &[f64],
) -> (Worst, Worst) {
    let mut random = Random::new(20_261_123);
    let (mut value_worst, mut grad_worst) = (Worst::default(), Worst::default());
    for _ in 0..rows {
        let classes =
            random.choose(&[2, 2, 2, 2, 3, 3, 4, 5, 10, 12, 17, 24, 25, 26, 33, 40, 100, 1000]);
        let x = logits::<T>(&mut random, classes);
        let (gamma, smoothing) = (random.choose(gammas), random.choose(smoothings));
        let (value, grad, exact, relative, case) = both(kind, &mut random, &x, gamma, smoothing);
        let bound = T::BOUND * (1.0 + if kind == Kind::CrossEntropy { 0.0 } else { gamma });
        let largest = exact.grad.iter().map(|g| g.to_f64().abs()).fold(0.0, f64::max);
        let case = |what: &str, got: f64, exact: f64| {
            let start: Vec<f64> = x.iter().take(4).map(|x| x.to_f64()).collect();
            format!(
                "{what}: got {got:e}, exact {exact:e}, gamma {gamma}, smoothing {smoothing}, {case}, C {classes}, logits {start:?}"
            )
        };
        let off = |exact: &exact::Exact, got: f64, scale: f64| {
            if scale < T::TINY || exact.to_f64().abs() > T::HUGE {
                0.0
            } else {
                exact.distance(got) / scale / bound
            }
        };
        let (got, expected) = (value.to_f64(), exact.value.to_f64());
        value_worst.see(off(&exact.value, got, expected), || case("value", got, expected));
        for (j, (g, e)) in grad.iter().zip(&exact.grad).enumerate() {
            let (got, expected) = (g.to_f64(), e.to_f64());
            let scale = if relative { expected.abs() } else { largest.max(exact.terms / 2.0) };
            grad_worst.see(off(e, got, scale), || case(&format!("grad[{j}]"), got, expected));
            assert!(got != 0.0 || got.is_sign_positive(), "−0 at {}", case("grad", got, expected));
        }
    }
    (value_worst, grad_worst)
}

/// Checks so many rows, or a sample of them.
fn check<T: Contract>(what: &str, kind: Kind, rows: usize, gammas: &[f64], smoothings: &[f64]) {
    let (value, grad) = measure::<T>(kind, sampled(rows), gammas, smoothings);
    println!("{what}: value {:.3} of the bound at {}", value.ratio, value.case);
    println!("{what}: grad {:.3} of the bound at {}", grad.ratio, grad.case);
    for worst in [value, grad] {
        assert!(worst.ratio <= 1.0, "{what}: {} of the bound: {}", worst.ratio, worst.case);
        assert!(worst.ratio > 0.05, "{what}: nothing was measured");
    }
}

const HALVES: [f64; 11] = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0];
const OTHERS: [f64; 8] = [0.01, 0.1, 0.7, 1.3, 2.7, 4.9, 8.5, 20.0];
const SMOOTHINGS: [f64; 4] = [1e-3, 0.1, 0.5, 1.0];
const ANY_SMOOTHING: [f64; 3] = [0.0, 0.1, 1.0];

macro_rules! contract {
    ($($name:ident $kind:ident $rows:literal $gammas:ident $smoothings:expr,)*) => {
        mod float32 {
            use super::*;
            $(
                #[test]
                fn $name() {
                    check::<f32>(concat!("float32 ", stringify!($name)), Kind::$kind, $rows, &$gammas, &$smoothings);
                }
            )*
        }
        mod float64 {
            use super::*;
            $(
                #[test]
                fn $name() {
                    check::<f64>(concat!("float64 ", stringify!($name)), Kind::$kind, $rows, &$gammas, &$smoothings);
                }
            )*
        }
    };
}

const ZERO: [f64; 1] = [0.0];

contract! {
    focal Focal 3000 HALVES [0.0],
    focal_of_gamma_0 Focal 2000 ZERO [0.0],
    focal_of_any_gamma Focal 3000 OTHERS [0.0],
    smoothed Focal 3000 HALVES SMOOTHINGS,
    smoothed_of_any_gamma Focal 1500 OTHERS SMOOTHINGS,
    focus_on_target FocusOnTarget 2000 HALVES SMOOTHINGS,
    each_class EachClass 1500 HALVES ANY_SMOOTHING,
    soft Soft 2000 HALVES ANY_SMOOTHING,
    soft_cross_entropy CrossEntropy 2000 ZERO ANY_SMOOTHING,
    sigmoid Sigmoid 6000 HALVES ANY_SMOOTHING,
}

/// The focal loss composed of the operations a framework offers, as users write it: `ce =
/// −log_softmax(x)[t]`, `pt = exp(−ce)`, `(1 − pt)^γ·ce`, differentiated one operation after the
/// other.
macro_rules! composed {
    ($name:ident, $scalar:ident) => {
        fn $name(x: &[$scalar], target: usize, gamma: $scalar) -> ($scalar, Vec<$scalar>) {
            let max = x.iter().fold($scalar::MIN, |a, x| a.max(*x));
            let sum: $scalar = x.iter().map(|x| (x - max).exp()).sum();
            let log_p: Vec<$scalar> = x.iter().map(|x| x - max - sum.ln()).collect();
            let ce = -log_p[target];
            let pt = (-ce).exp();
            let focusing = (1.0 - pt).powf(gamma);
            let slope = focusing + gamma * (1.0 - pt).powf(gamma - 1.0) * pt * ce;
            let one = |j: usize| if j == target { 1.0 } else { 0.0 };
            (focusing * ce, (0..x.len()).map(|j| slope * (log_p[j].exp() - one(j))).collect())
        }
    };
}
composed!(composed32, f32);
composed!(composed64, f64);

/// The error of the composed formula on the rows of the sweep: the worst relative errors, and the
/// share of rows with an entry beyond the bound.
#[test]
fn what_the_composed_formula_loses() {
    for (dtype, bound) in [("float32", f32::BOUND), ("float64", f64::BOUND)] {
        let mut random = Random::new(20_261_123);
        let rows = sampled(3000);
        let (mut worst_value, mut worst_grad, mut beyond, mut not_finite) =
            (0.0_f64, 0.0_f64, 0, 0);
        for _ in 0..rows {
            let classes = random.choose(&[2, 2, 2, 3, 4, 5, 10, 17, 24, 25, 26, 33, 100]);
            let gamma = random.choose(&HALVES);
            let x: Vec<f32> = logits(&mut random, classes);
            let target = random.below(classes);
            let wide: Vec<f64> = x.iter().map(|&x| x.into()).collect();
            let (value, grad, tiny): (f64, Vec<f64>, f64) = if dtype == "float32" {
                let (value, grad) = composed32(&x, target, gamma as f32);
                (
                    value.into(),
                    grad.into_iter().map(f64::from).collect(),
                    f64::from(f32::MIN_POSITIVE),
                )
            } else {
                let (value, grad) = composed64(&wide, target, gamma);
                (value, grad, f64::MIN_POSITIVE)
            };
            let exact = exact::focal(&wide, target, 1.0, gamma);
            let off = |exact: &exact::Exact, got: f64| match exact.to_f64().abs() {
                e if e < tiny => 0.0,
                e if got.is_finite() => exact.distance(got) / e,
                _ => f64::INFINITY,
            };
            let grads: Vec<f64> = exact.grad.iter().zip(&grad).map(|(e, g)| off(e, *g)).collect();
            let row = grads.iter().fold(off(&exact.value, value), |a, b| a.max(*b));
            not_finite += usize::from(row == f64::INFINITY);
            beyond += usize::from(row > bound * (1.0 + gamma));
            for (worst, errors) in
                [(&mut worst_value, vec![off(&exact.value, value)]), (&mut worst_grad, grads)]
            {
                *worst = errors.into_iter().filter(|e| e.is_finite()).fold(*worst, f64::max);
            }
        }
        println!(
            "{dtype} composed: worst relative error of a value {worst_value:.3}, of a gradient {worst_grad:.3}; {:.1} % of the rows beyond the bound, {:.1} % not finite",
            100.0 * beyond as f64 / rows as f64,
            100.0 * not_finite as f64 / rows as f64
        );
        assert!(beyond > rows / 10, "then the contract would ask for nothing special");
    }
}
