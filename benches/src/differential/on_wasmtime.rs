//! Cases on wasmtime, with its interpreter: adapters are compiled to that faster than to machine code.

// Once for each engine on purpose.
#[allow(clippy::duplicate_mod)]
#[path = "drive.rs"]
pub mod drive;

use super::flags::flag_types;
use wasmtime as engine;
use wasmtime::component::Val;

flag_types!(wasmtime);

/// The engine, with everything that cases use, and without the costs of speed.
pub fn engine() -> wasmtime::Result<wasmtime::Engine> {
    let mut config = wasmtime::Config::new();
    config.target("pulley64")?;
    config.cranelift_opt_level(wasmtime::OptLevel::None);
    config.cranelift_regalloc_algorithm(wasmtime::RegallocAlgorithm::SinglePass);
    config.wasm_component_model_map(true);
    config.wasm_component_model_fixed_length_lists(true);
    config.wasm_backtrace_max_frames(None);
    wasmtime::Engine::new(&config)
}

fn list(items: Vec<Val>) -> Val {
    Val::List(items)
}

fn fixed(items: Vec<Val>) -> Val {
    Val::FixedLengthList(items)
}

fn items(list: &[Val]) -> Vec<Val> {
    list.to_vec()
}
