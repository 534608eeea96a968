//! The calls of `components` for wasmtime.

// Once for each engine on purpose.
#[allow(clippy::duplicate_mod)]
#[path = "calls.rs"]
pub mod calls;

use wasmtime as engine;
use wasmtime::component::Val;

fn list(items: Vec<Val>) -> Val {
    Val::List(items)
}

fn byte_list(bytes: &[u8]) -> Val {
    Val::List(bytes.iter().map(|byte| Val::U8(*byte)).collect())
}
