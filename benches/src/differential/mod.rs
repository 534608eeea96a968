//! `differential`: random components on cellule and on wasmtime, which have to do the same.
//!
//! A case is a composition of two guests and a host: the host calls guest A, A calls guest B through an
//! adapter, B calls the host, and everything returns. What is compared: what the host is called with and
//! gets back, the resources that are dropped and in which order, every byte of both guests' memories,
//! the calls of `realloc` and `post-return` and what those are given, and the class of the trap if there is one.

mod case;
mod derived;
mod flags;
mod guests;
mod on_cellule;
mod on_wasmtime;
mod outcome;
mod rng;
mod shapes;
mod tolerated;
mod ty;
mod value;

use crate::args::DifferentialArgs;
use anyhow::{Context, Result, ensure};
use case::Case;
use outcome::Outcome;
use std::collections::BTreeMap;

/// What became of cases.
#[derive(Default)]
struct Counts {
    cases: u64,
    returned: u64,
    /// By class.
    trapped: BTreeMap<String, u64>,
    /// By the name of what tolerates them.
    tolerated: BTreeMap<&'static str, u64>,
    different: Vec<u64>,
}

/// Both engines.
struct Engines {
    cellule: cellule::Engine,
    wasmtime: wasmtime::Engine,
}

/// Runs cases and prints what became of them.
pub fn run(args: &DifferentialArgs) -> Result<()> {
    let counts = cases(args.seed, args.cases, args.verbose)?;
    println!(
        "{} cases, {} of them returned",
        counts.cases, counts.returned
    );
    for (class, count) in &counts.trapped {
        println!("  {count} trapped: {class}");
    }
    for rule in tolerated::rules() {
        if let Some(count) = counts.tolerated.get(rule.name) {
            let (name, section, why) = (rule.name, rule.section, rule.why);
            println!("  {count} differed as tolerated: {name} ({section}): {why}");
        }
    }
    let different = &counts.different;
    ensure!(
        different.is_empty(),
        "{} cases differ: {different:?}",
        different.len()
    );
    println!("no other difference");
    Ok(())
}

fn cases(first: u64, count: u64, verbose: bool) -> Result<Counts> {
    let engines = Engines {
        cellule: on_cellule::engine()?,
        wasmtime: on_wasmtime::engine()?,
    };
    let mut counts = Counts::default();
    for seed in first..first + count {
        one(&engines, seed, verbose, &mut counts).with_context(|| format!("in case {seed}"))?;
        if counts.cases.is_multiple_of(1000) {
            let different = counts.different.len();
            eprintln!("{} cases, {different} differ …", counts.cases);
        }
    }
    Ok(counts)
}

fn one(engines: &Engines, seed: u64, verbose: bool, counts: &mut Counts) -> Result<()> {
    let case = Case::new(seed);
    let text = guests::component(&case);
    if verbose {
        eprintln!("{text}\ncalled with {:?}", case.args);
    }
    let wasm = wat::parse_str(&text).with_context(|| text.clone())?;
    let ours = on_cellule::drive::run(&engines.cellule, &wasm, &case);
    let theirs = on_wasmtime::drive::run(&engines.wasmtime, &wasm, &case);
    ensure!(
        !ours.seen.is_empty() || !theirs.seen.is_empty(),
        "neither engine takes it: {ours:?} {theirs:?}"
    );
    if verbose {
        eprintln!("cellule: {ours:#?}\nwasmtime: {theirs:#?}");
    }
    counts.cases += 1;
    match &ours.error {
        None => counts.returned += 1,
        Some(error) => *counts.trapped.entry(outcome::class(error)).or_default() += 1,
    }
    if ours.comparable() == theirs.comparable() {
        return Ok(());
    }
    match tolerated::by(&ours, &theirs) {
        Some(name) => *counts.tolerated.entry(name).or_default() += 1,
        None => {
            report(seed, &ours, &theirs);
            counts.different.push(seed);
        }
    }
    Ok(())
}

fn report(seed: u64, ours: &Outcome, theirs: &Outcome) {
    eprintln!("case {seed} differs");
    let longest = ours.seen.len().max(theirs.seen.len());
    for at in 0..longest {
        let (ours, theirs) = (ours.seen.get(at), theirs.seen.get(at));
        if ours != theirs {
            eprintln!("  cellule  {ours:?}\n  wasmtime {theirs:?}");
        }
    }
    if ours.error != theirs.error {
        eprintln!("  cellule  {:?}\n  wasmtime {:?}", ours.error, theirs.error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many cases are run where wasmtime isn't optimised.
    const CASES: u64 = 200;

    #[test]
    fn random_components_do_the_same_on_wasmtime() {
        let counts = cases(0, CASES, false).unwrap();
        assert_eq!(counts.different, []);
        assert_eq!(counts.cases, CASES);
        // Most have to get through, or they would show little.
        assert!(counts.returned > CASES / 2, "{} returned", counts.returned);
    }
}
