//! The module as a host uses it: a tile of memory, flags and numbers, and calls on rows.

use std::{ptr, slice};

use focal_loss::{
    Alpha, Batch, Elements, FocalLoss, PerColumn, Reduction, SigmoidFocalLoss,
    host::{
        State,
        abi::{Numbers, area, extra, flag},
    },
};

/// A cache line, at which areas begin.
const LINE: usize = 64;

/// A module with memory of its own.
struct Module {
    state: State,
    memory: Vec<u8>,
}

impl Module {
    fn new() -> Self {
        Self { state: State::new(), memory: Vec::new() }
    }

    /// Makes room, as the host does, in other memory where the tile needs more.
    fn reserve(&mut self, element_bytes: usize, classes: usize, extras: u32, anew: bool) -> usize {
        let bytes = self.state.tile.bytes(element_bytes, classes, extras, anew);
        assert!(bytes.is_multiple_of(LINE));
        if bytes + LINE > self.memory.len() {
            self.memory = vec![0; bytes + LINE];
        }
        let memory = self.memory.as_mut_ptr();
        let memory = memory.wrapping_add(memory.align_offset(LINE));
        // SAFETY: from the first cache line on, these are so many bytes, or more.
        unsafe { self.state.tile.lay_out(memory, element_bytes, classes, extras, anew) }
    }

    /// A module with room for rows of float32, and the numbers of the default focal loss.
    fn for_classes(classes: usize) -> Self {
        let mut module = Self::new();
        module.reserve(4, classes, 0, false);
        module.state.numbers = Numbers {
            gamma: 2.0,
            alpha_other: 0.75,
            alpha_one: 0.25,
            upstream: 1.0,
            denominator: 1.0,
            ..Numbers::default()
        };
        module
    }

    fn area<T>(&mut self, area: usize) -> *mut T {
        self.state.address(area).cast()
    }

    /// Puts numbers into an area. Returns where it is.
    fn put<T: Copy>(&mut self, area: usize, numbers: &[T]) -> *mut T {
        let address = self.area(area);
        // SAFETY: the tile was reserved for as many.
        unsafe { ptr::copy_nonoverlapping(numbers.as_ptr(), address, numbers.len()) };
        address
    }

    fn read<T: Copy>(&mut self, area: usize, count: usize) -> Vec<T> {
        // SAFETY: likewise.
        unsafe { slice::from_raw_parts(self.area(area), count) }.to_vec()
    }
}

/// Logits of many sizes.
fn logits(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i * 7919 % 101) as f32 / 9.0 - 5.0).collect()
}

#[test]
fn rows_come_in_fours_and_the_tile_grows_for_wide_ones_alone() {
    let mut module = Module::new();
    assert_eq!(module.reserve(4, 2, 0, false), 4096);
    let bytes = module.memory.len();
    assert_eq!(module.reserve(8, 10, 0, false), 408);
    assert_eq!(module.reserve(4, 512, 0, false), 16);
    assert_eq!(module.memory.len(), bytes);
    assert_eq!(module.reserve(4, 300_000, 0, false), 4);
    assert!(module.memory.len() > bytes + 4 * 4 * 300_000);
    assert_eq!(module.reserve(4, 2, 0, false), 4096);
}

#[test]
fn a_tile_keeps_the_room_that_it_had_unless_it_is_laid_out_anew() {
    let mut module = Module::for_classes(2);
    let small = module.state.tile.bytes(4, 2, 0, false);
    module.reserve(4, 300_000, 0, false);
    assert!(module.state.tile.bytes(4, 2, 0, false) > 4 * 4 * 300_000);
    assert_eq!(module.state.tile.bytes(4, 2, 0, true), small);
    assert_eq!(module.reserve(4, 2, 0, true), 4096);
    assert_eq!(module.state.tile.bytes(4, 2, 0, false), small);
    let tile = &module.state.tile;
    assert_eq!(tile.address(area::COUNT).addr() - tile.address(0).addr(), small);
}

#[test]
fn rows_that_no_memory_holds_take_no_bytes() {
    let Module { state: State { tile, .. }, memory: _memory } = Module::for_classes(2);
    for classes in [usize::MAX / 4, usize::MAX / 16, isize::MAX as usize / 64] {
        let extras = extra::PROBABILITIES | extra::STAGE | extra::ELEMENTS;
        assert_eq!(tile.bytes(4, classes, extras, false), 0);
        assert_eq!(tile.bytes(4, classes, extras, true), 0);
    }
}

#[test]
fn an_invalid_target_is_found_before_anything_is_computed() {
    let mut module = Module::for_classes(2);
    for (row, value) in [(0, -1), (699, 2), (300, i32::MIN), (256, i32::MAX)] {
        let x: Vec<f32> = (0..1400).map(|i| i as f32).collect();
        let at = module.put(area::LOGITS, &x).cast::<u8>();
        let mut targets: Vec<i32> = (0..700).map(|i| i % 2).collect();
        targets[row] = value;
        let targets = module.put(area::TARGETS, &targets);
        // SAFETY: 700 rows fit.
        let invalid = unsafe {
            assert_eq!(module.state.count_targets(targets, 700, 2, 0, 0), row as i32);
            module.state.solve(at, targets.cast(), at, 700, 2, 0)
        };
        assert_eq!(invalid, row as i32);
        assert_eq!(module.read::<f32>(area::LOGITS, 1400), x);
        assert_eq!(module.state.totals.values, 0.0);
    }
}

#[test]
fn a_tile_gives_what_slices_give() {
    let (rows, classes) = (23, 5);
    let x = logits(rows * classes);
    let targets: Vec<i32> = (0..rows).map(|i| (i * 31 % classes) as i32).collect();
    let weights = [0.5, 1.0, 2.0, 0.25, 4.0];
    let mut module = Module::for_classes(classes);
    let at = module.put(area::LOGITS, &x).cast::<u8>();
    let targets_at = module.put(area::TARGETS, &targets);
    module.put::<f32>(area::WEIGHTS, &weights);
    let flags = flag::ALPHA_PER_CLASS | flag::VALUES;
    // SAFETY: the rows fit.
    let invalid = unsafe {
        assert_eq!(module.state.count_targets(targets_at, rows, classes, flags, 0), -1);
        module.state.solve(at, targets_at.cast(), at, rows, classes, flags)
    };
    assert_eq!(invalid, -1);
    assert_eq!(module.state.totals.rows, rows as f64);
    assert_eq!(
        module.state.totals.weights,
        targets.iter().map(|&t| f64::from(weights[t as usize])).sum()
    );
    let criterion = FocalLoss {
        alpha: Alpha::PerClass(&weights),
        reduction: Reduction::Sum,
        ..FocalLoss::default()
    };
    let (mut grad, mut each) = (vec![0.0; x.len()], vec![0.0; rows]);
    let batch = Batch::new(&x, &targets, classes);
    criterion.rows(&batch, &mut each, Some(&mut grad)).unwrap();
    assert_eq!(module.read::<f32>(area::LOGITS, x.len()), grad);
    assert_eq!(module.read::<f32>(area::VALUES, rows), each);
    assert_eq!(module.state.totals.values, criterion.forward(&batch).unwrap());
}

#[test]
fn rows_elsewhere_give_the_same_and_keep_their_logits_and_a_call_continues_another() {
    // More than one run of rows; Miri is too slow for that many.
    let (rows, classes) = (if cfg!(miri) { 37 } else { 5003 }, 2);
    let x = logits(rows * classes);
    let targets: Vec<i32> = (0..rows).map(|i| (i * 31 % classes) as i32).collect();
    let mut module = Module::for_classes(classes);
    let memory = x.clone();
    let mut grad = vec![0.0; x.len()];
    let (logits_at, targets_at) = (memory.as_ptr().cast::<u8>(), targets.as_ptr().cast::<u8>());
    let grad_at = grad.as_mut_ptr();
    // A call that another continues has whole groups of rows.
    let first = (rows / 2) & !3;
    // SAFETY: the addresses hold all rows.
    unsafe {
        assert_eq!(
            module.state.solve(logits_at, targets_at, grad_at.cast(), first, classes, 0),
            -1
        );
        let behind = (logits_at.add(first * classes * 4), targets_at.add(first * 4));
        let grad_behind = grad_at.add(first * classes).cast();
        let flags = flag::CONTINUES;
        assert_eq!(
            module.state.solve(behind.0, behind.1, grad_behind, rows - first, classes, flags),
            -1
        );
    }
    assert_eq!(memory, x);
    let criterion = FocalLoss { reduction: Reduction::Sum, ..FocalLoss::default() };
    let mut expected = vec![0.0; x.len()];
    let total =
        criterion.value_and_grad(&Batch::new(&x, &targets, classes), &mut expected).unwrap();
    assert_eq!(grad, expected);
    assert_eq!(module.state.totals.values, total);
    assert!(total > 0.0);
}

#[test]
fn elements_give_what_slices_give() {
    let (count, columns) = (35, 5);
    let x = logits(count);
    let targets: Vec<f32> = (0..count).map(|i| (i % 3) as f32 / 2.0).collect();
    let alphas = [0.5, 1.0, 0.25, 0.0, 0.75];
    let mut module = Module::for_classes(columns);
    module.reserve(4, columns, extra::PROBABILITIES | extra::ELEMENTS, false);
    module.state.numbers.positive_weight = 3.0;
    module.put::<f64>(area::WEIGHTS, &alphas);
    let at = module.put(area::LOGITS, &x).cast::<u8>();
    let targets_at = module.put(area::PROBABILITIES, &targets).cast::<u8>();
    let flags = flag::ALPHA_PER_CLASS | flag::VALUES;
    // SAFETY: the elements fit.
    let invalid = unsafe {
        assert_eq!(module.state.count_elements(targets_at, count, flag::IGNORE, 0.5), -1);
        module.state.sigmoid(at, targets_at, at, count, columns, flags)
    };
    assert_eq!(invalid, -1);
    assert_eq!(module.state.totals.rows, targets.iter().filter(|&&y| y != 0.5).count() as f64);
    let criterion = SigmoidFocalLoss {
        alpha: Some(PerColumn::Each(&alphas)),
        pos_weight: PerColumn::All(3.0),
        reduction: Reduction::Sum,
        ..SigmoidFocalLoss::default()
    };
    let (mut grad, mut each) = (vec![0.0; count], vec![0.0; count]);
    let elements = Elements { columns, ..Elements::new(&x, &targets) };
    criterion.each(&elements, &mut each, Some(&mut grad)).unwrap();
    assert_eq!(module.read::<f32>(area::LOGITS, count), grad);
    assert_eq!(module.read::<f32>(area::VALUES, count), each);
    assert_eq!(module.state.totals.values, criterion.forward(&elements).unwrap());
}
