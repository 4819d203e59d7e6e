//! The additions of the feature `analysis`: softmax against arbitrary precision, exact sums against
//! integers, sweeps against the losses.

mod support;

use focal_loss::{
    Alpha, Batch, FocalLoss, Gamma,
    kernels::{Rows, Sweep, SweepSize, Wanted, Weights, softmax_output},
    math::exact_sum::{Adder, ExactSum, Summand},
    simd::vector::{Vector, WideSum},
};
use support::{Contract, Random, exact, extremes, sampled};

/// Logits of many scales and offsets.
fn logits<T: Contract>(random: &mut Random, classes: usize) -> Vec<T> {
    let scale = random.choose(&[0.01, 0.3, 1.0, 4.0, 12.0, 40.0]);
    let offset = random.choose(&[0.0, 0.0, 3.0, -100.0, 900.0, 1e4]);
    (0..classes).map(|_| T::from_f64(random.normal() * scale + offset)).collect()
}

/// The softmax of rows in a form that is wanted: what is in place of the logits, the likeliest
/// classes, and the values.
fn softmax<T: Contract>(x: &[T], classes: usize, wanted: Wanted) -> (Vec<T>, Vec<i32>, Vec<T>)
where
    T::Vector: 'static,
{
    let rows = x.len() / classes;
    let (mut x, mut likeliest, mut values) = (x.to_vec(), vec![0; rows], vec![T::default(); rows]);
    // SAFETY: so many rows.
    unsafe {
        softmax_output::<T::Vector>(
            x.as_mut_ptr(),
            (rows, classes),
            likeliest.as_mut_ptr(),
            values.as_mut_ptr(),
            wanted,
        )
    };
    (x, likeliest, values)
}

/// The largest error of probabilities, of their logarithms, and of confidences, as shares of the
/// bound at γ = 0.
fn worst_of_softmax<T: Contract>() -> [f64; 3]
where
    T::Vector: 'static,
{
    let mut random = Random::new(3);
    let mut worst = [0.0f64; 3];
    let mut see = |k: usize, exact: &exact::Exact, got: T| {
        let size = exact.to_f64().abs();
        if size >= T::TINY {
            worst[k] = worst[k].max(exact.distance(got.to_f64()) / size / T::BOUND);
        } else {
            assert!(got.to_f64().abs() <= T::TINY);
        }
    };
    for classes in [2, 3, 4, 7, 24, 64, 65, 1000] {
        for _ in 0..sampled(if classes > 100 { 20 } else { 200 }) {
            let x = logits::<T>(&mut random, classes);
            let (p, logs) = exact::softmax(&x.iter().map(|x| x.to_f64()).collect::<Vec<_>>());
            let (got, likeliest, confidence) = softmax(&x, classes, Wanted::Probabilities);
            p.iter().zip(&got).for_each(|(exact, &got)| see(0, exact, got));
            see(2, &p[likeliest[0] as usize], confidence[0]);
            assert_eq!(softmax(&x, classes, Wanted::Confidence).2, confidence);
            let (got, _, _) = softmax(&x, classes, Wanted::Logarithms);
            logs.iter().zip(&got).for_each(|(exact, &got)| see(1, exact, got));
        }
    }
    worst
}

#[test]
fn softmax_is_within_the_bound_of_the_losses() {
    for (name, worst) in
        [("float32", worst_of_softmax::<f32>()), ("float64", worst_of_softmax::<f64>())]
    {
        println!(
            "softmax, {name}: worst error of probabilities, logarithms, confidences, in units of the bound: {worst:.3?}"
        );
        assert!(worst.iter().all(|&worst| worst > 0.0 && worst <= 1.0));
    }
}

/// Rows anywhere in the range of the type. Of logits further than this below the largest, the
/// probability is 0 in both types.
fn every_softmax_is_right<T: Contract>()
where
    T::Vector: 'static,
{
    const FAR: f64 = 3000.0;
    for seed in extremes::seeds() {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        for _ in 0..sampled(2000) {
            let (x, _) = extremes::row::<T>(&mut random);
            let wide: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
            let here = format!("seed {seed}, logits {wide:?}");
            let (p, likeliest, confidence) = softmax(&x, x.len(), Wanted::Probabilities);
            let (logs, _, _) = softmax(&x, x.len(), Wanted::Logarithms);
            let top = wide.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if wide.iter().any(|x| x.is_nan()) || top.is_infinite() {
                let all = || p.iter().chain(&logs).chain(&confidence);
                assert!(all().all(|x| x.to_f64().is_nan()), "{here}: {p:?}, {logs:?}");
                continue;
            }
            assert_eq!(wide[likeliest[0] as usize], top, "{here}");
            let near: Vec<f64> = wide.iter().map(|x| (x - top).max(-FAR)).collect();
            let (exact_p, exact_logs) = exact::softmax(&near);
            for (j, &below) in wide.iter().map(|x| top - x).collect::<Vec<_>>().iter().enumerate() {
                let (got, size) = (p[j].to_f64(), exact_p[j].to_f64());
                let off = exact_p[j].distance(got);
                assert!(off <= T::BOUND * size + T::TINY, "{here}: p[{j}] is {got}, not {size}");
                assert!(got.is_sign_positive() && (below < FAR || got == 0.0), "{here}: p {got}");
                let got = logs[j].to_f64();
                let (size, off) = if below >= FAR {
                    // The logarithm of the sum counts where the difference is small.
                    let size = below - exact_logs[likeliest[0] as usize].to_f64();
                    (size, (size + got).abs())
                } else {
                    (exact_logs[j].to_f64().abs(), exact_logs[j].distance(got))
                };
                let overflows = size >= T::HUGE && got == f64::NEG_INFINITY;
                assert!(
                    overflows || off <= T::BOUND * size + T::TINY,
                    "{here}: logarithm {j} is {got}, not −{size}"
                );
            }
            let (got, size) = (confidence[0].to_f64(), exact_p[likeliest[0] as usize].to_f64());
            assert!((got - size).abs() <= T::BOUND * size, "{here}: confidence {got}, not {size}");
        }
    }
}

#[test]
fn every_softmax_is_right_in_both() {
    every_softmax_is_right::<f32>();
    every_softmax_is_right::<f64>();
}

/// A sum as what it is: the digits with their carries, in a form of which there is but one.
fn settled(sum: &ExactSum) -> (Vec<i64>, i64, i64) {
    let mut carry = 0;
    let digits = sum.digits.iter().map(|digit| {
        let all = digit + carry;
        carry = all >> 32;
        all & 0xffff_ffff
    });
    let digits = digits.collect();
    assert_eq!(carry, 0, "a sum of numbers that are not negative");
    (digits, sum.nan, sum.infinite)
}

#[test]
fn a_single_number_is_itself() {
    let mut random = Random::new(5);
    for _ in 0..20_000 {
        let x = f64::from_bits(random.bits() >> 1);
        let mut sum = ExactSum::new();
        sum.add(x);
        if !x.is_finite() {
            assert_eq!(
                (sum.nan, sum.infinite),
                (i64::from(x.is_nan()), i64::from(x.is_infinite()))
            );
            continue;
        }
        // Put together from the digits, which are exact multiples of their units.
        let units = |k: usize| {
            2f64.powi((32 * k as i32 - 1074) / 2)
                * 2f64.powi(32 * k as i32 - 1074 - (32 * k as i32 - 1074) / 2)
        };
        let back: f64 = sum
            .digits
            .iter()
            .enumerate()
            .filter(|(_, d)| **d != 0)
            .map(|(k, &digit)| digit as f64 * units(k))
            .sum();
        assert_eq!(back, x);
    }
}

/// Sums of batches are those of their numbers one by one, whatever these are and however they are
/// cut.
fn batches_add_up<T: Summand + Contract>() {
    let mut random = Random::new(9);
    for round in 0..400 {
        let spread = random.choose(&[1.0, 20.0, 60.0, 120.0, 300.0, 2000.0]);
        let centre = random.choose(&[0.0, 0.0, -20.0, 9.0, -100.0, 300.0]);
        let some = random.choose(&[0.0, 0.0, 0.02]);
        let mut value = || {
            let size = 2f64.powf(centre - spread * random.unit()) * (1.0 + random.unit());
            if random.unit() >= some {
                return T::from_f64(size);
            }
            T::from_f64(random.choose(&[
                0.0,
                f64::NAN,
                f64::INFINITY,
                T::TINY,
                T::TINY / 4096.0,
                T::HUGE,
                1023.9,
                1024.0,
            ]))
        };
        let values: Vec<T> = (0..round * 23 % 6000).map(|_| value()).collect();
        let mut expected = ExactSum::new();
        values.iter().for_each(|x| expected.add(x.to_f64()));
        let mut adder = Adder::new();
        let mut rest = &values[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at((1 + random.below(700)).min(rest.len()));
            adder.add_all(now);
            rest = later;
        }
        assert_eq!(
            settled(adder.sum()),
            settled(&expected),
            "round {round}, spread {spread}, centre {centre}"
        );
        // Asking for it changes nothing.
        adder.add_all(&values);
        values.iter().for_each(|x| expected.add(x.to_f64()));
        assert_eq!(settled(adder.sum()), settled(&expected));
    }
}

#[test]
fn batches_add_up_in_float32() {
    batches_add_up::<f32>();
}

#[test]
fn batches_add_up_in_float64() {
    batches_add_up::<f64>();
}

#[test]
fn sums_at_the_limits_of_a_cut_are_exact() {
    // A hundred thousand times the largest number that is cut, less the last bit it can have, and
    // the smallest beside them.
    for (large, small) in
        [(1024.0 - 2f64.powi(-14), 2f64.powi(-52)), (1023.0, 2f64.powi(-60)), (1e-300, 1e-310)]
    {
        let values: Vec<f64> =
            (0..100_000).map(|i| if i % 2 == 0 { large } else { small }).collect();
        let narrow: Vec<f32> = values.iter().map(|&x| x as f32).collect();
        let (mut one_by_one, mut narrow_one_by_one) = (ExactSum::new(), ExactSum::new());
        values.iter().for_each(|&x| one_by_one.add(x));
        narrow.iter().for_each(|&x| narrow_one_by_one.add(f64::from(x)));
        let (mut adder, mut narrow_adder) = (Adder::new(), Adder::new());
        adder.add_all(&values);
        narrow_adder.add_all(&narrow);
        assert_eq!(settled(adder.sum()), settled(&one_by_one));
        assert_eq!(settled(narrow_adder.sum()), settled(&narrow_one_by_one));
    }
}

/// The sums of a sweep over rows with even weights, for each ε of each γ; and how many rows count.
fn sweep<T: Contract>(
    x: &[T],
    targets: &[i32],
    (classes, ignored): (usize, Option<i32>),
    gammas: &[f64],
    smoothings: &[f64],
) -> (Vec<f64>, usize)
where
    T::Vector: 'static,
{
    let size = SweepSize { gammas: gammas.len(), smoothings: smoothings.len(), weightings: 1 };
    let mut sums = vec![<T::Vector as Vector>::Wide::ZERO; size.sums()];
    let mut weights = [[T::Vector::constant(0.0); 32]; 1];
    let sweep = Sweep::<T::Vector> {
        size,
        gammas: gammas.as_ptr(),
        smoothings: smoothings.as_ptr(),
        weightings: [-1.0].as_ptr(),
        tables: core::ptr::null(),
        sums: sums.as_mut_ptr(),
        weights: weights.as_mut_ptr(),
    };
    let rows = Rows {
        logits: x.as_ptr(),
        targets: targets.as_ptr(),
        grad: core::ptr::null_mut(),
        values: core::ptr::null_mut(),
        rows: targets.len(),
        classes,
        weights: Weights::none(),
        row_weights: core::ptr::null(),
        scale: T::from_f64(1.0),
        row_scales: core::ptr::null(),
        ignored,
    };
    // SAFETY: so many rows, with a class each, and all that the sweep points to.
    let counted = unsafe { sweep.run(&rows, core::ptr::null(), core::ptr::null_mut()) };
    (sums.iter().map(|sum| sum.total()).collect(), counted)
}

/// Each sum is what the values of the losses add up to, to within what both may be off.
fn sweeps_are_losses<T: Contract>() -> f64
where
    T::Vector: 'static,
{
    let mut random = Random::new(8);
    let (gammas, smoothings) = ([0.0, 0.5, 1.0, 1.3, 2.0, 3.0, 5.0, 9.5], [0.0, 0.05, 0.3]);
    let mut worst = 0.0f64;
    for classes in [2, 3, 5, 64, 70] {
        for ignored in [None, Some(1)] {
            let rows = 137;
            let x: Vec<T> = (0..rows).flat_map(|_| logits(&mut random, classes)).collect();
            let targets: Vec<i32> = (0..rows).map(|_| random.below(classes) as i32).collect();
            let (sums, counted) = sweep(&x, &targets, (classes, ignored), &gammas, &smoothings);
            assert_eq!(counted, targets.iter().filter(|&&target| Some(target) != ignored).count());
            for (s, &label_smoothing) in smoothings.iter().enumerate() {
                for (k, &gamma) in gammas.iter().enumerate() {
                    let ones = vec![T::from_f64(1.0); classes];
                    let criterion = FocalLoss {
                        alpha: Alpha::PerClass(&ones),
                        gamma: Gamma::All(gamma),
                        label_smoothing,
                        ignore_index: ignored,
                        reduction: focal_loss::Reduction::Sum,
                        ..FocalLoss::default()
                    };
                    let expected = criterion.forward(&Batch::new(&x, &targets, classes)).unwrap();
                    let off = (sums[s * gammas.len() + k] / expected - 1.0).abs();
                    worst = worst.max(off / T::BOUND / (1.0 + gamma));
                }
            }
        }
    }
    worst
}

#[test]
fn a_sweep_gives_what_its_losses_give() {
    for (name, worst) in
        [("float32", sweeps_are_losses::<f32>()), ("float64", sweeps_are_losses::<f64>())]
    {
        println!("sweep, {name}: worst difference to a loss: {worst:.3} of the bound");
        assert!(worst <= 1.0);
    }
}

/// A sweep has what the losses have, of rows anywhere in the range of the type.
fn every_sweep_is_right<T: Contract>()
where
    T::Vector: 'static,
{
    let (gammas, smoothings) = ([0.0, 0.5, 0.7, 1.0, 2.0], [0.0, 0.1]);
    for seed in extremes::seeds() {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        for _ in 0..sampled(1000) {
            let (x, target) = extremes::row::<T>(&mut random);
            let targets = [target as i32];
            let (sums, counted) = sweep(&x, &targets, (x.len(), None), &gammas, &smoothings);
            assert_eq!(counted, 1);
            for (s, &label_smoothing) in smoothings.iter().enumerate() {
                for (k, &gamma) in gammas.iter().enumerate() {
                    let loss = FocalLoss {
                        alpha: Alpha::None,
                        gamma: Gamma::All(gamma),
                        label_smoothing,
                        ..FocalLoss::default()
                    };
                    let expected = loss.forward(&Batch::new(&x, &targets, x.len())).unwrap();
                    let got = sums[s * gammas.len() + k];
                    let is_same = got == expected || got.is_nan() && expected.is_nan();
                    let off = (got - expected).abs();
                    assert!(
                        is_same || off <= T::BOUND * (1.0 + gamma) * expected + T::TINY,
                        "seed {seed}, gamma {gamma}, smoothing {label_smoothing}, target {target}, logits {x:?}: {got}, not {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_sweep_is_right_in_both() {
    every_sweep_is_right::<f32>();
    every_sweep_is_right::<f64>();
}
