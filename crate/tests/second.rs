//! The diagonal of the Hessian against arbitrary precision.
//!
//! Slow in a debug build: run with `--release`.

mod support;

use focal_loss::{Alpha, Batch, FocalLoss, Gamma, HessianKind, Reduction};
use support::{Contract, Random, exact, thinning};

/// Logits of many scales, offsets and gaps.
fn logits<T: Contract>(random: &mut Random, classes: usize) -> Vec<T> {
    let scale = random.choose(&[0.01, 0.3, 1.0, 4.0, 12.0, 40.0]);
    let offset = random.choose(&[0.0, 0.0, 3.0, -100.0, 900.0, 1e4]);
    let (lifted, lift) =
        (random.below(2 * classes), random.choose(&[0.0, 2.5, 5.0, 17.0, 60.0, 400.0]));
    (0..classes)
        .map(|j| {
            T::from_f64(random.normal() * scale + offset + if j == lifted { lift } else { 0.0 })
        })
        .collect()
}

/// The error of the Hessian of a row, in units of the bound: relative to the row's largest entry,
/// or to half of the largest of what its entries are sums of, where these nearly cancel; under
/// smoothing times 1 + the cross-entropy, of which `e^{−ℓ}` is a power. And the entry that is
/// furthest off.
fn off<T: Contract>(
    x: &[T],
    target: usize,
    smoothing: f64,
    gamma: f64,
    kind: HessianKind,
) -> (f64, String) {
    let criterion = FocalLoss {
        alpha: Alpha::None,
        gamma: Gamma::All(gamma),
        label_smoothing: smoothing,
        reduction: Reduction::Sum,
        ..FocalLoss::default()
    };
    let mut got = vec![T::default(); x.len()];
    criterion.hessian_diag(&Batch::new(x, &[target as i32], x.len()), kind, &mut got).unwrap();
    let wide: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
    let exact =
        exact::hessian(&wide, target, smoothing, 1.0, gamma, kind == HessianKind::GaussNewton);
    let largest =
        exact.grad.iter().map(|entry| entry.to_f64().abs()).fold(exact.terms / 2.0, f64::max);
    let size = largest * if smoothing > 0.0 { 1.0 + exact.value.to_f64() } else { 1.0 };
    if largest < T::TINY {
        return (0.0, String::new());
    }
    let mut worst = (0.0, String::new());
    for (j, (exact, got)) in exact.grad.iter().zip(&got).enumerate() {
        let ratio = exact.distance(got.to_f64()) / size / (T::BOUND * (1.0 + gamma));
        if ratio > worst.0 || ratio.is_nan() {
            let (got, exact, start) = (got.to_f64(), exact.to_f64(), &wide[..wide.len().min(4)]);
            worst = (
                ratio,
                format!("entry {j} is {got:e}, exact {exact:e}, target {target}, logits {start:?}"),
            );
        }
    }
    worst
}

fn is_within_the_bound<T: Contract>(name: &str, smoothings: &[f64], kind: HessianKind) {
    let mut random = Random::new(20_261_127);
    let mut worst = (0.0, String::new());
    for _ in 0..1200_usize.div_ceil(thinning()) {
        let classes = random.choose(&[2, 2, 2, 3, 3, 4, 5, 10, 33]);
        let x = logits::<T>(&mut random, classes);
        let gamma = random.choose(&[0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 0.7, 2.7, 8.5]);
        let (smoothing, target) = (random.choose(smoothings), random.below(classes));
        let (ratio, case) = off(&x, target, smoothing, gamma, kind);
        if ratio > worst.0 || ratio.is_nan() {
            worst = (ratio, format!("{case}, gamma {gamma}, smoothing {smoothing}, C {classes}"));
        }
    }
    println!("Hessian, {name}, {kind:?}: {:.3} of the bound at {}", worst.0, worst.1);
    assert!(worst.0 <= 1.0, "{name}, {kind:?}: {} of the bound: {}", worst.0, worst.1);
    assert!(worst.0 > 0.05, "{name}, {kind:?}: nothing was measured");
}

const HARD: [f64; 1] = [0.0];
const SMOOTHED: [f64; 5] = [1e-6, 1e-3, 0.1, 0.5, 1.0];

#[test]
fn the_exact_hessian_is_within_the_bound() {
    for kind in [HessianKind::Exact, HessianKind::GaussNewton] {
        is_within_the_bound::<f32>("float32", &HARD, kind);
        is_within_the_bound::<f64>("float64", &HARD, kind);
        is_within_the_bound::<f32>("float32 smoothed", &SMOOTHED, kind);
        is_within_the_bound::<f64>("float64 smoothed", &SMOOTHED, kind);
    }
}

/// Inputs that once were off by far more: the difference of p and q of a likely target, each near
/// 1; and large gaps.
#[test]
fn the_worst_inputs_found_are_within_the_bound() {
    for (x, target, smoothing, gamma) in [
        (&[-87.9078700801314, -66.89028891162764][..], 1, 0.001, 0.5),
        (&[916.9897848906456, 900.0033149495565], 0, 0.001, 1.0),
        (&[2.9941469936125893, 3.002928190264624, 403.0114556122387], 2, 1.0, 0.5),
        (&[899.7261324601538, 896.5525184575409], 1, 0.0, 1.0),
        (&[39.889616234076044, 10.659910921763043], 1, 0.0, 0.7),
        (&[0.0, 400.0], 0, 0.1, 2.0),
        (&[400.0, 0.0], 0, 0.1, 2.0),
    ] {
        let (ratio, case) = off::<f64>(x, target, smoothing, gamma, HessianKind::Exact);
        assert!(ratio <= 1.0, "{ratio} of the bound: {case}");
    }
}

/// Where the curvature crosses 0, its terms cancel: gaps on both sides of that, closer and closer.
#[test]
fn where_the_curvature_crosses_zero_the_bound_is_that_of_its_terms() {
    for (smoothing, gamma) in [(0.0, 1.0), (0.0, 2.0), (0.0, 5.0), (0.1, 2.0), (0.5, 1.0)] {
        let curvature = |gap: f64| {
            exact::hessian(&[0.0, gap], 0, smoothing, 1.0, gamma, false).grad[0].to_f64()
        };
        let (mut low, mut high) = (-1.0, 40.0);
        assert!(curvature(low) > 0.0 && curvature(high) < 0.0);
        for _ in 0..60 {
            let gap = (low + high) / 2.0;
            let (ratio, case) = off::<f64>(&[0.0, gap], 0, smoothing, gamma, HessianKind::Exact);
            assert!(
                ratio <= 1.0,
                "{ratio} of the bound, gap {gap}, gamma {gamma}, smoothing {smoothing}: {case}"
            );
            if curvature(gap) > 0.0 { low = gap } else { high = gap }
        }
    }
}
