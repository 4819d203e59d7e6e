//! exp, log, log1p and friends: every float32 bit pattern against float64, and the stated bounds.
//!
//! Slow in a debug build: run with `--release`.

use std::thread;

use focal_loss::{
    arch::F32x4,
    math::{
        exp::{ExpTable, exp, exp_m1},
        log::{LogTable, log, log_1p},
    },
    vector::Vector,
};

/// The distance between `got` and `exact` in units in the last place of a float32 `exact`.
fn ulp_error(got: f32, exact: f64) -> f64 {
    if got as f64 == exact || (got.is_nan() && exact.is_nan()) || got == exact as f32 {
        return ((got as f64 - exact) / f64::MIN_POSITIVE).abs().min(0.5);
    }
    if got.is_nan() || exact.is_nan() || got.is_infinite() != (exact as f32).is_infinite() {
        return f64::INFINITY;
    }
    let exponent = (exact.abs().to_bits() >> 52) as i32 - 1023;
    (got as f64 - exact).abs() / 2f64.powi(exponent.max(-126) - 23)
}

/// The worst error of `f` over all 2³² bit patterns and the input that shows it.
fn worst(f: impl Fn(F32x4) -> F32x4 + Copy + Send + 'static, exact: fn(f64) -> f64) -> (f64, f32) {
    let threads = 2u32;
    let part = move |first: u32| {
        let mut worst = (0.0, 0.0);
        for block in (first..1 << 30).step_by(threads as usize) {
            let input = |i: usize| f32::from_bits((block << 2) + i as u32);
            let got = f(F32x4::from_lanes(input));
            for i in 0..4 {
                let error = ulp_error(got.lane(i), exact(input(i) as f64));
                if error > worst.0 {
                    worst = (error, input(i));
                }
            }
        }
        worst
    };
    let parts: Vec<_> = (0..threads).map(|first| thread::spawn(move || part(first))).collect();
    parts.into_iter().map(|t| t.join().unwrap()).fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a })
}

macro_rules! every_float32 {
    ($name:ident, $function:ident, $exact:expr, $bound:expr) => {
        #[test]
        fn $name() {
            let (error, input) = worst($function::<F32x4>, $exact);
            println!("{}: worst {error:.4} ulp at {input:e}", stringify!($function));
            assert!(error <= $bound, "{error} ulp at {input:e}");
            assert!(error > 0.5, "a bound that is never approached is not measured: {error}");
        }
    };
}

every_float32!(exp_of_every_float32, exp, f64::exp, f32::EXP_ULP);
every_float32!(exp_m1_of_every_float32, exp_m1, f64::exp_m1, f32::EXP_M1_ULP);
every_float32!(log_of_every_float32, log, f64::ln, f32::LOG_ULP);
every_float32!(log_1p_of_every_float32, log_1p, f64::ln_1p, f32::LOG_1P_ULP);
