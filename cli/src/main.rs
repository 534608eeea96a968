//! The `cellule` program: parses the command line, runs the command, prints errors, sets the exit code.

use anyhow::Context;
use cellule_cli::args::{Cli, Command, WastArgs};
use cellule_cli::wast::differences::Differences;
use cellule_cli::wast::features::FeatureSet;
use cellule_cli::wast::report::{Report, Summary};
use cellule_cli::wast::{self, script};
use cellule_cli::{disasm, images, input, inspect, run};
use clap::Parser;
use std::io::{ErrorKind, Write};
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
    match command(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Run(args) => {
            let wasm = input::read(&args.file)?;
            run::run(&args, &wasm, |line| print(&format!("{line}\n")))?;
        }
        Command::Inspect(args) => {
            let wasm = input::read(&args.file)?;
            print(&match args.wit {
                true => inspect::wit(&wasm)?,
                false => inspect::describe(&wasm)?,
            });
        }
        Command::Compile(args) => {
            let wasm = input::read(&args.file)?;
            let image = images::compile(&args, &wasm)?;
            std::fs::write(&args.output, image)
                .with_context(|| format!("can't write {}", args.output.display()))?;
        }
        Command::Disasm(args) => {
            let wasm = input::read(&args.file)?;
            print(&disasm::disassemble(&args, &wasm)?);
        }
        Command::Wast(args) => return scripts(&args),
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes to stdout. A reader that has seen enough, such as `head`, ends the program quietly.
fn print(text: &str) {
    if let Err(error) = std::io::stdout().write_all(text.as_bytes()) {
        if error.kind() != ErrorKind::BrokenPipe {
            eprintln!("error: can't write to stdout: {error}");
        }
        std::process::exit(1);
    }
}

/// Runs scripts; the exit code says whether any failed.
fn scripts(args: &WastArgs) -> anyhow::Result<ExitCode> {
    let mut config = cellule::Config::new();
    if args.base_tier {
        config.fast_tier(false);
    }
    let options = wast::Options {
        config,
        features: args.features.clone(),
        fuel: args.fuel,
        slice: args.slice,
        ..wast::Options::default()
    };
    // A wrong list is told once, and not as a failure of each script.
    options.features(FeatureSet::of_script("")?)?;
    let differences = match &args.differences {
        Some(path) => Differences::read(path)?,
        None => Differences::default(),
    };
    let mut summary = Summary::default();
    for path in &args.paths {
        for path in script::find(path)? {
            let mut report = match script::Script::read(&path) {
                Ok(script) => wast::run(&script, &options),
                Err(error) => {
                    Report::unreadable(&path.display().to_string(), &format!("{error:#}"))
                }
            };
            differences.apply(&mut report);
            summary.add(&report);
            if args.verbose {
                report
                    .details()
                    .for_each(|line| print(&format!("{line}\n")));
            }
        }
    }
    print(&format!("{summary}\n"));
    if summary.failed > 0 && !args.verbose {
        eprintln!("`-v` names each failure");
    }
    Ok(if summary.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
