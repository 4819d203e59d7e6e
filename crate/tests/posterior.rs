//! The class probabilities that logits stand for under a loss, against arbitrary precision.

mod support;

use focal_loss::{
    Alpha, CrossEntropyLoss, FocalLoss, FocusOn, Gamma, PolyFocalLoss, Priors, SigmoidFocalLoss,
};
use support::{Contract, Random, exact, exact::Means, extremes, sampled};

/// The probabilities that a row stands for.
fn posterior<T: Contract>(x: &[T], means: &Means, priors: Option<Priors>) -> Vec<T> {
    let mut probabilities = vec![T::default(); x.len()];
    let weights: Vec<T> = means.weights.iter().map(|&w| T::from_f64(w)).collect();
    let gamma = if means.has_own_gammas() {
        Gamma::PerClass(&means.gammas)
    } else {
        Gamma::All(means.gammas[0])
    };
    let focal = FocalLoss {
        alpha: Alpha::PerClass(&weights),
        gamma,
        label_smoothing: means.smoothing,
        focus_on: means.focus_on,
        ..FocalLoss::default()
    };
    let criterion = PolyFocalLoss { focal, epsilon: means.epsilon };
    criterion.posterior(x, x.len(), priors, &mut probabilities).unwrap();
    if means.epsilon == 0.0 {
        let mut same = vec![T::default(); x.len()];
        focal.posterior(x, x.len(), priors, &mut same).unwrap();
        assert_eq!(format!("{same:?}"), format!("{probabilities:?}"));
    }
    probabilities
}

/// Weights in steps that both types have.
fn weights(random: &mut Random, classes: usize) -> Vec<f64> {
    (0..classes).map(|_| random.choose(&[0.25, 0.5, 1.0, 1.0, 1.5, 4.0])).collect()
}

/// Logits of many scales and offsets.
fn logits<T: Contract>(random: &mut Random, classes: usize) -> Vec<T> {
    let scale = random.choose(&[0.01, 0.3, 1.0, 4.0, 12.0, 40.0]);
    let offset = random.choose(&[0.0, 0.0, 3.0, -100.0, 900.0, 1e4]);
    (0..classes).map(|_| T::from_f64(random.normal() * scale + offset)).collect()
}

/// The largest error, as a share of the bound, of probabilities by themselves where nothing is
/// smoothed, and relative to the largest of their row elsewhere. The bound is that of the losses,
/// with the largest γ.
fn worst<T: Contract>(seed: u64, means: impl Fn(&mut Random, usize) -> Means) -> (f64, String) {
    let mut random = Random::new(seed);
    let mut worst = (0.0, String::new());
    for classes in [2, 3, 4, 5, 7, 24, 65, 1000] {
        for _ in 0..sampled(if classes > 100 { 8 } else { 150 }) {
            let x = logits::<T>(&mut random, classes);
            let wide: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
            let means = means(&mut random, classes);
            let expected = exact::posterior(&wide, &means);
            let got = posterior(&x, &means, None);
            let largest = expected.iter().map(|p| p.to_f64()).fold(0.0, f64::max);
            let gamma = means.gammas.iter().copied().fold(0.0, f64::max);
            for (exact, &got) in expected.iter().zip(&got) {
                let size = if means.smoothing > 0.0 { largest } else { exact.to_f64() };
                if size < T::TINY * 4096.0 {
                    assert!(got.to_f64() <= T::TINY * 8192.0);
                    continue;
                }
                let bound = T::BOUND * (1.0 + gamma);
                let share = exact.distance(got.to_f64()) / size / bound;
                if share.is_nan() || share > worst.0 {
                    let shown = &wide[..classes.min(8)];
                    worst = (share, format!("{shown:?}, {means:?}: {got:?}"));
                }
            }
        }
    }
    worst
}

fn report(name: &str, (worst, at): (f64, String)) {
    println!("{name}: worst error {worst:.3} of the bound, at {}", &at[..at.len().min(400)]);
    assert!(worst > 0.0 && worst <= 1.0, "{name}: {worst} at {at}");
}

fn both(name: &str, seed: u64, means: impl Fn(&mut Random, usize) -> Means) {
    report(&format!("{name}, float32"), worst::<f32>(seed, &means));
    report(&format!("{name}, float64"), worst::<f64>(seed, &means));
}

fn plain(random: &mut Random, classes: usize, gammas: &[f64]) -> Means {
    Means {
        gammas: vec![random.choose(gammas); classes],
        weights: weights(random, classes),
        epsilon: 0.0,
        smoothing: 0.0,
        focus_on: FocusOn::Smoothed,
    }
}

#[test]
fn every_probability_is_within_the_bound_of_the_losses() {
    let halves = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0];
    both("unsmoothed", 1, |random, classes| plain(random, classes, &halves));
    both("other gammas", 2, |random, classes| plain(random, classes, &[0.3, 1.7, 2.2, 7.3]));
    both("large gammas", 6, |random, classes| plain(random, classes, &[20.0, 50.3, 300.0, 1e3]));
    both("poly-1", 3, |random, classes| Means {
        epsilon: random.choose(&[-0.5, 1.0, 2.0, 10.0]),
        ..plain(random, classes, &halves)
    });
}

#[test]
fn smoothed_ones_are_within_it_relative_to_the_largest_of_their_row() {
    for (name, focus_on) in [
        ("smoothed", FocusOn::Smoothed),
        ("on the target", FocusOn::Target),
        ("on each class", FocusOn::EachClass),
    ] {
        both(name, 4, |random, classes| Means {
            smoothing: random.choose(&[1e-3, 0.05, 0.1, 0.3]),
            epsilon: random.choose(&[0.0, 0.0, 1.0]),
            focus_on,
            ..plain(random, classes, &[0.0, 0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 1.7])
        });
    }
}

#[test]
fn a_gamma_for_each_class_is_within_the_bound_of_the_largest() {
    both("gammas", 5, |random, classes| {
        let smoothing = random.choose(&[0.0, 0.0, 0.1]);
        let focus_on = random.choose(&[FocusOn::Smoothed, FocusOn::Target]);
        let gammas = (0..classes).map(|_| random.choose(&[0.0, 0.5, 1.0, 2.0, 5.0, 1.7])).collect();
        Means { gammas, smoothing, focus_on, ..plain(random, classes, &[0.0]) }
    });
}

/// Several classes can be the likeliest ones.
#[test]
fn ties_are_within_the_bound_under_every_focus() {
    for focus_on in [FocusOn::Smoothed, FocusOn::Target, FocusOn::EachClass] {
        for smoothing in [0.0, 0.1] {
            let means = |x: &[f64]| Means {
                gammas: vec![2.0; x.len()],
                weights: (0..x.len()).map(|j| [1.0, 4.0, 0.5][j % 3]).collect(),
                epsilon: 0.0,
                smoothing,
                focus_on,
            };
            for x in [&[0.5, 0.5][..], &[0.25, 0.75, 0.75], &[1.0; 5], &[0.5, 3.0, 3.0, 0.5, 3.0]] {
                let means = means(x);
                let exact = exact::posterior(x, &means);
                for (exact, got) in exact.iter().zip(posterior(x, &means, None)) {
                    assert!(exact.distance(got) <= 3.0 * f64::BOUND, "{x:?}, {means:?}: {got}");
                }
                let narrow: Vec<f32> = x.iter().map(|&x| x as f32).collect();
                for (exact, got) in exact.iter().zip(posterior(&narrow, &means, None)) {
                    assert!(
                        exact.distance(got.into()) <= 3.0 * f32::BOUND,
                        "{x:?}, {means:?}: {got}"
                    );
                }
            }
        }
    }
}

/// Rows anywhere in the range of the type: probabilities, or NaN where there are none.
fn every_row_has_probabilities<T: Contract>() {
    for seed in extremes::seeds() {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        for _ in 0..sampled(3000) {
            let (x, _) = extremes::row::<T>(&mut random);
            let classes = x.len();
            let wide: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
            let mut means = Means {
                smoothing: random.choose(&[0.0, 0.0, 1e-30, 0.1, 0.999]),
                epsilon: random.choose(&[0.0, 0.0, -0.999, 1.0, 1e30, 1e300]),
                focus_on: random.choose(&[FocusOn::Smoothed, FocusOn::Target, FocusOn::EachClass]),
                weights: (0..classes)
                    .map(|_| random.choose(&[1e-30, 1e-3, 1.0, 1.0, 1e30]))
                    .collect(),
                ..plain(&mut random, classes, &[0.0, 0.3, 2.0, 50.0, 1e4, 1e25])
            };
            if means.focus_on == FocusOn::Target {
                means.epsilon = means.epsilon.max(0.0);
            }
            if random.below(4) == 0 && means.focus_on != FocusOn::EachClass {
                let some = [0.0, 0.5, 2.0, 1e3, 1e25];
                means.gammas = (0..classes).map(|_| random.choose(&some)).collect();
            }
            let priors: Vec<f64> = (0..classes).map(|_| random.choose(&[1e-9, 1.0])).collect();
            let same = vec![1.0; classes];
            let priors = Priors { training: &same, deployment: &priors };
            let priors = (random.below(3) == 0).then_some(priors);
            let got = posterior(&x, &means, priors);
            let here = format!("seed {seed}, logits {wide:?}, {means:?}, {priors:?}: {got:?}");
            let top = wide.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if wide.iter().any(|x| x.is_nan()) || top.is_infinite() {
                assert!(got.iter().all(|p| p.to_f64().is_nan()), "{here}");
                continue;
            }
            let sum: f64 = got.iter().map(|p| p.to_f64()).sum();
            assert!(got.iter().all(|p| p.to_f64() >= 0.0 && p.to_f64() <= 1.0 + 1e-6), "{here}");
            assert!((sum - 1.0).abs() < 1e-5, "{here}");
            assert!(got.iter().all(|p| !p.to_f64().is_sign_negative()), "{here}");
        }
    }
}

#[test]
fn every_row_of_finite_logits_has_probabilities_in_both() {
    every_row_has_probabilities::<f32>();
    every_row_has_probabilities::<f64>();
}

/// The only class that is not masked is certain, far down as well: also where the difference of its
/// logit from the least number is rounded up, so that both together are beyond the range.
#[test]
fn the_only_class_is_certain() {
    fn check<T: Contract>(known: T) {
        let mut random = Random::new(30);
        for count in 0..sampled(20_000) {
            let below = -T::HUGE * 2f64.powf(-random.normal().abs());
            let top = if count == 0 { known } else { T::from_f64(below) };
            for classes in [2, 3, 5] {
                let mut x = vec![T::from_f64(f64::NEG_INFINITY); classes];
                x[count % classes] = top;
                let mut probabilities = vec![T::default(); classes];
                let criterion = FocalLoss::<T>::default();
                criterion.posterior(&x, classes, None, &mut probabilities).unwrap();
                for (j, p) in probabilities.iter().enumerate() {
                    let expected = if j == count % classes { 1.0 } else { 0.0 };
                    assert_eq!(p.to_f64(), expected, "{}, {classes} classes", top.to_f64());
                }
            }
        }
    }
    check(-1.004_611_6e38f32);
    check(-f64::MAX / 2.0);
}

#[test]
fn a_row_does_not_depend_on_those_beside_it() {
    let mut random = Random::new(7);
    for classes in [2, 3, 4, 5, 9, 70] {
        let x: Vec<f32> = (0..7).flat_map(|_| logits::<f32>(&mut random, classes)).collect();
        let criterion = FocalLoss::<f32>::default();
        let mut all = vec![0.0; x.len()];
        criterion.posterior(&x, classes, None, &mut all).unwrap();
        for (row, together) in x.chunks(classes).zip(all.chunks(classes)) {
            let mut alone = vec![0.0; classes];
            criterion.posterior(row, classes, None, &mut alone).unwrap();
            assert_eq!(alone, together);
        }
    }
}

#[test]
fn priors_are_odds_that_multiply() {
    let x = [0.3, -1.0, 0.7];
    let mut plain = [0.0; 3];
    let criterion = CrossEntropyLoss { label_smoothing: 0.1, ..CrossEntropyLoss::default() };
    criterion.posterior(&x, 3, None, &mut plain).unwrap();
    let mut moved = [0.0; 3];
    let priors = Priors { training: &[2.0, 1.0, 1.0], deployment: &[1.0, 1.0, 4.0] };
    criterion.posterior(&x, 3, Some(priors), &mut moved).unwrap();
    let weighed = [0.5 * plain[0], plain[1], 4.0 * plain[2]];
    let sum: f64 = weighed.iter().sum();
    for (got, expected) in moved.iter().zip(weighed) {
        assert!((got - expected / sum).abs() < 1e-15);
    }
    let mut yes = [0.0; 1];
    let sigmoid = SigmoidFocalLoss { alpha: None, gamma: 0.0, ..SigmoidFocalLoss::default() };
    let priors = Priors { training: &[0.5], deployment: &[0.1] };
    sigmoid.posterior(&[0.0], 1, Some(priors), &mut yes).unwrap();
    assert!((yes[0] - 0.1f64).abs() < 1e-16);
}

#[test]
fn elements_are_where_the_derivatives_cancel() {
    let mut random = Random::new(8);
    let mut worst = 0.0f64;
    for _ in 0..sampled(2000) {
        let x = random.normal() * random.choose(&[0.1, 2.0, 8.0]);
        let alpha = random.choose(&[0.1, 0.25, 0.5, 0.9]);
        let gamma = random.choose(&[0.0, 0.5, 2.0, 3.0, 1.7]);
        let positive_weight = random.choose(&[1.0, 0.5, 3.0]);
        let slope = |y: f64| exact::sigmoid(x, y, 0.0, alpha, positive_weight, gamma).grad;
        let (no, yes) = (slope(0.0), slope(1.0));
        let expected = no[0].clone() / (no[0].clone() - yes[0].clone());
        let criterion = SigmoidFocalLoss {
            alpha: Some(focal_loss::PerColumn::All(alpha)),
            gamma,
            pos_weight: focal_loss::PerColumn::All(positive_weight),
            ..SigmoidFocalLoss::default()
        };
        let mut got = [0.0];
        criterion.posterior(&[x], 1, None, &mut got).unwrap();
        let bound = f64::BOUND * (1.0 + gamma) * expected.to_f64();
        worst = worst.max(expected.distance(got[0]) / bound);
    }
    report("elements", (worst, String::from("some element")));
}

#[test]
fn what_stands_for_nothing_is_refused() {
    let mut room = [0.0; 2];
    let x = [0.0, 1.0];
    let focal = FocalLoss::<f64>::default();
    let mut fails = |criterion: FocalLoss<f64>| {
        criterion.posterior(&x, 2, None, &mut room).unwrap_err().to_string()
    };
    assert_eq!(
        fails(FocalLoss { label_smoothing: 1.0, ..focal }),
        "label_smoothing must be below 1, not 1"
    );
    assert_eq!(
        fails(FocalLoss { alpha: Alpha::Positive(1.0), ..focal }),
        "alpha must be above 0 and below 1, not 1"
    );
    assert_eq!(
        fails(FocalLoss { alpha: Alpha::PerClass(&[1.0, 0.0]), ..focal }),
        "alpha must be finite and above 0, not 0"
    );
    let on_target = FocalLoss { focus_on: FocusOn::Target, label_smoothing: 0.25, ..focal };
    for (focal, epsilon) in [(focal, -1.0), (on_target, -0.75)] {
        let mut poly = PolyFocalLoss { focal, epsilon };
        assert!(poly.posterior(&x, 2, None, &mut room).is_err());
        poly.epsilon += 0.01;
        assert!(poly.posterior(&x, 2, None, &mut room).is_ok());
    }
    let priors = Priors { training: &[1.0, 0.0], deployment: &[1.0, 1.0] };
    assert!(focal.posterior(&x, 2, Some(priors), &mut room).is_err());
    assert!(focal.posterior(&x, 3, None, &mut room).is_err());
    assert!(focal.posterior(&x, 2, None, &mut [0.0]).is_err());
}
