//! Rows anywhere in the range of a type, with masked classes, ties, subnormals and infinities.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Contract, Random};

pub const CLASSES: [usize; 9] = [2, 2, 3, 4, 5, 9, 24, 64, 70];
pub const INFINITE: f64 = f64::INFINITY;

/// A fixed seed and a new one, which the tests print.
pub fn seeds() -> [u64; 2] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    [20_261_127, now.as_nanos() as u64 % 1_000_000_000]
}

/// A row of logits, all differences of which are exact or far larger than what is lost; and its
/// target.
pub fn row<T: Contract>(random: &mut Random) -> (Vec<T>, usize) {
    let classes = random.choose(&CLASSES);
    let reach = if random.unit() < 0.4 { 24.0 } else { T::HUGE.powf(0.99 * random.unit()).round() };
    let offset = reach * random.choose(&[-1.0, 1.0]);
    let masked = random.choose(&[0.0, 0.3, 0.8, 1.0]);
    let target = random.below(classes);
    let mut entry = |j: usize| {
        if j != target && random.unit() < masked {
            return -INFINITE;
        }
        let step = (8.0 * random.normal()).round() / 4.0;
        match random.below(12) {
            0..=3 => offset,
            4..=7 => offset + step,
            8 => 0.0,
            9 => -offset,
            10 => T::TINY * random.unit(),
            _ if random.unit() < 0.05 => random.choose(&[INFINITE, -INFINITE, f64::NAN]),
            _ => step,
        }
    };
    ((0..classes).map(|j| T::from_f64(entry(j))).collect(), target)
}
