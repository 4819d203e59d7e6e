//! What JavaScript calls of the module that can do more: softmax, sweeps, exact sums.

use core::{cell::UnsafeCell, ptr, slice};

use wasm_bindgen::prelude::wasm_bindgen;

use super::{Float, Module, entries, flag, index_or_none, module};
use crate::{
    arch::{F32x4, F64x2},
    exact::{Adder, BLOCK, ExactSum, Meter, Summand},
    kernels::{self, Elements, Look, PerColumn, Rows, Sweep, SweepSize, Wanted, Weights},
    math::log::log,
    tile::{Area, ElementsJob, Job, Places},
    vector::{Scalar, Vector, WideSum},
};

/// Rows that a job is taken in, where it has more: so many values have room. The same number is in ../tile.rs.
const STEP: usize = 4096;

/// What has gone to the meter, as JavaScript reads it.
#[derive(Debug)]
#[repr(C)]
struct Seen {
    /// The values of the rows.
    values: ExactSum,
    /// The weights of their classes, if these are what a mean divides by.
    weights: ExactSum,
    /// How many rows count.
    rows: i64,
}

impl State {
    /// Has the meter begin with nothing, unless a job continues another.
    fn begin(&mut self, flags: u32) {
        if flags & flag::CONTINUES == 0 {
            (self.seen, self.values, self.weights) = (Seen::nothing(), Adder::new(), Adder::new());
        }
    }
}

impl Seen {
    const fn nothing() -> Self {
        Self { values: ExactSum::new(), weights: ExactSum::new(), rows: 0 }
    }
}

/// The state of this part of the module.
struct State {
    seen: Seen,
    values: Adder,
    weights: Adder,
}

struct Shared(UnsafeCell<State>);

// SAFETY: a WebAssembly instance without threads has one.
unsafe impl Sync for Shared {}

static STATE: Shared = Shared(UnsafeCell::new(State { seen: Seen::nothing(), values: Adder::new(), weights: Adder::new() }));

/// Runs `f` on the state. No function that is given to it asks for it again.
fn state<T>(f: impl FnOnce(&mut State) -> T) -> T {
    // SAFETY: one thread, no re-entry.
    f(unsafe { &mut *STATE.0.get() })
}

/// Where to read what has gone to the meter since a job that did not continue another: digits, how
/// many were NaN, and how many infinite, of the values and then of the weights; how many rows
/// count.
#[wasm_bindgen]
pub fn meter_end() -> usize {
    state(|s| {
        s.seen.values.clone_from(s.values.sum());
        s.seen.weights.clone_from(s.weights.sum());
        (&raw const s.seen).expose_provenance()
    })
}

/// The softmax of rows in the tile, in their place: 0 for probabilities, 1 for their logarithms; 2 for nothing but the probability of
/// the likeliest class, in place of values. The likeliest classes are in place of the targets.
#[wasm_bindgen]
pub fn softmax(rows: usize, classes: usize, wanted: u32, flags: u32) {
    let wanted = match wanted {
        0 => Wanted::Probabilities,
        1 => Wanted::Logarithms,
        _ => Wanted::Confidence,
    };
    module(|m| {
        let (likeliest, values) = (m.tile.address(Area::Targets), m.tile.address::<u8>(Area::Values));
        let logits = m.tile.address::<u8>(Area::Logits);
        // SAFETY: the caller has reserved the tile and written its rows.
        by_float!(flags, V => unsafe {
            kernels::shares::<V>(logits.cast(), (rows, classes), likeliest, values.cast(), wanted);
        });
    });
}

/// The natural logarithms of the first so many float64 numbers in the tile's place of logits, in
/// their place.
#[wasm_bindgen]
pub fn logarithms(count: usize) {
    module(|m| {
        // SAFETY: the caller has reserved the tile and written its numbers.
        let numbers = unsafe { slice::from_raw_parts_mut(m.tile.address::<f64>(Area::Logits), count) };
        for lanes in numbers.chunks_mut(F64x2::LANES) {
            let logarithms = log(F64x2::from_lanes(|i| lanes.get(i).copied().unwrap_or(1.0)));
            for (i, number) in lanes.iter_mut().enumerate() {
                *number = logarithms.lane(i);
            }
        }
    });
}

/// The focal loss for every γ, ε and weighting at once. Returns −1, or the first row whose target is neither a class nor ignored; then
/// nothing is computed. At the address `room` there must be what [`sweeping`] says.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments, reason = "a call is cheaper than memory")]
pub fn sweep(
    logits: usize,
    targets: usize,
    rows: usize,
    classes: usize,
    flags: u32,
    gammas: usize,
    smoothings: usize,
    weightings: usize,
    room: usize,
) -> i32 {
    let size = SweepSize { gammas, smoothings, weightings };
    let has = |bit: u32| flags & bit != 0;
    let memory = ptr::with_exposed_provenance_mut::<f64>(room);
    module(|m| {
        let ignored = has(flag::IGNORE).then_some(m.numbers.ignored as i32);
        if !has(flag::SOFT) {
            // SAFETY: the caller has written the targets.
            let targets = unsafe { entries(targets, rows) };
            if let Look::Invalid(row) = kernels::look_over(targets, classes, ignored) {
                return index_or_none(Some(row));
            }
        }
        let row_weights = if has(flag::ROW_WEIGHTS) { m.tile.address::<u8>(Area::RowWeights) } else { ptr::null_mut() };
        let values = m.tile.address::<u8>(Area::Values);
        // What is soft has a value for each of its rows.
        let step = if has(flag::SOFT) { STEP } else { rows.max(1) };
        // SAFETY: the caller has written the rows and the sweep; the targets have been checked.
        by_float!(flags, V => unsafe {
            sweeping::<V>(memory, size, |sweep| {
                let mut counted = 0;
                for start in (0..rows).step_by(step) {
                    let logits = ptr::with_exposed_provenance::<Float<V>>(logits).wrapping_add(start * classes);
                    let rows = Rows {
                        logits,
                        targets: if has(flag::SOFT) { ptr::null() } else { ptr::with_exposed_provenance(targets) },
                        grad: ptr::null_mut(),
                        values: ptr::null_mut(),
                        rows: step.min(rows - start),
                        classes,
                        weights: Weights::none(),
                        row_weights: row_weights.cast_const().cast(),
                        scale: Float::<V>::from_f64(1.0),
                        row_scales: ptr::null(),
                        ignored,
                        meter: None,
                    };
                    let soft = if has(flag::SOFT) {
                        ptr::with_exposed_provenance::<Float<V>>(targets).wrapping_add(start * classes)
                    } else {
                        ptr::null()
                    };
                    counted += sweep.run(&rows, soft, values.cast());
                }
                counted
            });
        });
        -1
    })
}

/// The same for the sigmoid focal loss of elements, whose targets have been looked over.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments, reason = "a call is cheaper than memory")]
pub fn sweep_elements(
    logits: usize,
    targets: usize,
    count: usize,
    columns: usize,
    flags: u32,
    gammas: usize,
    smoothings: usize,
    weightings: usize,
    room: usize,
) {
    let size = SweepSize { gammas, smoothings, weightings };
    let has = |bit: u32| flags & bit != 0;
    let memory = ptr::with_exposed_provenance_mut::<f64>(room);
    module(|m| {
        let weights = if has(flag::ROW_WEIGHTS) { m.tile.address::<u8>(Area::RowWeights) } else { ptr::null_mut() };
        let positive_weight = if has(flag::POS_WEIGHT_PER_COLUMN) {
            PerColumn::Each(m.tile.address(Area::PositiveWeights))
        } else {
            PerColumn::All(m.numbers.positive_weight)
        };
        // SAFETY: the caller has written the elements and the sweep.
        by_float!(flags, V => unsafe {
            let elements = Elements::<Float<V>> {
                logits: ptr::with_exposed_provenance(logits),
                targets: ptr::with_exposed_provenance(targets),
                grad: ptr::null_mut(),
                values: ptr::null_mut(),
                count,
                columns,
                gamma: 0.0,
                label_smoothing: 0.0,
                alpha: None,
                positive_weight,
                weights: weights.cast_const().cast(),
                scale: 1.0,
                scales: ptr::null(),
                ignored: has(flag::IGNORE).then_some(m.numbers.ignored),
            };
            sweeping::<V>(memory, size, |sweep| sweep.run_elements(&elements));
        });
    });
}

/// Has `run` add to the sums of a sweep, and return how many rows count. At `memory` there must be,
/// all in eight bytes a number: the state of each sum so far, four, zeros at first; room for the
/// weights of a block, 64 for each weighting; out, each sum; how many rows counted so far, to which
/// those that count are added; each γ; each ε; each weighting; and the weights of the classes, by
/// tables.
///
/// # Safety
/// There must be all that.
unsafe fn sweeping<V: Vector>(memory: *mut f64, size: SweepSize, run: impl FnOnce(&Sweep<V>) -> usize) {
    let sums = size.sums();
    let totals = memory.wrapping_add(4 * sums + 64 * size.weightings);
    let counted = totals.wrapping_add(sums);
    let gammas = counted.wrapping_add(1);
    let smoothings = gammas.wrapping_add(size.gammas);
    let weightings = smoothings.wrapping_add(size.smoothings);
    let sweep = Sweep::<V> {
        size,
        gammas,
        smoothings,
        weightings,
        tables: weightings.wrapping_add(size.weightings),
        sums: memory.cast(),
        weights: memory.wrapping_add(4 * sums).cast(),
    };
    let rows = run(&sweep);
    // SAFETY: passed on.
    unsafe {
        *counted += rows as f64;
        for i in 0..sums {
            totals.add(i).write((*sweep.sums.add(i)).total());
        }
    }
}

/// Adds the values of the rows of a job to those of the meter. Returns −1, or the first row whose target is neither a class nor ignored;
/// what is in the meter is worthless then.
pub(super) fn meter(m: &mut Module, job: &Job, flags: u32) -> i32 {
    let has = |bit: u32| flags & bit != 0;
    state(|s| {
        s.begin(flags);
        let values = &raw mut s.values;
        let invalid = by_float!(flags, V => {
            let job = Job { meter: Some(Meter::new::<Float<V>>(values)), ..*job };
            // SAFETY: the caller has reserved the tile and written its rows.
            unsafe { m.tile.run::<V>(&job, &mut WideSum::<V>::zero()) }.err()
        });
        if invalid.is_some() {
            return index_or_none(invalid);
        }
        let mut rows = job.rows;
        if !job.soft {
            // SAFETY: the caller has written the targets, of which all are classes or ignored.
            let targets = unsafe { slice::from_raw_parts(job.places.targets.cast::<i32>(), rows) };
            if let (Some(_), Look::Counted(counted)) = (job.ignored, kernels::look_over(targets, job.classes, job.ignored)) {
                rows = counted;
            }
            if has(flag::CROSS_ENTROPY) && has(flag::ALPHA_PER_CLASS) {
                by_float!(flags, V => {
                    let weights = m.tile.address::<Float<V>>(Area::Weights);
                    // SAFETY: every target that is not ignored is a class, and has a weight.
                    let weight = |&target: &i32| unsafe { *weights.add(target as usize) };
                    add_weights(&mut s.weights, targets.iter().filter(|&&target| Some(target) != job.ignored).map(weight));
                });
            }
        }
        s.seen.rows += rows as i64;
        -1
    })
}

/// Adds numbers, of which a block at a time is collected.
fn add_weights<T: Summand>(adder: &mut Adder, mut weights: impl Iterator<Item = T>) {
    let mut block = [T::default(); BLOCK];
    loop {
        let mut n = 0;
        for (to, weight) in block.iter_mut().zip(&mut weights) {
            *to = weight;
            n += 1;
        }
        if n == 0 {
            return;
        }
        adder.add_all(block.get(..n).unwrap_or_default());
    }
}

/// The same for elements.
pub(super) fn meter_elements(m: &mut Module, job: &ElementsJob, flags: u32) -> i32 {
    // Each has a value, for which there is room in the tile: for whole rows of columns, where more is there than goes into it.
    let columns = job.columns.max(1);
    let step = (STEP / columns).max(1) * columns;
    state(|s| {
        s.begin(flags);
        by_float!(flags, V => {
            let element = size_of::<Float<V>>();
            for start in (0..job.count).step_by(step.max(1)) {
                let count = step.min(job.count - start);
                let Places { logits, targets, .. } = job.places;
                let behind = |address: *const u8| address.wrapping_add(start * element);
                let places = Places { logits: behind(logits), targets: behind(targets), grad: ptr::null_mut() };
                // SAFETY: the caller has reserved the tile and written its elements.
                unsafe {
                    let part = ElementsJob { places, count, values: true, ..*job };
                    m.tile.run_elements::<V>(&part, &mut WideSum::<V>::zero());
                    let values = m.tile.address::<Float<V>>(Area::Values);
                    s.values.add_all(slice::from_raw_parts(values, count));
                    let targets = slice::from_raw_parts(places.targets.cast::<Float<V>>(), count);
                    s.seen.rows += kernels::look_over_elements(targets, job.ignored).unwrap_or(0) as i64;
                }
            }
        });
        -1
    })
}
