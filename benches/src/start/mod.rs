//! `start`: how long it takes from a large module's bytes to an instance, and what is held then.

mod module;

use crate::args::StartArgs;
use crate::measure::Samples;
use crate::peers::{self, Built, Session};
use crate::table::Table;
use anyhow::{Context, Result};
use std::path::Path;

/// What one engine does in one mode.
#[derive(Default)]
struct Started {
    ms: Samples,
    /// Bytes of the heap that the module holds, and module, store and instance together.
    held: [i64; 2],
}

const MODES: [&str; 2] = ["lazy", "eager"];

/// Measures and prints the tables.
pub fn run(args: &StartArgs) -> Result<()> {
    let wasm = match &args.module {
        Some(path) => module::largest(&wat::parse_file(path)?)?,
        None => module::merged(if args.quick { 1 } else { module::COPIES })?,
    };
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), &wasm)?;
    let (starts, rounds) = if args.quick {
        (1, 1)
    } else {
        (args.starts, args.rounds)
    };
    let (built, _) = peers::chosen(&args.peers)?;
    let mut found: Vec<[Started; 2]> = built.iter().map(|_| Default::default()).collect();
    for start in 0..starts as usize {
        eprintln!("start {} of {starts} …", start + 1);
        for turn in 0..built.len() {
            let at = (start + turn) % built.len();
            let name = built[at].peer.name;
            let measured = measure(&built[at], start, rounds, file.path(), &mut found[at]);
            measured.with_context(|| format!("in {name}"))?;
        }
    }
    println!(
        "From the bytes of a module of {:.2} MB to an instance, medians:\n",
        wasm.len() as f64 / 1e6
    );
    println!("{}", times(&built, &found));
    println!("{}", ratios(&built, &found));
    Ok(())
}

fn measure(
    built: &Built,
    order: usize,
    rounds: u32,
    module: &Path,
    found: &mut [Started; 2],
) -> Result<()> {
    let mut session = Session::start(built, order, "start", module)?;
    for started in found.iter_mut() {
        started.ms.start();
    }
    for _ in 0..rounds {
        for (mode, started) in MODES.iter().zip(found.iter_mut()) {
            let [ns, module, all] = session.ask(mode)?;
            started.ms.add(ns as f64 / 1e6);
            started.held = [module, all];
        }
    }
    Ok(())
}

fn times(built: &[Built], found: &[[Started; 2]]) -> Table {
    let heads = [
        "engine",
        "translation",
        "ms",
        "± %",
        "KB of the module",
        "KB of all",
    ];
    let mut table = Table::new(heads.map(String::from).to_vec());
    for (built, modes) in built.iter().zip(found) {
        for (mode, started) in MODES.iter().zip(modes) {
            table.row(vec![
                built.peer.engine(),
                mode.to_string(),
                format!("{:.2}", started.ms.median()),
                format!("{:.0}", started.ms.spread() * 50.0),
                format!("{:.0}", started.held[0] as f64 / 1e3),
                format!("{:.0}", started.held[1] as f64 / 1e3),
            ]);
        }
    }
    table
}

/// cellule by each of the others, mode by mode.
fn ratios(built: &[Built], found: &[[Started; 2]]) -> Table {
    let heads = [
        "cellule by",
        "translation",
        "time",
        "held by the module",
        "held in all",
    ];
    let mut table = Table::new(heads.map(String::from).to_vec());
    for (built, modes) in built.iter().zip(found).skip(1) {
        for (at, other) in modes.iter().enumerate() {
            let own = &found[0][at];
            let held = |what: usize| own.held[what] as f64 / other.held[what] as f64;
            table.row(vec![
                built.peer.engine(),
                MODES[at].to_string(),
                format!("{:.2}", own.ms.median() / other.ms.median()),
                format!("{:.2}", held(0)),
                format!("{:.2}", held(1)),
            ]);
        }
    }
    table
}
