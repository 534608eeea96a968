//! The tables of `core`: times, ratios to the other engines, and cellule beside itself.

use super::Outcome;
use crate::measure::{Samples, geometric_mean};
use crate::peers::{Built, Role};
use crate::table::Table;

/// Prints all of them.
pub fn print(built: &[Built], outcomes: &[Outcome]) {
    println!(
        "Milliseconds of CPU time of one call, medians, and what the starts are apart in per cent:\n"
    );
    println!("{}", times(built, outcomes));
    let others: Vec<usize> = places(built, |role| role != Role::Own);
    if !others.is_empty() {
        println!("cellule's time by the other engine's; below 1 cellule is faster:\n");
        println!("{}", ratios(built, outcomes, &others));
    }
    println!("cellule beside itself, and what it executes:\n");
    println!("{}", own(built, outcomes));
    for built in built.iter().filter(|built| built.peer.role != Role::Own) {
        println!("{} is {}", built.peer.name, built.peer.engine());
    }
}

fn places(built: &[Built], wanted: impl Fn(Role) -> bool) -> Vec<usize> {
    (0..built.len())
        .filter(|at| wanted(built[*at].peer.role))
        .collect()
}

fn times(built: &[Built], outcomes: &[Outcome]) -> Table {
    let mut heads = vec!["workload".to_string()];
    heads.extend(built.iter().map(|built| built.peer.name.to_string()));
    let mut table = Table::new(heads);
    let cell = |samples: &Option<Samples>| match samples {
        Some(samples) => format!("{:.1} ±{:.0}", samples.median(), samples.spread() * 50.0),
        None => "–".to_string(),
    };
    for outcome in outcomes {
        let mut cells = vec![outcome.name.to_string()];
        cells.extend(outcome.samples.iter().map(cell));
        table.row(cells);
    }
    table
}

/// The interpreter that is fastest in this workload, and cellule's time by its.
fn best(built: &[Built], outcome: &Outcome) -> Option<(&'static str, f64)> {
    places(built, |role| role == Role::Interpreter)
        .into_iter()
        .filter(|at| !built[*at].peer.small)
        .filter_map(|at| Some((built[at].peer.name, outcome.ratio(0, at)?)))
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
}

fn ratios(built: &[Built], outcomes: &[Outcome], others: &[usize]) -> Table {
    let mut heads = vec!["workload".to_string()];
    heads.extend(others.iter().map(|at| built[*at].peer.name.to_string()));
    heads.extend(["best", "by the best"].map(String::from));
    let mut table = Table::new(heads);
    let mut columns = vec![Vec::new(); others.len() + 1];
    for outcome in outcomes {
        let mut found: Vec<Option<f64>> = others.iter().map(|at| outcome.ratio(0, *at)).collect();
        let best = best(built, outcome);
        let mut cells = vec![outcome.name.to_string()];
        cells.extend(found.iter().copied().map(ratio));
        cells.push(best.map_or("–", |(name, _)| name).to_string());
        found.push(best.map(|(_, ratio)| ratio));
        cells.push(ratio(found[others.len()]));
        table.row(cells);
        for (column, found) in columns.iter_mut().zip(found) {
            column.extend(found);
        }
    }
    for (name, summary) in SUMMARIES {
        let mut cells = vec![name.to_string()];
        cells.extend(columns.iter().map(|column| ratio(summary(column))));
        cells.insert(others.len() + 1, String::new());
        table.row(cells);
    }
    table
}

type Summary = fn(&[f64]) -> Option<f64>;

/// The rows below ratios.
const SUMMARIES: [(&str, Summary); 2] = [
    ("geometric mean", |ratios| {
        (!ratios.is_empty()).then(|| geometric_mean(ratios))
    }),
    ("worst", |ratios| {
        ratios.iter().copied().max_by(f64::total_cmp)
    }),
];

/// What is compared within cellule, and small builds of portable dispatchers: each by the other.
const WITHIN: [(&str, &str); 5] = [
    ("cellule-fuel", "cellule"),
    ("cellule-base", "cellule"),
    ("cellule-loop-base", "cellule-base"),
    ("cellule-loop", "cellule"),
    ("cellule-loop-small", "wasmi2-portable-small"),
];

fn own(built: &[Built], outcomes: &[Outcome]) -> Table {
    let place = |name: &str| built.iter().position(|built| built.peer.name == name);
    let pairs: Vec<(String, usize, usize)> = WITHIN
        .iter()
        .filter_map(|(one, by)| Some((format!("{one} / {by}"), place(one)?, place(by)?)))
        .collect();
    let mut heads = vec!["workload".to_string()];
    heads.extend(pairs.iter().map(|(name, ..)| name.clone()));
    heads.extend(["instructions M", "fast %", "ns each"].map(String::from));
    let mut table = Table::new(heads);
    let found = |outcome: &Outcome| -> Vec<Option<f64>> {
        pairs
            .iter()
            .map(|(_, one, by)| outcome.ratio(*one, *by))
            .collect()
    };
    for outcome in outcomes {
        let mut cells = vec![outcome.name.to_string()];
        cells.extend(found(outcome).into_iter().map(ratio));
        cells.extend(shares(outcome.executed));
        let each = outcome
            .time(0)
            .map(|ms| ms * 1e6 / outcome.executed.0 as f64);
        cells.push(ratio(each));
        table.row(cells);
    }
    let all: Vec<Vec<Option<f64>>> = outcomes.iter().map(found).collect();
    for (name, summary) in SUMMARIES {
        let mut cells = vec![name.to_string()];
        for column in 0..pairs.len() {
            let ratios: Vec<f64> = all.iter().filter_map(|row| row[column]).collect();
            cells.push(ratio(summary(&ratios)));
        }
        table.row(cells);
    }
    table
}

/// Millions of instructions, and how many in a hundred have a fast form.
fn shares((all, fast): (u64, u64)) -> [String; 2] {
    let share = fast as f64 * 100.0 / all as f64;
    [format!("{:.1}", all as f64 / 1e6), format!("{share:.0}")]
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or("–".to_string(), |ratio| format!("{ratio:.2}"))
}
