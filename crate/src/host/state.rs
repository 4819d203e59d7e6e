//! The state of a module between calls.

use core::ptr;

#[cfg(feature = "analysis")]
use super::meter::Meter;
use super::{
    abi::{Numbers, Totals, area},
    tile::Tile,
};
use crate::{
    kernels::Total,
    math::Real,
    simd::{F32x4, F64x2},
};

/// The state of a module: one, in WebAssembly; tests have their own.
pub struct State {
    /// The memory for rows.
    pub tile: Tile,
    /// The numbers of the loss at hand.
    pub numbers: Numbers,
    /// The running numbers of the batch at hand.
    pub totals: Totals,
    /// The sums of its values, by the float type of its rows.
    sums: (Total<F32x4>, Total<F64x2>),
    /// The sums that no rounding has touched.
    #[cfg(feature = "analysis")]
    pub meter: Meter,
}

impl State {
    /// A state without memory for rows.
    pub const fn new() -> Self {
        Self {
            tile: Tile::new(),
            numbers: Numbers::ZERO,
            totals: Totals::ZERO,
            sums: (Total::ZERO, Total::ZERO),
            #[cfg(feature = "analysis")]
            meter: Meter::new(),
        }
    }

    /// The address of an area of the tile, or of a record behind the last of them.
    pub fn address(&mut self, area: usize) -> *mut u8 {
        match area {
            area::NUMBERS => (&raw mut self.numbers).cast(),
            area::TOTALS => (&raw mut self.totals).cast(),
            _ => self.tile.address(area),
        }
    }

    /// The address of an area that the call has if it has the bit, and else null.
    pub(super) fn address_if<T>(&self, flags: u32, bit: u32, area: usize) -> *mut T {
        if flags & bit != 0 { self.tile.address(area).cast() } else { ptr::null_mut() }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

/// A vector of rows that a host has.
pub trait HostVector: Real {
    /// The total that the values of a call go into.
    fn total(state: &mut State) -> &mut Total<Self>;
    /// The exact sum that they go into instead.
    #[cfg(feature = "analysis")]
    fn exact(meter: &mut Meter) -> &mut dyn crate::kernels::Sink<Self>;
}

/// Implements [`HostVector`] for the vectors of one of the sums.
macro_rules! host_vector {
    ($vector:ty, $sum:tt) => {
        impl HostVector for $vector {
            fn total(state: &mut State) -> &mut Total<Self> {
                &mut state.sums.$sum
            }

            #[cfg(feature = "analysis")]
            fn exact(meter: &mut Meter) -> &mut dyn crate::kernels::Sink<Self> {
                &mut meter.values
            }
        }
    };
}

host_vector!(F32x4, 0);
host_vector!(F64x2, 1);
