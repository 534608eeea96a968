//! `cellule run`: instantiates a component or a core module and calls its exports in order.
//!
//! Calls are written `NAME(ARGUMENTS)`, arguments and results are WAVE, one line a call.

mod call;
mod component;
mod core;
mod functions;
mod held;
mod wave;

use self::call::Call;
use crate::args::{Limits as LimitArgs, RunArgs};
use crate::input::{self, Kind};
use crate::stats;
use anyhow::{Error, Result, anyhow};
use cellule::{Config, Engine, ErrorKind, Limits, Store};

/// What was instantiated.
enum Guest {
    Core(core::Guest),
    Component(component::Guest),
}

impl Guest {
    fn new(args: &RunArgs, store: &mut Store<()>, wasm: &[u8]) -> Result<Guest> {
        Ok(match input::kind(wasm)? {
            Kind::Module => Guest::Core(core::Guest::new(args, store, wasm)?),
            Kind::Component => Guest::Component(component::Guest::new(args, store, wasm)?),
        })
    }

    fn invoke(&self, store: &mut Store<()>, call: &Call) -> Result<String> {
        match self {
            Guest::Core(guest) => guest.invoke(store, call),
            Guest::Component(guest) => guest.invoke(store, call),
        }
    }

    /// The functions that can be called, a line each.
    fn functions(&self) -> Vec<String> {
        match self {
            Guest::Core(guest) => guest.functions(),
            Guest::Component(guest) => guest.functions(),
        }
    }

    /// Ends what the calls left: drops the resources that they returned.
    fn finish(&self, store: &mut Store<()>) -> Result<()> {
        match self {
            Guest::Core(_) => Ok(()),
            Guest::Component(guest) => guest.finish(store),
        }
    }
}

/// Runs what the arguments say; gives each line to be printed to `print`.
///
/// # Errors
/// What can't be loaded or linked, a call that doesn't fit, or what ended it.
pub fn run(args: &RunArgs, wasm: &[u8], mut print: impl FnMut(&str)) -> Result<()> {
    let mut config = Config::new();
    config.consume_fuel(args.fuel.is_some());
    config.count_instructions(args.stats);
    config.fast_tier(!args.base_tier);
    config.limits(limits(&args.limits));
    // A call that can't be read is told before anything runs.
    let calls: Vec<Call> = args
        .invoke
        .iter()
        .map(|text| Call::parse(text))
        .collect::<Result<_>>()?;
    let mut store = Store::new(&Engine::new(&config)?, ());
    if let Some(fuel) = args.fuel {
        store.set_fuel(fuel)?;
    }
    let guest = Guest::new(args, &mut store, wasm)?;
    if calls.is_empty() {
        // Instantiating may be all that was wanted, so this is no error and nothing for stdout.
        eprintln!("{}", nothing_called(&guest.functions()));
    }
    // A trap ends the calls, but what was executed until then is told.
    let outcome = calls.iter().try_for_each(|call| {
        print(&guest.invoke(&mut store, call)?);
        Ok(())
    });
    // After a trap destructors can't run: what ended the calls is told, and nothing of them.
    let finished = guest.finish(&mut store);
    if args.stats {
        stats::lines(store.instruction_counts()).for_each(|line| print(&line));
    }
    outcome.and(finished)
}

fn limits(args: &LimitArgs) -> Limits {
    let mut limits = Limits::default();
    if let Some(bytes) = args.max_memory {
        limits.memory_bytes = bytes;
    }
    if let Some(elements) = args.max_table {
        limits.table_elements = elements;
    }
    limits
}

/// What is told if there is no call among the arguments.
fn nothing_called(functions: &[String]) -> String {
    match functions {
        [] => "instantiated; no function is exported".to_string(),
        some => format!(
            "instantiated; `--invoke 'NAME(ARGUMENTS)'` calls one of these:\n  {}",
            some.join("\n  ")
        ),
    }
}

/// What ended a call, with the call.
fn ended(call: &Call, error: cellule::Error) -> Error {
    match error.kind() {
        ErrorKind::Trap => anyhow!("`{}`: {error:?}", call.text),
        _ => anyhow!("`{}` failed: {error:?}", call.text),
    }
}

/// The error for imports that nothing serves, one a line.
fn unserved(args: &RunArgs, imports: &[String]) -> Error {
    anyhow!(
        "{} imports what nothing serves:\n  {}\n\
         With `--unknown-imports trap` or `print` functions and resources are stood in for; \
         `cellule inspect` shows their types.",
        args.file.display(),
        imports.join("\n  ")
    )
}

/// The error of an import that is called and that nothing serves.
fn called_unserved(name: &str) -> cellule::Error {
    let why = format!("the import `{name}` was called, and nothing serves it");
    cellule::Error::of(ErrorKind::Trap, why)
}

/// Results in the form of a WAVE tuple, a single one without brackets.
fn results(shown: &[String]) -> String {
    match shown {
        [one] => one.clone(),
        many => format!("({})", many.join(", ")),
    }
}
