//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Random modules for cellule, compared with what wasmtime makes of them.
#[derive(Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run modules of wasm-smith under cellule and wasmtime, and compare everything that can be seen of them.
    #[cfg(feature = "wasmtime")]
    Smith(SmithArgs),
    /// Compare modules in files, with the arguments that their names give.
    #[cfg(feature = "wasmtime")]
    Files(FilesArgs),
    /// Write down what both engines agreed about, for `recorded`.
    #[cfg(feature = "wasmtime")]
    Record(RecordArgs),
    /// Compare cellule with what was written down: of cases by their seed, and of the corpus's modules.
    Recorded(RecordedArgs),
    /// Translate functions of wasm-smith's modules, verify, disassemble and assemble them again, also with
    /// words changed at random.
    Code(CodeArgs),
}

/// Which cases.
#[derive(Args, Clone)]
pub struct Range {
    /// How many.
    #[arg(long, default_value_t = 10_000)]
    pub cases: u64,
    /// Another seed gives other cases.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The number of the first one.
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// Threads.
    #[arg(long, default_value_t = 1)]
    pub jobs: usize,
}

#[derive(Args)]
pub struct SmithArgs {
    #[command(flatten)]
    pub range: Range,
    /// A folder for differences: the module, a report, and the smallest module that differs as well.
    #[arg(long, default_value = "found")]
    pub out: PathBuf,
    /// Ends the run after so many differences.
    #[arg(long, default_value_t = 20)]
    pub most: u64,
}

#[derive(Args)]
pub struct FilesArgs {
    /// Modules, binary or as text.
    pub files: Vec<PathBuf>,
    /// Prints what was seen, also where the engines agree.
    #[arg(long)]
    pub show: bool,
}

#[derive(Args)]
pub struct RecordArgs {
    #[command(flatten)]
    pub range: Range,
    /// The folder for what is written down; its modules are included.
    #[arg(long, default_value = "corpus")]
    pub corpus: PathBuf,
}

#[derive(Args)]
pub struct RecordedArgs {
    /// The folder.
    #[arg(long, default_value = "corpus")]
    pub corpus: PathBuf,
    /// Threads.
    #[arg(long, default_value_t = 1)]
    pub jobs: usize,
}

#[derive(Args)]
pub struct CodeArgs {
    #[command(flatten)]
    pub range: Range,
    /// Copies of each function of which words are changed.
    #[arg(long, default_value_t = 4)]
    pub mutants: u64,
}
