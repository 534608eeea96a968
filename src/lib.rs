//! A WebAssembly runtime for places where a JIT can't go, on its way to the whole Component Model.
//!
//! `no_std` + `alloc`, no code generation: modules are translated to a compact register instruction
//! set ([`code`]) and executed by a machine whose whole state is plain data.
//!
//! # Contract
//!
//! From untrusted bytes: a value or an [`Error`] with an offset, never a panic. From code that
//! misbehaves while running: a [`Trap`].
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod code;
pub mod component;
mod error;
mod fallible;
mod image;
mod limits;
mod machine;
mod numeric;
#[cfg(feature = "simd")]
mod simd;
mod store;
// Without a decoder nothing builds tables; they are read from images.
#[cfg_attr(not(feature = "compile"), allow(dead_code))]
mod tables;
#[cfg(feature = "compile")]
mod translate;

pub use error::{
    Chain, Context, Error, ErrorKind, Frame, OutOfMemory, Result, ThrownException, Trap,
};
pub use image::ImageError;
pub use limits::Limits;
mod wasm;
pub use code::module::{
    ExternType, FuncType, GlobalType, HeapType, MemoryType, RefType, TableType, ValType,
};
pub use wasm::{
    AsContext, AsContextMut, Caller, Config, Engine, EngineWeak, ExnRef, Export, ExportType,
    Extern, ExternRef, Func, Global, ImportType, Instance, InstancePre, IntoHostFunc, Linker,
    Memory, Module, ModuleExport, Mutability, ResourceLimiter, ResourcesRequired, ResumableCall,
    ResumableCallHostTrap, ResumableCallOutOfFuel, Store, StoreContext, StoreContextMut,
    StoreLimits, StoreLimitsBuilder, Table, Tag, TypedFunc, TypedResumableCall,
    TypedResumableCallHostTrap, TypedResumableCallOutOfFuel, V128, Val, WasmParams, WasmResults,
    WasmRet, WasmTy,
};
#[cfg(feature = "stats")]
pub use wasm::{Held, Sequence};

/// What macros refer to.
#[doc(hidden)]
pub mod __private {
    pub use alloc::format;
}

/// The README's example has to compile.
#[cfg(all(doctest, feature = "compile"))]
#[doc = include_str!("../README.md")]
struct ReadmeExample;
