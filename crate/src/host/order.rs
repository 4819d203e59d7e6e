//! Numbers of a host in order, in a buffer: see [`kernels::sort`].

use super::abi::{Above, Ranked, size::SORT_COUNTS};
use crate::kernels::{self, Sizes};

const _: () = assert!(SORT_COUNTS * size_of::<f64>() == size_of::<Sizes>());

/// Has the scores of so many rows of a class, and of so many others, add to what has been ranked.
/// None may be below those before. They lie behind the record, and behind them as much spare room,
/// and room to count. Returns 1, or 0 where a score is NaN.
///
/// # Safety
/// All of that must be there.
pub unsafe fn rank(own: usize, others: usize, buffer: *mut f64) -> u32 {
    let ranked: *mut Ranked = buffer.cast();
    let scores = buffer.wrapping_add(Ranked::ALL.len());
    let others_scores = scores.wrapping_add(own);
    let spare = others_scores.wrapping_add(others);
    // SAFETY: passed on; all of them are apart.
    unsafe {
        let sizes = &mut *spare.add(own + others).cast();
        let own_sorted = kernels::sort(scores, spare, own, sizes);
        let others_sorted = kernels::sort(others_scores, spare.add(own), others, sizes);
        match (own_sorted, others_sorted) {
            (Some(first), Some(second)) => (*ranked).walk([first, second], [own, others]),
            _ => return 0,
        }
    }
    1
}

/// Sorts `n` integers of 32 bits by float64 numbers. The numbers come first, and then as much spare
/// room; then the integers, and as much room again, and room to count. Returns 1 where the sorted
/// ones are in the spare room, 0 where they are not.
///
/// # Safety
/// All of that must be there.
pub unsafe fn sort_by(n: usize, buffer: *mut f64) -> u32 {
    let place = |numbers: usize| buffer.wrapping_add(numbers);
    let integers: *mut u32 = place(2 * n).cast();
    // SAFETY: passed on; all of them are apart.
    unsafe {
        let sizes = &mut *place(3 * n).cast();
        let numbers = [buffer, place(n)];
        u32::from(kernels::sort_by(numbers, [integers, integers.add(n)], n, sizes))
    }
}

/// Leaves of `n` numbers those above the threshold of the record before them, as
/// [`kernels::leave_above`]; which they were goes behind them. Returns how many are left.
///
/// # Safety
/// All of that must be there.
pub unsafe fn leave_above(n: usize, buffer: *mut f64) -> usize {
    let numbers = buffer.wrapping_add(Above::ALL.len());
    // SAFETY: passed on; all of them are apart.
    unsafe {
        let Above { threshold, sum } = &mut *buffer.cast();
        kernels::leave_above(numbers, numbers.add(n).cast(), n, *threshold, sum)
    }
}
