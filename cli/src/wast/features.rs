//! Which WebAssembly features a script runs with, and which a rejected module would have needed.
//!
//! Scripts come from three families that say what they need in three ways: leading `;;!` lines (a
//! TOML document of booleans), a `;; RUN: wast … -f a,b,-c` line, or nothing at all. The sets are
//! wasmparser's, whose names are the common ones; [`FeatureSet::configure`] hands them to the engine.

use crate::near;
use anyhow::{Result, anyhow, bail};
use std::fmt;
use wasmparser::{Validator, WasmFeatures};

/// What the engine executes: everything else can be validated at most, and code that uses it is
/// skipped under that feature's name.
const EXECUTED: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::MEMORY64)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::COMPONENT_MODEL)
    .union(WasmFeatures::CM_MAP)
    .union(WasmFeatures::CM_FIXED_LENGTH_LISTS)
    .union(WasmFeatures::CM_ERROR_CONTEXT)
    .union(WasmFeatures::CM64)
    .union(WasmFeatures::CM_NESTED_NAMES)
    .union(WasmFeatures::CM_CANON_NAMES)
    .union(WasmFeatures::CM_ACCESSORS)
    .union(WasmFeatures::CM_IMPLEMENTS);

/// Flags that belong to no proposal, or only to the binary encoding: never a reason to skip.
const ENCODING: WasmFeatures = WasmFeatures::GC_TYPES
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::COMPACT_IMPORTS);

/// What `component-model/test` is written for, beyond wasmparser's defaults.
const COMPONENT_SUITE: WasmFeatures = WasmFeatures::CM_MAP
    .union(WasmFeatures::CM_ASYNC)
    .union(WasmFeatures::CM_IMPLEMENTS)
    .union(WasmFeatures::CM_ASYNC_STACKFUL)
    .union(WasmFeatures::CM_THREADING)
    .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
    .union(WasmFeatures::CM_FIXED_LENGTH_LISTS)
    .union(WasmFeatures::CM_FORWARD);

/// A set of WebAssembly features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureSet(WasmFeatures);

impl FeatureSet {
    /// WebAssembly 1.0, nothing later.
    pub const WASM1: Self = Self(WasmFeatures::WASM1);
    /// WebAssembly 2.0.
    pub const WASM2: Self = Self(WasmFeatures::WASM2);

    /// The set of a script that says nothing: wasmparser's defaults and what the official
    /// component suite is written for.
    pub fn of_unmarked_script() -> Self {
        Self(WasmFeatures::default().union(COMPONENT_SUITE))
    }

    /// Reads the script's own header, if it has one.
    pub fn of_script(text: &str) -> Result<Self> {
        if text.starts_with(";;!") {
            return Self::from_toml_header(text);
        }
        match text
            .lines()
            .find_map(|line| line.strip_prefix(";; RUN: wast "))
        {
            Some(_) => Self::from_run_line(text),
            None => Ok(Self::of_unmarked_script()),
        }
    }

    /// Leading `;;! key = bool` lines; a key that is absent is off, but for WebAssembly 2.0.
    fn from_toml_header(text: &str) -> Result<Self> {
        let base = WasmFeatures::WASM2
            .union(WasmFeatures::EXTENDED_CONST)
            .union(WasmFeatures::COMPONENT_MODEL);
        let mut set = Self(base);
        for line in text.lines().map_while(|line| line.strip_prefix(";;!")) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let (key, value) = line
                .split_once('=')
                .ok_or_else(|| anyhow!("header line `{line}` is no `key = bool`"))?;
            let on = match value.trim() {
                "true" => true,
                "false" => false,
                other => bail!(
                    "header key `{}` has the value `{other}`, not a bool",
                    key.trim()
                ),
            };
            for flag in header_flags(key.trim())? {
                set.0.set(*flag, on);
            }
        }
        Ok(set)
    }

    /// The `-f` options of a `;; RUN:` line (which `\` may continue) over wasmparser's defaults.
    fn from_run_line(text: &str) -> Result<Self> {
        let mut command = String::new();
        for line in text.lines() {
            let Some(line) = line.strip_prefix(";; ") else {
                break;
            };
            let line = line.strip_prefix("RUN: ").unwrap_or(line).trim();
            command.push(' ');
            match line.strip_suffix('\\') {
                Some(line) => command.push_str(line),
                None => {
                    command.push_str(line);
                    break;
                }
            }
        }
        let mut set = Self(WasmFeatures::default());
        let mut words = command.split_whitespace();
        while let Some(word) = words.next() {
            let list = match word {
                "-f" | "--features" => words.next().unwrap_or_default(),
                _ => match word
                    .strip_prefix("-f=")
                    .or_else(|| word.strip_prefix("--features="))
                {
                    Some(list) => list,
                    None => continue,
                },
            };
            set.change(list)?;
        }
        Ok(set)
    }

    /// Applies a list as on the command line: `a,b` switches on, `-c` switches off, `all` is all.
    pub fn change(&mut self, list: &str) -> Result<()> {
        for item in list
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            let (name, on) = match item.strip_prefix('-') {
                Some(name) => (name, false),
                None => (item, true),
            };
            let flags = match name {
                "all" => WasmFeatures::all(),
                "wasm1" => WasmFeatures::WASM1,
                "wasm2" => WasmFeatures::WASM2,
                _ => flag_by_name(name)?,
            };
            self.0.set(flags, on);
        }
        Ok(())
    }

    /// This set with one more feature, by its flag's name.
    pub fn with(mut self, names: &str) -> Result<Self> {
        self.change(names)?;
        Ok(self)
    }

    /// The set of these flags.
    pub fn from_flags(flags: WasmFeatures) -> Self {
        Self(flags)
    }

    /// Switches the engine's features to this set.
    pub fn configure(self, config: &mut cellule::Config) {
        let has = |flag| self.0.contains(flag);
        config
            .wasm_mutable_global(has(WasmFeatures::MUTABLE_GLOBAL))
            .wasm_saturating_float_to_int(has(WasmFeatures::SATURATING_FLOAT_TO_INT))
            .wasm_sign_extension(has(WasmFeatures::SIGN_EXTENSION))
            .wasm_multi_value(has(WasmFeatures::MULTI_VALUE))
            .wasm_bulk_memory(has(WasmFeatures::BULK_MEMORY))
            .wasm_reference_types(has(WasmFeatures::REFERENCE_TYPES))
            .wasm_extended_const(has(WasmFeatures::EXTENDED_CONST))
            .wasm_multi_memory(has(WasmFeatures::MULTI_MEMORY))
            .wasm_tail_call(has(WasmFeatures::TAIL_CALL))
            .wasm_exceptions(has(WasmFeatures::EXCEPTIONS))
            .wasm_threads(has(WasmFeatures::THREADS))
            .wasm_function_references(has(WasmFeatures::FUNCTION_REFERENCES))
            .wasm_memory64(has(WasmFeatures::MEMORY64))
            .wasm_custom_page_sizes(has(WasmFeatures::CUSTOM_PAGE_SIZES))
            .wasm_wide_arithmetic(has(WasmFeatures::WIDE_ARITHMETIC))
            .wasm_simd(has(WasmFeatures::SIMD))
            .wasm_relaxed_simd(has(WasmFeatures::RELAXED_SIMD))
            .wasm_component_model_map(has(WasmFeatures::CM_MAP))
            .wasm_component_model_implements(has(WasmFeatures::CM_IMPLEMENTS))
            .wasm_component_model_fixed_length_lists(has(WasmFeatures::CM_FIXED_LENGTH_LISTS))
            .wasm_component_model_error_context(has(WasmFeatures::CM_ERROR_CONTEXT))
            .wasm_component_model_memory64(has(WasmFeatures::CM64))
            .wasm_component_model_nested_names(has(WasmFeatures::CM_NESTED_NAMES))
            .wasm_component_model_canon_names(has(WasmFeatures::CM_CANON_NAMES))
            .wasm_component_model_accessors(has(WasmFeatures::CM_ACCESSORS));
    }

    /// Whether `wasm` is refused under this set for nothing but a feature that the set leaves out.
    pub fn gates(self, wasm: &[u8]) -> bool {
        !validates(self.0, wasm) && validates(WasmFeatures::all(), wasm)
    }

    /// wasmparser's form of the set.
    pub fn flags(self) -> WasmFeatures {
        self.0
    }

    /// The features of this set that the engine can't execute and without which `wasm` isn't
    /// valid; `None` if it is valid without any of them, or not valid at all.
    ///
    /// Flags are taken away one at a time, so what remains is a smallest set.
    pub fn missing_for(self, wasm: &[u8]) -> Option<FeatureSet> {
        let beyond = self.0.difference(EXECUTED).difference(ENCODING);
        let mut flags = self.0;
        if !validates(flags, wasm) || validates(flags.difference(beyond), wasm) {
            return None;
        }
        flags = smallest(flags, beyond, wasm);
        Some(FeatureSet(flags.intersection(beyond)))
    }
}

/// Names as on the command line, joined by `+`.
impl fmt::Display for FeatureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter_names().map(|(name, _)| kebab(name)).collect();
        f.write_str(&names.join("+"))
    }
}

/// Takes away from `flags`, in which `wasm` is valid, all of `optional` that it can do without.
///
/// Halves are tried as a whole first, so that a large module isn't validated once per flag.
pub fn smallest(flags: WasmFeatures, optional: WasmFeatures, wasm: &[u8]) -> WasmFeatures {
    let without = flags.difference(optional);
    if without == flags || validates(without, wasm) {
        return without;
    }
    let parts: Vec<WasmFeatures> = optional.iter_names().map(|(_, flag)| flag).collect();
    if parts.len() < 2 {
        return flags;
    }
    let (left, right) = parts.split_at(parts.len() / 2);
    let union = |parts: &[WasmFeatures]| {
        parts
            .iter()
            .fold(WasmFeatures::empty(), |all, part| all.union(*part))
    };
    let flags = smallest(flags, union(left), wasm);
    smallest(flags, union(right), wasm)
}

fn kebab(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

fn flag_by_name(name: &str) -> Result<WasmFeatures> {
    WasmFeatures::from_name(&name.to_ascii_uppercase().replace('-', "_")).ok_or_else(|| {
        let known = WasmFeatures::all().iter_names();
        let known: Vec<String> = known.map(|(name, _)| kebab(name)).collect();
        let hint = near::hint(name, &known);
        anyhow!(
            "unknown feature `{name}`{hint}; these are:\n  {}",
            known.join(", ")
        )
    })
}

fn validates(flags: WasmFeatures, wasm: &[u8]) -> bool {
    Validator::new_with_features(flags)
        .validate_all(wasm)
        .is_ok()
}

/// The keys of `;;!` headers. Those about resources or the host's options mean no feature.
fn header_flags(key: &str) -> Result<&'static [WasmFeatures]> {
    Ok(match key {
        "bulk_memory" => &[WasmFeatures::BULK_MEMORY],
        "memory64" => &[WasmFeatures::MEMORY64],
        "custom_page_sizes" => &[WasmFeatures::CUSTOM_PAGE_SIZES],
        "multi_memory" => &[WasmFeatures::MULTI_MEMORY],
        "threads" => &[WasmFeatures::THREADS],
        "shared_everything_threads" => &[WasmFeatures::SHARED_EVERYTHING_THREADS],
        "gc" => &[
            WasmFeatures::GC,
            WasmFeatures::FUNCTION_REFERENCES,
            WasmFeatures::REFERENCE_TYPES,
        ],
        "function_references" => &[
            WasmFeatures::FUNCTION_REFERENCES,
            WasmFeatures::REFERENCE_TYPES,
        ],
        "relaxed_simd" => &[WasmFeatures::RELAXED_SIMD],
        "reference_types" => &[WasmFeatures::REFERENCE_TYPES],
        "tail_call" => &[WasmFeatures::TAIL_CALL],
        "extended_const" => &[WasmFeatures::EXTENDED_CONST],
        "wide_arithmetic" => &[WasmFeatures::WIDE_ARITHMETIC],
        "simd" => &[WasmFeatures::SIMD],
        "gc_types" => &[WasmFeatures::GC_TYPES],
        "exceptions" => &[WasmFeatures::EXCEPTIONS],
        "legacy_exceptions" => &[WasmFeatures::LEGACY_EXCEPTIONS],
        "stack_switching" => &[WasmFeatures::STACK_SWITCHING],
        "custom_descriptors" => &[WasmFeatures::CUSTOM_DESCRIPTORS],
        "component_model_async" => &[WasmFeatures::CM_ASYNC],
        "component_model_more_async_builtins" => &[WasmFeatures::CM_MORE_ASYNC_BUILTINS],
        "component_model_async_stackful" => &[WasmFeatures::CM_ASYNC_STACKFUL],
        "component_model_threading" => &[WasmFeatures::CM_THREADING],
        "component_model_error_context" => &[WasmFeatures::CM_ERROR_CONTEXT],
        "component_model_gc" => &[WasmFeatures::CM_GC],
        "component_model_map" => &[WasmFeatures::CM_MAP],
        "component_model_memory64" => &[WasmFeatures::CM64],
        "component_model_fixed_length_lists" => &[WasmFeatures::CM_FIXED_LENGTH_LISTS],
        "component_model_implements" => &[WasmFeatures::CM_IMPLEMENTS],
        "branch_hinting" | "hogs_memory" | "nan_canonicalization" | "spec_test" => &[],
        other => bail!("unknown header key `{other}`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_keys_switch_features_and_absent_ones_are_off() {
        let set =
            FeatureSet::of_script(";;! multi_memory = true\n;;! component_model_map = true\n")
                .unwrap();
        assert!(
            set.flags()
                .contains(WasmFeatures::MULTI_MEMORY | WasmFeatures::CM_MAP)
        );
        assert!(!set.flags().contains(WasmFeatures::CM_ASYNC));
        assert!(set.flags().contains(WasmFeatures::REFERENCE_TYPES));
    }

    #[test]
    fn unknown_header_keys_and_values_are_errors_that_name_them() {
        let error = FeatureSet::of_script(";;! warp_drive = true\n").unwrap_err();
        assert!(error.to_string().contains("warp_drive"), "{error}");
        let error = FeatureSet::of_script(";;! threads = maybe\n").unwrap_err();
        assert!(error.to_string().contains("maybe"), "{error}");
    }

    #[test]
    fn run_lines_change_the_default_set() {
        let script = ";; RUN: wast --assert default % -f cm-gc,-cm-async\n\n(component)";
        let set = FeatureSet::of_script(script).unwrap();
        assert!(set.flags().contains(WasmFeatures::CM_GC));
        assert!(!set.flags().contains(WasmFeatures::CM_ASYNC));
        let continued = ";; RUN: wast % --assert default \\\n;;   -f=-simd\n";
        assert!(
            !FeatureSet::of_script(continued)
                .unwrap()
                .flags()
                .contains(WasmFeatures::SIMD)
        );
    }

    #[test]
    fn the_features_that_a_module_lacks_are_named_one_by_one() {
        let set = FeatureSet::of_unmarked_script();
        let wasm = wat::parse_str("(module (type (struct)))").unwrap();
        assert_eq!(set.missing_for(&wasm).unwrap().to_string(), "gc");
        let wasm = wat::parse_str("(module (func return_call 0))").unwrap();
        assert_eq!(set.missing_for(&wasm), None);
    }
}
