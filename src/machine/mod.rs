//! Executes code: threads of execution, frames, dispatch, handlers by family.
//!
//! A WebAssembly call never recurses on the native stack: frames live in [`Thread::stack`]. What
//! handlers can't do quickly returns to [`driver::resume`], which does it in safe Rust on the
//! store's data, or passes it on as an [`Event`](driver::Event).
//!
//! `unsafe` lives here alone: in `regs.rs` and `simd/regs.rs` (slots, linear memory), `families.rs` and `singles.rs`
//! (through those accessors), `dispatch/tail.rs` (sibling calls) and `driver.rs` (making the registers).
//! What they rely on is checked by `code::verify` after translation in debug and `extra-checks`
//! builds, and by the call handlers while running.
#![allow(unsafe_code)]

mod dispatch;
pub(crate) mod driver;
mod families;
mod far;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod mutants;
mod regs;
#[cfg(feature = "simd")]
mod simd;
mod singles;
mod thread;
pub(crate) mod unwind;
#[cfg(test)]
mod vectors;

pub(crate) use driver::Entered;
pub(crate) use far::Import;
pub(crate) use thread::{CallSlots, HostCall, NATIVE_ARGS, Thread};
