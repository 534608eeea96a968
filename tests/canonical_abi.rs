//! Random types and values through the Canonical ABI, compared with the specification's Python
//! definitions: see `cellule_tests::canonical`.
//!
//! `CELLULE_CASES` says how many calls are compared, 2,000 if it doesn't; `CELLULE_SEED` where the
//! random numbers begin, and repeats what a failure names.

use cellule_tests::canonical::batch::{Batch, CASES, Counts, engine};
use cellule_tests::canonical::component::{ENCODINGS, POINTERS};
use cellule_tests::canonical::reference::Reference;
use std::time::Instant;

const DEFAULT_CASES: u64 = 2000;
const DEFAULT_SEED: u64 = 20_261_125;

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().expect("a number in the environment"),
        Err(_) => default,
    }
}

#[test]
fn calls_end_as_the_specifications_definitions_say() {
    let Some(mut reference) = Reference::start() else {
        return;
    };
    let cases = number("CELLULE_CASES", DEFAULT_CASES);
    let seed = number("CELLULE_SEED", DEFAULT_SEED);
    let engine = engine();
    let begun = Instant::now();
    let mut counts = Counts::new();
    let batches = cases.div_ceil(CASES as u64);
    for at in 0..batches {
        let mut batch = Batch::new(&engine, &mut reference, seed + at);
        batch.run(&mut reference, &mut counts);
        if (at + 1) % 100 == 0 {
            let done = (at + 1) * CASES as u64;
            eprintln!("{done} calls compared in {} s", begun.elapsed().as_secs());
        }
    }
    eprintln!("{} calls compared: {counts:?}", batches * CASES as u64);
    if cases >= DEFAULT_CASES {
        every_way_was_tried(&counts);
    }
}

/// A comparison that never came to some way of calling or trapping would show nothing about it.
fn every_way_was_tried(counts: &Counts) {
    let mut ways = vec!["host to guest".to_owned(), "guest to host".to_owned()];
    for from in ENCODINGS {
        ways.extend(ENCODINGS.map(|to| format!("{from} to {to}")));
    }
    for from in POINTERS {
        ways.extend(POINTERS.map(|to| format!("{from} to {to}")));
    }
    ways.push("returned".to_owned());
    let traps = [
        "bounds",
        "unaligned",
        "discriminant",
        "char",
        "encoding",
        "unreachable",
        "handle",
        "borrows",
    ];
    ways.extend(traps.map(|kind| format!("trap: {kind}")));
    let missing: Vec<&String> = ways
        .iter()
        .filter(|way| !counts.contains_key(*way))
        .collect();
    assert!(missing.is_empty(), "never tried: {missing:?}");
}
