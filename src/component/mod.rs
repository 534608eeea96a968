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

#[cfg(feature = "compile")]
mod abi;
#[cfg(feature = "compile")]
mod access;
#[cfg(feature = "compile")]
mod binary;
#[cfg(feature = "compile")]
mod call;
#[cfg(feature = "compile")]
mod error_context;
#[cfg(feature = "compile")]
mod func;
mod has_data;
#[cfg(feature = "compile")]
mod host;
#[cfg(feature = "compile")]
mod instance;
#[cfg(feature = "compile")]
mod linker;
#[cfg(feature = "compile")]
mod load;
#[cfg(all(feature = "compile", feature = "component-macro"))]
mod macros;
mod resource;
#[cfg(feature = "compile")]
mod run;
#[cfg(feature = "compile")]
mod template;
#[cfg(feature = "compile")]
mod typed;
#[cfg(feature = "compile")]
pub mod types;
#[cfg(feature = "compile")]
mod val;

#[cfg(feature = "compile")]
#[doc(hidden)]
pub use self::typed::internal as __internal;
#[cfg(feature = "compile")]
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
#[cfg(feature = "compile")]
pub use access::Access;
pub use has_data::{HasData, HasSelf};
#[cfg(all(feature = "compile", feature = "bindgen"))]
pub use macros::bindgen;
#[cfg(all(feature = "compile", feature = "component-macro"))]
pub use macros::{ComponentType, Lift, Lower, flags};
pub use resource::{Resource, ResourceDynamic, ResourceTable, ResourceTableError, ResourceType};
