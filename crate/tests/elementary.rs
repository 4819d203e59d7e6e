//! exp, log, log1p and friends against the stated bounds: float32 against float64, and float64
//! against arbitrary precision. The inputs in float32 are a sixty-first of all, fewer on emulated
//! processors; `every_float32.rs` takes them all.
//!
//! Slow in a debug build: run with `--release`.

mod support;

use focal_loss::{
    math::{
        exp::ExpTable,
        log::{LogTable, log, log_1p},
        pow::{POW_ROUNDINGS, UnitPower},
    },
    simd::vector::Vector,
    simd::{F32x4, F64x2},
};
use support::{
    Random,
    exact::Exact,
    float32::{check_exp, check_exp_m1, check_log, check_log_1p, exp, exp_m1},
    sampled, thinning,
};

/// Every so many groups of four neighbours among all inputs in float32: an odd number, so that all
/// bits of an input vary.
fn step() -> u32 {
    (61 * thinning() as u32) | 1
}

#[test]
fn exp_of_float32() {
    check_exp(step());
}

#[test]
fn exp_m1_of_float32() {
    check_exp_m1(step());
}

#[test]
fn log_of_float32() {
    check_log(step());
}

#[test]
fn log_1p_of_float32() {
    check_log_1p(step());
}

/// The worst error of `f` in ULP over random inputs and the input that shows it.
fn worst_float64(
    f: impl Fn(F64x2) -> F64x2,
    exact: impl Fn(&Exact) -> Exact,
    mut input: impl FnMut(&mut Random) -> f64,
) -> (f64, f64) {
    let mut random = Random::new(64);
    let mut worst = (0.0, 0.0);
    for _ in 0..sampled(60_000) {
        let x = input(&mut random);
        let got = f(F64x2::splat(x)).lane(0);
        let expected = exact(&Exact::new(x));
        let exponent = (expected.to_f64().abs().to_bits() >> 52) as i32 - 1023;
        let error = expected.distance(got) / f64::from(exponent.max(-1022) - 52).exp2();
        if error > worst.0 {
            worst = (error, x);
        }
    }
    worst
}

/// A random number in `[low, high)`, every fourth time as a power of two with a random exponent, of
/// either sign.
fn input(low: f64, high: f64) -> impl FnMut(&mut Random) -> f64 {
    move |random| {
        if random.below(4) > 0 {
            return low + (high - low) * random.unit();
        }
        let x = (1.0 + random.unit())
            * 2f64.powi(-(random.below(60) as i32))
            * random.choose(&[1.0, -1.0]);
        x.clamp(low, high)
    }
}

macro_rules! float64 {
    ($name:ident, $function:ident, $exact:expr, $low:expr, $high:expr, $bound:expr) => {
        #[test]
        fn $name() {
            let (error, input) = worst_float64($function::<F64x2>, $exact, input($low, $high));
            println!("{} in float64: worst {error:.4} ulp at {input:e}", stringify!($function));
            assert!(error <= $bound, "{error} ulp at {input:e}");
            assert!(error > 0.5, "a bound that is never approached is not measured: {error}");
        }
    };
}

/// `e^x − 1` without cancellation: by its series near 0.
fn exact_exp_m1(x: &Exact) -> Exact {
    if x.to_f64().abs() > 1e-10 {
        return x.exp() - Exact::new(1.0);
    }
    let third = x.clone() / Exact::new(3.0);
    let half = x.clone() / Exact::new(2.0);
    x.clone() * (Exact::new(1.0) + half * (Exact::new(1.0) + third))
}

float64!(exp_of_float64, exp, Exact::exp, -708.0, 0.0, f64::EXP_ULP);
float64!(exp_m1_of_float64, exp_m1, exact_exp_m1, -40.0, 0.0, f64::EXP_M1_ULP);
float64!(log_of_float64, log, Exact::ln, 1e-300, 10.0, f64::LOG_ULP);
float64!(log_1p_of_float64, log_1p, Exact::ln_1p, -0.999, 10.0, f64::LOG_1P_ULP);

#[test]
fn the_ends_of_float64() {
    let at = |f: fn(F64x2) -> F64x2, x: f64| f(F64x2::splat(x)).lane(1);
    let infinity = f64::INFINITY;
    for f in [exp, exp_m1, log, log_1p] {
        assert!(at(f, f64::NAN).is_nan());
    }
    assert_eq!((at(log, infinity), at(log_1p, infinity)), (infinity, infinity));
    assert_eq!((at(exp, -infinity), at(exp, 0.0), at(exp, -746.0)), (0.0, 1.0, 0.0));
    assert_eq!((at(exp_m1, -infinity), at(exp_m1, -746.0), at(exp_m1, 0.0)), (-1.0, -1.0, 0.0));
    assert_eq!((at(log, 0.0), at(log_1p, -1.0)), (-infinity, -infinity));
    assert!(at(log, -1.0).is_nan() && at(log_1p, -1.5).is_nan());
    assert_eq!((at(log, 1.0), at(log_1p, 0.0)), (0.0, 0.0));
    assert_eq!(at(log, f64::from_bits(1)), -1074.0 * std::f64::consts::LN_2);
    assert!((at(exp, -745.0) / f64::from_bits(1) - 1.0).abs() < 0.01);
}

/// The largest relative error of a power, in units of `roundings · (1 + γ)`.
fn worst_power<V: focal_loss::math::Real>(rounding: f64, smallest: f64) -> f64 {
    use focal_loss::simd::vector::Scalar;
    let mut random = Random::new(3);
    let mut worst: f64 = 0.0;
    for gamma in [0.01, 0.3, 1.0, 2.7, 5.0, 17.3, 100.0] {
        let power = UnitPower::<V>::new(|_| gamma);
        for _ in 0..sampled(4000) {
            let u = V::constant((random.unit() + 1e-9) * 2f64.powi(-(random.below(120) as i32)));
            let exact = Exact::new(u.lane(0).to_f64()).pow(gamma);
            if exact.to_f64() > smallest && u.lane(0).to_f64() > smallest {
                let error = exact.distance(power.of(u).lane(0).to_f64()) / exact.to_f64();
                worst = worst.max(error / (rounding * (1.0 + gamma)));
            }
        }
        assert_eq!(power.of(V::constant(0.0)).lane(0).to_f64(), 0.0);
        assert_eq!(power.of(V::constant(1.0)).lane(0).to_f64(), 1.0);
    }
    worst
}

#[test]
fn powers() {
    let (single, double) =
        (worst_power::<F32x4>(2f64.powi(-24), 2e-38), worst_power::<F64x2>(2f64.powi(-53), 1e-300));
    println!("pow: worst {single:.3} · (1 + γ) roundings in float32, {double:.3} in float64");
    assert!(single.max(double) <= POW_ROUNDINGS && single.min(double) > 0.5, "{single} {double}");
}
