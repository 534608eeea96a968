//! Bytes → [`ComponentTables`] and the core modules: decode, validate, flatten.
//!
//! Two phases. [`parse`] walks the payloads in lock step with wasmparser's validator and notes one
//! step for each definition; nested components become plans of their own. [`flatten`] then runs
//! instantiation symbolically, so that aliases, nested components, `with` arguments, outer aliases
//! and re-exports vanish and only side effects and the tree of exports are left. The validator's
//! types are dropped with the second phase.
//!
//! # Contract
//!
//! From any bytes: tables or an error with an offset. No panic, no recursion deeper than the
//! validator allows types to nest, and work bounded by the size of the binary and by the limits.
//! What is valid but not supported is an error of kind `Unsupported` that names the feature.

mod convert;
mod exports;
mod flatten;
mod imports;
mod parse;
mod plan;
#[cfg(test)]
mod tests;

use crate::code::module::ModuleData;
use crate::error::{Error, ErrorKind, Result};
use crate::tables::ComponentTables;
use crate::wasm::{Engine, decode};
use alloc::vec::Vec;
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
    (
        WasmFeatures::CM_ERROR_CONTEXT,
        "component-model error-context",
    ),
    (WasmFeatures::CM_VALUES, "component-model values"),
    (
        WasmFeatures::CM_NESTED_NAMES,
        "component-model nested names",
    ),
    (WasmFeatures::CM_GC, "component-model gc"),
    (WasmFeatures::CM64, "component-model memory64"),
    (
        WasmFeatures::CM_CANON_NAMES,
        "component-model canonical names",
    ),
    (WasmFeatures::CM_ACCESSORS, "component-model accessors"),
];

/// Decodes, validates and flattens a component.
pub(crate) fn component(
    engine: &Engine,
    bytes: &[u8],
) -> Result<(ComponentTables, Vec<ModuleData>)> {
    let config = engine.config();
    if !config.component_model {
        let why = "components, which the configuration switches off";
        return Err(Error::of(ErrorKind::Unsupported, why));
    }
    let mut features = decode::features(config) | WasmFeatures::COMPONENT_MODEL;
    features.set(WasmFeatures::CM_MAP, config.component_map);
    features.set(WasmFeatures::CM_IMPLEMENTS, config.component_implements);
    features.set(
        WasmFeatures::CM_FIXED_LENGTH_LISTS,
        config.component_fixed_length_lists,
    );
    match parse::parse(engine, bytes, features) {
        Ok(parsed) => flatten::flatten(parsed, config.limits),
        Err(error) if error.kind() == ErrorKind::Invalid => {
            let all: Vec<_> = UNSUPPORTED
                .iter()
                .chain(decode::UNSUPPORTED)
                .chain(decode::EARLY)
                .copied()
                .collect();
            Err(decode::name_unsupported(bytes, features, &all).unwrap_or(error))
        }
        Err(error) => Err(error),
    }
}
