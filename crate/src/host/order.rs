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

/// The places of what is sorted, with room for so many: the numbers come first, and then as much
/// spare room; then the integers, and as much room again, and room to count.
fn places<T>(buffer: *mut f64, room: usize) -> ([*mut f64; 2], [*mut u32; 2], *mut T) {
    let place = |numbers: usize| buffer.wrapping_add(numbers * room);
    let integers: *mut u32 = place(2).cast();
    ([buffer, place(1)], [integers, integers.wrapping_add(room)], place(3).cast())
}

/// Sorts `n` integers of 32 bits by float64 numbers, of both of which there is room for so many.
/// Returns 1 where the sorted ones are in the spare room, 0 where they are not.
///
/// # Safety
/// All `places` must be there.
pub unsafe fn sort_by(n: usize, room: usize, buffer: *mut f64) -> u32 {
    let (numbers, integers, sizes) = places(buffer, room);
    // SAFETY: passed on; all of them are apart.
    unsafe { u32::from(kernels::sort_by(numbers, integers, n, &mut *sizes)) }
}

/// Leaves of `n` numbers those above the threshold of the record before them, as
/// [`kernels::leave_above`]; which they were goes where [`sort_by`] has the integers. Returns how
/// many are left.
///
/// # Safety
/// The record must be there, and behind it all `places` but the room to count.
pub unsafe fn leave_above(n: usize, room: usize, buffer: *mut f64) -> usize {
    let ([numbers, _], [integers, _], _) =
        places::<Sizes>(buffer.wrapping_add(Above::ALL.len()), room);
    // SAFETY: passed on; all of them are apart.
    unsafe {
        let Above { threshold, sum } = &mut *buffer.cast();
        kernels::leave_above(numbers, integers, n, *threshold, sum)
    }
}
