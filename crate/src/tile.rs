//! The memory through which a host language hands rows to the kernels.
//!
//! A tile has areas for logits, which the kernels overwrite with gradients, for targets, and for what else a call may bring. They are
//! laid out once in memory of the host's, and again when four rows, or what each class has, do not fit. Logits, targets and gradients
//! can also lie elsewhere: the kernels then work on them where they are.

use core::{ptr, slice};

use crate::{
    kernels::{self, Elements, Look, PerColumn, Problem, Rows, Weights},
    vector::{Scalar, Vector},
};

/// Bytes of logits that a tile holds at once, unless four rows take more: in and out of the first-level cache.
const LOGITS_BYTES: usize = 32 * 1024;
/// Rows that a tile holds at most: their targets, values, weights and scales. The same number is in ts/module/tile.ts.
const ROWS: usize = 4096;
/// Classes that a new tile has room for.
const CLASSES: usize = 512;

/// Areas begin at cache lines.
const LINE: usize = 64;

/// The areas of a tile.
#[derive(Clone, Copy, Debug)]
pub enum Area {
    /// In: logits. Out: gradients.
    Logits,
    /// A probability for each logit; for the sigmoid loss its target.
    Probabilities,
    /// Logits and gradients with the classes first.
    Stage,
    /// A class index for each row.
    Targets,
    /// Out: a value for each row.
    Values,
    /// A weight for each row.
    RowWeights,
    /// A factor for each row's gradient.
    RowScales,
    /// A weight for each class; for the sigmoid loss one for each column, in float64.
    Weights,
    /// A weight of the positives for each column, in float64.
    PositiveWeights,
    /// A γ for each class, in float64.
    Gammas,
}

/// How many areas there are.
pub const AREAS: usize = Area::Gammas as usize + 1;

/// What a batch needs beside logits, targets, and what rows and classes have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras {
    /// Probabilities.
    pub probabilities: bool,
    /// The stage.
    pub stage: bool,
    /// Values, weights and scales for each logit instead of each row.
    pub elements: bool,
}

/// Where the rows of a job lie: in their areas of the tile, or elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// A logit for each row and class.
    pub logits: *const u8,
    /// A class index for each row; or a probability, or for the sigmoid loss a target, for each logit.
    pub targets: *const u8,
    /// Where the gradient goes, null where none is wanted. May be the logits, which it then overwrites.
    pub grad: *mut u8,
}

/// A piece of work on rows. What else is per row or per class stands in its area.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Where the rows are.
    pub places: Places,
    /// What is to be computed.
    pub problem: Problem,
    /// Whether the targets are probabilities.
    pub soft: bool,
    /// Number of rows.
    pub rows: usize,
    /// Number of classes.
    pub classes: usize,
    /// Weight of every class but 1, and of class 1; `None` where each class has one.
    pub weights: Option<(f64, f64)>,
    /// Factor of the gradient.
    pub scale: f64,
    /// Whether each row has a weight.
    pub row_weights: bool,
    /// Whether each row has a factor for its gradient.
    pub row_scales: bool,
    /// The target of rows that do not count.
    pub ignored: Option<i32>,
    /// Whether to write a value per row.
    pub values: bool,
    /// Where the values of rows go in place of a total.
    #[cfg(feature = "analysis")]
    pub meter: Option<crate::exact::Meter>,
}

/// A piece of work on elements, for the sigmoid loss.
#[derive(Clone, Copy, Debug)]
pub struct ElementsJob {
    /// Where the elements are.
    pub places: Places,
    /// Number of elements.
    pub count: usize,
    /// Number of columns.
    pub columns: usize,
    /// Focusing parameter.
    pub gamma: f64,
    /// ε.
    pub label_smoothing: f64,
    /// Weight of positives, `Some(None)` where each column has one; `None`: no weights.
    pub alpha: Option<Option<f64>>,
    /// Factor of the positive term; `None` where each column has one.
    pub positive_weight: Option<f64>,
    /// Factor of the gradient.
    pub scale: f64,
    /// Whether each element has a weight.
    pub row_weights: bool,
    /// Whether each element has a factor for its gradient.
    pub row_scales: bool,
    /// The target of elements that do not count.
    pub ignored: Option<f64>,
    /// Whether to write a value per element.
    pub values: bool,
}

/// What a look over a batch counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    /// Rows that are not ignored.
    pub rows: f64,
    /// The sum of the weights of their classes.
    pub weights: f64,
}

/// The tile.
pub struct Tile {
    memory: *mut u8,
    /// Bytes of each area, one after the other.
    sizes: [usize; AREAS],
}

impl Tile {
    /// A tile without areas.
    pub const fn new() -> Self {
        Self { memory: ptr::null_mut(), sizes: [0; AREAS] }
    }

    /// How many bytes of memory the tile takes with room for rows of `classes` logits of `element_bytes` each: beside that for
    /// all before, or with `anew` for these alone. 0 where no memory has as many.
    pub fn bytes(&self, element_bytes: usize, classes: usize, extras: Extras, anew: bool) -> usize {
        self.sizes_with(element_bytes, classes, extras, anew)
            .and_then(|sizes| sizes.iter().try_fold(0, |total: usize, &size| total.checked_add(size)))
            .filter(|&total| total <= isize::MAX as usize)
            .unwrap_or(0)
    }

    /// Makes that room. Returns how many rows go into the tile: a multiple of four. What stood in its areas is lost where one
    /// has to grow or lies elsewhere.
    ///
    /// # Safety
    /// The memory must be aligned to cache lines, have the [bytes](Self::bytes) of these arguments, more than 0, and be the
    /// tile's.
    pub unsafe fn lay_out(&mut self, memory: *mut u8, element_bytes: usize, classes: usize, extras: Extras, anew: bool) -> usize {
        if let Some(sizes) = self.sizes_with(element_bytes, classes, extras, anew) {
            (self.memory, self.sizes) = (memory, sizes);
        }
        ((LOGITS_BYTES / (classes * element_bytes).max(1)).min(ROWS) & !3).max(4)
    }

    /// How many bytes each area has then.
    fn sizes_with(&self, element_bytes: usize, classes: usize, extras: Extras, anew: bool) -> Option<[usize; AREAS]> {
        let row_bytes = classes.checked_mul(element_bytes)?;
        // Far beyond this there is no memory, and sizes would overflow.
        if row_bytes > isize::MAX as usize / 16 {
            return None;
        }
        let logits = LOGITS_BYTES.max(4 * row_bytes);
        let per_row = if extras.elements { logits } else { 0 }.max(ROWS * size_of::<f64>());
        let per_class = classes.max(CLASSES) * size_of::<f64>();
        let mut sizes = if anew { [0; AREAS] } else { self.sizes };
        let mut grow = |area: Area, bytes: usize| {
            if let Some(size) = sizes.get_mut(area as usize) {
                *size = (*size).max(bytes.next_multiple_of(LINE));
            }
        };
        grow(Area::Logits, logits);
        grow(Area::Probabilities, if extras.probabilities { logits } else { 0 });
        grow(Area::Stage, if extras.stage { logits } else { 0 });
        grow(Area::Targets, ROWS * size_of::<i32>());
        for area in [Area::Values, Area::RowWeights, Area::RowScales] {
            grow(area, per_row);
        }
        for area in [Area::Weights, Area::PositiveWeights, Area::Gammas] {
            grow(area, per_class);
        }
        Some(sizes)
    }

    /// Where an area lies.
    pub fn address<T>(&mut self, area: Area) -> *mut T {
        self.area_address(area as usize).cast()
    }

    /// Where the area of that number lies.
    #[inline(never)]
    pub fn area_address(&mut self, area: usize) -> *mut u8 {
        self.memory.wrapping_add(self.sizes.iter().take(area).sum())
    }

    /// The first of the targets that is neither a class nor ignored; or, where there is none, adds to `counted` what counts.
    /// `weighted`: each class has a weight.
    ///
    /// # Errors
    /// The row.
    ///
    /// # Safety
    /// The tile must have been reserved for these classes, and their weights have been written.
    pub unsafe fn count_targets<S: Scalar>(
        &mut self,
        targets: &[i32],
        classes: usize,
        ignored: Option<i32>,
        weighted: bool,
        counted: &mut Counted,
    ) -> Result<(), usize> {
        let weights = self.address::<S>(Area::Weights);
        match kernels::look_over(targets, classes, ignored) {
            Look::Invalid(row) => return Err(row),
            Look::Counted(rows) => counted.rows += rows as f64,
        }
        if !weighted {
            counted.weights = counted.rows;
            return Ok(());
        }
        for &target in targets.iter().filter(|&&target| Some(target) != ignored) {
            // SAFETY: every target that is not ignored is a class, and has a weight.
            counted.weights += unsafe { *weights.add(target as usize) }.to_f64();
        }
        Ok(())
    }

    /// Computes `job` and adds the values of its rows to `sums`, or returns the first row with a target that is neither a class nor
    /// ignored, having computed nothing.
    ///
    /// # Errors
    /// The row.
    ///
    /// # Safety
    /// The tile must have been reserved for these classes and what the job has, and all that the job names have been written. The
    /// places must be valid for the rows; these be no more than reserving gave where anything of theirs is in the tile.
    pub unsafe fn run<V: Vector>(&mut self, job: &Job, sums: &mut V::Wide) -> Result<(), usize> {
        let soft = job.soft;
        if !soft {
            // SAFETY: the caller vouches for the targets.
            let targets = unsafe { slice::from_raw_parts(job.places.targets.cast(), job.rows) };
            if let Look::Invalid(row) = kernels::look_over(targets, job.classes, job.ignored) {
                return Err(row);
            }
        }
        let mut named = |area: Area, named: bool| if named { self.address(area) } else { ptr::null_mut() };
        let Places { logits, targets, grad } = job.places;
        let probabilities = if soft { targets.cast() } else { ptr::null() };
        let rows = Rows::<V::Scalar> {
            logits: logits.cast(),
            targets: if soft { ptr::null() } else { targets.cast() },
            grad: grad.cast(),
            values: named(Area::Values, job.values),
            rows: job.rows,
            classes: job.classes,
            weights: match job.weights {
                Some((other, one)) => Weights::pair(other, one),
                None => Weights::PerClass(named(Area::Weights, true)),
            },
            row_weights: named(Area::RowWeights, job.row_weights),
            scale: V::Scalar::from_f64(job.scale),
            row_scales: named(Area::RowScales, job.row_scales),
            ignored: job.ignored,
            #[cfg(feature = "analysis")]
            meter: job.meter,
        };
        // SAFETY: the caller vouches for the areas, and the targets have been checked.
        *sums = unsafe { kernels::solve::<V>(&rows, probabilities, &job.problem, *sums) };
        Ok(())
    }

    /// Computes `job` and adds the values of its elements to `sums`.
    ///
    /// # Safety
    /// The tile must have been reserved for these columns and elements, and all that the job names have been written. The places must
    /// be valid for the elements; these be no more than the rows that reserving gave times the columns where anything of theirs is in
    /// the tile.
    pub unsafe fn run_elements<V: Vector>(&mut self, job: &ElementsJob, sums: &mut V::Wide) {
        let mut per_column = |area: Area, all: Option<f64>| match all {
            Some(x) => PerColumn::All(x),
            None => PerColumn::Each(self.address(area)),
        };
        let alpha = job.alpha.map(|all| per_column(Area::Weights, all));
        let positive_weight = per_column(Area::PositiveWeights, job.positive_weight);
        let mut named = |area: Area, named: bool| if named { self.address(area) } else { ptr::null_mut() };
        let elements = Elements::<V::Scalar> {
            logits: job.places.logits.cast(),
            targets: job.places.targets.cast(),
            grad: job.places.grad.cast(),
            values: named(Area::Values, job.values),
            count: job.count,
            columns: job.columns,
            gamma: job.gamma,
            label_smoothing: job.label_smoothing,
            alpha,
            positive_weight,
            weights: named(Area::RowWeights, job.row_weights),
            scale: job.scale,
            scales: named(Area::RowScales, job.row_scales),
            ignored: job.ignored,
        };
        // SAFETY: the caller vouches for the areas.
        *sums = unsafe { kernels::sigmoid::<V>(&elements, *sums) };
    }
}

impl Default for Tile {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Alpha, Batch, FocalLoss,
        arch::F32x4,
        kernels::Focal,
        loss::focal::{FocusOn, Gamma},
        vector::WideSum,
    };

    const JOB: Job = Job {
        places: Places { logits: ptr::null(), targets: ptr::null(), grad: ptr::null_mut() },
        problem: Problem::Focal(Focal { gamma: Gamma::All(2.0), label_smoothing: 0.0, focus_on: FocusOn::Smoothed }),
        soft: false,
        rows: 0,
        classes: 2,
        weights: Some((0.75, 0.25)),
        scale: 1.0,
        row_weights: false,
        row_scales: false,
        ignored: None,
        values: true,
        #[cfg(feature = "analysis")]
        meter: None,
    };

    /// A tile with memory of its own.
    struct Owned {
        tile: Tile,
        memory: Vec<u8>,
    }

    impl Owned {
        fn new() -> Self {
            Self { tile: Tile::new(), memory: Vec::new() }
        }

        /// Makes room, as the host does, in other memory where it needs more.
        fn reserve(&mut self, element_bytes: usize, classes: usize, anew: bool) -> usize {
            let extras = Extras::default();
            let bytes = self.tile.bytes(element_bytes, classes, extras, anew);
            assert!(bytes.is_multiple_of(LINE));
            if bytes + LINE > self.memory.len() {
                self.memory = vec![0; bytes + LINE];
            }
            let memory = self.memory.as_mut_ptr();
            let memory = memory.wrapping_add(memory.align_offset(LINE));
            // SAFETY: from the first cache line on, these are so many bytes, or more.
            unsafe { self.tile.lay_out(memory, element_bytes, classes, extras, anew) }
        }
    }

    /// A tile with room for rows of float32.
    fn tile_for(classes: usize) -> Owned {
        let mut owned = Owned::new();
        owned.reserve(4, classes, false);
        owned
    }

    fn logits(tile: &mut Tile) -> *mut f32 {
        tile.address(Area::Logits)
    }

    /// A job on rows in the tile.
    fn job(tile: &mut Tile, rows: usize, classes: usize) -> Job {
        let logits = tile.address(Area::Logits);
        Job { places: Places { logits, targets: tile.address(Area::Targets), grad: logits }, rows, classes, ..JOB }
    }

    #[test]
    fn rows_come_in_fours_and_the_tile_grows_for_wide_ones_alone() {
        let mut owned = Owned::new();
        assert_eq!(owned.reserve(4, 2, false), 4096);
        let bytes = owned.memory.len();
        assert_eq!(owned.reserve(8, 10, false), 408);
        assert_eq!(owned.reserve(4, 512, false), 16);
        assert_eq!(owned.memory.len(), bytes);
        assert_eq!(owned.reserve(4, 300_000, false), 4);
        assert!(owned.memory.len() > bytes + 4 * 4 * 300_000);
        assert_eq!(owned.reserve(4, 2, false), 4096);
    }

    #[test]
    fn a_tile_keeps_the_room_that_it_had_unless_it_is_laid_out_anew() {
        let mut owned = tile_for(2);
        let small = owned.tile.bytes(4, 2, Extras::default(), false);
        owned.reserve(4, 300_000, false);
        assert!(owned.tile.bytes(4, 2, Extras::default(), false) > 4 * 4 * 300_000);
        assert_eq!(owned.tile.bytes(4, 2, Extras::default(), true), small);
        assert_eq!(owned.reserve(4, 2, true), 4096);
        assert_eq!(owned.tile.bytes(4, 2, Extras::default(), false), small);
        assert_eq!(owned.tile.area_address(AREAS).addr() - owned.tile.area_address(0).addr(), small);
    }

    #[test]
    fn rows_that_no_memory_holds_take_no_bytes() {
        let Owned { tile, memory: _memory } = tile_for(2);
        for classes in [usize::MAX / 4, usize::MAX / 16, isize::MAX as usize / 64] {
            let extras = Extras { probabilities: true, stage: true, elements: true };
            assert_eq!(tile.bytes(4, classes, extras, false), 0);
            assert_eq!(tile.bytes(4, classes, extras, true), 0);
        }
    }

    #[test]
    fn an_invalid_target_is_found_before_anything_is_computed() {
        let Owned { mut tile, memory: _memory } = tile_for(2);
        for (row, value) in [(0, -1), (699, 2), (300, i32::MIN), (256, i32::MAX)] {
            // SAFETY: 700 rows fit.
            unsafe {
                let (logits, targets) = (logits(&mut tile), tile.address::<i32>(Area::Targets));
                (0..1400).for_each(|i| *logits.add(i) = i as f32);
                (0..700).for_each(|i| *targets.add(i) = if i == row { value } else { i as i32 % 2 });
                let mut sums = <F32x4 as Vector>::Wide::zero();
                let job = job(&mut tile, 700, 2);
                assert_eq!(tile.run::<F32x4>(&job, &mut sums), Err(row));
                assert!((0..1400).all(|i| *logits.add(i) == i as f32));
                assert_eq!(sums.total(), 0.0);
            }
        }
    }

    #[test]
    fn a_tile_gives_what_slices_give() {
        let (rows, classes) = (23, 5);
        let Owned { mut tile, memory: _memory } = tile_for(classes);
        let x: Vec<f32> = (0..rows * classes).map(|i| (i * 7919 % 101) as f32 / 9.0 - 5.0).collect();
        let targets: Vec<i32> = (0..rows).map(|i| (i * 31 % classes) as i32).collect();
        let weights = [0.5, 1.0, 2.0, 0.25, 4.0];
        // SAFETY: the rows fit.
        let (grad, values, total) = unsafe {
            ptr::copy_nonoverlapping(x.as_ptr(), logits(&mut tile), x.len());
            ptr::copy_nonoverlapping(targets.as_ptr(), tile.address(Area::Targets), rows);
            ptr::copy_nonoverlapping(weights.as_ptr(), tile.address::<f32>(Area::Weights), classes);
            let mut sums = <F32x4 as Vector>::Wide::zero();
            let whole = job(&mut tile, rows, classes);
            tile.run::<F32x4>(&Job { weights: None, ..whole }, &mut sums).unwrap();
            let slice = |p: *const f32, n| slice::from_raw_parts(p, n).to_vec();
            (slice(logits(&mut tile), x.len()), slice(tile.address(Area::Values), rows), sums.total())
        };
        let criterion = FocalLoss { alpha: Alpha::PerClass(&weights), ..FocalLoss::default() };
        let (mut expected, mut each) = (vec![0.0; x.len()], vec![0.0; rows]);
        criterion.rows(&Batch::new(&x, &targets, classes), &mut each, Some(&mut expected)).unwrap();
        assert_eq!((grad, values), (expected, each));
        let sum = FocalLoss { reduction: crate::Reduction::Sum, ..criterion };
        assert_eq!(total, sum.forward(&Batch::new(&x, &targets, classes)).unwrap());
    }

    #[test]
    fn rows_elsewhere_give_the_same_and_keep_their_logits() {
        // More than one run of rows; Miri is too slow for that many.
        let (rows, classes) = (if cfg!(miri) { 37 } else { 5003 }, 2);
        let Owned { mut tile, memory: _memory } = tile_for(classes);
        let x: Vec<f32> = (0..rows * classes).map(|i| (i * 7919 % 101) as f32 / 9.0 - 5.0).collect();
        let targets: Vec<i32> = (0..rows).map(|i| (i * 31 % classes) as i32).collect();
        let memory = x.clone();
        let mut grad = vec![0.0; x.len()];
        let places = Places { logits: memory.as_ptr().cast(), targets: targets.as_ptr().cast(), grad: grad.as_mut_ptr().cast() };
        let mut sums = <F32x4 as Vector>::Wide::zero();
        // SAFETY: the places hold all rows.
        unsafe { tile.run::<F32x4>(&Job { places, rows, classes, values: false, ..JOB }, &mut sums) }.unwrap();
        assert_eq!(memory, x);
        let criterion = FocalLoss { reduction: crate::Reduction::Sum, ..FocalLoss::default() };
        let mut expected = vec![0.0; x.len()];
        let total = criterion.value_and_grad(&Batch::new(&x, &targets, classes), &mut expected).unwrap();
        assert_eq!(grad, expected);
        assert_eq!(sums.total(), total);
        assert!(total > 0.0);
    }
}
