//! The Component Model, as far as it stands: names that imports are matched by, and resources.
//!
//! The parts here need neither a machine nor a store: they are plain data and rules over it, which
//! the linker and the Canonical ABI are built on.
//!
//! # Contract
//!
//! What a guest passes (an index, a name) is checked and answered by an error, never a panic.
#![forbid(unsafe_code)]

#[cfg(feature = "compile")]
#[allow(dead_code)]
mod binary;
// The linker, which will look imports up by it, doesn't exist yet; until it does, only tests use it.
#[cfg_attr(not(test), allow(dead_code))]
mod names;
mod resource;
// The linker and instantiation, which will read them, don't exist yet.
#[allow(dead_code, unused_imports)]
mod tables;

pub use resource::{Resource, ResourceTable, ResourceTableError};
