//! A case: a module that `wasm-smith` makes of a seed, or of a seed and a fuzzer's bytes.
//!
//! What a case is allowed to use varies, so that every proposal is there with and without the others. Typed
//! references to functions are only made by `wasm-smith` together with the garbage collector's types; for them
//! it is given a module's shape, and what has other types in it all the same is thrown away.

use crate::random::{Random, hash};
use crate::shape;
use arbitrary::Unstructured;
use std::path::Path;
use wasm_smith::{Config, InstructionKind, InstructionKinds, MemoryOffsetChoices, Module};
use wasmparser::{Validator, WasmFeatures};

/// What the seed's numbers are used for.
const CONFIG: u64 = 1;
const BYTES: u64 = 2;
const ATTEMPTS: u64 = 3;

/// Modules that are made until one has references to functions and nothing of the collector's.
const TRIES: u64 = 48;

/// A page of memory.
const PAGE: u64 = 64 << 10;

/// A module and the seed of everything else.
pub struct Case {
    pub seed: u64,
    pub wasm: Vec<u8>,
}

impl Case {
    /// The case of a seed; `None` if nothing came of it.
    pub fn new(seed: u64) -> Option<Case> {
        Case::prefix(seed, usize::MAX)
    }

    /// The same, made of no more than so many of its random bytes, which gives smaller modules.
    pub fn prefix(seed: u64, most: usize) -> Option<Case> {
        let mut random = Random::new(seed, BYTES);
        let len = length(&mut random);
        let mut bytes = random.bytes(len);
        bytes.truncate(most);
        Case::of_bytes(seed, &bytes)
    }

    /// How many random bytes the case of a seed is made of.
    pub fn random_bytes(seed: u64) -> usize {
        length(&mut Random::new(seed, BYTES))
    }

    /// The module of a file. If its name begins with a number, that is the seed.
    pub fn of_file(file: &Path, wasm: Vec<u8>) -> Case {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let digits = name.split('-').next().unwrap_or_default();
        let seed = digits.parse().unwrap_or_else(|_| hash(&wasm));
        Case { seed, wasm }
    }

    /// A case that is allowed what the seed says, and made of these bytes.
    pub fn of_bytes(seed: u64, bytes: &[u8]) -> Option<Case> {
        let mut random = Random::new(seed, CONFIG);
        let (config, fuel) = config(&mut random);
        let wasm = match random.one_in(6) {
            true => with_references(seed, &config, bytes, fuel)?,
            false => make(config, bytes, fuel)?,
        };
        Some(Case { seed, wasm })
    }
}

fn length(random: &mut Random) -> usize {
    let most = random.pick(&[256, 1_024, 2_048, 4_096, 4_096, 12_000]);
    64 + random.below(most) as usize
}

fn make(config: Config, bytes: &[u8], fuel: u32) -> Option<Vec<u8>> {
    let mut module = Module::new(config, &mut Unstructured::new(bytes)).ok()?;
    module.ensure_termination(fuel).ok()?;
    Some(module.to_bytes())
}

/// What is validated without the collector.
fn features() -> WasmFeatures {
    WasmFeatures::all()
        - WasmFeatures::GC
        - WasmFeatures::SHARED_EVERYTHING_THREADS
        - WasmFeatures::CUSTOM_DESCRIPTORS
}

fn with_references(seed: u64, config: &Config, bytes: &[u8], fuel: u32) -> Option<Vec<u8>> {
    let mut random = Random::new(seed, ATTEMPTS);
    for attempt in 0..TRIES {
        let mut config = config.clone();
        config.reference_types_enabled = true;
        config.gc_enabled = true;
        (config.min_types, config.max_types) = (0, 0);
        config.module_shape = Some(shape::module(&mut random));
        let other;
        let bytes = match attempt {
            0 => bytes,
            _ => {
                other = random.bytes(bytes.len().min(if attempt < 8 { 1_500 } else { 400 }));
                &other
            }
        };
        if let Some(wasm) = make(config, bytes, fuel)
            && Validator::new_with_features(features())
                .validate_all(&wasm)
                .is_ok()
        {
            return Some(wasm);
        }
    }
    None
}

/// What a module may have in it, and how often its functions and loops are entered at most.
fn config(random: &mut Random) -> (Config, u32) {
    let mut on = |times: u64| !random.one_in(times);
    let mut config = Config {
        bulk_memory_enabled: on(6),
        reference_types_enabled: on(6),
        multi_value_enabled: on(6),
        saturating_float_to_int_enabled: on(8),
        sign_extension_ops_enabled: on(8),
        extended_const_enabled: on(4),
        exceptions_enabled: on(2),
        tail_call_enabled: on(2),
        simd_enabled: on(2),
        relaxed_simd_enabled: on(2),
        memory64_enabled: on(2),
        custom_page_sizes_enabled: on(3),
        wide_arithmetic_enabled: on(3),
        threads_enabled: !on(5),
        disallow_traps: on(2),
        allow_floats: on(8),
        table_max_size_required: on(2),
        memory_max_size_required: on(2),
        generate_custom_sections: !on(20),
        gc_enabled: false,
        compact_imports_enabled: false,
        shared_everything_threads_enabled: false,
        acquire_release_atomics_enabled: false,
        export_everything: true,
        ..Config::default()
    };
    config.min_uleb_size = if random.one_in(8) {
        1 + random.below(5) as u8
    } else {
        1
    };
    let (within, perhaps, beyond) = random.pick(&[(90, 9, 1), (1, 0, 0), (10, 10, 10)]);
    config.memory_offset_choices = MemoryOffsetChoices(within, perhaps, beyond);
    sizes(&mut config, random);
    if random.one_in(3) {
        config.allowed_instructions = instructions(random);
    }
    (config, random.pick(&[50, 200, 1_000, 1_000]))
}

fn sizes(config: &mut Config, random: &mut Random) {
    config.min_types = 1;
    config.max_types = 1 + random.below(12) as usize;
    config.min_funcs = 1;
    config.max_funcs = 1 + random.below(8) as usize;
    config.max_imports = random.below(8) as usize;
    config.max_instructions = random.pick(&[20, 60, 150, 400]);
    config.min_memories = u32::from(!random.one_in(6));
    config.max_memories = if random.one_in(3) { 3 } else { 1 };
    config.max_tables = if random.one_in(3) { 3 } else { 1 };
    config.max_globals = random.below(10) as usize;
    config.max_tags = random.below(4) as usize;
    config.max_data_segments = random.below(6) as usize;
    config.max_element_segments = random.below(6) as usize;
    config.max_elements = 1 + random.below(20) as usize;
    config.max_table_elements = random.pick(&[4, 30, 1_000]);
    let pages = random.pick(&[1, 2, 16]);
    config.max_memory32_bytes = pages * PAGE;
    config.max_memory64_bytes = u128::from(pages * PAGE);
}

fn instructions(random: &mut Random) -> InstructionKinds {
    let all = [
        InstructionKind::Numeric,
        InstructionKind::Vector,
        InstructionKind::Reference,
        InstructionKind::Parametric,
        InstructionKind::Variable,
        InstructionKind::Table,
        InstructionKind::Memory,
        InstructionKind::Control,
        InstructionKind::Aggregate,
    ];
    let some: Vec<InstructionKind> = all.into_iter().filter(|_| !random.one_in(3)).collect();
    InstructionKinds::new(&some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_makes_the_same_module() {
        for seed in 0..200 {
            let wasm = |seed| Case::new(seed).map(|case| case.wasm);
            assert_eq!(wasm(seed), wasm(seed));
        }
    }

    #[test]
    fn typed_references_come_up() {
        let found = (0..600).filter_map(Case::new).any(|case| {
            let without = features() - WasmFeatures::FUNCTION_REFERENCES;
            Validator::new_with_features(features())
                .validate_all(&case.wasm)
                .is_ok()
                && Validator::new_with_features(without)
                    .validate_all(&case.wasm)
                    .is_err()
        });
        assert!(found);
    }
}
