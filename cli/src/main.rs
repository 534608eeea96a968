//! The `cellule` program: parses the command line, runs the command, prints errors, sets the exit code.

use cellule_cli::args::{Cli, Command};
use cellule_cli::{input, inspect};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Inspect(args) => {
            let wasm = input::read(&args.file)?;
            print!("{}", inspect::describe(&wasm)?);
        }
    }
    Ok(())
}
