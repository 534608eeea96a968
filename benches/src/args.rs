//! The command line, told so that `--help` teaches it.

use crate::{components, workloads};
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};

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
    /// How fast core modules execute: cellule, wasmi 2 and wasmi 1 on the same workloads
    Core(CoreArgs),
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
    /// How often each engine runs each workload; the medians are printed
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// Only this workload; may be given several times
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(workloads::names()))]
    pub only: Vec<String>,

    /// One round of small workloads: whether everything works, not how fast it is
    #[arg(long)]
    pub quick: bool,

    /// Let cellule translate to slots and immediates only, not to accumulator and fused forms
    #[arg(long)]
    pub base_tier: bool,
}

const CORE_HELP: &str = "\
Every engine runs a workload once to warm up, then the engines take turns. What is measured is the
thread's CPU time of one call; modules are translated before. All engines must return the same
checksum every time, otherwise the bench fails.

The ratios are cellule's time by the other engine's: below 1 cellule is faster. `instructions` are
those that cellule executed in one call, in millions, and `fast` is how many of them were accumulator
or fused forms.

Examples:
  core
  core --rounds 21 --only sha256 --only sort
  core --quick";

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
