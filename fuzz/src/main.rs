//! The runner's command line.

use cellule_fuzz::args::{Cli, Command};
#[cfg(feature = "wasmtime")]
use cellule_fuzz::smith;
use cellule_fuzz::{code, recorded};
use clap::Parser;

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        #[cfg(feature = "wasmtime")]
        Command::Smith(args) => smith::smith(&args),
        #[cfg(feature = "wasmtime")]
        Command::Files(args) => smith::files(&args),
        #[cfg(feature = "wasmtime")]
        Command::Record(args) => recorded::record(&args),
        Command::Recorded(args) => recorded::recorded(&args),
        Command::Code(args) => code::run(&args),
    }
}
