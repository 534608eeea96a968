//! The command line: what the program can do, told so that `--help` teaches it.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Look into WebAssembly components and core modules.
#[derive(Debug, Parser)]
#[command(name = "cellule", version, about, after_help = OVERVIEW, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const OVERVIEW: &str = "\
Examples:
  cellule inspect greet.wasm

Files may be binary (.wasm) or text (.wat). Exit code: 0 if all went well, 1 on any error.";

/// The program's commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print imports and exports, core modules, and what the file needs
    Inspect(InspectArgs),
}

/// Arguments of `cellule inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Component or core module
    pub file: PathBuf,
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
