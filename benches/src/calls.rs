//! `calls`: what it costs to cross the boundary between the host and core modules, and to make instances.

use crate::args::CallsArgs;
use crate::measure::Samples;
use crate::peers::{self, Session};
use crate::table::Table;
use anyhow::{Context, Result, ensure};
use std::path::Path;

/// The kinds that peers know, what they are, and how many at a time.
const KINDS: [(&str, &str, u32); 5] = [
    ("typed", "host calls a typed function", 1_000_000),
    ("dynamic", "host calls with dynamic values", 500_000),
    ("import", "wasm calls the host", 1_000_000),
    ("instance", "instance of a trivial module", 200_000),
    ("store", "store and instance of a trivial module", 50_000),
];

/// Measures and prints the table.
pub fn run(args: &CallsArgs) -> Result<()> {
    let (starts, rounds) = if args.quick {
        (1, 1)
    } else {
        (args.starts, args.rounds)
    };
    let (built, _) = peers::chosen(&["wasmi2".to_string()])?;
    let mut heads = vec!["ns of CPU time for one".to_string()];
    heads.extend(built.iter().map(|built| built.peer.engine()));
    heads.push("ratio".to_string());
    let mut table = Table::new(heads);
    for (kind, text, n) in KINDS {
        eprintln!("{text} …");
        let n = if args.quick { 1000 } else { n };
        let mut samples: Vec<Samples> = built.iter().map(|_| Samples::default()).collect();
        let mut sum = None;
        for start in 0..starts as usize {
            let sessions = built
                .iter()
                .map(|built| Session::start(built, start, "calls", Path::new("-")));
            let mut sessions = sessions.collect::<Result<Vec<_>>>()?;
            samples.iter_mut().for_each(Samples::start);
            for round in 0..rounds as usize {
                for turn in 0..built.len() {
                    let at = (start + round + turn) % built.len();
                    let name = built[at].peer.name;
                    let answer = sessions[at].ask(&format!("{kind} {n}"));
                    let [ns, found] = answer.with_context(|| format!("in {name}"))?;
                    let expected = *sum.get_or_insert(found);
                    ensure!(found == expected, "{name} returns {found}, not {expected}");
                    samples[at].add(ns as f64 / f64::from(n));
                }
            }
        }
        let mut cells = vec![text.to_string()];
        let cell = |one: &Samples| format!("{:.1} ±{:.0} %", one.median(), one.spread() * 50.0);
        cells.extend(samples.iter().map(cell));
        cells.push(format!("{:.2}", samples[0].median() / samples[1].median()));
        table.row(cells);
    }
    print!("{table}");
    Ok(())
}
