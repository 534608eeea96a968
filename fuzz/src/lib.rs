//! Random modules under cellule: what they do is compared with wasmtime, and their code with its own text.
//!
//! `src/main.rs` is the runner; `fuzz_targets/` has the same checks for `cargo fuzz`.

pub mod args;
pub mod case;
pub mod code;
pub mod judge;
pub mod on_cellule;
#[cfg(feature = "wasmtime")]
pub mod on_wasmtime;
pub mod outcome;
pub mod random;
pub mod recorded;
mod shape;
#[cfg(feature = "wasmtime")]
pub mod smith;
pub mod value;
pub mod workers;
