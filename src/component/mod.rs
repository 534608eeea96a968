//! The Component Model: components loaded, linked, instantiated and called.
//!
//! `binary` makes tables of bytes; `linker` binds imports to definitions; `instance` runs what is left
//! of instantiation; `func`, `host` and `run` are the three kinds of calls (host to guest, guest to
//! host, guest to guest), over the Canonical ABI in `abi`. Names and shapes follow wasmtime's
//! `component` module.
//!
//! # Contract
//!
//! What a guest passes (an index, a pointer, a name) is checked and answered by an error, never a
//! panic. A trap ends the tree of instances that one instantiation made, and no other.
#![forbid(unsafe_code)]

mod abi;
mod access;
#[cfg(feature = "compile")]
mod binary;
mod call;
mod error_context;
mod func;
mod has_data;
mod host;
mod image;
mod instance;
mod linker;
mod load;
#[cfg(feature = "component-macro")]
mod macros;
mod resource;
mod run;
// What instantiates a component inside another needs its binary.
#[cfg_attr(not(feature = "compile"), allow(dead_code))]
mod template;
mod typed;
pub mod types;
mod val;

#[doc(hidden)]
pub use self::typed::internal as __internal;
pub use self::{
    abi::{lift::LiftContext, lower::LowerContext},
    error_context::ErrorContext,
    func::{Func, TypedFunc},
    instance::{Instance, InstancePre},
    linker::{Linker, LinkerInstance},
    load::{Component, ComponentExportIndex, ExportLookup, ExportLookup as InstanceExportLookup},
    resource::ResourceAny,
    typed::{
        ComponentNamedList, ComponentType, InstanceType, InterfaceType, Lift, Lower, WasmList,
        WasmStr,
    },
    types::Type,
    val::{List, Val},
};
pub use access::Access;
pub use has_data::{HasData, HasSelf};
#[cfg(feature = "bindgen")]
pub use macros::bindgen;
#[cfg(feature = "component-macro")]
pub use macros::{ComponentType, Lift, Lower, flags};
pub use resource::{Resource, ResourceDynamic, ResourceTable, ResourceTableError, ResourceType};
