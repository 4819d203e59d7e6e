//! The determinism battery of `test/determinism`, natively: the hash must be the one that WebAssembly gives in every engine.

use focal_loss::{Alpha, Batch, FocalLoss, Gamma, arch::Float};
use serde_json::Value;

/// A hash of numbers by their bits; all NaNs count as one.
struct Hash([u32; 2]);

impl Hash {
    fn add(&mut self, x: f64) {
        let bits = if x.is_nan() { 0x7ff8_0000_0000_0000 } else { x.to_bits() };
        for word in [bits as u32, (bits >> 32) as u32] {
            let [a, b] = self.0;
            self.0 = [(a ^ word).wrapping_mul(0x0100_0193), (b.rotate_left(5) ^ word).wrapping_mul(0x85eb_ca6b)];
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

/// The inputs of a case: see battery.ts.
fn inputs(rows: usize, classes: usize, seed: u32) -> (Vec<f64>, Vec<i32>) {
    let mut next = generator(seed);
    let mut logits = Vec::with_capacity(rows * classes);
    let mut targets = Vec::with_capacity(rows);
    for row in 0..rows {
        let scale = [1.0, 8.0, 64.0, 0.125][row % 4];
        let shift = if row % 13 == 9 { 5000.0 } else { 0.0 };
        for _ in 0..classes {
            logits.push((f64::from(next() >> 8) - 8_388_608.0) / 8_388_608.0 * scale + shift);
        }
        let target = next() as usize % classes;
        targets.push(target as i32);
        let other = row * classes + (target + 1) % classes;
        if row % 13 == 7 {
            logits[other] = f64::NEG_INFINITY;
        }
        if row % 29 == 21 {
            logits[other] = 1e20;
        }
        if row % 31 == 26 {
            logits[other] = f64::NAN;
        }
    }
    (logits, targets)
}

fn run<T: Float>(hash: &mut Hash, rows: usize, classes: usize, seed: u32, focal: &Value) {
    let (exact, targets) = inputs(rows, classes, seed);
    let logits: Vec<T> = exact.iter().map(|&x| T::from_f64(x)).collect();
    let weights: Vec<T> = (0..classes).map(|j| T::from_f64((j % 3 + 1) as f64 / 2.0)).collect();
    let alpha = match &focal["alpha"] {
        Value::Null => Alpha::None,
        Value::String(_) => Alpha::PerClass(&weights),
        number => Alpha::Positive(number.as_f64().unwrap()),
    };
    let number = |name: &str| focal[name].as_f64().unwrap();
    let criterion = FocalLoss {
        alpha,
        gamma: Gamma::All(number("gamma")),
        label_smoothing: number("labelSmoothing"),
        ..FocalLoss::default()
    };
    let batch = Batch::new(&logits, &targets, classes);
    let (mut values, mut grad) = (vec![T::default(); rows], vec![T::default(); rows * classes]);
    criterion.rows(&batch, &mut values, Some(&mut grad)).unwrap();
    values.iter().chain(&grad).for_each(|x| hash.add(x.to_f64()));
    hash.add(criterion.forward(&batch).unwrap());
}

#[test]
fn the_battery_gives_the_hash_of_every_other_build() {
    let battery: Value = serde_json::from_str(include_str!("../../test/determinism/battery.json")).unwrap();
    let list = |name: &str| battery[name].as_array().unwrap().clone();
    let mut hash = Hash([0x811c_9dc5, 0x9747_b28c]);
    let mut seed = 0;
    for shape in list("shapes") {
        let [rows, classes] = [0, 1].map(|i| shape[i].as_u64().unwrap() as usize);
        for dtype in list("dtypes") {
            for focal in list("focal") {
                seed += 1;
                if dtype == "float32" {
                    run::<f32>(&mut hash, rows, classes, seed, &focal);
                } else {
                    run::<f64>(&mut hash, rows, classes, seed, &focal);
                }
            }
        }
    }
    assert_eq!(hash.hex(), battery["hash"]);
}
