//! The determinism battery of `test/determinism`, natively: the hash must be the one that
//! WebAssembly gives in every engine.

use focal_loss::{
    Alpha, AsymmetricLoss, Batch, CrossEntropyLoss, Elements, Float, FocalLoss, FocusOn, Gamma,
    PerColumn, PolyFocalLoss, SigmoidFocalLoss,
};
use serde_json::Value;

/// A hash of numbers by their bits; all NaNs count as one.
struct Hash([u32; 2]);

impl Hash {
    fn add(&mut self, x: f64) {
        let bits = if x.is_nan() { 0x7ff8_0000_0000_0000 } else { x.to_bits() };
        for word in [bits as u32, (bits >> 32) as u32] {
            let [a, b] = self.0;
            self.0 = [
                (a ^ word).wrapping_mul(0x0100_0193),
                (b.rotate_left(5) ^ word).wrapping_mul(0x85eb_ca6b),
            ];
        }
    }

    fn hex(&self) -> String {
        self.0.map(|word| format!("{word:08x}")).concat()
    }
}

/// xorshift32 (Marsaglia 2003).
fn generator(seed: u32) -> impl FnMut() -> u32 {
    let mut x = seed.wrapping_mul(0x9e37_79b1) | 1;
    move || {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        x
    }
}

/// A batch of inputs: see battery.ts.
struct Inputs {
    logits: Vec<f64>,
    classes: Vec<i32>,
    probabilities: Vec<f64>,
    elements: Vec<f64>,
}

fn inputs(rows: usize, classes: usize, seed: u32) -> Inputs {
    let mut next = generator(seed);
    let mut inputs = Inputs {
        logits: vec![0.0; rows * classes],
        classes: vec![0; rows],
        probabilities: vec![0.0; rows * classes],
        elements: vec![0.0; rows * classes],
    };
    for row in 0..rows {
        let first = row * classes;
        let scale = [1.0, 8.0, 64.0, 0.125][row % 4];
        let shift = if row % 13 == 9 { 5000.0 } else { 0.0 };
        for j in 0..classes {
            inputs.logits[first + j] =
                (f64::from(next() >> 8) - 8_388_608.0) / 8_388_608.0 * scale + shift;
            inputs.elements[first + j] = f64::from(next() % 5) / 4.0;
        }
        let target = next() as usize % classes;
        inputs.classes[row] = target as i32;
        for _ in 0..16 {
            let j = if row % 5 == 3 { target } else { next() as usize % classes };
            inputs.probabilities[first + j] += 1.0 / 16.0;
        }
        let other = first + (target + 1) % classes;
        if row % 13 == 7 {
            inputs.logits[other] = f64::NEG_INFINITY;
        }
        if row % 29 == 21 {
            inputs.logits[other] = 1e20;
        }
        if row % 31 == 26 {
            inputs.logits[other] = f64::NAN;
        }
    }
    inputs
}

/// Each row's value and gradient, then the mean.
fn run<T: Float>(hash: &mut Hash, rows: usize, classes: usize, seed: u32, loss: &Value) {
    let inputs = inputs(rows, classes, seed);
    let cast = |x: &[f64]| -> Vec<T> { x.iter().map(|&x| T::from_f64(x)).collect() };
    let (logits, probabilities, elements) =
        (cast(&inputs.logits), cast(&inputs.probabilities), cast(&inputs.elements));
    let weights: Vec<T> = (0..classes).map(|j| T::from_f64((j % 3 + 1) as f64 / 2.0)).collect();
    let number = |name: &str| loss[name].as_f64().unwrap();
    let ignore_index = loss["ignoreIndex"].as_i64().map(|i| i as i32);
    let batch = if loss["soft"] == true {
        Batch::soft(&logits, &probabilities, classes)
    } else {
        Batch::new(&logits, &inputs.classes, classes)
    };
    let (mut values, mut grad) = (vec![T::default(); rows], vec![T::default(); rows * classes]);
    let mean = match loss["loss"].as_str().unwrap() {
        "focal" | "poly-focal" => {
            let focal = FocalLoss {
                alpha: match &loss["alpha"] {
                    Value::Null => Alpha::None,
                    Value::String(_) => Alpha::PerClass(&weights),
                    number => Alpha::Positive(number.as_f64().unwrap()),
                },
                gamma: Gamma::All(number("gamma")),
                label_smoothing: number("labelSmoothing"),
                focus_on: match loss["focusOn"].as_str() {
                    Some("target") => FocusOn::Target,
                    Some("class") => FocusOn::EachClass,
                    _ => FocusOn::Smoothed,
                },
                ignore_index,
                ..FocalLoss::default()
            };
            let epsilon = loss["epsilon"].as_f64().unwrap_or(0.0);
            let criterion = PolyFocalLoss { focal, epsilon };
            criterion.rows(&batch, &mut values, Some(&mut grad)).unwrap();
            criterion.forward(&batch).unwrap()
        }
        "cross-entropy" => {
            let criterion = CrossEntropyLoss {
                weight: loss["weight"].is_string().then_some(weights.as_slice()),
                label_smoothing: number("labelSmoothing"),
                ignore_index,
                ..CrossEntropyLoss::default()
            };
            criterion.rows(&batch, &mut values, Some(&mut grad)).unwrap();
            criterion.forward(&batch).unwrap()
        }
        "asymmetric" => {
            let criterion = AsymmetricLoss {
                gamma_positive: number("gammaPositive"),
                gamma_negative: number("gammaNegative"),
                margin: number("margin"),
                ..AsymmetricLoss::default()
            };
            let elements = Elements { columns: classes, ..Elements::new(&logits, &elements) };
            values.resize(rows * classes, T::default());
            criterion.each(&elements, &mut values, Some(&mut grad)).unwrap();
            criterion.forward(&elements).unwrap()
        }
        _ => {
            let positive: Vec<f64> = weights.iter().map(|weight| weight.to_f64()).collect();
            let criterion = SigmoidFocalLoss {
                alpha: loss["alpha"].as_f64().map(PerColumn::All),
                gamma: number("gamma"),
                label_smoothing: number("labelSmoothing"),
                pos_weight: loss["posWeight"]
                    .as_f64()
                    .map_or(PerColumn::Each(&positive), PerColumn::All),
                ..SigmoidFocalLoss::default()
            };
            let elements = Elements { columns: classes, ..Elements::new(&logits, &elements) };
            values.resize(rows * classes, T::default());
            criterion.each(&elements, &mut values, Some(&mut grad)).unwrap();
            criterion.forward(&elements).unwrap()
        }
    };
    values.iter().chain(&grad).for_each(|x| hash.add(x.to_f64()));
    hash.add(mean);
}

#[test]
fn the_battery_gives_the_hash_of_every_other_build() {
    let battery: Value =
        serde_json::from_str(include_str!("../../test/determinism/battery.json")).unwrap();
    let list = |name: &str| battery[name].as_array().unwrap().clone();
    let mut hash = Hash([0x811c_9dc5, 0x9747_b28c]);
    let mut seed = 0;
    for shape in list("shapes") {
        let [rows, classes] = [0, 1].map(|i| shape[i].as_u64().unwrap() as usize);
        for dtype in list("dtypes") {
            for loss in list("losses") {
                seed += 1;
                if dtype == "float32" {
                    run::<f32>(&mut hash, rows, classes, seed, &loss);
                } else {
                    run::<f64>(&mut hash, rows, classes, seed, &loss);
                }
            }
        }
    }
    assert_eq!(hash.hex(), battery["hash"]);
}
