//! The command line, told so that `--help` teaches it.

use crate::{components, peers, workloads};
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Compare cellule with other engines.
#[derive(Debug, Parser)]
#[command(name = "cellule-benches", about, max_term_width = 100)]
pub struct Cli {
    /// What to compare.
    #[command(subcommand)]
    pub command: Command,
}

/// The comparisons.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// How fast core modules execute: cellule and other engines on the same workloads
    Core(CoreArgs),
    /// How long it takes from the bytes of a large module to an instance, and what is held then
    Start(StartArgs),
    /// What calls between the host and core modules cost, and instances
    Calls(CallsArgs),
    /// Which instructions cellule executes one after the other: what is worth fusing
    Pairs(PairsArgs),
    /// What calls of components cost: cellule and wasmtime with the same guests
    Components(ComponentsArgs),
    /// Whether random components do the same on cellule and on wasmtime
    #[cfg(feature = "wasmtime")]
    Differential(DifferentialArgs),
}

/// Arguments of `core`.
#[derive(Debug, Args)]
#[command(after_help = CORE_HELP)]
pub struct CoreArgs {
    /// How often each peer's program is started for each workload; every second start is of the program that is
    /// linked in another order
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..))]
    pub starts: u32,

    /// How often each start runs the workload
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// Only this workload; may be given several times
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(workloads::names()))]
    pub only: Vec<String>,

    /// These engines beside cellule instead of the usual ones
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = PossibleValuesParser::new(peers::names()))]
    pub peers: Vec<String>,

    /// One round of small workloads: whether everything works, not how fast it is
    #[arg(long)]
    pub quick: bool,
}

const CORE_HELP: &str = "\
Each engine is a program of its own, which is built when it is first wanted: all of them take a while.
For each workload the programs are started and run it once to warm up, then they take turns. What is
measured is the thread's CPU time of one call; modules are translated before. All engines must return
the same checksum every time, otherwise the bench fails. An engine that can't be built here is named at
the end as missing.

Examples:
  core
  core --starts 10 --only sha256 --only sort
  core --peers wasmi2,wasm3
  core --peers cellule-loop-small,wasmi2-portable-small
  core --quick --peers wasmi2";

/// Arguments of `start`.
#[derive(Debug, Args)]
#[command(after_help = START_HELP)]
pub struct StartArgs {
    /// This module, or of this component's modules the largest, instead of one that is made of the workloads
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,

    /// These engines beside cellule
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', default_values = ["wasmi2", "wasmi1"], value_parser = ["wasmi2", "wasmi1"])]
    pub peers: Vec<String>,

    /// How often each engine's program is started
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..))]
    pub starts: u32,

    /// How often each start does it
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// Once, with a small module: whether everything works
    #[arg(long)]
    pub quick: bool,
}

const START_HELP: &str = "\
The engines take turns. `lazy` validates the module and translates functions when they
are first called, `eager` translates all of them. Imported functions trap. What is held is counted by the
allocator: bytes that were asked for and not given back, a linear memory's reserve included.

Examples:
  start
  start --module engine.wasm";

/// Arguments of `calls`.
#[derive(Debug, Args)]
pub struct CallsArgs {
    /// How often each engine's program is started for each row
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..))]
    pub starts: u32,

    /// How often each start is asked
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// Once, a thousand times: whether everything works
    #[arg(long)]
    pub quick: bool,
}

/// Arguments of `pairs`.
#[derive(Debug, Args)]
pub struct PairsArgs {
    /// How many lines each table has
    #[arg(long, default_value_t = 40)]
    pub top: usize,

    /// Only this workload; may be given several times
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(workloads::names()))]
    pub only: Vec<String>,
}

/// Arguments of `components`.
#[derive(Debug, Args)]
#[command(after_help = COMPONENTS_HELP)]
pub struct ComponentsArgs {
    /// How often each engine's time is taken for each row; the medians are printed
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// Only this row; may be given several times
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(components::rows::names()))]
    pub only: Vec<String>,

    /// One round of a few calls: whether everything works, not how fast it is
    #[arg(long)]
    pub quick: bool,
}

const COMPONENTS_HELP: &str = "\
Every engine is warmed up, then the engines take turns. What is measured is the thread's CPU time of
many calls; the table has nanoseconds for one. All engines must return the same.

`wasmtime` compiles with Cranelift to machine code, `pulley` is its portable interpreter. The ratios are
cellule's time by the other engine's: below 1 cellule is faster. Where wasmtime compiles in the time
that is taken (`load`) there is no ratio.

Examples:
  components
  components --rounds 21 --only add --only nested
  components --quick";

/// Arguments of `differential`.
#[cfg(feature = "wasmtime")]
#[derive(Debug, Args)]
pub struct DifferentialArgs {
    /// How many cases
    #[arg(long, default_value_t = 20_000)]
    pub cases: u64,

    /// The number of the first case; each is made from its number alone
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Print each case's component and everything that was seen of it
    #[arg(long)]
    pub verbose: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
