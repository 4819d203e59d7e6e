//! The common part of the tests: an oracle in arbitrary precision and a random generator.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod exact;
pub mod extremes;
pub mod float32;

use focal_loss::Float;

/// The number of rows of which `npm test` takes one.
const NPM_TEST: usize = 16;

/// The number of rows of which one is taken: 1, or where a sample is asked for, what the variable
/// `FOCAL_LOSS_SAMPLE` says: 16 in `npm test`, more on emulated processors.
fn sampling() -> usize {
    std::env::var("FOCAL_LOSS_SAMPLE")
        .map_or(1, |rows| rows.parse().expect("FOCAL_LOSS_SAMPLE is a whole number"))
}

/// So many rows, or the first of them where a sample is asked for.
pub fn sampled(rows: usize) -> usize {
    rows.div_ceil(sampling())
}

/// The number of rows of which one is taken where `npm test` takes all, because a processor in a
/// computer needs moments for them: 1, but where a smaller sample than its is asked for.
pub fn thinning() -> usize {
    if sampling() > NPM_TEST { NPM_TEST } else { 1 }
}

/// The float types, with the bound of the numerics contract at γ = 0.
pub trait Contract: Float {
    const BOUND: f64;
}

impl Contract for f32 {
    const BOUND: f64 = 5e-7;
}

impl Contract for f64 {
    const BOUND: f64 = 1e-15;
}

/// A small generator of pseudo-random numbers (xorshift64*, Vigna 2016): the tests must be
/// repeatable anywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// In `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    /// About normal: the sum of twelve uniform numbers.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    pub fn choose<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}
