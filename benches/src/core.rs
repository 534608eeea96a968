//! `core`: how fast core modules execute.

use crate::args::CoreArgs;
use crate::engines::{self, Cellule, Engine, Instance, Options};
use crate::measure::{geometric_mean, median, time};
use crate::table::Table;
use crate::workloads::{self, Workload};
use anyhow::{Context, Result, ensure};

/// What one workload has shown.
struct Outcome {
    /// The median of each engine, in milliseconds.
    medians: Vec<f64>,
    /// Instructions that cellule executed, and those of them that the fast tier has.
    executed: (u64, u64),
}

/// Measures and prints the table.
pub fn run(args: &CoreArgs) -> Result<()> {
    let engines = engines::all();
    let mut table = Table::new(heads(&engines));
    let mut outcomes = Vec::new();
    let chosen = |workload: &&Workload| {
        args.only.is_empty() || args.only.iter().any(|name| name == workload.name)
    };
    for workload in workloads::ALL.iter().filter(chosen) {
        eprintln!("{} …", workload.name);
        let outcome = measure(&engines, workload, args)
            .with_context(|| format!("in the workload {}", workload.name))?;
        table.row(cells(workload.name, &outcome));
        outcomes.push(outcome);
    }
    table.row(means(&engines, &outcomes));
    table.row(totals(&engines, &outcomes));
    print!("{table}");
    Ok(())
}

fn measure(engines: &[Engine], workload: &Workload, args: &CoreArgs) -> Result<Outcome> {
    let options = Options {
        base_tier: args.base_tier,
    };
    let (n, rounds) = match args.quick {
        true => (workload.quick, 1),
        false => (workload.full, args.rounds),
    };
    let wasm = wat::parse_bytes(workload.module)?;
    let mut counting = Cellule::new(&wasm, &options, true)?;
    let checksum = counting.run(n)?;
    let mut instances: Vec<Box<dyn Instance>> = Vec::new();
    for engine in engines {
        let instance = (engine.instantiate)(&wasm, &options);
        let mut instance = instance.with_context(|| format!("in {}", engine.name))?;
        instance.run(workload.quick)?;
        instances.push(instance);
    }
    let mut samples = vec![Vec::new(); engines.len()];
    for round in 0..rounds as usize {
        // Another engine begins each round, so that none always runs behind the same one.
        for turn in 0..engines.len() {
            let at = (round + turn) % engines.len();
            let (ms, found) = time(|| instances[at].run(n))
                .with_context(|| format!("in {}", engines[at].name))?;
            ensure!(
                found == checksum,
                "{} returns {found}, but {checksum} is expected",
                engines[at].name
            );
            samples[at].push(ms);
        }
    }
    Ok(Outcome {
        medians: samples.iter_mut().map(|times| median(times)).collect(),
        executed: counting.executed(),
    })
}

fn heads(engines: &[Engine]) -> Vec<String> {
    let mut heads = vec!["workload".to_string()];
    heads.extend(engines.iter().map(|engine| format!("{} ms", engine.name)));
    let others = engines[1..].iter();
    heads.extend(others.map(|engine| format!("cellule/{}", engine.name)));
    heads.extend(["instructions M", "fast %"].map(String::from));
    heads
}

fn ratio(outcome: &Outcome, engine: usize) -> f64 {
    outcome.medians[0] / outcome.medians[engine]
}

fn cells(name: &str, outcome: &Outcome) -> Vec<String> {
    let mut cells = vec![name.to_string()];
    cells.extend(outcome.medians.iter().map(|ms| format!("{ms:.1}")));
    cells.extend((1..outcome.medians.len()).map(|at| format!("{:.2}", ratio(outcome, at))));
    cells.extend(shares(outcome.executed));
    cells
}

/// The row of mean ratios.
fn means(engines: &[Engine], outcomes: &[Outcome]) -> Vec<String> {
    let mut cells = vec!["geometric mean".to_string()];
    cells.extend(engines.iter().map(|_| String::new()));
    for engine in 1..engines.len() {
        let ratios: Vec<f64> = outcomes.iter().map(|one| ratio(one, engine)).collect();
        cells.push(format!("{:.2}", geometric_mean(&ratios)));
    }
    cells
}

/// The row of what was executed in all workloads.
fn totals(engines: &[Engine], outcomes: &[Outcome]) -> Vec<String> {
    let mut cells = vec!["all together".to_string()];
    cells.resize(2 * engines.len(), String::new());
    let executed = outcomes.iter().map(|one| one.executed);
    cells.extend(shares(
        executed.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)),
    ));
    cells
}

/// Millions of instructions, and how many in a hundred have a fast form.
fn shares((all, fast): (u64, u64)) -> [String; 2] {
    let share = fast as f64 * 100.0 / all as f64;
    [format!("{:.1}", all as f64 / 1e6), format!("{share:.0}")]
}
