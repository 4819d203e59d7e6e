//! The module, as `bindings.rs` calls it for JavaScript: areas and allocated memory, flags and
//! numbers of all kinds, targets that nobody has looked at. What is outside of what a call may
//! write must not change.

#![no_main]

mod input;

use std::slice;

use arbitrary::{Result, Unstructured};
use focal_loss::{
    Float, FocusOn,
    host::{
        State,
        abi::{Numbers, area, extra, flag},
    },
};
use input::{
    classes, focus_on, ignored, number, numbers, parameter, parameters, probabilities, same,
    targets,
};
use libfuzzer_sys::fuzz_target;

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

/// Makes room in the tile, in other memory where it needs more.
fn reserve(
    state: &mut State,
    memory: &mut Memory,
    element_bytes: usize,
    classes: usize,
    extras: u32,
    anew: bool,
) -> usize {
    let bytes = state.tile.bytes(element_bytes, classes, extras, anew);
    assert!(bytes > 0);
    if bytes > 64 * memory.0.len() {
        *memory = Memory::new(bytes);
    }
    // SAFETY: so many bytes, or more.
    unsafe { state.tile.lay_out(memory.address(), element_bytes, classes, extras, anew) }
}

/// Puts entries into an area of the tile. Returns where it is.
fn put<S: Copy>(state: &mut State, area: usize, entries: &[S]) -> *mut u8 {
    let address = state.address(area);
    // SAFETY: the tile was reserved for as many.
    unsafe { entries.as_ptr().copy_to_nonoverlapping(address.cast(), entries.len()) };
    address
}

/// All that is in the tile, but for areas that the call may write to.
fn contents(state: &State, written: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for area in (0..area::COUNT).filter(|area| !written.contains(area)) {
        let (start, next) = (state.tile.address(area), state.tile.address(area + 1));
        // SAFETY: one area after the other, zeros where nothing has been written.
        bytes.extend_from_slice(unsafe {
            slice::from_raw_parts(start, next.offset_from_unsigned(start))
        });
    }
    bytes
}

/// Each of the bits, if it is drawn.
fn bits(u: &mut Unstructured, bits: &[u32]) -> Result<u32> {
    bits.iter().try_fold(0, |flags, bit| Ok(flags | if u.arbitrary()? { *bit } else { 0 }))
}

/// The bit of a float type.
fn float<T>() -> u32 {
    if size_of::<T>() == 8 { flag::FLOAT64 } else { 0 }
}

fn softmax<T: Float>(u: &mut Unstructured, state: &mut State, memory: &mut Memory) -> Result<()> {
    let classes = classes(u)?;
    let soft = u.ratio(1, 3)?;
    let extras =
        bits(u, &[extra::STAGE, extra::ELEMENTS])? | if soft { extra::PROBABILITIES } else { 0 };
    let capacity = reserve(state, memory, size_of::<T>(), classes, extras, u.ratio(1, 8)?);
    let resident = u.ratio(1, 3)?;
    let rows = u.int_in_range(1..=if resident { 70 } else { 70.min(capacity) })?;
    let mut flags = float::<T>() | bits(u, &[flag::ALPHA_PER_CLASS])?;
    put(state, area::GAMMAS, &parameters::<f64>(u, classes, 6.0)?);
    put(state, area::WEIGHTS, &parameters::<T>(u, classes, 4.0)?);
    if !resident {
        // The numbers of each row go through the tile.
        flags |= bits(u, &[flag::ROW_WEIGHTS, flag::ROW_SCALES, flag::VALUES])?;
        put(state, area::ROW_WEIGHTS, &parameters::<T>(u, rows, 4.0)?);
        put(state, area::ROW_SCALES, &numbers::<T>(u, rows)?);
    }
    flags |= match focus_on(u)? {
        FocusOn::Smoothed => 0,
        FocusOn::Target => flag::FOCUS_TARGET,
        FocusOn::EachClass => flag::FOCUS_CLASS,
    };
    if soft {
        flags |= flag::SOFT;
    } else if u.ratio(1, 5)? {
        flags |= flag::GAMMA_PER_CLASS;
    }
    flags |= match u.int_in_range(0..=5)? {
        0 => flag::CROSS_ENTROPY,
        1 if !soft => flag::HESSIAN | bits(u, &[flag::GAUSS_NEWTON])?,
        2 if !soft => flag::GAMMA_GRAD,
        _ => 0,
    };
    let ignored = if soft { None } else { ignored(u)? };
    flags |= if ignored.is_some() { flag::IGNORE } else { 0 };
    state.numbers = Numbers {
        gamma: parameter(u, 6.0)?,
        label_smoothing: parameter(u, 1.0)?,
        alpha_other: parameter(u, 1.0)?,
        alpha_one: parameter(u, 1.0)?,
        ignored: ignored.unwrap_or(0).into(),
        upstream: number(u)?,
        denominator: parameter(u, 70.0)?,
        ..Numbers::default()
    };
    // A Hessian goes in place of the gradient, a derivative by γ in place of values.
    let wants_grad =
        flags & flag::HESSIAN != 0 || flags & flag::GAMMA_GRAD == 0 && u.arbitrary()?;
    let indices = targets(u, rows, classes)?;
    let aims = if soft { probabilities::<T>(u, rows, classes)? } else { Vec::new() };
    let logits = numbers::<T>(u, rows * classes)?;
    let (mut kept_logits, mut kept_grad) = (Memory::of(&logits), Memory::of(&logits));
    let mut kept_targets = if soft { Memory::of(&aims) } else { Memory::of(&indices) };
    let (logits_at, targets_at, grad_at) = if resident {
        (kept_logits.address(), kept_targets.address(), kept_grad.address())
    } else {
        let logits = put(state, area::LOGITS, &logits);
        let targets = if soft {
            put(state, area::PROBABILITIES, &aims)
        } else {
            put(state, area::TARGETS, &indices)
        };
        (logits, targets, logits)
    };
    let grad_at = if wants_grad { grad_at } else { std::ptr::null_mut() };
    let written: &[usize] = match (resident, flags & flag::VALUES != 0) {
        (true, _) => &[],
        (false, true) => &[area::LOGITS, area::VALUES],
        (false, false) => &[area::LOGITS],
    };
    let before = contents(state, written);
    let value = state.totals.values;
    // SAFETY: the tile was reserved for these classes, the rows fit, and all that the call names
    // has been written.
    let invalid = unsafe { state.solve(logits_at, targets_at, grad_at, rows, classes, flags) };
    assert!(contents(state, written) == before, "something else was written");
    // SAFETY: as many were put there.
    let at =
        |address: *const u8| unsafe { slice::from_raw_parts(address.cast::<T>(), logits.len()) };
    if resident || invalid != -1 || !wants_grad {
        assert!(same(at(logits_at), &logits), "the logits were written");
    }
    if invalid != -1 {
        let target = indices[invalid as usize];
        assert!(!soft && Some(target) != ignored && !(0..classes as i32).contains(&target));
        assert!(same(at(kept_grad.address()), &logits), "the gradient was written");
        assert!(state.totals.values.to_bits() == value.to_bits(), "something was computed");
    }
    // SAFETY: every class has a weight.
    let counted = unsafe {
        state.count_targets(indices.as_ptr(), rows, classes, flags, ignored.unwrap_or(0))
    };
    assert!(soft || counted == invalid);
    // SAFETY: there are as many.
    let _ = unsafe {
        State::find_invalid_probabilities(
            aims.as_ptr().cast(),
            aims.len() / classes,
            classes,
            flags,
        )
    };
    if extras & extra::STAGE != 0 && !resident {
        let (from, to) = (put(state, area::LOGITS, &logits), state.address(area::STAGE));
        // SAFETY: both areas are of this size, and lie apart.
        unsafe {
            State::transpose(from, to, rows, classes, flags);
            State::transpose(to, from, classes, rows, flags);
        }
        assert!(same(at(from), &logits), "transposed twice");
    }
    Ok(())
}

fn sigmoid<T: Float>(u: &mut Unstructured, state: &mut State, memory: &mut Memory) -> Result<()> {
    let columns = u.int_in_range(1..=40)?;
    let extras = extra::PROBABILITIES | extra::ELEMENTS | bits(u, &[extra::STAGE])?;
    let capacity =
        reserve(state, memory, size_of::<T>(), columns, extras, u.ratio(1, 8)?) * columns;
    let count = u.int_in_range(1..=300.min(capacity))?;
    put(state, area::WEIGHTS, &parameters::<f64>(u, columns, 1.0)?);
    put(state, area::POSITIVE_WEIGHTS, &parameters::<f64>(u, columns, 4.0)?);
    put(state, area::ROW_WEIGHTS, &parameters::<T>(u, count, 4.0)?);
    put(state, area::ROW_SCALES, &numbers::<T>(u, count)?);
    let aims = parameters::<T>(u, count, 1.0)?;
    let targets = put(state, area::PROBABILITIES, &aims);
    let ignored = ignored(u)?.map(f64::from);
    let logits = put(state, area::LOGITS, &numbers::<T>(u, count)?);
    let some = [
        flag::NO_ALPHA,
        flag::ALPHA_PER_CLASS,
        flag::POS_WEIGHT_PER_COLUMN,
        flag::ROW_WEIGHTS,
        flag::ROW_SCALES,
        flag::VALUES,
    ];
    let flags = float::<T>() | bits(u, &some)? | if ignored.is_some() { flag::IGNORE } else { 0 };
    state.numbers = Numbers {
        gamma: parameter(u, 6.0)?,
        label_smoothing: parameter(u, 1.0)?,
        alpha_one: 0.25,
        positive_weight: 3.0,
        ignored: ignored.unwrap_or(0.0),
        upstream: number(u)?,
        denominator: parameter(u, 300.0)?,
        ..Numbers::default()
    };
    let grad = if u.arbitrary()? { logits } else { std::ptr::null_mut() };
    let written = [area::LOGITS, area::VALUES];
    let before = contents(state, &written);
    // SAFETY: the tile was reserved for these columns, the elements fit, and all that the call
    // names has been written.
    unsafe {
        state.count_elements(targets, count, flags, ignored.unwrap_or(0.0));
        state.sigmoid(logits, targets, grad, count, columns, flags);
    }
    assert!(contents(state, &written) == before, "something else was written");
    Ok(())
}

fuzz_target!(|data: &[u8]| {
    let u = &mut Unstructured::new(data);
    let (mut state, mut memory) = (State::new(), Memory::new(0));
    // Several calls on one tile, of either type, as long as there are bytes.
    while !u.is_empty() {
        let done = match u.int_in_range(0..=3).unwrap_or(0) {
            0 => softmax::<f32>(u, &mut state, &mut memory),
            1 => softmax::<f64>(u, &mut state, &mut memory),
            2 => sigmoid::<f32>(u, &mut state, &mut memory),
            _ => sigmoid::<f64>(u, &mut state, &mut memory),
        };
        if done.is_err() {
            break;
        }
    }
});
