//! The memory through which a host language hands rows to the kernels.
//!
//! A tile has areas for logits, which the kernels overwrite with gradients, for targets, and for what else a call may bring. They are
//! made once and only grow when four rows, or what each class has, do not fit. Logits, targets and gradients can also lie elsewhere,
//! in memory that the host has [taken](allocate): the kernels then work on them where they are.

use std::alloc;

use core::{alloc::Layout, ptr, slice};

use crate::{
    kernels::{self, Elements, Look, PerColumn, Problem, Rows, Weights},
    vector::{Scalar, Vector},
};

/// Bytes of logits that a tile holds at once, unless four rows take more: in and out of the first-level cache.
const LOGITS_BYTES: usize = 32 * 1024;
/// Rows that a tile holds at most: their targets, values, weights and scales. The same number is in ts/tile.ts.
const ROWS: usize = 4096;
/// Classes that a new tile has room for.
const CLASSES: usize = 512;

/// The unit of allocation: a cache line.
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
    /// A tile without memory.
    pub const fn new() -> Self {
        Self { memory: ptr::null_mut(), sizes: [0; AREAS] }
    }

    /// Makes room for rows of `classes` logits of `element_bytes` each and returns how many rows go into the tile: a multiple of
    /// four; or 0 where the memory cannot be had, and then nothing has changed. What stood in its areas is lost
    /// where one of them has to grow.
    pub fn reserve(&mut self, element_bytes: usize, classes: usize, extras: Extras) -> usize {
        let Some(row_bytes) = classes.checked_mul(element_bytes) else { return 0 };
        // Far beyond this no allocation can succeed, and sizes would overflow.
        if row_bytes > isize::MAX as usize / 16 {
            return 0;
        }
        let logits = LOGITS_BYTES.max(4 * row_bytes);
        let per_row = if extras.elements { logits } else { 0 }.max(ROWS * size_of::<f64>());
        let per_class = classes.max(CLASSES) * size_of::<f64>();
        let mut bytes = [0; AREAS];
        bytes[Area::Logits as usize] = logits;
        bytes[Area::Probabilities as usize] = if extras.probabilities { logits } else { 0 };
        bytes[Area::Stage as usize] = if extras.stage { logits } else { 0 };
        bytes[Area::Targets as usize] = ROWS * size_of::<i32>();
        for area in [Area::Values, Area::RowWeights, Area::RowScales] {
            bytes[area as usize] = per_row;
        }
        for area in [Area::Weights, Area::PositiveWeights, Area::Gammas] {
            bytes[area as usize] = per_class;
        }
        if self.grow(bytes) { ((LOGITS_BYTES / row_bytes.max(1)).min(ROWS) & !3).max(4) } else { 0 }
    }

    /// Makes room for so many bytes in each area, in a block of memory of their own. Whether it could be had.
    fn grow(&mut self, bytes: [usize; AREAS]) -> bool {
        let mut sizes = self.sizes;
        for (size, bytes) in sizes.iter_mut().zip(bytes) {
            *size = (*size).max(bytes.next_multiple_of(LINE));
        }
        if sizes == self.sizes {
            return true;
        }
        let total = sizes.iter().try_fold(0, |total: usize, &size| total.checked_add(size));
        let memory = total.map_or(ptr::null_mut(), allocate);
        if memory.is_null() {
            return false;
        }
        // SAFETY: that memory is the tile's.
        unsafe { release(self.memory, self.sizes.iter().sum()) };
        (self.memory, self.sizes) = (memory, sizes);
        true
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

/// The layout of memory outside the tile, where its size is a possible one.
fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes, LINE).ok().filter(|layout| layout.size() > 0)
}

/// Takes memory for rows outside the tile: zeros, from the start of a cache line on. Null where it cannot be had.
pub fn allocate(bytes: usize) -> *mut u8 {
    // SAFETY: of a size that is not 0.
    layout(bytes).map_or(ptr::null_mut(), |layout| unsafe { alloc::alloc_zeroed(layout) })
}

/// Gives it back.
///
/// # Safety
/// [`allocate`] must have given it for as many bytes, and nothing use it any more.
pub unsafe fn release(address: *mut u8, bytes: usize) {
    if let Some(layout) = layout(bytes) {
        // SAFETY: the caller vouches for it.
        unsafe { alloc::dealloc(address, layout) };
    }
}

impl Drop for Tile {
    fn drop(&mut self) {
        // SAFETY: that memory is the tile's.
        unsafe { release(self.memory, self.sizes.iter().sum()) };
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

    fn reserve(tile: &mut Tile, element_bytes: usize, classes: usize) -> usize {
        tile.reserve(element_bytes, classes, Extras::default())
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
        let mut tile = Tile::new();
        assert_eq!(reserve(&mut tile, 4, 2), 4096);
        let address = logits(&mut tile);
        assert_eq!(reserve(&mut tile, 8, 10), 408);
        assert_eq!(reserve(&mut tile, 4, 512), 16);
        assert_eq!(logits(&mut tile), address);
        assert_eq!(reserve(&mut tile, 4, 300_000), 4);
        assert_ne!(logits(&mut tile), address);
        assert_eq!(reserve(&mut tile, 4, 2), 4096);
    }

    #[test]
    #[cfg(not(miri))] // It stops where memory runs out.
    fn memory_that_cannot_be_had_changes_nothing() {
        let mut tile = Tile::new();
        reserve(&mut tile, 4, 2);
        let before = (tile.memory, tile.sizes);
        for classes in [usize::MAX / 4, usize::MAX / 16, isize::MAX as usize / 64, isize::MAX as usize / 128] {
            assert_eq!(reserve(&mut tile, 4, classes), 0);
        }
        let after = (tile.memory, tile.sizes);
        assert_eq!(before, after);
        assert_eq!(reserve(&mut tile, 4, 2), 4096);
    }

    #[test]
    fn an_invalid_target_is_found_before_anything_is_computed() {
        let mut tile = Tile::new();
        reserve(&mut tile, 4, 2);
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
        let mut tile = Tile::new();
        let (rows, classes) = (23, 5);
        assert!(reserve(&mut tile, 4, classes) >= rows);
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
        let mut tile = Tile::new();
        // More than one run of rows; Miri is too slow for that many.
        let (rows, classes) = (if cfg!(miri) { 37 } else { 5003 }, 2);
        reserve(&mut tile, 4, classes);
        let x: Vec<f32> = (0..rows * classes).map(|i| (i * 7919 % 101) as f32 / 9.0 - 5.0).collect();
        let targets: Vec<i32> = (0..rows).map(|i| (i * 31 % classes) as i32).collect();
        let bytes = size_of_val(&x[..]);
        let memory = allocate(2 * bytes);
        assert!(memory.addr().is_multiple_of(64));
        // SAFETY: room for the logits, then for the gradient.
        let total = unsafe {
            let (logits, grad) = (memory, memory.add(bytes));
            assert!((0..2 * bytes).all(|i| *memory.add(i) == 0));
            ptr::copy_nonoverlapping(x.as_ptr(), logits.cast(), x.len());
            let places = Places { logits, targets: targets.as_ptr().cast(), grad };
            let mut sums = <F32x4 as Vector>::Wide::zero();
            tile.run::<F32x4>(&Job { places, rows, classes, values: false, ..JOB }, &mut sums).unwrap();
            assert_eq!(slice::from_raw_parts(logits.cast::<f32>(), x.len()), x);
            let criterion = FocalLoss { reduction: crate::Reduction::Sum, ..FocalLoss::default() };
            let mut expected = vec![0.0; x.len()];
            let total = criterion.value_and_grad(&Batch::new(&x, &targets, classes), &mut expected).unwrap();
            assert_eq!(slice::from_raw_parts(grad.cast::<f32>(), x.len()), expected);
            release(memory, 2 * bytes);
            assert_eq!(sums.total(), total);
            total
        };
        assert!(total > 0.0);
    }

    #[test]
    #[cfg(not(miri))] // It stops where memory runs out.
    fn memory_that_cannot_be_had_is_null() {
        for bytes in [0, isize::MAX as usize, usize::MAX] {
            assert!(allocate(bytes).is_null());
        }
    }
}
