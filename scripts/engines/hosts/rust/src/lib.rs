//! The tape of the battery, for any host.

use std::collections::BTreeMap;
use std::env::args;
use std::fs::read;
use std::process::exit;
use std::time::{Duration, Instant};

const LARGE: i32 = 8000;
const SLOW: Duration = Duration::from_secs(20);

/// An instance of the module.
pub trait Instance {
    /// A function that it exports.
    type Function;

    fn function(&self, name: &str) -> Self::Function;

    /// The result, of functions that have one.
    fn call(&mut self, function: &Self::Function, arguments: &[i32]) -> Option<i32>;

    fn write(&mut self, address: usize, bytes: &[u8]);

    fn read(&self, address: usize, length: usize) -> Vec<u8>;
}

fn checksum(mut bytes: Vec<u8>, size: u32) -> u32 {
    if size == 8 {
        for chunk in bytes.as_chunks_mut().0 {
            if f64::from_le_bytes(*chunk).is_nan() {
                *chunk = 0x7ff8_0000_0000_0000_u64.to_le_bytes();
            }
        }
    } else {
        for chunk in bytes.as_chunks_mut().0 {
            if f32::from_le_bytes(*chunk).is_nan() {
                *chunk = 0x7fc0_0000_u32.to_le_bytes();
            }
        }
    }
    crc32fast::hash(&bytes)
}

struct Tape<'a>(&'a [u8]);

impl<'a> Tape<'a> {
    fn bytes(&mut self, count: u32) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(count as usize);
        self.0 = rest;
        bytes
    }

    fn next(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes(4).try_into().unwrap())
    }
}

/// The least time of each of the larger calls, by its operation.
type Times = BTreeMap<u32, Duration>;

fn play(mut instance: impl Instance, tape: &[u8], fastest: &mut Times) {
    let mut tape = Tape(tape);
    let (count, operations) = (tape.next(), tape.next());
    let functions: Vec<_> = (0..count)
        .map(|_| {
            let name = String::from_utf8_lossy(tape.bytes(32)).trim_end_matches('\0').to_owned();
            (instance.function(&name), tape.next())
        })
        .collect();
    for operation in 0..operations {
        let (kind, first) = (tape.next(), tape.next());
        if kind == 2 {
            let (function, arity) = &functions[first as usize];
            let arguments: Vec<i32> = (0..*arity).map(|_| tape.next() as i32).collect();
            let start = Instant::now();
            let result = instance.call(function, &arguments).unwrap_or(0);
            let took = start.elapsed();
            if *arity == 6 && arguments[3].wrapping_mul(arguments[4]) >= LARGE {
                let best = fastest.entry(operation).or_insert(took);
                *best = took.min(*best);
            }
            if result as u32 != tape.next() {
                println!("operation {operation}: the result is {result}");
                exit(1);
            }
            continue;
        }
        let length = tape.next();
        let place = first as usize;
        if kind == 1 {
            instance.write(place, tape.bytes(length));
        } else {
            let bytes = instance.read(place, length as usize);
            if checksum(bytes, tape.next()) != tape.next() {
                println!("operation {operation}: other numbers at {first}");
                exit(1);
            }
        }
    }
}

/// Plays the tape with instances of the module, whose bytes are given.
pub fn run<I: Instance>(engine: impl FnOnce(&[u8]) -> Box<dyn FnMut() -> I>) {
    let paths: Vec<String> = args().skip(1).collect();
    let [module, tape] = &paths[..] else { panic!("a module and a tape") };
    let mut instantiate = engine(&read(module).unwrap());
    let tape = read(tape).unwrap();
    let mut fastest = Times::new();
    let mut sum = Duration::ZERO;
    for _ in 0..10 {
        if sum < SLOW {
            play(instantiate(), &tape, &mut fastest);
            sum = fastest.values().sum();
        }
    }
    println!("SAME {}", sum.as_millis());
}
