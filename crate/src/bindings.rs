//! What JavaScript calls: numbers in, numbers out, rows through the tile. The only file with `#[wasm_bindgen]`.
//!
//! The TypeScript beside it validates; these functions trust that rows and classes fit the tile, and check only what another
//! thread could change under them: the targets.

use core::cell::UnsafeCell;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    arch::{F32x4, F64x2},
    kernels::Focal,
    loss::focal::{FocusOn, Gamma},
    tile::{Job, TARGETS, Tile},
    vector::{Vector, WideSum},
};

/// The state of the module.
struct Module {
    tile: Tile,
    sums32: Option<<F32x4 as Vector>::Wide>,
    sums64: Option<<F64x2 as Vector>::Wide>,
    total: f64,
}

struct Shared(UnsafeCell<Module>);

// SAFETY: a WebAssembly instance without threads has one.
unsafe impl Sync for Shared {}

static MODULE: Shared = Shared(UnsafeCell::new(Module { tile: Tile::new(), sums32: None, sums64: None, total: 0.0 }));

/// Runs `f` on the module. No function here calls another, so there is never a second reference.
fn module<T>(f: impl FnOnce(&mut Module) -> T) -> T {
    // SAFETY: one thread, no re-entry.
    f(unsafe { &mut *MODULE.0.get() })
}

/// An index, or −1.
fn index_or_none(index: Option<usize>) -> i32 {
    index.map_or(-1, |i| i as i32)
}

/// Makes room for rows of this size; returns how many go into the tile, 0 if the memory cannot be had.
#[wasm_bindgen]
pub fn reserve(element_bytes: usize, classes: usize) -> usize {
    module(|m| m.tile.reserve(element_bytes, classes))
}

/// Where the logits go, and the gradients come.
#[wasm_bindgen]
pub fn logits_address() -> usize {
    module(|m| m.tile.logits::<u8>().addr())
}

/// Where the class indices go.
#[wasm_bindgen]
pub fn targets_address() -> usize {
    module(|m| m.tile.targets().addr())
}

/// How many class indices there is room for.
#[wasm_bindgen]
pub fn targets_capacity() -> usize {
    TARGETS
}

/// Where the values of the rows come.
#[wasm_bindgen]
pub fn values_address() -> usize {
    module(|m| m.tile.values::<u8>().addr())
}

/// Where weights of the classes go.
#[wasm_bindgen]
pub fn alpha_address() -> usize {
    module(|m| m.tile.weights::<u8>().addr())
}

/// Where the sum of the values stands, a float64.
#[wasm_bindgen]
pub fn total_address() -> usize {
    module(|m| (&raw const m.total).addr())
}

/// The first of `count` targets in the tile that is not in `[0, classes)`, or −1.
#[wasm_bindgen]
pub fn find_invalid_target(count: usize, classes: usize) -> i32 {
    // SAFETY: the caller has written `count` targets.
    module(|m| index_or_none(unsafe { m.tile.find_invalid_target(count, classes) }))
}

macro_rules! focal {
    ($name:ident, $vector:ty, $sums:ident) => {
        /// The focal loss of the rows in the tile. `mode`: 1 asks for values, 2 for gradients, 3 for both. Returns −1, or the first
        /// row whose target is not in `[0, classes)`; then nothing is computed.
        #[wasm_bindgen]
        #[allow(clippy::too_many_arguments, reason = "numbers cross into WebAssembly at no cost, objects do not")]
        pub fn $name(
            rows: usize,
            classes: usize,
            alpha_other: f64,
            alpha_one: f64,
            alpha_per_class: bool,
            gamma: f64,
            label_smoothing: f64,
            scale: f64,
            mode: u32,
            continues: bool,
        ) -> i32 {
            module(|m| {
                let job = Job {
                    rows,
                    classes,
                    weights: (!alpha_per_class).then_some((alpha_other, alpha_one)),
                    focal: Focal { gamma: Gamma::All(gamma), label_smoothing, focus_on: FocusOn::Smoothed },
                    scale,
                    grad: mode & 2 != 0,
                    values: mode & 1 != 0,
                };
                let zero = <$vector as Vector>::Wide::zero();
                let mut sums = if continues { m.$sums.unwrap_or(zero) } else { zero };
                // SAFETY: the caller has reserved the tile and written its rows.
                let invalid = unsafe { m.tile.run::<$vector>(&job, &mut sums) }.err();
                m.$sums = Some(sums);
                m.total = sums.total();
                index_or_none(invalid)
            })
        }
    };
}

focal!(focal_f32, F32x4, sums32);
focal!(focal_f64, F64x2, sums64);
