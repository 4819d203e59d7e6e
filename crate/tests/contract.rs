//! The numerics contract: relative errors of values and of every gradient entry, against arbitrary precision.
//!
//! Slow in a debug build: run with `--release`.

mod support;

use focal_loss::{Alpha, Batch, FocalLoss, Gamma, arch::Float};
use support::{Contract, Random, exact};

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

/// Measures `rows` random rows: value and gradient, each relative to itself or, under smoothing, to the row's largest entry.
fn measure<T: Contract>(rows: usize, seed: u64, gammas: &[f64], smoothings: &[f64]) -> (Worst, Worst) {
    let mut random = Random::new(seed);
    let (mut value_worst, mut grad_worst) = (Worst::default(), Worst::default());
    for _ in 0..rows {
        let classes = random.choose(&[2, 2, 2, 3, 4, 5, 10, 17, 24, 25, 26, 33, 100, 1000]);
        let x = logits::<T>(&mut random, classes);
        let target = random.below(classes);
        let (gamma, smoothing) = (random.choose(gammas), random.choose(smoothings));
        // A power of two, so that the weight adds no rounding of its own to what is measured.
        let weights = vec![T::from_f64(0.5); classes];
        let criterion = FocalLoss {
            alpha: Alpha::PerClass(&weights),
            gamma: Gamma::All(gamma),
            label_smoothing: smoothing,
            ..FocalLoss::default()
        };
        let (mut value, mut grad) = ([T::default()], vec![T::default(); classes]);
        criterion.rows(&Batch::new(&x, &[target as i32], classes), &mut value, Some(&mut grad)).unwrap();

        let wide: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
        let exact::Row { value: exact_value, grad: exact_grad, terms } = exact::focal(&wide, target, 0.5, gamma, smoothing);
        let bound = T::BOUND * (1.0 + gamma);
        let largest = exact_grad.iter().map(|g| g.to_f64().abs()).fold(0.0, f64::max);
        let case = |what: &str, got: f64, exact: f64| {
            format!(
                "{what}: got {got:e}, exact {exact:e}, gamma {gamma}, smoothing {smoothing}, target {target}, C {classes}, logits {:?}",
                &wide[..classes.min(6)]
            )
        };
        let off = |exact: &exact::Exact, got: f64, scale: f64| {
            if scale < T::TINY || exact.to_f64().abs() > T::HUGE { 0.0 } else { exact.distance(got) / scale / bound }
        };
        let got = value[0].to_f64();
        let expected = exact_value.to_f64();
        value_worst.see(off(&exact_value, got, expected), || case("value", got, expected));
        for (j, (g, e)) in grad.iter().zip(&exact_grad).enumerate() {
            let (got, expected) = (g.to_f64(), e.to_f64());
            // Near the optimum of a smoothed row the gradient is a small difference of two terms, and known no better than they are.
            let scale = if smoothing == 0.0 { expected.abs() } else { largest.max(terms / 2.0) };
            grad_worst.see(off(e, got, scale), || case(&format!("grad[{j}]"), got, expected));
            assert!(got != 0.0 || got.is_sign_positive(), "−0 at {}", case("grad", got, expected));
        }
    }
    (value_worst, grad_worst)
}

fn check<T: Contract>(what: &str, rows: usize, gammas: &[f64], smoothings: &[f64]) {
    let (value, grad) = measure::<T>(rows, 20_261_123, gammas, smoothings);
    println!("{what}: value {:.3} of the bound at {}", value.ratio, value.case);
    println!("{what}: grad {:.3} of the bound at {}", grad.ratio, grad.case);
    for worst in [value, grad] {
        assert!(worst.ratio <= 1.0, "{} of the bound: {}", worst.ratio, worst.case);
        assert!(worst.ratio > 0.1, "nothing was measured");
    }
}

const HALVES: [f64; 11] = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0];
const OTHERS: [f64; 8] = [0.01, 0.1, 0.7, 1.3, 2.7, 4.9, 8.5, 20.0];

#[test]
fn float32_hard_targets() {
    check::<f32>("float32", 3000, &HALVES, &[0.0]);
}

#[test]
fn float64_hard_targets() {
    check::<f64>("float64", 3000, &HALVES, &[0.0]);
}

#[test]
fn float32_cross_entropy() {
    check::<f32>("float32, gamma 0", 2000, &[0.0], &[0.0]);
}

#[test]
fn float64_cross_entropy() {
    check::<f64>("float64, gamma 0", 2000, &[0.0], &[0.0]);
}

#[test]
fn float32_any_gamma() {
    check::<f32>("float32, any gamma", 3000, &OTHERS, &[0.0]);
}

#[test]
fn float64_any_gamma() {
    check::<f64>("float64, any gamma", 3000, &OTHERS, &[0.0]);
}

#[test]
fn float32_smoothed() {
    check::<f32>("float32, smoothed", 3000, &HALVES, &[1e-3, 0.1, 0.5, 1.0]);
}

#[test]
fn float64_smoothed() {
    check::<f64>("float64, smoothed", 3000, &HALVES, &[1e-3, 0.1, 0.5, 1.0]);
}
