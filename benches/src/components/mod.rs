//! `components`: what calls into, out of and between components cost.

mod engines;
mod on_cellule;
#[cfg(feature = "wasmtime")]
mod on_wasmtime;
pub mod rows;
mod within;

use crate::args::ComponentsArgs;
use crate::measure::{median, time};
use crate::table::Table;
use anyhow::{Context, Result, ensure};
use engines::Engine;
use rows::Row;
use std::collections::HashMap;

/// The medians of each engine, in nanoseconds for each time that it is done.
type Medians = Vec<f64>;

/// Measures and prints the table.
pub fn run(args: &ComponentsArgs) -> Result<()> {
    let engines = engines::all()?;
    let mut table = Table::new(heads(&engines));
    let chosen = |row: &&Row| args.only.is_empty() || args.only.iter().any(|name| name == row.name);
    let mut measured = HashMap::new();
    for row in rows::ALL.iter().filter(chosen) {
        eprintln!("{} …", row.name);
        let medians = measure(&engines, row, args).with_context(|| format!("in {}", row.name))?;
        table.row(cells(row, &medians));
        measured.insert(row.name, medians);
    }
    let rounds = if args.quick { 1 } else { args.rounds };
    let within = within::table(&measured, (rounds, args.quick))?;
    print!("{table}\n{within}");
    Ok(())
}

fn measure(engines: &[Engine], row: &Row, args: &ComponentsArgs) -> Result<Medians> {
    let (n, rounds) = match args.quick {
        true => (row.quick, 1),
        false => (row.full, args.rounds),
    };
    let wasm = wat::parse_bytes(row.guest)?;
    let mut prepared = Vec::new();
    for engine in engines {
        let calls = (engine.prepare)(row.what, &wasm);
        let mut calls = calls.with_context(|| format!("in {}", engine.name))?;
        calls(row.quick).with_context(|| format!("in {}", engine.name))?;
        prepared.push(calls);
    }
    let mut samples = vec![Vec::new(); engines.len()];
    let mut checksum = None;
    for round in 0..rounds as usize {
        // Another engine begins each round, so that none always runs behind the same one.
        for turn in 0..engines.len() {
            let at = (round + turn) % engines.len();
            let name = &engines[at].name;
            let (ms, found) = time(|| prepared[at](n)).with_context(|| format!("in {name}"))?;
            let expected = *checksum.get_or_insert(found);
            ensure!(
                found == expected,
                "{name} returns {found}, and another engine {expected}"
            );
            samples[at].push(ms * 1e6 / f64::from(n));
        }
    }
    Ok(samples.iter_mut().map(|times| median(times)).collect())
}

fn heads(engines: &[Engine]) -> Vec<String> {
    let mut heads = vec!["call".to_string()];
    heads.extend(engines.iter().map(|engine| format!("{} ns", engine.name)));
    let others = engines[1..].iter();
    heads.extend(others.map(|engine| format!("cellule/{}", engine.name)));
    heads
}

fn cells(row: &Row, medians: &Medians) -> Vec<String> {
    let mut cells = vec![row.name.to_string()];
    cells.extend(medians.iter().map(|ns| format!("{ns:.0}")));
    cells.extend(medians[1..].iter().map(|ns| match row.comparable() {
        true => ratio(medians[0] / ns),
        false => "–".to_string(),
    }));
    cells
}

/// Two digits that tell something.
fn ratio(ratio: f64) -> String {
    match ratio {
        small if small < 0.1 => format!("{small:.4}"),
        _ => format!("{ratio:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_agree() {
        let args = ComponentsArgs {
            rounds: 1,
            only: Vec::new(),
            quick: true,
        };
        run(&args).unwrap();
    }
}
