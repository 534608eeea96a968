//! `core`: how fast core modules execute.

mod tables;

use crate::args::CoreArgs;
use crate::count::count;
use crate::measure::Samples;
use crate::peers::{self, Built, Role, Session};
use crate::workloads::{self, Workload};
use anyhow::{Context, Result, ensure};
use std::path::Path;

/// What one workload has shown.
struct Outcome {
    name: &'static str,
    /// The times of each peer, unless it failed.
    samples: Vec<Option<Samples>>,
    /// Instructions that cellule executed, and those of them that the fast tier has.
    executed: (u64, u64),
}

impl Outcome {
    /// Milliseconds of the peer.
    fn time(&self, peer: usize) -> Option<f64> {
        self.samples[peer].as_ref().map(Samples::median)
    }

    /// The time of one peer by that of another.
    fn ratio(&self, peer: usize, by: usize) -> Option<f64> {
        Some(self.time(peer)? / self.time(by)?)
    }
}

/// How often.
#[derive(Clone, Copy)]
struct Plan {
    starts: u32,
    rounds: u32,
    quick: bool,
    /// Whether an engine that fails is an error, not a note.
    strict: bool,
}

/// Measures and prints the tables.
pub fn run(args: &CoreArgs) -> Result<()> {
    let plan = Plan {
        starts: if args.quick { 1 } else { args.starts },
        rounds: if args.quick { 1 } else { args.rounds },
        quick: args.quick,
        strict: !args.peers.is_empty(),
    };
    let (built, mut notes) = peers::chosen(&args.peers)?;
    let chosen = |workload: &&Workload| {
        args.only.is_empty() || args.only.iter().any(|name| name == workload.name)
    };
    let mut outcomes = Vec::new();
    for workload in workloads::ALL.iter().filter(chosen) {
        eprintln!("{} …", workload.name);
        let outcome = measure(&built, workload, plan, &mut notes)
            .with_context(|| format!("in the workload {}", workload.name))?;
        outcomes.push(outcome);
    }
    tables::print(&built, &outcomes);
    for note in notes {
        println!("missing: {note}");
    }
    Ok(())
}

fn measure(
    built: &[Built],
    workload: &'static Workload,
    plan: Plan,
    notes: &mut Vec<String>,
) -> Result<Outcome> {
    let n = if plan.quick {
        workload.quick
    } else {
        workload.full
    };
    let wasm = wat::parse_bytes(workload.module)?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), &wasm)?;
    let counted = count(&wasm, n)?;
    let mut samples: Vec<Option<Samples>> =
        built.iter().map(|_| Some(Samples::default())).collect();
    for start in 0..plan.starts as usize {
        let mut sessions = Vec::new();
        for (built, samples) in built.iter().zip(&mut samples) {
            let session = match samples {
                Some(_) => begin(built, start, workload, file.path()),
                None => continue,
            };
            match session {
                Ok(session) => sessions.push((built, samples, session)),
                // An engine may not be able to run everything, but cellule must, and one that was asked for.
                Err(error) if !plan.strict && built.peer.role != Role::Own => {
                    notes.push(format!(
                        "{} on {}: {error:#}",
                        built.peer.name, workload.name
                    ));
                    *samples = None;
                }
                Err(error) => return Err(error.context(format!("in {}", built.peer.name))),
            }
        }
        for (_, samples, _) in &mut sessions {
            samples.as_mut().context("failed before")?.start();
        }
        for round in 0..plan.rounds as usize {
            // Another engine begins each round, so that none always runs behind the same one.
            let peers = sessions.len();
            for turn in 0..peers {
                let (built, samples, session) = &mut sessions[(start + round + turn) % peers];
                let name = built.peer.name;
                let [ns, found] = session
                    .ask(&n.to_string())
                    .with_context(|| format!("in {name}"))?;
                let expected = counted.checksum;
                ensure!(
                    found == expected,
                    "{name} returns {found}, but {expected} is expected"
                );
                samples
                    .as_mut()
                    .context("failed before")?
                    .add(ns as f64 / 1e6);
            }
        }
    }
    Ok(Outcome {
        name: workload.name,
        samples,
        executed: counted.executed,
    })
}

/// Starts a peer and lets it warm up.
fn begin(built: &Built, order: usize, workload: &Workload, module: &Path) -> Result<Session> {
    let mut session = Session::start(built, order, "run", module)?;
    session.ask::<2>(&workload.quick.to_string())?;
    Ok(session)
}
