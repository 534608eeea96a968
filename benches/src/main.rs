//! The bench's command line. Each subcommand compares one thing and prints one table.

mod args;
mod calls;
mod components;
mod core;
mod count;
#[cfg(feature = "wasmtime")]
mod differential;
mod measure;
mod pairs;
mod peers;
mod start;
mod table;
mod workloads;

use args::{Cli, Command};
use clap::Parser;

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Core(args) => core::run(&args),
        Command::Start(args) => start::run(&args),
        Command::Calls(args) => calls::run(&args),
        Command::Pairs(args) => pairs::run(&args),
        Command::Components(args) => components::run(&args),
        #[cfg(feature = "wasmtime")]
        Command::Differential(args) => differential::run(&args),
    }
}
