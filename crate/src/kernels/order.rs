//! Numbers in order, and numbers apart from others.
//!
//! Numbers are dealt out digit by digit, the lowest first (Knuth, The Art of Computer Programming,
//! volume 3, 5.2.5): that takes less time than comparisons, and has no order that it is slow for.
//! The digits are the upper ones of float64 numbers as integers, as far above the least of them as
//! they are; what is left is put right afterwards, or dealt out by all digits.

use core::mem;

use crate::simd::{F64x2, vector::Vector};

type D = F64x2;

/// The bits of a digit.
const BITS: u32 = 11;
const PILES: usize = 1 << BITS;
/// Digits by which numbers are dealt out, at most.
const DIGITS: usize = 3;
/// The first bit of the upper ones of that many digits.
const UPPER: u32 = u64::BITS - DIGITS as u32 * BITS;
/// Two digits are enough where no more than so many bits are left below them in the upper half of
/// a number, in which most differ.
const LEFT: u32 = 3;

/// The sizes of piles, for each digit.
pub type Sizes = [[u32; PILES]; DIGITS];

/// Up to so many numbers are put in their places one by one.
const FEW: usize = 32;
/// Steps for each number in which numbers are put right one by one, at most.
const STEPS: usize = 4;

const SIGN: u64 = 1 << 63;

/// Numbers as integers of the same order, with what goes with each.
struct Deck<T> {
    keys: *mut u64,
    others: *mut T,
}

/// Turns a number into an integer, so that they have the same order. The two zeros become one.
#[inline(always)]
fn key_of(number: f64) -> u64 {
    let bits = (number + 0.0).to_bits();
    bits ^ ((bits as i64 >> 63) as u64 | SIGN)
}

/// The ends of keys.
#[derive(Clone, Copy)]
struct Ends {
    least: u64,
    most: u64,
}

/// Turns `n` numbers into keys, where they are. Returns whether none is NaN, and their ends.
///
/// # Safety
/// There must be so many.
#[inline(always)]
unsafe fn to_keys(numbers: *mut f64, n: usize) -> (bool, Ends) {
    let mut are_numbers = true;
    let (mut least, mut most) = (D::constant(f64::INFINITY), D::constant(f64::NEG_INFINITY));
    for i in 0..n {
        // SAFETY: passed on; a key takes the place of its number.
        unsafe {
            let number = *numbers.add(i);
            are_numbers &= !number.is_nan();
            // Engines jump for a choice between numbers, not between vectors.
            (least, most) = (least.pmin(D::splat(number)), most.pmax(D::splat(number)));
            numbers.cast::<u64>().add(i).write(key_of(number));
        }
    }
    let [least, most] = [least, most].map(|end| key_of(end.lane(0)));
    (are_numbers, Ends { least, most })
}

impl<T: Copy> Deck<T> {
    /// Sorts `n` keys with these ends, into this or into `spare`, which changes places with it
    /// then. Those that are the same stay in their order.
    ///
    /// # Safety
    /// There must be so many, in both.
    #[inline(never)]
    unsafe fn sort(
        &mut self,
        spare: &mut Self,
        n: usize,
        sizes: &mut Sizes,
        Ends { least, most }: Ends,
    ) {
        // SAFETY: passed on.
        unsafe {
            if n <= FEW {
                self.put_right(n, usize::MAX);
                return;
            }
            let bits = u64::BITS - most.wrapping_sub(least).leading_zeros();
            if bits <= u32::BITS + 2 * BITS + LEFT {
                let [first, second, _] = sizes;
                self.deal_out(spare, n, [first, second], least, bits.saturating_sub(2 * BITS));
            } else {
                self.deal_out(spare, n, sizes.each_mut(), least, UPPER);
            }
            if !self.put_right(n, STEPS * n) {
                self.deal_out(spare, n, sizes.each_mut(), least, 0);
                self.deal_out(spare, n, sizes.each_mut(), least, UPPER);
            }
        }
    }

    /// Deals keys out by the digits of what they are above the least of them, from the bit `first`
    /// on.
    ///
    /// # Safety
    /// As for [`Self::sort`].
    unsafe fn deal_out<const N: usize>(
        &mut self,
        spare: &mut Self,
        n: usize,
        mut sizes: [&mut [u32; PILES]; N],
        least: u64,
        first: u32,
    ) {
        let digit = |key: u64, k: usize| {
            (key.wrapping_sub(least) >> (first + BITS * k as u32)) as usize & (PILES - 1)
        };
        sizes.iter_mut().for_each(|sizes| **sizes = [0; PILES]);
        for i in 0..n {
            // SAFETY: passed on.
            let key = unsafe { *self.keys.add(i) };
            for (k, sizes) in sizes.iter_mut().enumerate() {
                sizes[digit(key, k)] += 1;
            }
        }
        for (k, piles) in sizes.into_iter().enumerate() {
            // Where all have the same digit, they lie as they should.
            if piles.contains(&(n as u32)) {
                continue;
            }
            // Each pile begins where the one before it ends.
            piles.iter_mut().fold(0, |place, size| place + mem::replace(size, place));
            for i in 0..n {
                // SAFETY: passed on; there are as many places as keys.
                unsafe {
                    let key = *self.keys.add(i);
                    let place = &mut piles[digit(key, k)];
                    spare.keys.add(*place as usize).write(key);
                    spare.others.add(*place as usize).write(*self.others.add(i));
                    *place += 1;
                }
            }
            mem::swap(self, spare);
        }
    }

    /// Moves each key to before those that are larger, in no more than about so many steps. Returns
    /// whether all are in their places.
    ///
    /// # Safety
    /// As for [`Self::sort`].
    unsafe fn put_right(&mut self, n: usize, mut steps: usize) -> bool {
        let Self { keys, others } = *self;
        for i in 1..n {
            // SAFETY: places before `n`.
            unsafe {
                let (key, other) = (*keys.add(i), *others.add(i));
                let mut gap = i;
                while gap > 0 && *keys.add(gap - 1) > key && steps > 0 {
                    steps -= 1;
                    keys.add(gap).write(*keys.add(gap - 1));
                    others.add(gap).write(*others.add(gap - 1));
                    gap -= 1;
                }
                keys.add(gap).write(key);
                others.add(gap).write(other);
                if steps == 0 {
                    return false;
                }
            }
        }
        true
    }
}

/// Sorts `n` integers by the numbers that go with them, from the smallest to the largest; those of
/// equal numbers stay in their order. Both are overwritten. Returns whether the sorted ones are in
/// the `spare` room. No NaN.
///
/// # Safety
/// There must be so many of each, and as much spare room.
pub unsafe fn sort_by(
    numbers: [*mut f64; 2],
    integers: [*mut u32; 2],
    n: usize,
    sizes: &mut Sizes,
) -> bool {
    let deck = |i: usize| Deck { keys: numbers[i].cast(), others: integers[i] };
    let (mut sorted, mut spare) = (deck(0), deck(1));
    // SAFETY: passed on.
    unsafe {
        let (_, ends) = to_keys(numbers[0], n);
        sorted.sort(&mut spare, n, sizes, ends);
    }
    sorted.others == integers[1]
}

/// Sorts `n` numbers, which are overwritten, into where they are or the spare room. Returns where
/// they are then, as integers of the same order, of which two numbers have one where they are the
/// same; none if one is NaN.
///
/// # Safety
/// There must be so many, and as much spare room.
pub unsafe fn sort(
    numbers: *mut f64,
    spare: *mut f64,
    n: usize,
    sizes: &mut Sizes,
) -> Option<*const u64> {
    let deck = |numbers: *mut f64| Deck { keys: numbers.cast(), others: numbers.cast::<()>() };
    let (mut sorted, mut spare) = (deck(numbers), deck(spare));
    // SAFETY: passed on.
    unsafe {
        let (are_numbers, ends) = to_keys(numbers, n);
        sorted.sort(&mut spare, n, sizes, ends);
        are_numbers.then_some(sorted.keys)
    }
}

/// Takes `n` numbers apart: those whose label is `class`, and the others. Returns how many are of
/// the class.
///
/// # Safety
/// There must be so many, and as much room for either.
pub unsafe fn take_apart(
    numbers: *const f64,
    labels: *const i32,
    n: usize,
    class: i32,
    [own, others]: [*mut f64; 2],
) -> usize {
    let mut count = 0;
    for i in 0..n {
        // SAFETY: passed on. Each goes to both, and stays where its place is passed.
        unsafe {
            let number = *numbers.add(i);
            own.add(count).write(number);
            others.add(i - count).write(number);
            count += usize::from(*labels.add(i) == class);
        }
    }
    count
}

/// Leaves of `n` numbers those above a threshold, in their order and with their signs turned, and
/// puts down which of the numbers they were. Returns how many there are, and adds them to a sum.
///
/// # Safety
/// There must be so many of each.
pub unsafe fn leave_above(
    numbers: *mut f64,
    places: *mut u32,
    n: usize,
    threshold: f64,
    sum: &mut f64,
) -> usize {
    let mut count = 0;
    for i in 0..n {
        // SAFETY: passed on. Each is written to where the next one goes, which is not behind it.
        unsafe {
            let number = *numbers.add(i);
            numbers.add(count).write(-number);
            places.add(count).write(i as u32);
            count += usize::from(number > threshold);
        }
    }
    // SAFETY: so many are left.
    *sum = (0..count).fold(*sum, |sum, i| sum - unsafe { *numbers.add(i) });
    count
}
