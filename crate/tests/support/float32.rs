//! The errors of the elementary functions in float32, over any part of all 2³² inputs.

use std::thread;

use focal_loss::{
    math::{
        exp::{ExpTable, decay},
        log::{LogTable, log, log_1p},
    },
    simd::F32x4,
    simd::vector::Vector,
};

/// `e^{−|x|}`.
pub fn exp<V: focal_loss::math::Real>(x: V) -> V {
    decay(x.abs().neg()).0
}

/// `e^{−|x|} − 1`.
pub fn exp_m1<V: focal_loss::math::Real>(x: V) -> V {
    decay(x.abs().neg()).1
}

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

/// The worst error of `f` over every `step`-th group of four neighbours among all 2³² bit patterns,
/// and the input that shows it.
fn worst(
    f: impl Fn(F32x4) -> F32x4 + Copy + Send + 'static,
    exact: fn(f64) -> f64,
    step: u32,
) -> (f64, f32) {
    let threads = 2u32;
    let part = move |first: u32| {
        let mut worst = (0.0, 0.0);
        for block in (first * step..1 << 30).step_by((threads * step) as usize) {
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
    parts
        .into_iter()
        .map(|t| t.join().unwrap())
        .fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a })
}

/// Holds a function to its bound, over the inputs that `step` says.
fn check(
    name: &str,
    f: impl Fn(F32x4) -> F32x4 + Copy + Send + 'static,
    exact: fn(f64) -> f64,
    bound: f64,
    step: u32,
) {
    let (error, input) = worst(f, exact, step);
    println!("{name}: worst {error:.4} ulp at {input:e}");
    assert!(error <= bound, "{error} ulp at {input:e}");
    assert!(error > 0.5, "a bound that is never approached is not measured: {error}");
}

pub fn check_exp(step: u32) {
    check("exp", exp::<F32x4>, |x| (-x.abs()).exp(), f32::EXP_ULP, step);
}

pub fn check_exp_m1(step: u32) {
    check("exp_m1", exp_m1::<F32x4>, |x| (-x.abs()).exp_m1(), f32::EXP_M1_ULP, step);
}

pub fn check_log(step: u32) {
    check("log", log::<F32x4>, f64::ln, f32::LOG_ULP, step);
}

pub fn check_log_1p(step: u32) {
    check("log_1p", log_1p::<F32x4>, f64::ln_1p, f32::LOG_1P_ULP, step);
}
