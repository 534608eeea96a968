//! `pairs`: which instructions follow each other most often, so that fusions are chosen by count.
//!
//! Every workload weighs the same: a sequence's share is that of its workload's instructions, and the
//! mean of the shares is what is printed.

use crate::args::PairsArgs;
use crate::count;
use crate::table::Table;
use crate::workloads::{self, Workload};
use anyhow::Result;
use std::collections::HashMap;

/// The kinds of sequences, each a table.
const KINDS: [&str; 4] = ["instruction", "pair", "triple", "jump"];

/// Percent of each workload's instructions, by kind and sequence.
type Shares = HashMap<(usize, String), Vec<(&'static str, f64)>>;

/// Counts and prints the tables.
pub fn run(args: &PairsArgs) -> Result<()> {
    let chosen = |workload: &&Workload| {
        args.only.is_empty() || args.only.iter().any(|name| name == workload.name)
    };
    let mut shares = Shares::new();
    let mut count = 0.0;
    for workload in workloads::ALL.iter().filter(chosen) {
        eprintln!("{} …", workload.name);
        add(&mut shares, workload)?;
        count += 1.0;
    }
    for (kind, title) in KINDS.iter().enumerate() {
        let mut rows: Vec<_> = shares
            .iter()
            .filter(|((found, _), _)| *found == kind)
            .map(|((_, name), parts)| {
                let sum: f64 = parts.iter().map(|(_, share)| share).sum();
                (sum / count, name, parts)
            })
            .collect();
        rows.sort_by(|x, y| y.0.total_cmp(&x.0).then(x.1.cmp(y.1)));
        let mut table = Table::new([*title, "%", "most in", "%"].map(String::from).to_vec());
        for (mean, name, parts) in rows.into_iter().take(args.top) {
            let most = parts.iter().max_by(|x, y| x.1.total_cmp(&y.1));
            let (most, share) = most.copied().unwrap_or(("", 0.0));
            let cells = [name, &format!("{mean:.2}"), most, &format!("{share:.1}")];
            table.row(cells.map(String::from).to_vec());
        }
        println!("{table}");
    }
    Ok(())
}

/// Counts one workload.
fn add(shares: &mut Shares, workload: &Workload) -> Result<()> {
    let mut config = cellule::Config::new();
    config.count_instructions(true).count_sequences(true);
    let wasm = wat::parse_bytes(workload.module)?;
    let (_, store) = count::run(&config, &wasm, workload.full)?;
    let all: u64 = store.instruction_counts().map(|(_, count)| count).sum();
    let mut note = |kind: usize, name: String, count: u64| {
        let share = count as f64 * 100.0 / all as f64;
        let parts = shares.entry((kind, name)).or_default();
        parts.push((workload.name, share));
    };
    for (info, count) in store.instruction_counts() {
        note(0, info.to_string(), count);
    }
    for (sequence, count) in store.sequence_counts() {
        let names: Vec<String> = sequence
            .instructions
            .iter()
            .map(ToString::to_string)
            .collect();
        let kind = match (sequence.jumped, names.len()) {
            (true, _) => 3,
            (false, length) => length - 1,
        };
        note(kind, names.join("  "), count);
    }
    Ok(())
}
