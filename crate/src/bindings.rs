//! What JavaScript calls: numbers in, numbers out, rows through the tile or by their addresses. The only file with `#[wasm_bindgen]`.
//!
//! The TypeScript beside it validates; these functions trust that addresses are those of areas of the tile or of allocated memory,
//! and that rows and classes fit; they check only what JavaScript cannot see all at once: the targets.

use core::{cell::UnsafeCell, ptr, slice};

use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    arch::{F32x4, F64x2},
    kernels::{self, Focal, Problem},
    loss::focal::{FocusOn, Gamma},
    tile::{self, Area, Counted, ElementsJob, Extras, Job, Places, ROWS, Tile},
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
    /// Factor of the gradient.
    scale: f64,
}

/// The running numbers of a batch, as JavaScript reads them.
#[repr(C)]
struct Totals {
    values: f64,
    rows: f64,
    weights: f64,
}

/// The state of the module.
struct Module {
    tile: Tile,
    sums32: Option<<F32x4 as Vector>::Wide>,
    sums64: Option<<F64x2 as Vector>::Wide>,
    numbers: Numbers,
    totals: Totals,
}

struct Shared(UnsafeCell<Module>);

// SAFETY: a WebAssembly instance without threads has one.
unsafe impl Sync for Shared {}

static MODULE: Shared = Shared(UnsafeCell::new(Module {
    tile: Tile::new(),
    sums32: None,
    sums64: None,
    numbers: Numbers {
        gamma: 0.0,
        label_smoothing: 0.0,
        alpha_other: 1.0,
        alpha_one: 1.0,
        positive_weight: 1.0,
        ignored: 0.0,
        scale: 1.0,
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

/// Makes room for rows of this size; returns how many go into the tile, 0 if the memory cannot be had. `extras`: 1 for
/// probabilities, 2 for the stage, 4 for values, weights and scales for each logit.
#[wasm_bindgen]
pub fn reserve(element_bytes: usize, classes: usize, extras: u32) -> usize {
    let extras = Extras { probabilities: extras & 1 != 0, stage: extras & 2 != 0, elements: extras & 4 != 0 };
    module(|m| m.tile.reserve(element_bytes, classes, extras))
}

/// How many class indices there is room for.
#[wasm_bindgen]
pub fn targets_capacity() -> usize {
    ROWS
}

/// Where three float64 stand: the sum of the values, the number of rows that count, the sum of their weights.
#[wasm_bindgen]
pub fn total_address() -> usize {
    module(|m| (&raw const m.totals).expose_provenance())
}

/// Where the numbers of a loss go, in the order of `Numbers`.
#[wasm_bindgen]
pub fn numbers_address() -> usize {
    module(|m| (&raw mut m.numbers).expose_provenance())
}

/// Takes memory for resident arrays, zeros; 0 where it cannot be had.
#[wasm_bindgen]
pub fn allocate(bytes: usize) -> usize {
    tile::allocate(bytes).expose_provenance()
}

/// Gives back what `allocate` gave for as many bytes.
#[wasm_bindgen]
pub fn release(address: usize, bytes: usize) {
    // SAFETY: the caller gives back what it took, and forgets its address.
    unsafe { tile::release(ptr::with_exposed_provenance_mut(address), bytes) }
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

macro_rules! addresses {
    ($($(#[$doc:meta])* $name:ident $area:ident,)*) => {
        $(
            $(#[$doc])*
            #[wasm_bindgen]
            pub fn $name() -> usize {
                module(|m| m.tile.address::<u8>(Area::$area).expose_provenance())
            }
        )*
    };
}

addresses! {
    /// Where the logits go, and the gradients come.
    logits_address Logits,
    /// Where the class indices go.
    targets_address Targets,
    /// Where the values of the rows come.
    values_address Values,
    /// Where the weights of the classes go.
    alpha_address Weights,
    /// Where the probabilities, or the targets of the sigmoid loss, go.
    soft_address Probabilities,
    /// Where logits and gradients with the classes first go and come.
    stage_address Stage,
    /// Where the γ of each class go.
    gammas_address Gammas,
    /// Where the weights of the rows go.
    row_weights_address RowWeights,
    /// Where the factors of the rows' gradients go.
    row_scales_address RowScales,
    /// Where the weights of each column's positives go.
    pos_weights_address PositiveWeights,
}

/// The exports for one float type.
macro_rules! exports {
    (
        $vector:ident, $sums:ident, $count_targets:ident, $find_invalid_probabilities:ident, $focal:ident, $cross_entropy:ident,
        $count_elements:ident, $sigmoid:ident, $gather:ident, $scatter:ident
    ) => {
        /// The first of `count` targets that is neither a class nor ignored, or −1 having counted them.
        #[wasm_bindgen]
        pub fn $count_targets(targets: usize, count: usize, classes: usize, flags: u32, ignore_index: i32) -> i32 {
            let ignored = (flags & flag::IGNORE != 0).then_some(ignore_index);
            let weighted = flags & flag::ALPHA_PER_CLASS != 0;
            counting(flags, |tile, counted| {
                // SAFETY: the caller has written the targets and the weights.
                unsafe {
                    let targets = entries(targets, count);
                    tile.count_targets::<<$vector as Vector>::Scalar>(targets, classes, ignored, weighted, counted)
                }
            })
        }

        /// The first row of probabilities that are none, or −1.
        #[wasm_bindgen]
        pub fn $find_invalid_probabilities(probabilities: usize, rows: usize, classes: usize) -> i32 {
            // SAFETY: the caller has written the probabilities.
            let all = unsafe { entries::<<$vector as Vector>::Scalar>(probabilities, rows * classes) };
            index_or_none(kernels::find_invalid_probabilities(all, classes))
        }

        /// The focal loss of rows. Returns −1, or the first row whose target is neither a class nor ignored; then nothing is
        /// computed.
        #[wasm_bindgen]
        pub fn $focal(logits: usize, targets: usize, grad: usize, rows: usize, classes: usize, flags: u32) -> i32 {
            module(|m| {
                let Numbers { gamma, label_smoothing, alpha_other, alpha_one, .. } = m.numbers;
                let gamma = if flags & flag::GAMMA_PER_CLASS != 0 {
                    Gamma::PerClass(m.tile.address(Area::Gammas))
                } else {
                    Gamma::All(gamma)
                };
                let with = Focal { gamma, label_smoothing, focus_on: focus_on(flags) };
                let problem = if flags & flag::HESSIAN != 0 {
                    Problem::Hessian { of: with, gauss_newton: flags & flag::GAUSS_NEWTON != 0 }
                } else if flags & flag::GAMMA_GRAD != 0 {
                    Problem::GammaGrad(with)
                } else {
                    Problem::Focal(with)
                };
                let places = places(logits, targets, grad);
                let job = job(problem, places, (rows, classes), (alpha_other, alpha_one), m.numbers, flags);
                // SAFETY: the caller has reserved the tile and written its rows.
                unsafe { run::<$vector>(&job, &mut m.tile, &mut m.$sums, &mut m.totals, flags) }
            })
        }

        /// The cross-entropy of rows, likewise.
        #[wasm_bindgen]
        pub fn $cross_entropy(logits: usize, targets: usize, grad: usize, rows: usize, classes: usize, flags: u32) -> i32 {
            module(|m| {
                let problem = Problem::CrossEntropy(m.numbers.label_smoothing);
                let places = places(logits, targets, grad);
                let job = job(problem, places, (rows, classes), (1.0, 1.0), m.numbers, flags);
                // SAFETY: the caller has reserved the tile and written its rows.
                unsafe { run::<$vector>(&job, &mut m.tile, &mut m.$sums, &mut m.totals, flags) }
            })
        }

        /// The first of `count` targets of elements that is neither in [0, 1] nor ignored, or −1 having counted them.
        #[wasm_bindgen]
        pub fn $count_elements(targets: usize, count: usize, flags: u32, ignore_index: f64) -> i32 {
            let ignored = (flags & flag::IGNORE != 0).then_some(ignore_index);
            counting(flags, |_, counted| {
                // SAFETY: the caller has written the targets.
                let all = unsafe { entries::<<$vector as Vector>::Scalar>(targets, count) };
                counted.rows += kernels::look_over_elements(all, ignored)? as f64;
                Ok(())
            })
        }

        /// The sigmoid focal loss of elements.
        #[wasm_bindgen]
        pub fn $sigmoid(logits: usize, targets: usize, grad: usize, count: usize, columns: usize, flags: u32) -> i32 {
            let has = |bit: u32| flags & bit != 0;
            module(|m| {
                let Numbers { gamma, label_smoothing, alpha_one, positive_weight, ignored, scale, .. } = m.numbers;
                let job = ElementsJob {
                    places: places(logits, targets, grad),
                    count,
                    columns,
                    gamma,
                    label_smoothing,
                    alpha: (!has(flag::NO_ALPHA)).then_some((!has(flag::ALPHA_PER_CLASS)).then_some(alpha_one)),
                    positive_weight: (!has(flag::POS_WEIGHT_PER_COLUMN)).then_some(positive_weight),
                    scale,
                    row_weights: has(flag::ROW_WEIGHTS),
                    row_scales: has(flag::ROW_SCALES),
                    ignored: has(flag::IGNORE).then_some(ignored),
                    values: has(flag::VALUES),
                };
                let mut sums = start::<$vector, _>(m.$sums, flags);
                // SAFETY: the caller has reserved the tile and written its elements.
                unsafe { m.tile.run_elements::<$vector>(&job, &mut sums) };
                m.$sums = Some(sums);
                m.totals.values = sums.total();
                -1
            })
        }

        /// The stage, `classes × count`, into the logits, `count × classes`.
        #[wasm_bindgen]
        pub fn $gather(count: usize, classes: usize) {
            // SAFETY: the caller has written the stage.
            module(|m| unsafe { m.tile.transpose::<$vector>(Area::Stage, Area::Logits, classes, count) });
        }

        /// The logits, `count × classes`, into the stage, `classes × count`.
        #[wasm_bindgen]
        pub fn $scatter(count: usize, classes: usize) {
            // SAFETY: the caller has written the logits.
            module(|m| unsafe { m.tile.transpose::<$vector>(Area::Logits, Area::Stage, count, classes) });
        }
    };
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

fn job(
    problem: Problem,
    places: Places,
    (rows, classes): (usize, usize),
    weights: (f64, f64),
    numbers: Numbers,
    flags: u32,
) -> Job {
    let has = |bit: u32| flags & bit != 0;
    Job {
        places,
        problem,
        soft: has(flag::SOFT),
        rows,
        classes,
        weights: (!has(flag::ALPHA_PER_CLASS)).then_some(weights),
        scale: numbers.scale,
        row_weights: has(flag::ROW_WEIGHTS),
        row_scales: has(flag::ROW_SCALES),
        ignored: has(flag::IGNORE).then_some(numbers.ignored as i32),
        values: has(flag::VALUES),
    }
}

/// Runs `job` on the tile and adds up the values, from nothing or on from the call before.
///
/// # Safety
/// As for [`Tile::run`].
unsafe fn run<V: Vector>(job: &Job, tile: &mut Tile, sums: &mut Option<V::Wide>, totals: &mut Totals, flags: u32) -> i32 {
    let mut running = start::<V, _>(*sums, flags);
    // SAFETY: passed on.
    let invalid = unsafe { tile.run::<V>(job, &mut running) }.err();
    *sums = Some(running);
    totals.values = running.total();
    index_or_none(invalid)
}

/// The sums to go on from.
fn start<V, W: WideSum<V>>(sums: Option<W>, flags: u32) -> W {
    sums.filter(|_| flags & flag::CONTINUES != 0).unwrap_or_else(W::zero)
}

exports! {
    F32x4, sums32, count_targets_f32, find_invalid_probabilities_f32, focal_f32, cross_entropy_f32, count_elements_f32, sigmoid_f32,
    gather_f32, scatter_f32
}
exports! {
    F64x2, sums64, count_targets_f64, find_invalid_probabilities_f64, focal_f64, cross_entropy_f64, count_elements_f64, sigmoid_f64,
    gather_f64, scatter_f64
}
