//! The golden vectors of `test/golden`, every kind, natively in both float types.

mod support;

use focal_loss::{
    Alpha, Batch, CrossEntropyLoss, Elements, Float, FocalLoss, FocusOn, Gamma, HessianKind,
    PerColumn, Reduction, SigmoidFocalLoss,
};
use serde_json::Value;
use support::Contract;

/// The worst error in units of the bound, and where.
#[derive(Default)]
struct Worst(f64, String);

impl Worst {
    fn see(&mut self, ratio: f64, case: &Value, what: &str, got: f64, exact: f64) {
        if ratio > self.0 || ratio.is_nan() {
            let mut case = case.clone();
            for name in ["loss", "grad", "logits", "hessianDiag", "gammaGrad"] {
                case.as_object_mut().unwrap().remove(name);
            }
            *self = Self(ratio, format!("{what}: got {got:e}, exact {exact:e}, {case}"));
        }
    }
}

fn floats(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(floats).collect(),
        value => vec![value.as_f64().unwrap()],
    }
}

fn scalars<T: Float>(value: &Value) -> Vec<T> {
    floats(value).into_iter().map(T::from_f64).collect()
}

fn number(case: &Value, name: &str) -> f64 {
    case[name].as_f64().unwrap_or(0.0)
}

/// `a_j` or none, from a golden "alpha".
fn alpha<'a, T>(value: &Value, weights: &'a [T]) -> Alpha<'a, T> {
    match value {
        Value::Null => Alpha::None,
        Value::Array(_) => Alpha::PerClass(weights),
        number => Alpha::Positive(number.as_f64().unwrap()),
    }
}

/// Compares the entries of `rows` rows, relative to themselves or to the largest of their row.
fn compare<T: Contract>(
    worst: &mut Worst,
    case: &Value,
    what: &str,
    got: &[T],
    exact: &[f64],
    rows: usize,
    relative: bool,
) {
    assert_eq!(got.len(), exact.len(), "{what}");
    if rows == 0 {
        return;
    }
    let bound = T::BOUND * (1.0 + number(case, "gamma"));
    for (got, exact) in got.chunks(got.len() / rows).zip(exact.chunks(exact.len() / rows)) {
        let largest = exact.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
        for (g, &e) in got.iter().zip(exact) {
            let scale = if relative { e.abs() } else { largest };
            if scale >= T::TINY {
                worst.see((g.to_f64() - e).abs() / scale / bound, case, what, g.to_f64(), e);
            }
        }
    }
}

fn run<T: Contract>(worst: &mut Worst, case: &Value) {
    let logits = scalars::<T>(&case["logits"]);
    let (loss, exact_grad) = (
        floats(&case["loss"]),
        floats(&case["grad"].as_array().map_or(Value::Array(vec![]), |_| case["grad"].clone())),
    );
    let smoothing = number(case, "labelSmoothing");
    let mut grad = vec![T::default(); logits.len()];
    let kind = case["kind"].as_str().unwrap();
    if kind.starts_with("sigmoid") {
        let (weights, targets) = (alpha_weights::<f64>(case), scalars::<T>(&case["targets"]));
        let positive = match &case["posWeight"] {
            Value::Array(_) => floats(&case["posWeight"]),
            _ => vec![],
        };
        let criterion = SigmoidFocalLoss {
            alpha: match &case["alpha"] {
                Value::Null => None,
                Value::Array(_) => Some(PerColumn::Each(&weights)),
                number => Some(PerColumn::All(number.as_f64().unwrap())),
            },
            gamma: number(case, "gamma"),
            label_smoothing: smoothing,
            pos_weight: match &case["posWeight"] {
                Value::Array(_) => PerColumn::Each(&positive),
                value => PerColumn::All(value.as_f64().unwrap_or(1.0)),
            },
            ..SigmoidFocalLoss::default()
        };
        let columns = case["classes"].as_u64().unwrap_or(1) as usize;
        let mut values = vec![T::default(); logits.len()];
        criterion
            .each(
                &Elements { columns, ..Elements::new(&logits, &targets) },
                &mut values,
                Some(&mut grad),
            )
            .unwrap();
        let hard =
            smoothing == 0.0 && floats(&case["targets"]).iter().all(|y| *y == 0.0 || *y == 1.0);
        compare(worst, case, "value", &values, &loss, logits.len(), true);
        // A soft element's gradient is a difference; each is a row of its own, so nothing larger
        // stands beside it.
        if hard {
            compare(worst, case, "grad", &grad, &exact_grad, logits.len(), true);
        } else {
            compare(worst, case, "grad", &grad, &exact_grad, 1, false);
        }
        return;
    }
    let classes = case["classes"].as_u64().unwrap() as usize;
    let rows = logits.len() / classes;
    let soft = case["soft"].as_bool().unwrap_or(false);
    let indices: Vec<i32> =
        if soft { vec![] } else { floats(&case["targets"]).iter().map(|t| *t as i32).collect() };
    let probabilities: Vec<T> = if soft { scalars(&case["targets"]) } else { vec![] };
    let batch = if soft {
        Batch::soft(&logits, &probabilities, classes)
    } else {
        Batch::new(&logits, &indices, classes)
    };
    if kind == "cross-entropy" {
        let weights = scalars::<T>(
            &case["weight"].as_array().map_or(Value::Array(vec![]), |_| case["weight"].clone()),
        );
        let criterion = CrossEntropyLoss {
            weight: case["weight"].is_array().then_some(weights.as_slice()),
            label_smoothing: smoothing,
            ignore_index: case["ignoreIndex"].as_i64().map(|i| i as i32),
            normalizer: None,
            reduction: if case["reduction"] == "mean" { Reduction::Mean } else { Reduction::Sum },
        };
        if case["reduction"] == "none" {
            let mut values = vec![T::default(); rows];
            criterion.rows(&batch, &mut values, Some(&mut grad)).unwrap();
            compare(worst, case, "value", &values, &loss, rows, true);
        } else {
            let value = criterion.value_and_grad(&batch, &mut grad).unwrap();
            worst.see((value / loss[0] - 1.0).abs() / T::BOUND, case, "value", value, loss[0]);
        }
        let q = aims(case, &indices, &probabilities, &weights);
        for row in 0..rows {
            let range = row * classes..(row + 1) * classes;
            compare_difference(
                worst,
                case,
                &grad[range.clone()],
                &exact_grad[range.clone()],
                &floats(&case["logits"])[range.clone()],
                &q[range],
            );
        }
        return;
    }
    let weights = alpha_weights::<T>(case);
    let criterion = FocalLoss {
        alpha: alpha(&case["alpha"], &weights),
        gamma: Gamma::All(number(case, "gamma")),
        label_smoothing: smoothing,
        focus_on: match case["focusOn"].as_str() {
            Some("target") => FocusOn::Target,
            Some("class") => FocusOn::EachClass,
            _ if kind == "focal-class" => FocusOn::EachClass,
            _ => FocusOn::Smoothed,
        },
        ..FocalLoss::default()
    };
    let mut values = vec![T::default(); rows];
    criterion.rows(&batch, &mut values, Some(&mut grad)).unwrap();
    compare(worst, case, "value", &values, &loss, rows, true);
    if !exact_grad.is_empty() {
        compare(
            worst,
            case,
            "grad",
            &grad,
            &exact_grad,
            rows,
            !soft && smoothing == 0.0 && kind != "focal-class",
        );
    }
    if kind == "focal-second" {
        let sum = FocalLoss { reduction: Reduction::Sum, ..criterion };
        sum.hessian_diag(&batch, HessianKind::Exact, &mut grad).unwrap();
        // Second derivatives are held to twice the bound.
        let mut twice = Worst::default();
        compare(&mut twice, case, "hessian", &grad, &floats(&case["hessianDiag"]), rows, false);
        if twice.0 / 2.0 > worst.0 {
            *worst = Worst(twice.0 / 2.0, twice.1);
        }
        sum.gamma_grad(&batch, &mut values).unwrap();
        // Where ℓ is rounded, log(1 − e^{−ℓ}) is off by ℓ roundings.
        let amplified = if smoothing == 0.0 {
            1.0
        } else {
            1.0 + largest_gap(&floats(&case["logits"]), classes)
        };
        for (g, e) in values.iter().zip(floats(&case["gammaGrad"])) {
            let bound = T::BOUND * (1.0 + number(case, "gamma")) * amplified;
            worst.see((g.to_f64() / e - 1.0).abs() / bound, case, "gamma_grad", g.to_f64(), e);
        }
    }
}

/// `w_j·q_j`, smoothed, of a cross-entropy.
fn aims<T: Float>(case: &Value, indices: &[i32], probabilities: &[T], weights: &[T]) -> Vec<f64> {
    let classes = case["classes"].as_u64().unwrap() as usize;
    let smoothing = number(case, "labelSmoothing");
    let plain: Vec<f64> = if probabilities.is_empty() {
        indices
            .iter()
            .flat_map(|&t| (0..classes).map(move |j| f64::from(u8::from(j as i32 == t))))
            .collect()
    } else {
        probabilities.iter().map(|q| q.to_f64()).collect()
    };
    let weight = |j: usize| weights.get(j % classes).map_or(1.0, |w| w.to_f64());
    plain
        .iter()
        .enumerate()
        .map(|(j, q)| weight(j) * (q * (1.0 - smoothing) + smoothing / classes as f64))
        .collect()
}

/// Compares the gradient of a row, a multiple of `Q·p_j − q_j`: relative to its largest entry, or
/// to half of the larger of the two terms where they nearly cancel.
fn compare_difference<T: Contract>(
    worst: &mut Worst,
    case: &Value,
    got: &[T],
    exact: &[f64],
    logits: &[f64],
    q: &[f64],
) {
    let top = logits.iter().fold(f64::MIN, |a, x| a.max(*x));
    let total: f64 = logits.iter().map(|x| (x - top).exp()).sum();
    let mass: f64 = q.iter().sum();
    let term = |j: usize| mass * (logits[j] - top).exp() / total;
    let largest =
        (0..exact.len()).max_by(|&a, &b| exact[a].abs().total_cmp(&exact[b].abs())).unwrap();
    if exact[largest].abs() < T::TINY {
        return;
    }
    let slope = (exact[largest] / (term(largest) - q[largest])).abs();
    let terms = (0..exact.len()).map(|j| term(j).max(q[j])).fold(0.0, f64::max) * slope;
    for (g, &e) in got.iter().zip(exact) {
        let ratio = (g.to_f64() - e).abs() / exact[largest].abs().max(terms / 2.0) / T::BOUND;
        worst.see(ratio, case, "grad", g.to_f64(), e);
    }
}

/// The largest difference between two logits of a row: about the largest cross-entropy.
fn largest_gap(logits: &[f64], classes: usize) -> f64 {
    let gap = |row: &[f64]| {
        row.iter().fold(f64::MIN, |a, x| a.max(*x)) - row.iter().fold(f64::MAX, |a, x| a.min(*x))
    };
    logits.chunks(classes).map(gap).fold(0.0, f64::max)
}

fn alpha_weights<T: Float>(case: &Value) -> Vec<T> {
    case["alpha"].as_array().map_or(vec![], |weights| {
        weights.iter().map(|w| T::from_f64(w.as_f64().unwrap())).collect()
    })
}

macro_rules! golden {
    ($($name:ident $file:literal $count:literal,)*) => {
        $(
            #[test]
            fn $name() {
                let golden: Value = serde_json::from_str(include_str!(concat!("../../test/golden/", $file, ".json"))).unwrap();
                let cases = golden["cases"].as_array().unwrap();
                assert_eq!(cases.len(), $count);
                let (mut single, mut double) = (Worst::default(), Worst::default());
                for case in cases {
                    run::<f32>(&mut single, case);
                    run::<f64>(&mut double, case);
                }
                println!("{}: float32 {:.3} of the bound at {}", $file, single.0, single.1);
                println!("{}: float64 {:.3} of the bound at {}", $file, double.0, double.1);
                assert!(single.0 <= 1.0 && single.0 > 0.01, "float32: {} of the bound at {}", single.0, single.1);
                assert!(double.0 <= 1.0 && double.0 > 0.01, "float64: {} of the bound at {}", double.0, double.1);
            }
        )*
    };
}

golden! {
    focal "focal" 218,
    focal_target "focal-target" 42,
    focal_extreme "focal-extreme" 5,
    focal_wide "focal-wide" 40,
    focal_soft "focal-soft" 40,
    focal_class "focal-class" 40,
    focal_second "focal-second" 30,
    sigmoid "sigmoid" 60,
    sigmoid_ext "sigmoid-ext" 30,
    cross_entropy "cross-entropy" 60,
}
