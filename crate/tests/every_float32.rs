//! The elementary functions in float32 against float64, over all 2³² inputs: a minute each on two
//! cores. `cargo test` leaves it out, and runs a sample (`elementary.rs`); `cargo test --release
//! --test every_float32` runs it.

mod support;

use support::float32::{check_exp, check_exp_m1, check_log, check_log_1p};

#[test]
fn exp_of_every_float32() {
    check_exp(1);
}

#[test]
fn exp_m1_of_every_float32() {
    check_exp_m1(1);
}

#[test]
fn log_of_every_float32() {
    check_log(1);
}

#[test]
fn log_1p_of_every_float32() {
    check_log_1p(1);
}
