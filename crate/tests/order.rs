//! Numbers in order, and what is told of two lists, against comparisons of all with all.

mod support;

use focal_loss::host::{
    abi::{Above, Ranked, size::SORT_COUNTS},
    order::{leave_above, rank, sort_by},
};
use support::Random;

/// Numbers of a kind: many the same, in few piles, of which only the lower halves differ, or of all
/// sizes and both signs.
fn numbers(random: &mut Random, count: usize, kind: usize) -> Vec<f64> {
    (0..count)
        .map(|_| match kind {
            0 => random.choose(&[0.0, -0.0, 1.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, 5e-324]),
            1 => 1.0 + random.unit() * 1e-6,
            2 => -1.0 - random.below(1 << 20) as f64 * f64::EPSILON,
            3 => f64::from_bits(random.bits() & !(1 << 62)),
            _ => random.normal(),
        })
        .collect()
}

const KINDS: usize = 5;
const COUNTS: [usize; 8] = [0, 1, 2, 31, 32, 33, 1000, 5000];

/// A buffer: so many float64 numbers, and room to count.
fn buffer(parts: &[&[f64]], spare: usize) -> Vec<f64> {
    [parts.concat(), vec![f64::NAN; spare + SORT_COUNTS]].concat()
}

#[test]
fn integers_are_sorted_by_numbers_as_a_stable_sort_does() {
    let mut random = Random::new(5);
    for count in COUNTS {
        for kind in 0..KINDS {
            let keys = numbers(&mut random, count, kind);
            let mut expected: Vec<u32> = (0..count as u32).collect();
            expected.sort_by(|&i, &j| keys[i as usize].partial_cmp(&keys[j as usize]).unwrap());
            let room = count + kind;
            let mut memory = buffer(&[&keys], 2 * count + 3 * kind);
            let integers: *mut u32 = memory.as_mut_ptr().wrapping_add(2 * room).cast();
            // SAFETY: the buffer has room for all of them.
            let sorted = unsafe {
                (0..count).for_each(|i| integers.add(i).write(i as u32));
                let is_spare = sort_by(count, room, memory.as_mut_ptr());
                let first = integers.add(room * is_spare as usize);
                (0..count).map(|i| *first.add(i)).collect::<Vec<u32>>()
            };
            assert!(sorted == expected, "{count} numbers of kind {kind}");
        }
    }
}

/// The figures of a ranking: twice the pairs in order, and the two sums of precisions.
fn plain_ranking(own: &[f64], others: &[f64]) -> [f64; 3] {
    let at_least = |list: &[f64], x: f64| list.iter().filter(|&&y| y >= x).count() as f64;
    let at_most = |list: &[f64], x: f64| list.iter().filter(|&&y| y <= x).count() as f64;
    let behind = own
        .iter()
        .flat_map(|x| others.iter().map(move |y| f64::from(x >= y) + f64::from(x > y)))
        .sum();
    let precisions =
        own.iter().map(|&x| at_least(own, x) / (at_least(own, x) + at_least(others, x))).sum();
    let of_others =
        others.iter().map(|&y| at_most(others, y) / (at_most(own, y) + at_most(others, y))).sum();
    [behind, precisions, of_others]
}

fn ranking(record: Ranked, own: &[f64], others: &[f64]) -> Option<Ranked> {
    let start = [
        record.own,
        record.others,
        record.own_passed,
        record.others_passed,
        record.behind,
        record.precisions,
        record.precisions_of_others,
    ];
    let mut memory = buffer(&[&start, own, others], own.len() + others.len());
    // SAFETY: the buffer has a record, the scores, and room.
    unsafe {
        (rank(own.len(), others.len(), memory.as_mut_ptr()) == 1)
            .then(|| *memory.as_ptr().cast::<Ranked>())
    }
}

fn all_of(own: &[f64], others: &[f64]) -> Ranked {
    Ranked { own: own.len() as f64, others: others.len() as f64, ..Ranked::default() }
}

#[test]
fn a_ranking_is_that_of_comparing_all_with_all() {
    let mut random = Random::new(6);
    for (rows, others) in [(0, 0), (0, 3), (3, 0), (1, 1), (7, 40), (300, 200)] {
        for kind in 0..KINDS {
            let own = numbers(&mut random, rows, kind);
            let rest = numbers(&mut random, others, kind);
            let found = ranking(all_of(&own, &rest), &own, &rest).unwrap();
            let [behind, precisions, of_others] = plain_ranking(&own, &rest);
            assert_eq!(found.behind, behind);
            assert!((found.precisions - precisions).abs() <= 1e-13 * precisions);
            assert!((found.precisions_of_others - of_others).abs() <= 1e-13 * of_others);
            assert_eq!([found.own_passed, found.others_passed], [rows as f64, others as f64]);
        }
    }
}

#[test]
fn a_ranking_in_piles_has_the_bits_of_one() {
    let mut random = Random::new(7);
    for kind in [0, 1, 4] {
        let [own, others] = [500, 900].map(|count| numbers(&mut random, count, kind));
        let whole = ranking(all_of(&own, &others), &own, &others).unwrap();
        let cuts = [f64::NEG_INFINITY, -0.5, 0.0, 1.0 + 4e-7, 1.0 + 8e-7, f64::INFINITY];
        let mut piled = all_of(&own, &others);
        for (i, low) in cuts.into_iter().enumerate() {
            let high = cuts.get(i + 1);
            let pile = |list: &[f64]| {
                let is_in = |x: &f64| *x >= low && high.is_none_or(|high| x < high);
                list.iter().copied().filter(is_in).collect::<Vec<f64>>()
            };
            piled = ranking(piled, &pile(&own), &pile(&others)).unwrap();
        }
        assert_eq!(
            [piled.behind, piled.precisions, piled.precisions_of_others].map(f64::to_bits),
            [whole.behind, whole.precisions, whole.precisions_of_others].map(f64::to_bits),
        );
    }
}

#[test]
fn a_score_that_is_nan_has_no_place() {
    for (own, others) in [([1.0, f64::NAN], [0.0, 2.0]), ([1.0, 0.5], [f64::NAN, 2.0])] {
        assert!(ranking(all_of(&own, &others), &own, &others).is_none());
    }
}

#[test]
fn what_is_above_a_threshold_is_left_in_its_order() {
    let mut random = Random::new(8);
    for count in COUNTS {
        for kind in [0, 3, 4] {
            let given = numbers(&mut random, count, kind);
            let (threshold, before) = (0.25, 100.0);
            let room = count + kind;
            let mut memory = buffer(&[&[threshold, before], &given], 2 * count + 3 * kind);
            let first = memory.as_mut_ptr().wrapping_add(Above::ALL.len());
            let places: *mut u32 = first.wrapping_add(2 * room).cast();
            // SAFETY: the buffer has a record, the numbers, and room.
            let left: Vec<(f64, u32)> = unsafe {
                let left = leave_above(count, room, memory.as_mut_ptr());
                (0..left).map(|i| (*first.add(i), *places.add(i))).collect()
            };
            let above = || given.iter().enumerate().filter(|(_, x)| **x > threshold);
            let expected: Vec<(f64, u32)> = above().map(|(i, x)| (-x, i as u32)).collect();
            assert_eq!(left, expected);
            let sum = above().fold(before, |sum, (_, x)| sum + x);
            assert_eq!(memory[1], sum);
        }
    }
}
