//! From bytes to numbers, shapes and options.

#![allow(dead_code, reason = "each target takes its share")]

use arbitrary::{Result, Unstructured};
use focal_loss::{Float, FocusOn};

/// Any number: an ordinary one, a special one, or any bits.
pub fn number(u: &mut Unstructured) -> Result<f64> {
    Ok(match u.int_in_range(0..=7)? {
        0 => f64::from_bits(u.arbitrary()?),
        1 => f32::from_bits(u.arbitrary()?).into(),
        2 => *u.choose(&[
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.0,
            -0.0,
            1e30,
            -1e30,
            1e-40,
            5e-324,
        ])?,
        _ => f64::from(u.arbitrary::<i16>()?) / 512.0,
    })
}

/// So many of them.
pub fn numbers<T: Float>(u: &mut Unstructured, count: usize) -> Result<Vec<T>> {
    (0..count).map(|_| number(u).map(T::from_f64)).collect()
}

/// A number that is in range most of the time. Never −0: of class weights of −0, which JavaScript
/// cannot pass, values are −0 too.
pub fn parameter(u: &mut Unstructured, most: f64) -> Result<f64> {
    Ok(match u.int_in_range(0..=15)? {
        0 => number(u)? + 0.0,
        1..=4 => 0.0,
        5 => most,
        _ => most * f64::from(u.arbitrary::<u8>()?) / 256.0,
    })
}

/// So many of them.
pub fn parameters<T: Float>(u: &mut Unstructured, count: usize, most: f64) -> Result<Vec<T>> {
    (0..count)
        .map(|_| parameter(u, most).map(|x| T::from_f64(T::from_f64(x).to_f64() + 0.0)))
        .collect()
}

/// A row of probabilities for so many classes, most of the time.
pub fn probabilities<T: Float>(
    u: &mut Unstructured,
    rows: usize,
    classes: usize,
) -> Result<Vec<T>> {
    let mut all = Vec::with_capacity(rows * classes);
    for _ in 0..rows {
        if u.ratio(1, 50)? {
            all.extend(parameters::<T>(u, classes, 1.0)?);
            continue;
        }
        let mut parts: Vec<f64> =
            (0..classes).map(|_| u.arbitrary::<u8>().map(f64::from)).collect::<Result<_>>()?;
        parts[0] += 1.0;
        let total: f64 = parts.iter().sum();
        all.extend(parts.into_iter().map(|part| T::from_f64(part / total)));
    }
    Ok(all)
}

/// Class indices, now and then one that is none.
pub fn targets(u: &mut Unstructured, rows: usize, classes: usize) -> Result<Vec<i32>> {
    (0..rows)
        .map(|_| {
            if u.ratio(1, 100)? {
                u.arbitrary()
            } else {
                Ok(u.choose_index(classes.max(1))? as i32)
            }
        })
        .collect()
}

/// Numbers of classes that take different ways.
pub fn classes(u: &mut Unstructured) -> Result<usize> {
    Ok(match u.int_in_range(0..=9)? {
        0..=2 => 2,
        3..=7 => u.int_in_range(3..=24)?,
        8 => u.int_in_range(25..=70)?,
        _ => u.int_in_range(71..=300)?,
    })
}

pub fn ignored(u: &mut Unstructured) -> Result<Option<i32>> {
    Ok(if u.ratio(1, 3)? {
        Some(if u.ratio(1, 8)? { u.arbitrary()? } else { u.int_in_range(-1..=3)? })
    } else {
        None
    })
}

pub fn focus_on(u: &mut Unstructured) -> Result<FocusOn> {
    Ok(*u.choose(&[FocusOn::Smoothed, FocusOn::Target, FocusOn::EachClass])?)
}

/// The same bits, any NaN being the same.
pub fn same<T: Float>(a: &[T], b: &[T]) -> bool {
    let bits = |x: &T| x.to_f64().to_bits();
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| bits(a) == bits(b) || (a.to_f64().is_nan() && b.to_f64().is_nan()))
}
