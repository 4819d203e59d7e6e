//! The results of each row: independent of its neighbours and of every cut, and right at the edges
//! of the number range.

mod support;

use focal_loss::{
    Alpha, Batch, CrossEntropyLoss, Elements, Error, Float, FocalLoss, Gamma, GradOutput,
    Reduction, SigmoidFocalLoss,
};
use support::{Contract, Random, exact, sampled};

const CLASSES: [usize; 14] = [2, 3, 4, 5, 6, 7, 8, 23, 24, 25, 26, 27, 64, 131];

fn vector<T: Float>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&x| T::from_f64(x)).collect()
}

/// Values and gradients of each row.
fn rows<T: Float>(
    criterion: &FocalLoss<T>,
    logits: &[T],
    targets: &[i32],
    classes: usize,
) -> (Vec<f64>, Vec<f64>) {
    let (mut values, mut grad) =
        (vec![T::default(); targets.len()], vec![T::default(); logits.len()]);
    criterion.rows(&Batch::new(logits, targets, classes), &mut values, Some(&mut grad)).unwrap();
    let wide = |v: Vec<T>| v.into_iter().map(T::to_f64).collect();
    (wide(values), wide(grad))
}

/// The same bits, NaN being NaN.
fn same(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
}

/// Ordinary rows among rows of every rare kind.
fn mixed<T: Float>(random: &mut Random, count: usize, classes: usize) -> (Vec<T>, Vec<i32>) {
    let mut logits = Vec::new();
    let mut targets = Vec::new();
    for _ in 0..count {
        let target = random.below(classes);
        let other = (target + 1) % classes;
        let offset = random.choose(&[0.0, 0.0, 0.0, 0.0, 3000.0, -1e8]);
        let mut row: Vec<f64> = (0..classes).map(|_| offset + 6.0 * random.normal()).collect();
        match random.below(12) {
            0 => row[other] = f64::NEG_INFINITY,
            1 => row[target] = f64::NEG_INFINITY,
            2 => row[other] = f64::NAN,
            3 => row[target] = f64::INFINITY,
            4 => row[other] += 95.0,
            5 => row[target] += 95.0,
            _ => {}
        }
        logits.extend(vector::<T>(&row));
        targets.push(target as i32);
    }
    (logits, targets)
}

fn no_row_depends_on_its_neighbours<T: Float>() {
    let mut random = Random::new(7);
    for classes in CLASSES {
        for (gamma, label_smoothing) in [(2.0, 0.0), (0.7, 0.0), (2.5, 0.2)] {
            let criterion =
                FocalLoss { gamma: Gamma::All(gamma), label_smoothing, ..FocalLoss::default() };
            for count in 1..14 {
                let (logits, targets) = mixed::<T>(&mut random, count, classes);
                let (values, grad) = rows(&criterion, &logits, &targets, classes);
                for row in 0..count {
                    let range = row * classes..(row + 1) * classes;
                    let alone =
                        rows(&criterion, &logits[range.clone()], &targets[row..=row], classes);
                    let here = || {
                        format!(
                            "row {row} of {count}, C {classes}, gamma {gamma}: {:?}",
                            &logits[range.clone()]
                        )
                    };
                    assert!(same(&values[row..=row], &alone.0), "value of {}", here());
                    assert!(same(&grad[range.clone()], &alone.1), "gradient of {}", here());
                }
                // A call that stores no gradient, and one that stores no values, see the same rows.
                let sum = FocalLoss { reduction: Reduction::Sum, ..criterion };
                let mut unused = vec![T::default(); logits.len()];
                let forward = sum.forward(&Batch::new(&logits, &targets, classes)).unwrap();
                let both = sum
                    .value_and_grad(&Batch::new(&logits, &targets, classes), &mut unused)
                    .unwrap();
                assert!(same(&[forward], &[both]));
                assert!(same(&unused.iter().map(|g| g.to_f64()).collect::<Vec<_>>(), &grad));
            }
        }
    }
}

#[test]
fn no_row_depends_on_its_neighbours_in_float32() {
    no_row_depends_on_its_neighbours::<f32>();
}

#[test]
fn no_row_depends_on_its_neighbours_in_float64() {
    no_row_depends_on_its_neighbours::<f64>();
}

fn edges<T: Contract>() {
    let infinity = f64::INFINITY;
    for classes in CLASSES {
        for gamma in [0.0, 0.3, 0.5, 1.0, 2.0, 2.7, 5.0] {
            for smoothing in [0.0, 0.1] {
                let criterion = FocalLoss {
                    alpha: Alpha::None,
                    gamma: Gamma::All(gamma),
                    label_smoothing: smoothing,
                    ..FocalLoss::default()
                };
                let run = |row: &[f64], target: i32| {
                    let (values, grad) = rows(&criterion, &vector::<T>(row), &[target], classes);
                    (values[0], grad)
                };
                let row = |target: f64, other: f64, rest: f64| {
                    let mut row = vec![rest; classes];
                    (row[1], row[0]) = (target, other);
                    row
                };
                let case = format!("C {classes}, gamma {gamma}, smoothing {smoothing}");

                for bad in [
                    row(f64::NAN, 0.0, 0.0),
                    row(0.0, f64::NAN, 0.0),
                    row(infinity, 0.0, 0.0),
                    row(0.0, infinity, 0.0),
                ] {
                    let (value, grad) = run(&bad, 1);
                    assert!(
                        value.is_nan() && grad.iter().all(|g| g.is_nan()),
                        "{case}: {bad:?} gave {value} {grad:?}"
                    );
                }

                let (value, _) = run(&row(-infinity, 0.0, 0.0), 1);
                assert_eq!(value, infinity, "{case}");

                // However far from 0: only differences count.
                let (expected, expected_grad) = run(&row(0.0, 0.0, 0.0), 1);
                let near =
                    |a: f64, b: f64| (a - b).abs() <= T::BOUND * (1.0 + gamma) * b.abs().max(1e-3);
                for offset in [1e20, -1e20, 1e6, -1e6] {
                    let (value, grad) = run(&row(offset, offset, offset), 1);
                    assert!(
                        near(value, expected),
                        "{case}, offset {offset}: {value}, not {expected}"
                    );
                    assert!(
                        grad.iter().zip(&expected_grad).all(|(&g, &e)| near(g, e)),
                        "{case}, offset {offset}: {grad:?}"
                    );
                }

                // A saturated row has a finite gradient.
                for gap in [40.0, 200.0, 1e4, 1e30] {
                    for saturated in [row(gap, 0.0, 0.0), row(0.0, gap, 0.0), row(-gap, 0.0, 0.0)] {
                        let (value, grad) = run(&saturated, 1);
                        assert!(
                            value.is_finite() && value >= 0.0,
                            "{case}: {saturated:?} gave {value}"
                        );
                        assert!(
                            grad.iter().all(|g| g.is_finite()),
                            "{case}: {saturated:?} gave {grad:?}"
                        );
                    }
                }

                if smoothing == 0.0 {
                    // A masked class has no part; the other ones go on as if it were not there.
                    let (value, grad) = run(&row(0.5, -infinity, 0.25), 1);
                    assert_eq!(grad[0].to_bits(), 0, "{case}");
                    if classes == 2 {
                        assert_eq!((value, grad[1]), (0.0, 0.0), "{case}");
                    } else {
                        let without = rows(
                            &criterion,
                            &vector::<T>(&row(0.5, 0.25, 0.25)[1..]),
                            &[0],
                            classes - 1,
                        );
                        assert!(
                            (value - without.0[0]).abs() <= 1e-6 * value,
                            "{case}: {value} {without:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn edges_of_float32() {
    edges::<f32>();
}

#[test]
fn edges_of_float64() {
    edges::<f64>();
}

#[test]
fn gamma_0_is_cross_entropy_also_where_it_is_saturated() {
    for classes in CLASSES {
        for gap in [0.0_f64, 1.0, 17.0, 30.0, 80.0] {
            let criterion =
                FocalLoss { alpha: Alpha::None, gamma: Gamma::All(0.0), ..FocalLoss::default() };
            let mut logits = vec![0.0; classes];
            logits[0] = gap;
            let (values, grad) = rows(&criterion, &logits, &[0], classes);
            let odds = (classes - 1) as f64 * (-gap).exp();
            assert!((values[0] - odds.ln_1p()).abs() <= 1e-14 * odds.ln_1p());
            assert!((grad[1] - (-gap).exp() / (1.0 + odds)).abs() <= 1e-14 * grad[1]);
        }
    }
}

/// Below the normal range results lose digits or are 0, but are never more than they should be by
/// more than the smallest number.
fn subnormal_results<T: Contract>(smallest: f64, ends: [(f64, f64); 3]) {
    let steps = sampled(200);
    let mut seen = 0;
    for classes in CLASSES {
        for (gamma, (from, to)) in [0.0, 0.5, 2.0].into_iter().zip(ends) {
            let criterion =
                FocalLoss { alpha: Alpha::None, gamma: Gamma::All(gamma), ..FocalLoss::default() };
            for step in 0..steps {
                let gap = from + (to - from) * step as f64 / steps as f64;
                let mut row = vec![0.0; classes];
                row[0] = gap;
                let (values, grad) = rows(&criterion, &vector::<T>(&row), &[0], classes);
                let exact = exact::focal(
                    &vector::<T>(&row).iter().map(|x| x.to_f64()).collect::<Vec<_>>(),
                    0,
                    1.0,
                    gamma,
                );
                for (got, exact) in
                    values.iter().chain(&grad).zip([&exact.value].into_iter().chain(&exact.grad))
                {
                    let (got, exact) = (got.abs(), exact.to_f64().abs());
                    if exact < T::TINY {
                        seen += 1;
                        assert!(
                            got <= exact * 1.001 + smallest,
                            "C {classes}, gamma {gamma}, gap {gap}: {got:e}, not {exact:e}"
                        );
                    }
                }
            }
        }
    }
    assert!(seen > 5 * steps, "only {seen} results were that small");
}

#[test]
fn subnormal_results_of_float32() {
    subnormal_results::<f32>(
        f64::from(f32::from_bits(1)),
        [(84.0, 110.0), (55.0, 80.0), (27.0, 40.0)],
    );
}

#[test]
fn subnormal_results_of_float64() {
    subnormal_results::<f64>(f64::from_bits(1), [(700.0, 760.0), (465.0, 520.0), (234.0, 260.0)]);
}

#[test]
fn an_alpha_of_0_or_1_gives_exact_zeros() {
    for (alpha, silent) in [(0.0, 1), (1.0, 0)] {
        for classes in CLASSES {
            let criterion = FocalLoss { alpha: Alpha::Positive(alpha), ..FocalLoss::default() };
            let logits: Vec<f32> = (0..classes).map(|j| j as f32).collect();
            let (values, grad) = rows(&criterion, &logits, &[silent], classes);
            assert!(values.iter().chain(&grad).all(|x| x.to_bits() == 0));
        }
    }
}

#[test]
fn a_row_of_many_classes() {
    let classes = 300_000;
    let criterion = FocalLoss {
        alpha: Alpha::None,
        gamma: Gamma::All(0.0),
        reduction: Reduction::Sum,
        ..FocalLoss::default()
    };
    let logits = vec![1.5_f32; 2 * classes];
    let mut grad = vec![0.0; 2 * classes];
    let value =
        criterion.value_and_grad(&Batch::new(&logits, &[0, 299_999], classes), &mut grad).unwrap();
    assert!((value / 2.0 - (classes as f64).ln()).abs() < 1e-6);
    assert!((f64::from(grad[7]) * classes as f64 - 1.0).abs() < 1e-6);
    assert!((grad[0] + 1.0).abs() < 1e-5 && (grad[599_999] + 1.0).abs() < 1e-5);
}

#[test]
fn no_rows() {
    let criterion = FocalLoss::<f32>::default();
    assert!(criterion.forward(&Batch::new(&[], &[], 2)).unwrap().is_nan());
    let sum = FocalLoss { reduction: Reduction::Sum, ..criterion };
    assert_eq!(sum.value_and_grad(&Batch::new(&[], &[], 5), &mut []).unwrap(), 0.0);
}

/// The mean of rows that do not count, or whose weights add up to 0, is NaN, and its gradient 0.
#[test]
fn a_denominator_of_0() {
    let (logits, targets) = ([1.0, 2.0, 3.0, 5.0], [0, 0]);
    let batch = Batch::new(&logits, &targets, 2);
    for weight in [[0.0, 0.0], [0.0, 1.0]] {
        for label_smoothing in [0.0, 0.1] {
            let criterion = CrossEntropyLoss {
                weight: Some(&weight),
                label_smoothing,
                ..CrossEntropyLoss::default()
            };
            let mut grad = [9.0; 4];
            let value = criterion.value_and_grad(&batch, &mut grad).unwrap();
            assert!(
                value.is_nan()
                    || (weight[1] == 1.0 && label_smoothing > 0.0 && value == f64::INFINITY)
            );
            assert_eq!(grad.map(f64::to_bits), [0; 4]);
        }
    }
    let mut grad = [9.0; 4];
    let ignoring = FocalLoss { ignore_index: Some(0), ..FocalLoss::default() };
    assert!(ignoring.value_and_grad(&batch, &mut grad).unwrap().is_nan());
    assert_eq!(grad.map(f64::to_bits), [0; 4]);
    let elements = Elements::new(&logits, &[0.0; 4]);
    let ignoring = SigmoidFocalLoss { ignore_index: Some(0.0), ..SigmoidFocalLoss::default() };
    assert!(ignoring.value_and_grad(&elements, &mut grad).unwrap().is_nan());
    assert_eq!(grad.map(f64::to_bits), [0; 4]);
}

/// Where rows do not count that are none, few, many or all of a block's, and with an index of these
/// that is a class or none.
#[test]
fn rows_that_do_not_count_leave_the_others_as_they_are() {
    fn check<T: Float>() {
        const ROWS: usize = 1027;
        let patterns: [fn(usize) -> bool; 5] =
            [|_| false, |i| i == 517, |i| (300..700).contains(&i), |i| i % 7 < 2, |_| true];
        let mut random = Random::new(29);
        for classes in CLASSES {
            for ignored in [-100, classes as i32, i32::MAX, 0, classes as i32 - 1] {
                for is_ignored in patterns {
                    let (logits, mut targets) = mixed::<T>(&mut random, ROWS, classes);
                    for (i, target) in targets.iter_mut().enumerate() {
                        if is_ignored(i) {
                            *target = ignored;
                        } else if *target == ignored {
                            *target = 1 - ignored.min(1);
                        }
                    }
                    let counts = |i: usize| targets[i] != ignored;
                    let plain = FocalLoss::<T>::default();
                    let ignoring = FocalLoss { ignore_index: Some(ignored), ..plain };
                    let classed: Vec<i32> =
                        (0..ROWS).map(|i| if counts(i) { targets[i] } else { 0 }).collect();
                    let (mut values, mut grad) = rows(&plain, &logits, &classed, classes);
                    for i in (0..ROWS).filter(|&i| !counts(i)) {
                        values[i] = 0.0;
                        grad[i * classes..][..classes].fill(0.0);
                    }
                    let found = rows(&ignoring, &logits, &targets, classes);
                    assert!(same(&found.0, &values), "{classes} classes, {ignored} ignored");
                    assert!(same(&found.1, &grad), "{classes} classes, {ignored} ignored");
                    let batch = Batch::new(&logits, &targets, classes);
                    let [sum, mean] = [Reduction::Sum, Reduction::Mean].map(|reduction| {
                        FocalLoss { reduction, ..ignoring }.forward(&batch).unwrap()
                    });
                    let counted = (0..ROWS).filter(|&i| counts(i)).count() as f64;
                    assert!(same(&[mean], &[sum / counted]), "{classes} classes, {ignored}");
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// The factor of a gradient is divided by the denominator once, as the JavaScript side does: its
/// reciprocal would be rounded twice.
#[test]
fn an_upstream_gradient_is_divided_once() {
    let (logits, targets) = ([0.0; 6], [0, 1, 0]);
    let batch = Batch { grad_output: GradOutput::All(5.0), ..Batch::new(&logits, &targets, 2) };
    let criterion = CrossEntropyLoss::default();
    let mut grad = [0.0; 6];
    criterion.value_and_grad(&batch, &mut grad).unwrap();
    assert_ne!(5.0 * (1.0 / 3.0), 5.0 / 3.0);
    assert_eq!(grad[1], 5.0 / 3.0 * 0.5);
}

#[test]
fn bad_arguments_are_named_and_nothing_is_written() {
    let good = FocalLoss::<f64>::default();
    let (logits, targets) = ([0.5, 1.0, -1.0, 2.0], [0, 1]);
    let check = |criterion: FocalLoss<f64>,
                 logits: &[f64],
                 targets: &[i32],
                 classes: usize,
                 error: Error,
                 text: &str| {
        let mut grad = [9.0; 4];
        assert_eq!(
            criterion.value_and_grad(&Batch::new(logits, targets, classes), &mut grad),
            Err(error)
        );
        assert_eq!(grad, [9.0; 4]);
        assert_eq!(error.to_string(), text);
    };
    let e = Error::Classes(1);
    check(good, &logits, &targets, 1, e, "classes must be between 2 and 2147483647, not 1");
    let e = Error::Length { argument: "logits", found: 3, expected: 4 };
    check(good, &logits[1..], &targets, 2, e, "logits must have 4 values, not 3");
    let e = Error::Target { row: 1, value: 2, classes: 2 };
    check(good, &logits, &[0, 2], 2, e, "targets[1] must be in [0, 2), not 2");
    let e = Error::Target { row: 0, value: -1, classes: 2 };
    check(good, &logits, &[-1, 0], 2, e, "targets[0] must be in [0, 2), not -1");
    let e = Error::Number { argument: "alpha", must_be: "in [0, 1]", value: 1.5 };
    let text = "alpha must be in [0, 1], not 1.5";
    check(FocalLoss { alpha: Alpha::Positive(1.5), ..good }, &logits, &targets, 2, e, text);
    let e = Error::Number { argument: "alpha", must_be: "finite and not negative", value: -1.0 };
    let text = "alpha must be finite and not negative, not -1";
    check(
        FocalLoss { alpha: Alpha::PerClass(&[1.0, -1.0]), ..good },
        &logits,
        &targets,
        2,
        e,
        text,
    );
    let e = Error::Length { argument: "alpha", found: 3, expected: 2 };
    check(
        FocalLoss { alpha: Alpha::PerClass(&[1.0; 3]), ..good },
        &logits,
        &targets,
        2,
        e,
        "alpha must have 2 values, not 3",
    );
    let e = Error::Number { argument: "gamma", must_be: "finite and not negative", value: -0.5 };
    check(
        FocalLoss { gamma: Gamma::All(-0.5), ..good },
        &logits,
        &targets,
        2,
        e,
        "gamma must be finite and not negative, not -0.5",
    );
    let e = Error::Number { argument: "label_smoothing", must_be: "in [0, 1]", value: 1.5 };
    let text = "label_smoothing must be in [0, 1], not 1.5";
    check(FocalLoss { label_smoothing: 1.5, ..good }, &logits, &targets, 2, e, text);

    let grad = good.value_and_grad(&Batch::new(&logits, &targets, 2), &mut [0.0; 3]);
    assert_eq!(grad, Err(Error::Length { argument: "grad", found: 3, expected: 4 }));
    let values = good.rows(&Batch::new(&logits, &targets, 2), &mut [0.0; 3], None);
    assert_eq!(values, Err(Error::Length { argument: "values", found: 3, expected: 2 }));
    assert!(
        FocalLoss::<f64> { gamma: Gamma::All(f64::NAN), ..good }
            .forward(&Batch::new(&logits, &targets, 2))
            .is_err()
    );
}

#[test]
fn no_probabilities_are_ignored() {
    let (logits, probabilities) = ([1.0, 2.0, 0.5, 0.25], [0.5, 0.5, 0.0, 1.0]);
    let batch = Batch::soft(&logits, &probabilities, 2);
    let plain = FocalLoss::<f64>::default();
    let ignoring = FocalLoss { ignore_index: Some(0), ..plain };
    let (mut grad, mut expected) = ([0.0; 4], [0.0; 4]);
    let value = ignoring.value_and_grad(&batch, &mut grad).unwrap();
    assert_eq!(value, plain.value_and_grad(&batch, &mut expected).unwrap());
    assert_eq!(grad, expected);
}
