//! The bench's command line. Each subcommand compares one thing and prints one table.

mod args;
mod components;
mod core;
#[cfg(feature = "wasmtime")]
mod differential;
mod engines;
mod measure;
mod table;
mod workloads;

use args::{Cli, Command};
use clap::Parser;

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Core(args) => core::run(&args),
        Command::Components(args) => components::run(&args),
        #[cfg(feature = "wasmtime")]
        Command::Differential(args) => differential::run(&args),
    }
}
