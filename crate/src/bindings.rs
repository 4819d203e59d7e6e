//! What JavaScript calls: numbers in, numbers out, rows through the tile or by their addresses. The only file with `#[wasm_bindgen]`.
//!
//! The TypeScript beside it validates; these functions trust that addresses are those of areas of the tile or of allocated memory,
//! and that rows and classes fit; they check only what JavaScript cannot see all at once: the targets.

use core::{cell::UnsafeCell, ptr, slice};

use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    arch::{F32x4, F64x2},
    kernels::{self, Focal, Problem, Scale},
    loss::focal::{FocusOn, Gamma},
    tile::{AREAS, Area, Counted, ElementsJob, Extras, Job, Places, Tile},
    vector::{Vector, WideSum},
};

/// What a call is asked for, as bits of a number.
mod flag {
    /// Each class, or column, has a weight.
    pub const ALPHA_PER_CLASS: u32 = 1;
    /// Each class has a γ.
    pub const GAMMA_PER_CLASS: u32 = 2;
    /// The focusing looks at the target's own probability.
    pub const FOCUS_TARGET: u32 = 4;
    /// Every class is focused by itself.
    pub const FOCUS_CLASS: u32 = 8;
    /// The index to ignore is meant.
    pub const IGNORE: u32 = 16;
    /// Each row has a weight.
    pub const ROW_WEIGHTS: u32 = 32;
    /// Each row has a factor for its gradient.
    pub const ROW_SCALES: u32 = 64;
    /// The targets are probabilities.
    pub const SOFT: u32 = 128;
    /// Values are wanted.
    pub const VALUES: u32 = 256;
    /// The rows are in float64.
    pub const FLOAT64: u32 = 512;
    /// The rows follow those of the call before.
    pub const CONTINUES: u32 = 1024;
    /// The gradients are the diagonal of the Hessian instead.
    pub const HESSIAN: u32 = 2048;
    /// The Hessian is the Gauss-Newton approximation.
    pub const GAUSS_NEWTON: u32 = 4096;
    /// The values are their derivatives with respect to γ instead.
    pub const GAMMA_GRAD: u32 = 8192;
    /// Each column has a weight of its positives.
    pub const POS_WEIGHT_PER_COLUMN: u32 = 16384;
    /// Nothing is weighed by alpha.
    pub const NO_ALPHA: u32 = 32768;
    /// The loss is the cross-entropy.
    pub const CROSS_ENTROPY: u32 = 65536;
    /// The values go to the meter.
    #[cfg(feature = "analysis")]
    pub const METER: u32 = 131_072;
}

/// The numbers that a loss is made of, as JavaScript writes them: as arguments, engines might have to allocate each of them.
#[derive(Clone, Copy)]
#[repr(C)]
struct Numbers {
    /// Focusing parameter.
    gamma: f64,
    /// ε.
    label_smoothing: f64,
    /// Weight of every class but 1.
    alpha_other: f64,
    /// Weight of class 1, or of positives.
    alpha_one: f64,
    /// Factor of the positive term.
    positive_weight: f64,
    /// The target of what does not count.
    ignored: f64,
    /// The upstream gradient.
    upstream: f64,
    /// What it is divided by.
    denominator: f64,
}

/// The running numbers of a batch, as JavaScript reads them.
#[repr(C)]
struct Totals {
    values: f64,
    rows: f64,
    weights: f64,
}

/// The sums of the values of a batch, by its float type.
enum Sums {
    Float32(<F32x4 as Vector>::Wide),
    Float64(<F64x2 as Vector>::Wide),
}

impl From<<F32x4 as Vector>::Wide> for Sums {
    fn from(sums: <F32x4 as Vector>::Wide) -> Self {
        Self::Float32(sums)
    }
}

impl From<<F64x2 as Vector>::Wide> for Sums {
    fn from(sums: <F64x2 as Vector>::Wide) -> Self {
        Self::Float64(sums)
    }
}

/// The state of the module.
struct Module {
    tile: Tile,
    sums: Option<Sums>,
    numbers: Numbers,
    totals: Totals,
}

struct Shared(UnsafeCell<Module>);

// SAFETY: a WebAssembly instance without threads has one.
unsafe impl Sync for Shared {}

static MODULE: Shared = Shared(UnsafeCell::new(Module {
    tile: Tile::new(),
    sums: None,
    numbers: Numbers {
        gamma: 0.0,
        label_smoothing: 0.0,
        alpha_other: 1.0,
        alpha_one: 1.0,
        positive_weight: 1.0,
        ignored: 0.0,
        upstream: 1.0,
        denominator: 1.0,
    },
    totals: Totals { values: 0.0, rows: 0.0, weights: 0.0 },
}));

/// Runs `f` on the module. No function here calls another, so there is never a second reference.
fn module<T>(f: impl FnOnce(&mut Module) -> T) -> T {
    // SAFETY: one thread, no re-entry.
    f(unsafe { &mut *MODULE.0.get() })
}

/// An index, or −1.
fn index_or_none(index: Option<usize>) -> i32 {
    index.map_or(-1, |i| i as i32)
}

/// The extras that these bits stand for: 1 for probabilities, 2 for the stage, 4 for values, weights and scales for each logit.
const fn extras_of(bits: u32) -> Extras {
    Extras { probabilities: bits & 1 != 0, stage: bits & 2 != 0, elements: bits & 4 != 0 }
}

/// How many bytes the tile takes with room for rows of this size: beside that for all before, or with `anew` for these alone; 0
/// where no memory has as many.
#[wasm_bindgen]
pub fn tile_bytes(element_bytes: usize, classes: usize, extras: u32, anew: bool) -> usize {
    module(|m| m.tile.bytes(element_bytes, classes, extras_of(extras), anew))
}

/// Makes that room, at an address where so many bytes are the tile's; returns how many rows go into the tile.
#[wasm_bindgen]
pub fn lay_out(address: usize, element_bytes: usize, classes: usize, extras: u32, anew: bool) -> usize {
    let memory = ptr::with_exposed_provenance_mut(address);
    // SAFETY: the caller has the memory.
    module(|m| unsafe { m.tile.lay_out(memory, element_bytes, classes, extras_of(extras), anew) })
}

/// Makes the memory larger by so many pages. Returns how many it had, or the largest number where they cannot be had.
#[wasm_bindgen]
pub fn grow(pages: usize) -> usize {
    core::arch::wasm32::memory_grow::<0>(pages)
}

/// Where rows lie. A `grad` of 0 stands for none.
fn places(logits: usize, targets: usize, grad: usize) -> Places {
    Places {
        logits: ptr::with_exposed_provenance(logits),
        targets: ptr::with_exposed_provenance(targets),
        grad: ptr::with_exposed_provenance_mut(grad),
    }
}

/// What lies at an address.
///
/// # Safety
/// So many must have been written there, and stay as they are.
unsafe fn entries<'a, T>(address: usize, count: usize) -> &'a [T] {
    // SAFETY: the caller vouches for them.
    unsafe { slice::from_raw_parts(ptr::with_exposed_provenance(address), count) }
}

/// Where an area of the tile lies; behind the last of them, where the numbers of a loss go, in the order of `Numbers`; and behind
/// those the `Totals`.
#[wasm_bindgen]
pub fn area_address(area: usize) -> usize {
    module(|m| match area.checked_sub(AREAS) {
        None => m.tile.area_address(area).expose_provenance(),
        Some(0) => (&raw mut m.numbers).expose_provenance(),
        Some(_) => (&raw const m.totals).expose_provenance(),
    })
}

/// `$body` with `$V` the vector of the float type that is meant.
macro_rules! by_float {
    ($flags:expr, $V:ident => $body:expr) => {
        if $flags & flag::FLOAT64 != 0 {
            type $V = F64x2;
            $body
        } else {
            type $V = F32x4;
            $body
        }
    };
}

#[cfg(feature = "analysis")]
mod analysis;

/// The float type of a vector.
type Float<V> = <V as Vector>::Scalar;

/// The first of `count` targets that is neither a class nor ignored, or −1 having counted them.
#[wasm_bindgen]
pub fn count_targets(targets: usize, count: usize, classes: usize, flags: u32, ignore_index: i32) -> i32 {
    let ignored = (flags & flag::IGNORE != 0).then_some(ignore_index);
    let weighted = flags & flag::ALPHA_PER_CLASS != 0;
    counting(flags, |tile, counted| {
        // SAFETY: the caller has written the targets and the weights.
        unsafe {
            let targets = entries(targets, count);
            by_float!(flags, V => tile.count_targets::<Float<V>>(targets, classes, ignored, weighted, counted))
        }
    })
}

/// The first row of probabilities that are none, or −1.
#[wasm_bindgen]
pub fn find_invalid_probabilities(probabilities: usize, rows: usize, classes: usize, flags: u32) -> i32 {
    // SAFETY: the caller has written the probabilities.
    let invalid = by_float!(flags, V => unsafe {
        kernels::find_invalid_probabilities::<Float<V>>(entries(probabilities, rows * classes), classes)
    });
    index_or_none(invalid)
}

/// The focal loss or the cross-entropy of rows. Returns −1, or the first row whose target is neither a class nor ignored; then nothing
/// is computed.
#[wasm_bindgen]
pub fn solve(logits: usize, targets: usize, grad: usize, rows: usize, classes: usize, flags: u32) -> i32 {
    let has = |bit: u32| flags & bit != 0;
    module(|m| {
        let Numbers { gamma, label_smoothing, alpha_other, alpha_one, upstream, denominator, ignored, .. } = m.numbers;
        let scale = Scale::new(upstream, denominator);
        let gamma = if has(flag::GAMMA_PER_CLASS) { Gamma::PerClass(m.tile.address(Area::Gammas)) } else { Gamma::All(gamma) };
        let focal = Focal { gamma, label_smoothing, focus_on: focus_on(flags) };
        let problem = if has(flag::CROSS_ENTROPY) {
            Problem::CrossEntropy(label_smoothing)
        } else if has(flag::HESSIAN) {
            Problem::Hessian { of: focal, gauss_newton: has(flag::GAUSS_NEWTON) }
        } else if has(flag::GAMMA_GRAD) {
            Problem::GammaGrad(focal)
        } else {
            Problem::Focal(focal)
        };
        let job = Job {
            places: places(logits, targets, grad),
            problem,
            soft: has(flag::SOFT),
            rows,
            classes,
            weights: (!has(flag::ALPHA_PER_CLASS)).then_some((alpha_other, alpha_one)),
            scale: scale.factor,
            row_weights: has(flag::ROW_WEIGHTS),
            row_scales: has(flag::ROW_SCALES),
            ignored: has(flag::IGNORE).then_some(ignored as i32),
            values: has(flag::VALUES),
            #[cfg(feature = "analysis")]
            meter: None,
        };
        #[cfg(feature = "analysis")]
        if has(flag::METER) {
            return analysis::meter(m, &job, flags);
        }
        // SAFETY: the caller has reserved the tile and written its rows.
        summing(m, flags, |tile, sums| unsafe {
            match sums {
                Sums::Float32(sums) => tile.run::<F32x4>(&job, sums),
                Sums::Float64(sums) => tile.run::<F64x2>(&job, sums),
            }?;
            by_float!(flags, V => scale.finish::<Float<V>>(job.places.grad.cast(), rows * classes));
            Ok(())
        })
    })
}

/// The first of `count` targets of elements that is neither in [0, 1] nor ignored, or −1 having counted them.
#[wasm_bindgen]
pub fn count_elements(targets: usize, count: usize, flags: u32, ignore_index: f64) -> i32 {
    let ignored = (flags & flag::IGNORE != 0).then_some(ignore_index);
    counting(flags, |_, counted| {
        // SAFETY: the caller has written the targets.
        let count = by_float!(flags, V => unsafe {
            kernels::look_over_elements::<Float<V>>(entries(targets, count), ignored)
        });
        counted.rows += count? as f64;
        Ok(())
    })
}

/// The sigmoid focal loss of elements. Returns −1.
#[wasm_bindgen]
pub fn sigmoid(logits: usize, targets: usize, grad: usize, count: usize, columns: usize, flags: u32) -> i32 {
    let has = |bit: u32| flags & bit != 0;
    module(|m| {
        let Numbers { gamma, label_smoothing, alpha_one, positive_weight, ignored, upstream, denominator, .. } = m.numbers;
        let scale = Scale::new(upstream, denominator);
        let job = ElementsJob {
            places: places(logits, targets, grad),
            count,
            columns,
            gamma,
            label_smoothing,
            alpha: (!has(flag::NO_ALPHA)).then_some((!has(flag::ALPHA_PER_CLASS)).then_some(alpha_one)),
            positive_weight: (!has(flag::POS_WEIGHT_PER_COLUMN)).then_some(positive_weight),
            scale: scale.factor,
            row_weights: has(flag::ROW_WEIGHTS),
            row_scales: has(flag::ROW_SCALES),
            ignored: has(flag::IGNORE).then_some(ignored),
            values: has(flag::VALUES),
        };
        #[cfg(feature = "analysis")]
        if has(flag::METER) {
            return analysis::meter_elements(m, &job, flags);
        }
        // SAFETY: the caller has reserved the tile and written its elements.
        summing(m, flags, |tile, sums| unsafe {
            match sums {
                Sums::Float32(sums) => tile.run_elements::<F32x4>(&job, sums),
                Sums::Float64(sums) => tile.run_elements::<F64x2>(&job, sums),
            }
            by_float!(flags, V => scale.finish::<Float<V>>(job.places.grad.cast(), count));
            Ok(())
        })
    })
}

/// Turns the `height × width` numbers at one address into `width × height` at another.
#[wasm_bindgen]
pub fn transpose(from: usize, to: usize, height: usize, width: usize, flags: u32) {
    let (from, to) = (ptr::with_exposed_provenance::<u8>(from), ptr::with_exposed_provenance_mut::<u8>(to));
    // SAFETY: the caller vouches for both areas.
    by_float!(flags, V => unsafe { kernels::transpose::<V>(from.cast(), to.cast(), height, width) });
}

/// Counts by `count`, from nothing or on from the call before.
fn counting(flags: u32, count: impl FnOnce(&mut Tile, &mut Counted) -> Result<(), usize>) -> i32 {
    module(|m| {
        let before = Counted { rows: m.totals.rows, weights: m.totals.weights };
        let mut counted = if flags & flag::CONTINUES != 0 { before } else { Counted::default() };
        let invalid = count(&mut m.tile, &mut counted).err();
        (m.totals.rows, m.totals.weights) = (counted.rows, counted.weights);
        index_or_none(invalid)
    })
}

fn focus_on(flags: u32) -> FocusOn {
    if flags & flag::FOCUS_CLASS != 0 {
        FocusOn::EachClass
    } else if flags & flag::FOCUS_TARGET != 0 {
        FocusOn::Target
    } else {
        FocusOn::Smoothed
    }
}

/// Computes by `compute`, which returns the row that is invalid, and adds up the values, from nothing or on from the call before.
fn summing(m: &mut Module, flags: u32, compute: impl FnOnce(&mut Tile, &mut Sums) -> Result<(), usize>) -> i32 {
    let nothing = by_float!(flags, V => <V as Vector>::Wide::zero().into());
    let before = m.sums.take().filter(|_| flags & flag::CONTINUES != 0);
    let mut sums = before.unwrap_or(nothing);
    let invalid = compute(&mut m.tile, &mut sums).err();
    m.totals.values = match &sums {
        Sums::Float32(sums) => sums.total(),
        Sums::Float64(sums) => sums.total(),
    };
    m.sums = Some(sums);
    index_or_none(invalid)
}
