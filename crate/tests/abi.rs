//! The numbers that both sides of the seam know: those of `host/abi.rs` are those of
//! `ts/module/abi.ts`, and neither side has one that the other lacks.

use std::{collections::BTreeMap, fs};

use focal_loss::host::abi;

/// The value of a plain number or a bit, as TypeScript writes it.
fn value(text: &str) -> Option<i64> {
    match text.split_once(" << ") {
        Some((one, bits)) => Some(one.parse::<i64>().ok()? << bits.parse::<u32>().ok()?),
        None => text.parse().ok(),
    }
}

/// The numbers that a TypeScript file exports. Whatever else it exports is an error.
fn exported(source: &str) -> Result<BTreeMap<String, i64>, String> {
    let lines = source
        .lines()
        .filter(|line| !line.trim_start().starts_with(['/', '*']) && !line.trim().is_empty());
    lines
        .map(|line| {
            let number = line.strip_prefix("export const ").and_then(|rest| rest.strip_suffix(';'));
            let (name, text) = number.and_then(|rest| rest.split_once(" = ")).ok_or(line)?;
            Ok((name.to_owned(), value(text).ok_or(line)?))
        })
        .collect::<Result<_, &str>>()
        .map_err(|line| format!("this is no plain number: {line}"))
}

fn own() -> BTreeMap<String, i64> {
    abi::ALL.iter().copied().flatten().map(|&(name, value)| (name.to_uppercase(), value)).collect()
}

#[test]
fn both_sides_have_the_same_numbers() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../ts/module/abi.ts");
    let source = fs::read_to_string(path).unwrap();
    assert_eq!(exported(&source).unwrap(), own());
    // No name stands for two numbers.
    assert_eq!(own().len(), abi::ALL.iter().map(|list| list.len()).sum::<usize>());
}

#[test]
fn a_number_that_one_side_alone_has_is_seen_and_so_is_what_is_no_number() {
    let source = "// Two.\n\n/** One. */\nexport const A = 1 << 4;\nexport const B = -5;\n";
    let both = BTreeMap::from([("A".to_owned(), 16), ("B".to_owned(), -5)]);
    assert_eq!(exported(source).unwrap(), both);
    for line in [
        "export const C = A | B;",
        "export const C = 0x10;",
        "const C = 1;",
        "export * from './other.js';",
    ] {
        assert!(exported(&format!("{source}{line}\n")).unwrap_err().contains(line));
    }
}
