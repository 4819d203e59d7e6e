//! The functions that the module exports: numbers in, numbers out.

use core::{
    arch::wasm32::memory_grow,
    cell::UnsafeCell,
    ptr::{with_exposed_provenance as at, with_exposed_provenance_mut as at_mut},
};

use wasm_bindgen::prelude::wasm_bindgen;

use super::state::State;
use crate::{
    math,
    simd::{F32x4, F64x2},
};

struct Shared(UnsafeCell<State>);

// SAFETY: a WebAssembly instance without threads has one.
unsafe impl Sync for Shared {}

static STATE: Shared = Shared(UnsafeCell::new(State::new()));

/// The state of the module.
///
/// # Safety
/// The reference must end with the function that asks for it; no exported function calls another.
pub(super) unsafe fn state() -> &'static mut State {
    // SAFETY: passed on; there is one thread.
    unsafe { &mut *STATE.0.get() }
}

/// Exports functions. The caller of all of them has laid out the tile, and written what it names.
macro_rules! export {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $body:expr;)*) => {
        $(
            $(#[$doc])*
            #[wasm_bindgen]
            #[allow(clippy::too_many_arguments, reason = "a call is cheaper than memory")]
            pub fn $name($($argument: $type),*) $(-> $result)? {
                // SAFETY: the caller vouches for what lies at the addresses; one has the state.
                unsafe { $body }
            }
        )*
    };
}
#[cfg(feature = "analysis")]
pub(super) use export;

/// Makes the memory larger by so many pages. Returns how many it had, or the largest number where
/// they cannot be had.
#[wasm_bindgen]
pub fn grow(pages: usize) -> usize {
    memory_grow::<0>(pages)
}

/// A test whether the processor flushes subnormals, in any of the two types: see
/// [`math::flushes_subnormals`]. `half` is 0.5.
#[wasm_bindgen]
pub fn flushes_subnormals(half: f64) -> bool {
    math::flushes_subnormals::<F32x4>(half) || math::flushes_subnormals::<F64x2>(half)
}

export! {
    /// See [`Tile::bytes`](super::Tile::bytes).
    tile_bytes(element_bytes: usize, classes: usize, extras: u32, anew: bool) -> usize =
        state().tile.bytes(element_bytes, classes, extras, anew);

    /// See [`Tile::lay_out`](super::Tile::lay_out).
    lay_out(address: usize, element_bytes: usize, classes: usize, extras: u32, anew: bool) -> usize =
        state().tile.lay_out(at_mut(address), element_bytes, classes, extras, anew);

    /// See [`State::address`].
    area_address(area: usize) -> usize = state().address(area).expose_provenance();

    /// See [`State::count_targets`].
    count_targets(targets: usize, count: usize, classes: usize, flags: u32, ignore_index: i32) -> i32 =
        state().count_targets(at(targets), count, classes, flags, ignore_index);

    /// See [`State::count_elements`].
    count_elements(targets: usize, count: usize, flags: u32, ignore_index: f64) -> i32 =
        state().count_elements(at(targets), count, flags, ignore_index);

    /// See [`State::find_invalid_probabilities`].
    find_invalid_probabilities(probabilities: usize, rows: usize, classes: usize, flags: u32) -> i32 =
        State::find_invalid_probabilities(at(probabilities), rows, classes, flags);

    /// See [`State::solve`].
    solve(logits: usize, targets: usize, grad: usize, rows: usize, classes: usize, flags: u32) -> i32 =
        state().solve(at(logits), at(targets), at_mut(grad), rows, classes, flags);

    /// See [`State::sigmoid`].
    sigmoid(logits: usize, targets: usize, grad: usize, count: usize, columns: usize, flags: u32) -> i32 =
        state().sigmoid(at(logits), at(targets), at_mut(grad), count, columns, flags);

    /// See [`State::transpose`].
    transpose(from: usize, to: usize, height: usize, width: usize, flags: u32) =
        State::transpose(at(from), at_mut(to), height, width, flags);
}
