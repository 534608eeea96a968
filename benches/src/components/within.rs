//! Ratios that need no other runtime: a call between components against the same call of the host's,
//! and loading against what the validator takes alone.

use super::rows::COMMAND;
use super::{Medians, ratio};
use crate::measure::{median, time};
use crate::table::Table;
use anyhow::{Context, Result};
use std::collections::HashMap;

/// A ratio of two rows that were measured: what, and by what.
const PAIRS: [(&str, &str); 1] = [("nested-text", "text")];

/// The table of the ratios; `rows` are the medians of those that were measured.
pub fn table(rows: &HashMap<&str, Medians>, (rounds, quick): (u32, bool)) -> Result<Table> {
    let heads = [
        "cellule against itself and its validator",
        "ns",
        "by ns",
        "ratio",
    ];
    let mut table = Table::new(heads.map(str::to_string).to_vec());
    let mut add = |name: String, ns: f64, by: f64| {
        table.row(vec![
            name,
            format!("{ns:.0}"),
            format!("{by:.0}"),
            ratio(ns / by),
        ]);
    };
    for (what, by) in PAIRS {
        if let (Some(ns), Some(by_ns)) = (rows.get(what), rows.get(by)) {
            add(format!("{what} / {by}"), ns[0], by_ns[0]);
        }
    }
    if rows.contains_key("load") {
        let (ns, by) = loading(rounds, if quick { 1 } else { 10 })?;
        let kilobytes = COMMAND.len() / 1000;
        add(format!("load of {kilobytes} KB / wasmparser"), ns, by);
    }
    Ok(table)
}

/// Nanoseconds that loading a command of WASI's takes, and validating it alone.
fn loading(rounds: u32, n: u32) -> Result<(f64, f64)> {
    let engine = cellule::Engine::default();
    let features = wasmparser::WasmFeatures::default();
    let load = || {
        for _ in 0..n {
            cellule::component::Component::new(&engine, COMMAND)?;
        }
        Ok(())
    };
    let validate = || {
        for _ in 0..n {
            let mut validator = wasmparser::Validator::new_with_features(features);
            validator.validate_all(COMMAND).context("in wasmparser")?;
        }
        Ok(())
    };
    let mut samples = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        samples.0.push(time(load)?.0 * 1e6 / f64::from(n));
        samples.1.push(time(validate)?.0 * 1e6 / f64::from(n));
    }
    Ok((median(&mut samples.0), median(&mut samples.1)))
}
