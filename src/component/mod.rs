//! The Component Model, as far as it stands: components loaded into tables and reflected on, names
//! that imports are matched by, and resources.
//!
//! The parts here need neither a machine nor a store: they are plain data and rules over it, which
//! the linker and the Canonical ABI are built on.
//!
//! # Contract
//!
//! What a guest passes (an index, a name) is checked and answered by an error, never a panic.
#![forbid(unsafe_code)]

#[cfg(feature = "compile")]
mod binary;
// Instantiation, which will run the modules, doesn't exist yet.
#[cfg(feature = "compile")]
#[allow(dead_code)]
mod load;
// The linker, which will look imports up by it, doesn't exist yet; until it does, only tests use it.
#[cfg_attr(not(test), allow(dead_code))]
mod names;
#[allow(dead_code)]
mod resource;
// The linker and instantiation, which will read them, don't exist yet.
#[allow(dead_code, unused_imports)]
mod tables;
#[cfg(feature = "compile")]
pub mod types;

#[cfg(feature = "compile")]
pub use load::{Component, ComponentExportIndex, InstanceExportLookup};

pub use resource::{Resource, ResourceTable, ResourceTableError, ResourceType};
