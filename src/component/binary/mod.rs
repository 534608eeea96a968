//! Bytes → [`ComponentTables`] and the core modules: decode, validate, flatten.
//!
//! Two phases. [`parse`] walks the payloads in lock step with wasmparser's validator and notes one
//! step for each definition; nested components become plans of their own. [`flatten`] then runs
//! instantiation symbolically, so that aliases, nested components, `with` arguments, outer aliases
//! and re-exports vanish and only side effects and the tree of exports are left. The validator's
//! types are dropped with the second phase.
//!
//! A root may import components. What it does can't be worked out before they are given: [`declare`]
//! makes tables of its types alone, and [`assemble`] flattens it together with them later.
//!
//! # Contract
//!
//! From any bytes: tables or an error with an offset. No panic, no recursion deeper than the
//! validator allows types to nest, and work bounded by the size of the binary and by the limits.
//! What is valid but not supported is an error of kind `Unsupported` that names the feature.

mod assemble;
mod convert;
mod declare;
mod exports;
mod flatten;
mod imports;
mod parse;
mod plan;
#[cfg(test)]
mod tests;

use self::flatten::Outset;
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::Shared;
use crate::tables::ComponentTables;
use crate::wasm::{Engine, Module, decode};
use alloc::vec::Vec;
pub(crate) use assemble::{Assembly, Part, assemble};
use wasmparser::WasmFeatures;

/// Features of components that are valid and not supported yet, with the names they are refused by.
const UNSUPPORTED: &[(WasmFeatures, &str)] = &[
    (WasmFeatures::CM_ASYNC, "component-model async"),
    (WasmFeatures::CM_ASYNC_STACKFUL, "component-model async"),
    (
        WasmFeatures::CM_MORE_ASYNC_BUILTINS,
        "component-model async built-ins",
    ),
    (WasmFeatures::CM_THREADING, "component-model threading"),
    (WasmFeatures::CM_FORWARD, "component-model async forwarding"),
    (WasmFeatures::CM_VALUES, "component-model values"),
    (WasmFeatures::CM_GC, "component-model gc"),
];

/// A component that was decoded, validated and flattened.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub tables: Shared<ComponentTables>,
    pub modules: Vec<Module>,
    pub bytes: Shared<Vec<u8>>,
    /// How many components the binary holds; the last one is the root.
    pub plans: u32,
}

/// Decodes, validates and flattens a component.
pub(crate) fn component(engine: &Engine, bytes: &[u8]) -> Result<Loaded> {
    let features = features(engine)?;
    match parse::parse(engine, bytes, features) {
        Ok(parsed) => flattened(engine, parsed),
        Err(error) if error.kind() == ErrorKind::Invalid => {
            let all: Vec<_> = UNSUPPORTED
                .iter()
                .chain(decode::UNSUPPORTED)
                .chain(decode::EARLY)
                .copied()
                .collect();
            Err(decode::name_unsupported(bytes, features, &all).unwrap_or(error))
        }
        Err(error) => Err(decode::rather_invalid(bytes, features, error)),
    }
}

/// Flattens what was parsed. Apart, so that what it keeps on the native stack isn't there while the parser runs.
#[inline(never)]
fn flattened(engine: &Engine, mut parsed: parse::Parsed) -> Result<Loaded> {
    let modules = compile(engine, &mut parsed)?;
    let plans = parsed.plans.len() as u32;
    let bytes = parsed.bytes.clone();
    let outset = Outset::of_binary(&parsed);
    let limits = engine.config().limits;
    let tables = flatten::flatten(parsed, &modules, outset, limits)?;
    Ok(Loaded {
        tables: Shared::new(tables)?,
        modules,
        bytes,
        plans,
    })
}

/// The features that a component may use.
fn features(engine: &Engine) -> Result<WasmFeatures> {
    let config = engine.config();
    config.supported()?;
    if !config.component_model {
        let why = "components, which the configuration switches off";
        return Err(Error::of(ErrorKind::Unsupported, why));
    }
    let mut features = decode::features(config) | WasmFeatures::COMPONENT_MODEL;
    features.set(WasmFeatures::CM_MAP, config.component_map);
    features.set(WasmFeatures::CM_IMPLEMENTS, config.component_implements);
    for (feature, on) in [
        (
            WasmFeatures::CM_FIXED_LENGTH_LISTS,
            config.component_fixed_length_lists,
        ),
        (
            WasmFeatures::CM_ERROR_CONTEXT,
            config.component_error_context,
        ),
        (WasmFeatures::CM64, config.component_memory64),
        (WasmFeatures::CM_NESTED_NAMES, config.component_nested_names),
        (WasmFeatures::CM_CANON_NAMES, config.component_canon_names),
        (WasmFeatures::CM_ACCESSORS, config.component_accessors),
    ] {
        features.set(feature, on);
    }
    Ok(features)
}

fn compile(engine: &Engine, parsed: &mut parse::Parsed) -> Result<Vec<Module>> {
    let modules = core::mem::take(&mut parsed.modules).into_iter();
    modules
        .map(|data| Module::from_data(engine, data))
        .collect()
}
