//! The common part of the tests: an oracle in arbitrary precision and a random generator.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod exact;
pub mod extremes;
pub mod float32;

use focal_loss::Float;

/// The variable that asks for a sample, as `npm test` does.
const SAMPLE: &str = "FOCAL_LOSS_SAMPLE";

/// So many rows, or the first sixteenth of them where a sample is asked for.
pub fn sampled(rows: usize) -> usize {
    if std::env::var_os(SAMPLE).is_some() { rows.div_ceil(16) } else { rows }
}

/// The number of inputs of which one is taken where `npm test` takes all: 1, but on processors
/// that are emulated, as the variable then says.
pub fn thinning() -> usize {
    if std::env::var_os(SAMPLE).is_some_and(|sample| sample == "emulated") { 4 } else { 1 }
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
