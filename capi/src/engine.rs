//! Configurations and engines.

use crate::boundary::{Place, Result, given, guarded, quiet};
use crate::error::Failure;
use cellule::{Engine, Limits};
use std::mem::MaybeUninit;

/// What an engine does, and what guests may take. Opaque; yours to delete.
pub struct Config {
    fuel: bool,
    limits: Limits,
}

/// What components and stores belong to. Opaque; yours to delete, also before what was made with it.
pub struct EngineHandle(pub(crate) Engine);

/// A configuration: no fuel, limits for phones and desktops. `NULL` only if something is badly wrong.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_config_new() -> Option<Box<Config>> {
    quiet(None, || {
        Some(Box::new(Config {
            fuel: false,
            limits: Limits::default(),
        }))
    })
}

/// Deletes a configuration. `NULL` is fine.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_config_delete(config: Option<Box<Config>>) {
    quiet((), || drop(config));
}

/// Whether guests consume fuel, and stop when there is none. A store has none at first.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_config_consume_fuel(config: Option<&mut Config>, enable: bool) {
    if let Some(config) = config {
        config.fuel = enable;
    }
}

/// How many bytes all linear memories of a store may have: a guest that asks for more doesn't get it.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_config_max_memory(config: Option<&mut Config>, bytes: usize) {
    if let Some(config) = config {
        config.limits.memory_bytes = config.limits.memory_bytes.min(bytes);
        config.limits.total_memory_bytes = bytes;
    }
}

/// How many bytes the stack of one call may have: deeper recursion is a trap.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_config_max_stack(config: Option<&mut Config>, bytes: usize) {
    if let Some(config) = config {
        config.limits.stack_bytes = bytes;
    }
}

/// An engine. The configuration stays yours; `NULL` stands for the one that `cellule_config_new` makes.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_engine_new(
    config: Option<&Config>,
    out: Option<&mut MaybeUninit<Option<Box<EngineHandle>>>>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let out = Place::new(out)?;
        let mut made = cellule::Config::new();
        if let Some(config) = config {
            made.consume_fuel(config.fuel).limits(config.limits);
        }
        out.put(EngineHandle(Engine::new(&made)?));
        Ok(())
    })
}

/// Deletes an engine. `NULL` is fine.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_engine_delete(engine: Option<Box<EngineHandle>>) {
    quiet((), || drop(engine));
}

/// The engine that a parameter names.
pub(crate) fn engine(handle: Option<&EngineHandle>) -> Result<&Engine> {
    Ok(&given(handle, "engine")?.0)
}
