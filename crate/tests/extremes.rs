//! Rows anywhere in the range of a type, with masked classes, ties, subnormals and infinities, in
//! every kernel; and numbers of a loss that the type of the logits does not hold.
//!
//! Half of the rows have a fixed seed, half a new one, which is printed.

mod support;

use focal_loss::{
    Alpha, Batch, CrossEntropyLoss, Elements, FocalLoss, FocusOn, Gamma, GradOutput, PerColumn,
    Reduction, SigmoidFocalLoss,
};
use support::{
    Contract, Random, exact,
    extremes::{CLASSES, INFINITE, row, seeds},
    sampled,
};

/// The exact loss of a row of which a class is not masked; classes that lie too far below the
/// largest to have a probability, nearer to it.
fn exactly(x: &[f64], target: usize, gamma: f64) -> exact::Row {
    let top = x.iter().copied().fold(-INFINITE, f64::max);
    let near: Vec<f64> = x.iter().map(|x| (x - top).max(-3000.0)).collect();
    exact::focal(&near, target, 1.0, gamma)
}

fn every_row_is_right<T: Contract>() {
    for seed in seeds() {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        for _ in 0..sampled(3000) {
            let (x, target) = row::<T>(&mut random);
            let wide: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
            let gamma = random.choose(&[0.0, 0.5, 1.0, 2.0, 3.0, 0.7]);
            let here = format!("seed {seed}, gamma {gamma}, target {target}, logits {wide:?}");
            let focus_on = random.choose(&[FocusOn::Smoothed, FocusOn::Target, FocusOn::EachClass]);
            let criterion = FocalLoss {
                alpha: Alpha::None,
                gamma: Gamma::All(gamma),
                focus_on,
                ..FocalLoss::default()
            };
            let (mut value, mut grad) = ([T::default()], vec![T::default(); x.len()]);
            criterion
                .rows(&Batch::new(&x, &[target as i32], x.len()), &mut value, Some(&mut grad))
                .unwrap();
            let value = value[0].to_f64();
            let grad: Vec<f64> = grad.iter().map(|g| g.to_f64()).collect();
            if wide.iter().any(|x| x.is_nan() || *x == INFINITE) {
                assert!(
                    value.is_nan() && grad.iter().all(|g| g.is_nan()),
                    "{here}: {value}, {grad:?}"
                );
                continue;
            }
            if wide[target] == -INFINITE {
                assert!(
                    value == INFINITE || wide.iter().all(|&x| x == -INFINITE),
                    "{here}: {value}"
                );
                continue;
            }
            let exact = exactly(&wide, target, gamma);
            let top = wide.iter().copied().fold(-INFINITE, f64::max);
            let bound = T::BOUND * (1.0 + gamma);
            let gap = top - wide[target];
            let far = gap > 3000.0;
            let size = exact.value.to_f64() + if far { gap - 3000.0 } else { 0.0 };
            let off = if far { (value - size).abs() } else { exact.value.distance(value) };
            let overflows = size >= T::HUGE && value == INFINITE;
            assert!(overflows || off <= bound * size + T::TINY, "{here}: {value}, not {size}");
            for (j, (got, exact)) in grad.iter().zip(&exact.grad).enumerate() {
                let (size, off) = (exact.to_f64().abs(), exact.distance(*got));
                assert!(
                    off <= bound * size + T::TINY,
                    "{here}: grad[{j}] is {got}, not {}",
                    exact.to_f64()
                );
                assert!(*got != 0.0 || got.is_sign_positive(), "{here}: −0");
            }
        }
    }
}

#[test]
fn every_row_is_right_in_float32() {
    every_row_is_right::<f32>();
}

#[test]
fn every_row_is_right_in_float64() {
    every_row_is_right::<f64>();
}

/// A row all differences of which are at most 700, so that every class has a part in a mixture;
/// less its largest logit as well.
fn finite_row<T: Contract>(random: &mut Random) -> (Vec<T>, usize, Vec<f64>) {
    loop {
        let (x, target) = row::<T>(random);
        let wide: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
        let top = wide.iter().copied().fold(-INFINITE, f64::max);
        let near: Vec<f64> = wide.iter().map(|x| x - top).collect();
        if near.iter().all(|x| (-700.0..=0.0).contains(x)) {
            return (x, target, near);
        }
    }
}

fn every_mixture_is_right<T: Contract>() {
    for seed in seeds() {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        for _ in 0..sampled(200) {
            let (x, target, near) = finite_row::<T>(&mut random);
            let classes = x.len();
            let gamma = random.choose(&[0.0, 0.5, 1.0, 2.0, 0.7]);
            let label_smoothing = random.choose(&[0.0625, 0.5, 1.0]);
            let mut q = vec![0.0; classes];
            (0..16).for_each(|_| q[random.below(classes)] += 1.0 / 16.0);
            let of_target = exact::smooth(&exact::one_hot(target, classes), label_smoothing);
            let smoothed = exact::smooth(&q, label_smoothing);
            let soft: Vec<T> = q.iter().map(|&q| T::from_f64(q)).collect();
            let targets = [target as i32];
            let (hard, mixed) =
                (Batch::new(&x, &targets, classes), Batch::soft(&x, &soft, classes));
            let ones = vec![1.0; classes];
            for (focus_on, batch, exact) in [
                (FocusOn::Smoothed, &hard, exact::mixture(&near, &of_target, 1.0, gamma)),
                (FocusOn::Smoothed, &mixed, exact::mixture(&near, &smoothed, 1.0, gamma)),
                (FocusOn::EachClass, &hard, exact::each_class(&near, &of_target, &ones, gamma)),
                (FocusOn::EachClass, &mixed, exact::each_class(&near, &smoothed, &ones, gamma)),
                (
                    FocusOn::Target,
                    &hard,
                    exact::focus_on_target(&near, target, label_smoothing, 1.0, gamma),
                ),
            ] {
                let here = format!(
                    "seed {seed}, {focus_on:?}, gamma {gamma}, smoothing {label_smoothing}, {near:?}"
                );
                let loss = FocalLoss {
                    alpha: Alpha::None,
                    gamma: Gamma::All(gamma),
                    focus_on,
                    label_smoothing,
                    ..FocalLoss::default()
                };
                let (mut value, mut grad) = ([T::default()], vec![T::default(); classes]);
                loss.rows(batch, &mut value, Some(&mut grad)).unwrap();
                let (bound, size) = (T::BOUND * (1.0 + gamma), exact.value.to_f64());
                let off = exact.value.distance(value[0].to_f64());
                assert!(off <= bound * size + T::TINY, "{here}: {:?}, not {size}", value[0]);
                let largest =
                    exact.grad.iter().map(|g| g.to_f64().abs()).fold(exact.terms / 2.0, f64::max);
                for (j, (got, exact)) in grad.iter().zip(&exact.grad).enumerate() {
                    let off = exact.distance(got.to_f64());
                    assert!(
                        off <= bound * largest + T::TINY,
                        "{here}: grad[{j}] is {got:?}, not {}",
                        exact.to_f64()
                    );
                }
            }
        }
    }
}

#[test]
fn every_mixture_is_right_in_float32() {
    every_mixture_is_right::<f32>();
}

#[test]
fn every_mixture_is_right_in_float64() {
    every_mixture_is_right::<f64>();
}

fn every_element_is_right<T: Contract>() {
    for seed in seeds() {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        for _ in 0..sampled(3000) {
            let size = if random.unit() < 0.5 {
                40.0 * random.unit()
            } else {
                T::HUGE.powf(2.0 * random.unit() - 1.0)
            };
            let x = T::from_f64(size * random.choose(&[-1.0, 1.0]));
            let yes = random.choose(&[0.0, 1.0]);
            let gamma = random.choose(&[0.0, 0.5, 1.0, 2.0, 0.7]);
            let here = format!("seed {seed}, x {x:?}, y {yes}, gamma {gamma}");
            let alpha = Some(PerColumn::All(0.5));
            let loss = SigmoidFocalLoss { alpha, gamma, ..SigmoidFocalLoss::default() };
            let (mut value, mut grad) = ([T::default()], [T::default()]);
            loss.each(&Elements::new(&[x], &[T::from_f64(yes)]), &mut value, Some(&mut grad))
                .unwrap();
            let wide = x.to_f64();
            let exact = exact::sigmoid(wide.clamp(-3000.0, 3000.0), yes, 0.0, 0.5, 1.0, gamma);
            let (far, bound) = (wide.abs() > 3000.0, T::BOUND * (1.0 + gamma));
            let wrong = (wide > 0.0) != (yes == 1.0);
            let (size, off) = if far && wrong {
                (wide.abs() / 2.0, (value[0].to_f64() - wide.abs() / 2.0).abs())
            } else {
                (exact.value.to_f64(), exact.value.distance(value[0].to_f64()))
            };
            assert!(off <= bound * size + T::TINY, "{here}: {:?}, not {size}", value[0]);
            let (size, off) =
                (exact.grad[0].to_f64().abs(), exact.grad[0].distance(grad[0].to_f64()));
            assert!(off <= bound * size + T::TINY, "{here}: {:?}, not {size}", grad[0]);
        }
    }
}

#[test]
fn every_element_is_right_in_both() {
    every_element_is_right::<f32>();
    every_element_is_right::<f64>();
}

/// With a target that is all there is, and with the shares of masked classes.
fn masked_rows<T: Contract>() {
    for classes in CLASSES {
        for size in [0.0, 999.0, 1000.0, 2000.0, 1_048_576.0, 2_097_152.0, 1e30, T::HUGE] {
            for offset in [size, -size] {
                let mut x = vec![T::from_f64(-INFINITE); classes];
                x[1] = T::from_f64(offset);
                let batch = Batch::new(&x, &[1], classes);
                for label_smoothing in [0.0, 0.1, 1e-46, 1e-300, 5e-324] {
                    let (mut value, mut grad) =
                        ([T::from_f64(9.0)], vec![T::from_f64(9.0); classes]);
                    let loss = CrossEntropyLoss { label_smoothing, ..CrossEntropyLoss::default() };
                    loss.rows(&batch, &mut value, Some(&mut grad)).unwrap();
                    let focal = FocalLoss {
                        label_smoothing,
                        focus_on: FocusOn::Target,
                        ..FocalLoss::default()
                    };
                    let focused = focal.forward(&batch).unwrap();
                    if label_smoothing == 0.0 {
                        assert_eq!(
                            (value[0].to_f64(), focused),
                            (0.0, 0.0),
                            "C {classes}, offset {offset}"
                        );
                        assert!(
                            grad.iter().all(|g| g.to_f64() == 0.0),
                            "C {classes}, offset {offset}: {grad:?}"
                        );
                    } else {
                        let here =
                            format!("C {classes}, offset {offset}, smoothing {label_smoothing}");
                        assert_eq!((value[0].to_f64(), focused), (INFINITE, INFINITE), "{here}");
                    }
                }
            }
        }
    }
}

#[test]
fn masked_rows_are_certain_and_infinite_once_smoothed() {
    masked_rows::<f32>();
    masked_rows::<f64>();
}

/// The gradient of a row whose value a masked class makes infinite is the limit as that goes to
/// −Inf.
fn masked_gradients_with_focus_on_the_target<T: Contract>() {
    for classes in CLASSES {
        for gamma in [0.0, 0.5, 1.0, 2.0, 0.7, 9.0] {
            let (focus_on, label_smoothing) = (FocusOn::Target, 0.1);
            let criterion = FocalLoss {
                alpha: Alpha::None,
                gamma: Gamma::All(gamma),
                focus_on,
                label_smoothing,
                ..FocalLoss::default()
            };
            let run = |x: &[f64], target: i32, upstream: f64| {
                let x: Vec<T> = x.iter().map(|&x| T::from_f64(x)).collect();
                let (mut value, mut grad) = ([T::default()], vec![T::default(); classes]);
                let targets = [target];
                let batch = Batch {
                    grad_output: GradOutput::All(upstream),
                    ..Batch::new(&x, &targets, classes)
                };
                criterion.rows(&batch, &mut value, Some(&mut grad)).unwrap();
                (value[0].to_f64(), grad.iter().map(|g| g.to_f64()).collect::<Vec<_>>())
            };
            let share = label_smoothing / classes as f64;
            let near = |x: f64, expected: f64| {
                (x - expected).abs() <= T::BOUND * (1.0 + gamma) * expected.abs()
            };
            for target in 0..classes {
                for offset in [0.0, 3000.0, -1e30] {
                    let here =
                        format!("C {classes}, gamma {gamma}, target {target}, offset {offset}");
                    // Only the target is left.
                    let mut x = vec![-INFINITE; classes];
                    x[target] = offset;
                    let (value, grad) = run(&x, target as i32, 1.0);
                    assert_eq!(value, INFINITE, "{here}");
                    for (j, &g) in grad.iter().enumerate() {
                        let q = if j == target { -share * (classes - 1) as f64 } else { share };
                        assert!(near(g, if gamma == 0.0 { -q } else { 0.0 }), "{here}: {grad:?}");
                        assert!(g != 0.0 || g.is_sign_positive(), "{here}: −0");
                    }
                    // A class is masked: the next to the target.
                    if classes == 2 {
                        continue;
                    }
                    let masked = (target + 1) % classes;
                    for above in [0.0, 8.0, -8.0] {
                        let mut x = vec![offset; classes];
                        x[target] = offset + if offset == -1e30 { 0.0 } else { above };
                        x[masked] = -INFINITE;
                        for sign in [1.0, -1.0] {
                            let (value, grad) = run(&x, target as i32, sign);
                            assert_eq!(value, INFINITE, "{here}");
                            let others = (classes - 2) as f64 * (offset - x[target]).exp();
                            let miss = others / (1.0 + others);
                            let expected = -sign * miss.powf(gamma) * share;
                            assert!(
                                near(grad[masked], expected),
                                "{here}: {} for {expected}",
                                grad[masked]
                            );
                            for j in (0..classes).filter(|&j| j != masked && gamma > 0.0) {
                                let expected = if j == target { -sign } else { sign } * INFINITE;
                                assert_eq!(grad[j], expected, "{here}: {grad:?}");
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn masked_gradients_with_focus_on_the_target_are_limits() {
    masked_gradients_with_focus_on_the_target::<f32>();
    masked_gradients_with_focus_on_the_target::<f64>();
}

/// A certain target with the focus on it has no gradient, however large its cross-entropy and the
/// upstream gradient.
#[test]
fn a_certain_target_has_no_pull() {
    for classes in CLASSES {
        for (size, factor) in
            [(1e290, 2f64.powi(900)), (1e308, 1e308), (1e290, -1e300), (1e200, 1e200)]
        {
            for gamma in [0.5, 1.0, 2.0, 2.7] {
                let mut x = vec![0.0; classes];
                x[1] = size;
                let criterion = FocalLoss {
                    gamma: Gamma::All(gamma),
                    focus_on: FocusOn::Target,
                    label_smoothing: 0.1,
                    ..FocalLoss::default()
                };
                let mut grad = vec![9.0; classes];
                let batch =
                    Batch { grad_output: GradOutput::All(factor), ..Batch::new(&x, &[1], classes) };
                let value = criterion.value_and_grad(&batch, &mut grad).unwrap();
                assert_eq!(
                    (value, grad),
                    (0.0, vec![0.0; classes]),
                    "C {classes}, {size:e}, {factor:e}, gamma {gamma}"
                );
            }
        }
    }
}

/// The result of float32 with numbers that it does not hold is what float64 gives, rounded.
#[test]
fn numbers_beyond_float32() {
    let x = [1.0f32, 2.0, 3.0, 4.0, 0.5, -2.0, 30.0, -30.0];
    let wide: Vec<f64> = x.iter().map(|&x| x.into()).collect();
    let targets = [0, 1, 1, 0];
    let same = |single: (f64, &[f32]), double: (f64, &[f64])| {
        assert!(
            (single.0 - double.0).abs() <= 1e-15 * double.0.abs() || single.0 == double.0,
            "{single:?}, {double:?}"
        );
        assert!(
            single.1.iter().zip(double.1).all(|(&a, &b)| a == b as f32),
            "{single:?}, {double:?}"
        );
    };
    for (alpha, label_smoothing, normalizer, upstream) in [
        (1e-46, 0.0, 1e-46, 1.0),
        (0.25, 1e-300, 1.0, 1.0),
        (0.25, 0.1, 1e-310, 1e-270),
        (0.25, 0.0, 1e300, 1e258),
        (0.25, 0.0, 1.0, 1e39),
    ] {
        let grad_output = GradOutput::All(upstream);
        let (mut grad, mut wide_grad) = ([0.0f32; 8], [0.0; 8]);
        let options = (Some(normalizer), Reduction::Mean);
        let single = FocalLoss {
            alpha: Alpha::Positive(alpha),
            label_smoothing,
            normalizer: options.0,
            reduction: options.1,
            ..FocalLoss::default()
        };
        let double = FocalLoss {
            alpha: Alpha::Positive(alpha),
            label_smoothing,
            normalizer: options.0,
            reduction: options.1,
            ..FocalLoss::default()
        };
        let batch = Batch { grad_output, ..Batch::new(&x, &targets, 2) };
        let value = single.value_and_grad(&batch, &mut grad).unwrap();
        let wide_batch =
            Batch { grad_output: GradOutput::All(upstream), ..Batch::new(&wide, &targets, 2) };
        let expected = double.value_and_grad(&wide_batch, &mut wide_grad).unwrap();
        same((value, &grad), (expected, &wide_grad));
        let sigmoid = SigmoidFocalLoss {
            alpha: Some(PerColumn::All(alpha)),
            label_smoothing,
            normalizer: Some(normalizer),
            ..SigmoidFocalLoss::default()
        };
        let yes = [1.0f32, 0.0, 0.5, 1.0, 0.0, 0.0, 1.0, 0.25];
        let wide_yes = yes.map(f64::from);
        let elements =
            Elements { grad_output: GradOutput::All(upstream), ..Elements::new(&x, &yes) };
        let value = sigmoid.value_and_grad(&elements, &mut grad).unwrap();
        let elements =
            Elements { grad_output: GradOutput::All(upstream), ..Elements::new(&wide, &wide_yes) };
        let expected = sigmoid.value_and_grad(&elements, &mut wide_grad).unwrap();
        same((value, &grad), (expected, &wide_grad));
    }
}

#[test]
fn factors_up_to_the_end_of_the_type() {
    for classes in CLASSES {
        let x = vec![0.0; classes];
        for factor in [1e-300, 1e27, 1e290, 1e303, 1e308] {
            let criterion =
                FocalLoss { alpha: Alpha::None, gamma: Gamma::All(0.0), ..FocalLoss::default() };
            let mut grad = vec![0.0; classes];
            let batch =
                Batch { grad_output: GradOutput::All(factor), ..Batch::new(&x, &[0], classes) };
            criterion.value_and_grad(&batch, &mut grad).unwrap();
            let each = factor / classes as f64;
            assert!(
                grad[1..].iter().all(|g| (g - each).abs() <= 2e-15 * each),
                "C {classes}, {factor:e}: {grad:?}"
            );
            assert!(
                (grad[0] + each * (classes - 1) as f64).abs() <= 2e-15 * factor,
                "C {classes}, {factor:e}: {grad:?}"
            );
        }
    }
}

/// The mean is that of weights near 1, however large or small they all are. The sum, of which there
/// is none where it leaves the type, is not NaN.
fn weights_of_any_size<T: Contract>() {
    let x = [1.0, 2.0, 0.5, 3.0, -4.0, 0.5, 0.25, 30.0, -30.0].map(T::from_f64);
    let relative = [1.0, 0.25, 3.0];
    let targets = [0, 1, 2];
    let batch = Batch::new(&x, &targets, 3);
    let weights = |size: f64| relative.map(|w| T::from_f64(w * size));
    let run = |weight: &[T], reduction, label_smoothing| {
        let mut grad = [T::default(); 9];
        let loss = CrossEntropyLoss {
            weight: Some(weight),
            reduction,
            label_smoothing,
            ..CrossEntropyLoss::default()
        };
        let value = loss.value_and_grad(&batch, &mut grad).unwrap();
        assert_eq!(value.to_bits(), loss.forward(&batch).unwrap().to_bits());
        (value, grad.map(|g| g.to_f64()))
    };
    for label_smoothing in [0.0, 0.1] {
        let (mean, mean_grad) = run(&weights(1.0), Reduction::Mean, label_smoothing);
        for exponent in [-300, -120, -40, -36, 30, 37, 150, 154, 200, 300, 307] {
            let size = 10f64.powi(exponent);
            if !(T::TINY * 4.0..=T::HUGE / 4.0).contains(&size) {
                continue;
            }
            let here = format!("size {size:e}, smoothing {label_smoothing}");
            let (value, grad) = run(&weights(size), Reduction::Mean, label_smoothing);
            let bound = 4.0 * T::BOUND;
            assert!((value - mean).abs() <= bound * mean, "{here}: {value}, not {mean}");
            for (got, expected) in grad.iter().zip(&mean_grad) {
                assert!(
                    (got - expected).abs() <= bound * expected.abs() + T::TINY,
                    "{here}: {grad:?}"
                );
            }
            let (sum, _) = run(&weights(size), Reduction::Sum, label_smoothing);
            assert!(sum > 0.0, "{here}: {sum}");
        }
    }
}

#[test]
fn class_weights_of_any_size_have_a_mean() {
    weights_of_any_size::<f32>();
    weights_of_any_size::<f64>();
}

/// Weights of a row, of its class and its upstream gradient whose product float32 does not hold
/// give what they do in float64, rounded.
#[test]
fn products_beyond_float32() {
    let targets = [0, 1];
    let certain = [0.0f32, f32::NEG_INFINITY, f32::NEG_INFINITY, 0.0];
    let ordinary = [1.0f32, 2.0, 3.0, -4.0];
    let yes = [1.0f32, 0.0, 0.0, 1.0];
    for (alpha, weight, upstream, all) in [
        (1e30, 1e30, 1.0, None),
        (1.0, 1e38, 4.0, None),
        (1e30, 1.0, -1e30, None),
        (1e-30, 1e-30, 1e36, None),
        (1.0, 1e-42, 1e36, None),
        (1e30, 1e20, 1.0, Some(1.0)),
        (1e30, 1.0, 1.0, Some(1e30)),
        (1.0, 1e30, 1.0, Some(1e30)),
        (1e-30, 1e-30, 1.0, Some(1e33)),
    ] {
        let here = format!("alpha {alpha:e}, weight {weight:e}, upstream {upstream:e} or {all:?}");
        let (alphas, weights, scales) =
            ([alpha as f32, 1.0], [weight as f32; 2], [upstream as f32; 2]);
        let [wide_alphas, wide_weights, wide_scales] =
            [alphas, weights, scales].map(|factors| factors.map(f64::from));
        let close = |single: &[f32], double: &[f64]| {
            for (&a, &b) in single.iter().zip(double) {
                let b = b as f32;
                let near = (a - b).abs() <= 2e-6 * b.abs() + f32::from_bits(1);
                assert!(a == b || near, "{here}: {single:?}, {double:?}");
            }
        };
        for x in [certain, ordinary] {
            let wide = x.map(f64::from);
            let (mut grad, mut wide_grad) = ([0.0f32; 4], [0.0f64; 4]);
            let batch = Batch {
                sample_weights: Some(&weights),
                grad_output: all.map_or(GradOutput::Each(&scales), GradOutput::All),
                ..Batch::new(&x, &targets, 2)
            };
            let wide_batch = Batch {
                sample_weights: Some(&wide_weights),
                grad_output: all.map_or(GradOutput::Each(&wide_scales), GradOutput::All),
                ..Batch::new(&wide, &targets, 2)
            };
            let focal = FocalLoss {
                alpha: Alpha::PerClass(&alphas),
                reduction: Reduction::Sum,
                ..FocalLoss::default()
            };
            let wide_focal = FocalLoss {
                alpha: Alpha::PerClass(&wide_alphas),
                reduction: Reduction::Sum,
                ..FocalLoss::default()
            };
            let value = focal.value_and_grad(&batch, &mut grad).unwrap();
            let expected = wide_focal.value_and_grad(&wide_batch, &mut wide_grad).unwrap();
            close(&grad, &wide_grad);
            assert!((value - expected).abs() <= 2e-6 * expected, "{here}: {value}, {expected}");
        }
        let elements_weights = [weight as f32; 4];
        let each = [upstream as f32; 4];
        let sigmoid = SigmoidFocalLoss {
            pos_weight: PerColumn::All(alpha),
            reduction: Reduction::Sum,
            ..SigmoidFocalLoss::default()
        };
        let (mut grad, mut wide_grad) = ([0.0f32; 4], [0.0f64; 4]);
        let elements = Elements {
            sample_weights: Some(&elements_weights),
            grad_output: all.map_or(GradOutput::Each(&each), GradOutput::All),
            ..Elements::new(&ordinary, &yes)
        };
        sigmoid.value_and_grad(&elements, &mut grad).unwrap();
        let [wide, wide_yes, wide_weights, wide_each] =
            [ordinary, yes, elements_weights, each].map(|numbers| numbers.map(f64::from));
        let elements = Elements {
            sample_weights: Some(&wide_weights),
            grad_output: all.map_or(GradOutput::Each(&wide_each), GradOutput::All),
            ..Elements::new(&wide, &wide_yes)
        };
        sigmoid.value_and_grad(&elements, &mut wide_grad).unwrap();
        close(&grad, &wide_grad);
    }
}
