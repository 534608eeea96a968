//! Runs a case on both engines and says whether they agree. A panic of either is a difference.

use crate::case::Case;
use crate::on_cellule;
use crate::on_cellule::Options;
use crate::outcome::{Loaded, Outcome};
use crate::random::hash;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What cellule does with a case.
///
/// # Errors
/// What it panicked with.
pub fn cellule(case: &Case, options: &Options) -> Result<Outcome, String> {
    guarded(|| {
        let engine = options
            .engine()
            .expect("nothing that isn't supported is switched on");
        on_cellule::run(&engine, options, &case.wasm, case.seed)
    })
}

/// What wasmtime does with it.
///
/// # Errors
/// What it panicked with.
#[cfg(feature = "wasmtime")]
pub fn wasmtime(case: &Case, engine: &wasmtime::Engine) -> Result<Outcome, String> {
    use crate::on_wasmtime;
    guarded(|| on_wasmtime::run(engine, &on_wasmtime::Options, &case.wasm, case.seed))
}

fn guarded(run: impl FnOnce() -> Outcome) -> Result<Outcome, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| message(&*payload))
}

/// What a panic says.
pub fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("with no message"))
}

/// A case on an engine as text.
pub fn describe(outcome: &Result<Outcome, String>) -> String {
    match outcome {
        Err(panic) => panic.clone(),
        Ok(outcome) => {
            let mut text = match &outcome.loaded {
                Loaded::Yes => String::new(),
                Loaded::Invalid(why) => format!("invalid: {why}\n"),
                Loaded::Unsupported(why) => format!("not supported: {why}\n"),
            };
            outcome
                .seen
                .iter()
                .for_each(|line| text += &format!("{line}\n"));
            if outcome.limited {
                text += "a limit of the engine\n";
            }
            text
        }
    }
}

/// Every way of running a module that has found something before.
pub fn ways(case: &Case) -> Vec<Options> {
    let slices = [None, Some(1 + hash(&case.wasm) % 100)];
    let mut all = Vec::new();
    for (base, looping) in [(false, false), (false, true), (true, false), (true, true)] {
        all.extend(slices.map(|slices| Options {
            looping,
            base,
            eager: base,
            lazy_validation: false,
            fuel: slices.is_some(),
            slices,
        }));
    }
    all
}
