//! What is told of the rows of a class, and of the others, by the order of their scores.

use super::abi::Ranked;

/// The number at a place of a list.
///
/// # Safety
/// There must be such a place.
unsafe fn at(list: *const u64, i: usize) -> u64 {
    // SAFETY: passed on.
    unsafe { *list.add(i) }
}

/// The place where the numbers from one on that are the same as `score` end, of `n`.
///
/// # Safety
/// There must be so many.
unsafe fn end_of(list: *const u64, n: usize, from: usize, score: u64) -> usize {
    let mut end = from;
    // SAFETY: passed on.
    while end < n && unsafe { at(list, end) } == score {
        end += 1;
    }
    end
}

impl Ranked {
    /// Walks on through two sorted lists of scores, of so many rows each: of the class, and of the
    /// others. None is below those before.
    ///
    /// # Safety
    /// There must be so many.
    pub unsafe fn walk(&mut self, [own, others]: [*const u64; 2], [rows, rest]: [usize; 2]) {
        // The record lies in memory, where each sum would have to be written back.
        let mut sums = *self;
        let all = sums.own + sums.others;
        let (mut i, mut j) = (0, 0);
        loop {
            let before = self.own_passed + i as f64;
            // The others below the next score, or all that are left.
            // SAFETY: places before the ends.
            while j < rest && (i == rows || unsafe { at(others, j) < at(own, i) }) {
                let first = j;
                // SAFETY: as above.
                j = unsafe { end_of(others, rest, j + 1, at(others, j)) };
                let reached = self.others_passed + j as f64;
                sums.precisions_of_others += (j - first) as f64 * (reached / (before + reached));
            }
            if i == rows {
                break;
            }
            let (first, fewer) = (i, self.others_passed + j as f64);
            // SAFETY: as above.
            let equal = unsafe {
                let score = at(own, i);
                i = end_of(own, rows, i + 1, score);
                let end = end_of(others, rest, j, score);
                end - core::mem::replace(&mut j, end)
            };
            let tied = (i - first) as f64;
            let (passed, reached) = (self.own_passed + i as f64, self.others_passed + j as f64);
            sums.behind += tied * (fewer + reached);
            // Rows of the class with this score or a higher one, among all such rows.
            sums.precisions += tied * ((sums.own - before) / (all - before - fewer));
            if equal > 0 {
                sums.precisions_of_others += equal as f64 * (reached / (passed + reached));
            }
        }
        (sums.own_passed, sums.others_passed) =
            (self.own_passed + rows as f64, self.others_passed + rest as f64);
        *self = sums;
    }
}
