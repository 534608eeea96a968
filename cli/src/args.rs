//! The command line: what the program can do, told so that `--help` teaches it.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Run core modules, inspect components and modules, and run test scripts.
#[derive(Debug, Parser)]
#[command(name = "cellule", version, about, after_help = OVERVIEW, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const OVERVIEW: &str = "\
Examples:
  cellule run fib.wat --invoke 'fib(30)'
  cellule inspect greet.wasm
  cellule wast -v suite/

Files may be binary (.wasm) or text (.wat). Exit code: 0 if all went well, 1 on any error.";

/// The program's commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Instantiate a core module and call its exports
    Run(RunArgs),
    /// Print imports and exports, core modules, and what the file needs
    Inspect(InspectArgs),
    /// Print the code that a module's functions are translated to
    Disasm(DisasmArgs),
    /// Run official test scripts (.wast)
    Wast(WastArgs),
}

/// Arguments of `cellule run`.
#[derive(Debug, Args)]
#[command(after_help = RUN_HELP)]
pub struct RunArgs {
    /// Core module
    pub file: PathBuf,

    /// A call, `NAME(ARGUMENTS)`; may be given several times, run in order in one instance
    #[arg(long, short, value_name = "CALL")]
    pub invoke: Vec<String>,

    /// Fuel for all calls together; unlimited without it
    #[arg(long, value_name = "UNITS")]
    pub fuel: Option<u64>,

    /// Largest size of one linear memory, in bytes
    #[arg(long, value_name = "BYTES")]
    pub max_memory: Option<usize>,

    /// Translate to slots and immediates only, not to accumulator and fused forms
    #[arg(long)]
    pub base_tier: bool,

    /// At the end print how often each instruction was executed; runs slower
    #[arg(long)]
    pub stats: bool,
}

const RUN_HELP: &str = "\
Integers are decimal or hexadecimal (0xff), floats such as 2.5, inf, NaN. Each call prints one line.
Components can be inspected, but not run yet.

Examples:
  cellule run fib.wat --invoke 'fib(30)'
  cellule run fib.wat --invoke 'fib(10)' --invoke 'fib(20)' --fuel 1000000
  cellule run fib.wat --invoke 'fib(20)' --stats";

/// Arguments of `cellule disasm`.
#[derive(Debug, Args)]
pub struct DisasmArgs {
    /// Core module
    pub file: PathBuf,

    /// A function's name or index; all functions without it
    pub function: Option<String>,
}

/// Arguments of `cellule inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Component or core module
    pub file: PathBuf,
}

/// Arguments of `cellule wast`.
#[derive(Debug, Args)]
#[command(after_help = WAST_HELP)]
pub struct WastArgs {
    /// Scripts, or folders of them
    #[arg(required = true, value_name = "FILE-or-FOLDER")]
    pub paths: Vec<PathBuf>,

    /// Features to switch on (`a,b`) or off (`-c`) on top of each script's own header
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub features: Vec<String>,

    /// A file of expected differences: lines of `script:line reason`
    #[arg(long, value_name = "FILE")]
    pub differences: Option<PathBuf>,

    /// Name each failure, and each skip with its reason
    #[arg(long, short)]
    pub verbose: bool,

    /// Translate to slots and immediates only, not to accumulator and fused forms
    #[arg(long)]
    pub base_tier: bool,

    /// Run with fuel metering on
    #[arg(long)]
    pub fuel: bool,
}

const WAST_HELP: &str = "\
A script's header says which features it needs (`;;!` lines or `;; RUN: … -f`). Each directive is
judged on its own: what needs a feature that isn't supported yet is skipped under its name. The last
line is `N passed, N failed, N skipped`; the exit code is 1 if any failed.

Examples:
  cellule wast -v suite/i32.wast
  cellule wast --features wasm1,-multi-memory core/";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
