//! Focusing factors: multiplication by `u^γ`.

use super::{guards::plus_zero, softmax::RowLoss};
use crate::{
    math::{Real, pow::UnitPower},
    simd::vector::Scalar,
};

/// The focusing parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gamma {
    /// One for all rows.
    All(f64),
    /// That of the row's target class.
    PerClass(*const f64),
}

impl Default for Gamma {
    fn default() -> Self {
        Self::All(0.0)
    }
}

/// From here on every focusing factor but that of 1 is 0, in float32 and in float64; and both have
/// room for what it is multiplied with.
pub(crate) const LARGEST_GAMMA: f64 = 1e20;

/// Up to here, multiplying is both faster and more exact than a general power.
pub const LARGEST_PRODUCT: f64 = 8.0;

/// Multiplication by the focusing factor `u^γ`.
pub trait Focusing<V: Real>: Copy {
    /// `x·u^γ` for each `x`; `0⁰ = 1`.
    fn focus<const N: usize>(self, x: [V; N], u: V) -> [V; N];
    /// The focusing of a group of rows with these targets, and its `γ`, where they depend on them.
    ///
    /// # Safety
    /// `targets` must be valid for reading [`Vector::LANES`](crate::simd::vector::Vector::LANES)
    /// classes.
    #[inline(always)]
    unsafe fn of_rows(self, _targets: *const i32) -> (Self, Option<V>) {
        (self, None)
    }
}

/// γ = 2, the default.
#[derive(Clone, Copy, Debug)]
pub struct Square;

impl<V: Real> Focusing<V> for Square {
    #[inline(always)]
    fn focus<const N: usize>(self, x: [V; N], u: V) -> [V; N] {
        x.map(|x| x.mul(u).mul(u))
    }
}

/// Any γ ≥ 0.
#[derive(Clone, Copy, Debug)]
pub enum Power<V> {
    /// A small multiple of ½, by multiplication and a square root.
    Halves {
        /// The whole part.
        whole: u32,
        /// True if ½ is left.
        half: bool,
    },
    /// The power of γ/2, applied twice, which doubles the range before it underflows.
    Real(UnitPower<V>),
    /// One for each target class.
    PerClass(*const f64),
}

impl<V: Real> Power<V> {
    /// The way to raise to `gamma`, finite numbers ≥ 0.
    #[inline(never)]
    pub fn new(gamma: Gamma) -> Self {
        let gamma = match gamma {
            Gamma::All(gamma) => gamma,
            Gamma::PerClass(table) => return Self::PerClass(table),
        };
        let halves = gamma * 2.0;
        if gamma <= LARGEST_PRODUCT && halves == halves.trunc() {
            let halves = halves as u32;
            Self::Halves { whole: halves / 2, half: halves % 2 == 1 }
        } else {
            Self::Real(UnitPower::new(|_| gamma / 2.0))
        }
    }
}

impl<V: Real> Focusing<V> for Power<V> {
    #[inline(always)]
    fn focus<const N: usize>(self, mut x: [V; N], u: V) -> [V; N] {
        match self {
            Self::Halves { whole, half } => {
                for _ in 0..whole {
                    x = x.map(|x| x.mul(u));
                }
                if half {
                    let root = u.sqrt();
                    x = x.map(|x| x.mul(root));
                }
                x
            }
            Self::Real(power) => {
                let root = power.of(u);
                x.map(|x| x.mul(root).mul(root))
            }
            Self::PerClass(_) => {
                debug_assert!(false, "a group of rows has its own powers, see of_rows");
                x
            }
        }
    }

    #[inline(always)]
    unsafe fn of_rows(self, targets: *const i32) -> (Self, Option<V>) {
        let Self::PerClass(table) = self else { return (self, None) };
        // SAFETY: the caller vouches for the targets, and there is a γ for every class.
        let gamma = |i: usize| unsafe { *table.add(*targets.add(i) as usize) };
        let each = V::from_lanes(|i| V::Scalar::from_f64(gamma(i).min(LARGEST_GAMMA)));
        (Self::Real(UnitPower::new(|i| gamma(i) / 2.0)), Some(each))
    }
}

/// A power that is still to be raised to, see [`RowLoss::focused`].
#[derive(Clone, Copy, Debug)]
pub struct Later<'a, V>(pub &'a Power<V>);

impl<V: Real> Focusing<V> for Later<'_, V> {
    #[inline(always)]
    fn focus<const N: usize>(self, x: [V; N], _u: V) -> [V; N] {
        x
    }

    #[inline(always)]
    unsafe fn of_rows(self, targets: *const i32) -> (Self, Option<V>) {
        // SAFETY: passed on.
        (self, unsafe { self.0.of_rows(targets) }.1)
    }
}

impl<V: Real> RowLoss<V> {
    /// The focusing that was left for [`Later`].
    #[inline(always)]
    pub fn focused(self, power: Power<V>) -> Self {
        let [value, target, common] =
            power.focus([self.value, self.target, self.common], self.one_minus_pt);
        Self { value, target: plus_zero(target), common, one_minus_pt: self.one_minus_pt }
    }
}
