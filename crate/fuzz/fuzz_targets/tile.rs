//! The tile, as `bindings.rs` uses it for JavaScript: areas and allocated memory, jobs with any options, targets that nobody has
//! looked at. What is outside of what a job may write must not change.

#![no_main]

mod input;

use std::slice;

use arbitrary::{Result, Unstructured};
use focal_loss::{
    arch::Float,
    kernels::{self, Focal, Problem},
    loss::focal::Gamma,
    tile::{Area, Counted, ElementsJob, Extras, Job, Places, Tile},
    vector::{Vector, WideSum},
};
use input::{classes, focus_on, ignored, number, numbers, parameter, parameters, probabilities, same, targets};
use libfuzzer_sys::fuzz_target;

const AREAS: [Area; 10] = [
    Area::Logits,
    Area::Probabilities,
    Area::Stage,
    Area::Targets,
    Area::Values,
    Area::RowWeights,
    Area::RowScales,
    Area::Weights,
    Area::PositiveWeights,
    Area::Gammas,
];

/// A cache line of memory.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "memory is all that is wanted of it")] [u8; 64]);

/// Memory that begins at a cache line, zeros.
struct Memory(Vec<Line>);

impl Memory {
    fn new(bytes: usize) -> Self {
        Self(vec![Line([0; 64]); bytes.div_ceil(64)])
    }

    /// As a resident array has it.
    fn of<S: Copy>(entries: &[S]) -> Self {
        let mut memory = Self::new(size_of_val(entries));
        // SAFETY: room for as many bytes.
        unsafe { entries.as_ptr().copy_to_nonoverlapping(memory.address().cast(), entries.len()) };
        memory
    }

    fn address(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}

/// Makes room in a tile, in other memory where it needs more.
fn reserve(tile: &mut Tile, memory: &mut Memory, element_bytes: usize, classes: usize, extras: Extras, anew: bool) -> usize {
    let bytes = tile.bytes(element_bytes, classes, extras, anew);
    assert!(bytes > 0);
    if bytes > 64 * memory.0.len() {
        *memory = Memory::new(bytes);
    }
    // SAFETY: so many bytes, or more.
    unsafe { tile.lay_out(memory.address(), element_bytes, classes, extras, anew) }
}

/// Puts entries into an area of the tile. Returns where it is.
fn put<S: Copy>(tile: &mut Tile, area: Area, entries: &[S]) -> *mut u8 {
    let address = tile.address::<S>(area);
    // SAFETY: the tile was reserved for as many.
    unsafe { entries.as_ptr().copy_to_nonoverlapping(address, entries.len()) };
    address.cast()
}

/// All that is in the tile, but for areas that the job may write to.
fn contents(tile: &mut Tile, written: &[Area]) -> Vec<u8> {
    let end = tile.area_address(AREAS.len());
    let mut bytes = Vec::new();
    for (i, area) in AREAS.into_iter().enumerate() {
        if written.iter().any(|w| *w as usize == area as usize) {
            continue;
        }
        let start = tile.area_address(i);
        let next = tile.area_address(i + 1).min(end);
        // SAFETY: one area after the other, zeros where nothing has been written.
        bytes.extend_from_slice(unsafe { slice::from_raw_parts(start, next.offset_from_unsigned(start)) });
    }
    bytes
}

fn softmax<T: Float>(u: &mut Unstructured, tile: &mut Tile, memory: &mut Memory) -> Result<()> {
    let classes = classes(u)?;
    let soft = u.ratio(1, 3)?;
    let extras = Extras { probabilities: soft || u.arbitrary()?, stage: u.arbitrary()?, elements: u.ratio(1, 4)? };
    let capacity = reserve(tile, memory, size_of::<T>(), classes, extras, u.ratio(1, 8)?);
    let resident = u.ratio(1, 3)?;
    let rows = u.int_in_range(1..=if resident { 70 } else { 70.min(capacity) })?;
    let gamma = parameter(u, 6.0)?;
    let per_class = u.ratio(1, 5)? && !soft;
    let gammas: Vec<f64> = parameters(u, classes, 6.0)?;
    put(tile, Area::Gammas, &gammas);
    put(tile, Area::Weights, &parameters::<T>(u, classes, 4.0)?);
    // What is there of every row goes through the tile.
    let (row_weights, row_scales, values) =
        if resident { (false, false, false) } else { (u.arbitrary()?, u.arbitrary()?, u.arbitrary()?) };
    if !resident {
        put(tile, Area::RowWeights, &parameters::<T>(u, rows, 4.0)?);
        put(tile, Area::RowScales, &numbers::<T>(u, rows)?);
    }
    let gamma = if per_class { Gamma::PerClass(tile.address(Area::Gammas)) } else { Gamma::All(gamma) };
    let of = Focal { gamma, label_smoothing: parameter(u, 1.0)?, focus_on: focus_on(u)? };
    let problem = match u.int_in_range(0..=5)? {
        0 => Problem::CrossEntropy(of.label_smoothing),
        1 if !soft => Problem::Hessian { of, gauss_newton: u.arbitrary()? },
        2 if !soft => Problem::GammaGrad(of),
        _ => Problem::Focal(of),
    };
    let ignored = if soft { None } else { ignored(u)? };
    let weights = if u.arbitrary()? { Some((parameter(u, 1.0)?, parameter(u, 1.0)?)) } else { None };
    let scale = number(u)?;
    // A Hessian goes in place of the gradient, a derivative by γ in place of values.
    let wants_grad = match problem {
        Problem::Hessian { .. } => true,
        Problem::GammaGrad(_) => false,
        _ => u.arbitrary()?,
    };
    let indices = targets(u, rows, classes)?;
    let aims = if soft { probabilities::<T>(u, rows, classes)? } else { Vec::new() };
    let logits = numbers::<T>(u, rows * classes)?;
    let (mut kept_logits, mut kept_grad) = (Memory::of(&logits), Memory::of(&logits));
    let mut kept_targets = if soft { Memory::of(&aims) } else { Memory::of(&indices) };
    let places = if resident {
        Places { logits: kept_logits.address(), targets: kept_targets.address(), grad: kept_grad.address() }
    } else {
        let logits = put(tile, Area::Logits, &logits);
        let targets = if soft { put(tile, Area::Probabilities, &aims) } else { put(tile, Area::Targets, &indices) };
        Places { logits, targets, grad: logits }
    };
    let places = if wants_grad { places } else { Places { grad: std::ptr::null_mut(), ..places } };
    let job = Job { places, problem, soft, rows, classes, weights, scale, row_weights, row_scales, ignored, values };
    let written: &[Area] = match (resident, values) {
        (true, _) => &[],
        (false, true) => &[Area::Logits, Area::Values],
        (false, false) => &[Area::Logits],
    };
    let before = contents(tile, written);
    let mut sums = <T::Vector as Vector>::Wide::zero();
    // SAFETY: the tile was reserved for these classes, the rows fit, and all that the job names has been written.
    let result = unsafe { tile.run::<T::Vector>(&job, &mut sums) };
    assert!(contents(tile, written) == before, "something else was written");
    // SAFETY: as many were put there.
    let at = |address: *const u8| unsafe { slice::from_raw_parts(address.cast::<T>(), logits.len()) };
    if resident || result.is_err() || !wants_grad {
        assert!(same(at(places.logits), &logits), "the logits were written");
    }
    if let Err(row) = result {
        assert!(!soft && Some(indices[row]) != ignored && !(0..classes as i32).contains(&indices[row]));
        assert!(same(at(kept_grad.address()), &logits), "the gradient was written");
        assert_eq!(sums.total(), 0.0);
    }
    let mut counted = Counted::default();
    // SAFETY: every class has a weight.
    let count = unsafe { tile.count_targets::<T>(&indices, classes, ignored, u.arbitrary()?, &mut counted) };
    assert!(soft || count == result);
    let _ = kernels::find_invalid_probabilities(&aims, classes);
    if extras.stage && !resident {
        let (from, to) = (put(tile, Area::Logits, &logits), tile.address::<T>(Area::Stage));
        // SAFETY: both areas are of this size, and lie apart.
        unsafe {
            kernels::transpose::<T::Vector>(from.cast(), to, rows, classes);
            kernels::transpose::<T::Vector>(to, from.cast(), classes, rows);
        }
        assert!(same(at(from), &logits), "transposed twice");
    }
    Ok(())
}

fn sigmoid<T: Float>(u: &mut Unstructured, tile: &mut Tile, memory: &mut Memory) -> Result<()> {
    let columns = u.int_in_range(1..=40)?;
    let extras = Extras { probabilities: true, stage: u.arbitrary()?, elements: true };
    let capacity = reserve(tile, memory, size_of::<T>(), columns, extras, u.ratio(1, 8)?) * columns;
    let count = u.int_in_range(1..=300.min(capacity))?;
    put(tile, Area::Weights, &parameters::<f64>(u, columns, 1.0)?);
    put(tile, Area::PositiveWeights, &parameters::<f64>(u, columns, 4.0)?);
    put(tile, Area::RowWeights, &parameters::<T>(u, count, 4.0)?);
    put(tile, Area::RowScales, &numbers::<T>(u, count)?);
    let aims = parameters::<T>(u, count, 1.0)?;
    let targets = put(tile, Area::Probabilities, &aims);
    let ignored = ignored(u)?.map(f64::from);
    let logits = put(tile, Area::Logits, &numbers::<T>(u, count)?);
    let job = ElementsJob {
        places: Places { logits, targets, grad: if u.arbitrary()? { logits } else { std::ptr::null_mut() } },
        count,
        columns,
        gamma: parameter(u, 6.0)?,
        label_smoothing: parameter(u, 1.0)?,
        alpha: *u.choose(&[None, Some(None), Some(Some(0.25))])?,
        positive_weight: *u.choose(&[None, Some(1.0), Some(3.0)])?,
        scale: number(u)?,
        row_weights: u.arbitrary()?,
        row_scales: u.arbitrary()?,
        ignored,
        values: u.arbitrary()?,
    };
    let written = [Area::Logits, Area::Values];
    let before = contents(tile, &written);
    let mut sums = <T::Vector as Vector>::Wide::zero();
    let _ = kernels::look_over_elements(&aims, ignored);
    // SAFETY: the tile was reserved for these columns, the elements fit, and all that the job names has been written.
    unsafe { tile.run_elements::<T::Vector>(&job, &mut sums) };
    assert!(contents(tile, &written) == before, "something else was written");
    Ok(())
}

fuzz_target!(|data: &[u8]| {
    let u = &mut Unstructured::new(data);
    let (mut tile, mut memory) = (Tile::new(), Memory::new(0));
    // Several jobs on one tile, of either type, as long as there are bytes.
    while !u.is_empty() {
        let done = match u.int_in_range(0..=3).unwrap_or(0) {
            0 => softmax::<f32>(u, &mut tile, &mut memory),
            1 => softmax::<f64>(u, &mut tile, &mut memory),
            2 => sigmoid::<f32>(u, &mut tile, &mut memory),
            _ => sigmoid::<f64>(u, &mut tile, &mut memory),
        };
        if done.is_err() {
            break;
        }
    }
});
