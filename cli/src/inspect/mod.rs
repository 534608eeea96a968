//! `cellule inspect`: what a file imports and exports, what it holds and what it needs.
//!
//! The file is validated with every feature on, so that one which the engine can't run yet can be
//! looked into as well; the features that it can't be without are measured and named.

pub(crate) mod modules;
mod wit;

use crate::images;
use crate::input::{self, Kind};
use crate::wast::features::{self, FeatureSet};
use anyhow::{Result, anyhow, bail};
use std::fmt::Write;
use wasmparser::types::Types;
use wasmparser::{Validator, WasmFeatures};

fn validate(wasm: &[u8]) -> Result<Types> {
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(wasm)
        .map_err(|error| {
            anyhow!(
                "not valid at offset {:#x}: {}",
                error.offset(),
                error.message()
            )
        })
}

/// The world of a component as WIT.
///
/// # Errors
/// If it isn't valid, or is a core module.
pub fn wit(wasm: &[u8]) -> Result<String> {
    if images::is_image(wasm) {
        bail!("an image has no WIT: without `--wit` its imports and exports are told");
    }
    let types = validate(wasm)?;
    match input::kind(wasm)? {
        Kind::Component => wit::world(wasm, &types),
        Kind::Module => bail!("a core module has no world: without `--wit` its imports are told"),
    }
}

/// Describes a component or core module.
///
/// # Errors
/// If it isn't valid.
pub fn describe(wasm: &[u8]) -> Result<String> {
    if images::is_image(wasm) {
        return images::describe(wasm);
    }
    let types = validate(wasm)?;
    let mut text = String::new();
    match input::kind(wasm)? {
        Kind::Component => {
            let _ = writeln!(text, "component, {} bytes\n", wasm.len());
            let _ = writeln!(text, "{}", wit::world(wasm, &types)?);
        }
        Kind::Module => {
            let _ = writeln!(text, "core module, {} bytes\n", wasm.len());
        }
    }
    let modules = modules::collect(wasm)?;
    for module in &modules {
        let _ = writeln!(text, "{module}");
    }
    let total = |of: fn(&modules::CoreModule) -> u64| modules.iter().map(of).sum::<u64>();
    let _ = writeln!(
        text,
        "at first, with one instance of each module: {} bytes of memory, {} table elements",
        total(|module| module.memory_bytes),
        total(|module| module.table_elements)
    );
    let needed = needed_features(wasm);
    let _ = writeln!(
        text,
        "needs: {}",
        if needed.is_empty() {
            "WebAssembly 1.0"
        } else {
            &needed
        }
    );
    Ok(text)
}

/// The features beyond WebAssembly 1.0 without any of which the file isn't valid.
fn needed_features(wasm: &[u8]) -> String {
    let optional = WasmFeatures::all().difference(WasmFeatures::WASM1);
    let flags = features::smallest(WasmFeatures::all(), optional, wasm);
    let needed = flags.intersection(optional);
    FeatureSet::from_flags(needed)
        .to_string()
        .replace('+', ", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe_text(text: &str) -> String {
        describe(&wat::parse_str(text).unwrap()).unwrap()
    }

    #[test]
    fn a_component_is_told_as_wit_with_names_for_its_types() {
        let text = describe_text(
            r#"(component
                (import "log" (func (param "msg" string)))
                (import "demo:app/types@0.1.0" (instance
                    (type $point (record (field "x" u32) (field "tags" (list string))))
                    (export "point" (type (eq $point)))
                    (export "counter" (type $c (sub resource)))
                    (type $own (own $c))
                    (export "make" (func (param "at" (tuple u8 char)) (result $own))))))"#,
        );
        assert!(text.contains("import log: func(msg: string);"), "{text}");
        assert!(
            text.contains("record point { x: u32, tags: list<string> }"),
            "{text}"
        );
        assert!(text.contains("resource counter;"), "{text}");
        assert!(
            text.contains("make: func(at: tuple<u8, char>) -> counter;"),
            "{text}"
        );
        assert!(text.contains("  import demo:app/types@0.1.0;"), "{text}");
        assert!(text.contains("package demo:app@0.1.0 {"), "{text}");
    }

    #[test]
    fn core_modules_tell_their_entities_and_sizes() {
        let text = describe_text(
            r#"(module
                (import "env" "tick" (func (param i32)))
                (memory (export "memory") 2 5)
                (table 3 funcref)
                (data (i32.const 0) "abcd")
                (func (export "run") (result i64) (i64.const 1)))"#,
        );
        assert!(text.starts_with("core module"), "{text}");
        assert!(text.contains("import env.tick: func(i32)"), "{text}");
        assert!(text.contains("export run: func() -> i64"), "{text}");
        assert!(
            text.contains("memory 0: 2 pages (131072 bytes), at most 5"),
            "{text}"
        );
        assert!(text.contains("table 0: 3 elements of funcref"), "{text}");
        assert!(text.contains("data: 4 bytes in 1 segment"), "{text}");
        let first = "131072 bytes of memory, 3 table elements";
        assert!(text.contains(first), "{text}");
    }

    #[test]
    fn needed_features_are_the_smallest_set() {
        assert!(describe_text("(module)").ends_with("needs: WebAssembly 1.0\n"));
        let text = describe_text("(module (memory 1) (memory 1))");
        assert!(text.ends_with("needs: multi-memory\n"), "{text}");
    }

    #[test]
    fn an_invalid_file_is_refused_with_its_offset() {
        let wasm = wat::parse_str("(module (func (result i32)))").unwrap();
        let error = describe(&wasm).unwrap_err().to_string();
        assert!(
            error.contains("offset 0x") && error.contains("type mismatch"),
            "{error}"
        );
    }
}
