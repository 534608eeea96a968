//! Core modules for embedders: engine, module, store, linker, instance and what they export.
//!
//! Names and shapes follow wasmtime's and wasmi's. Handles are plain numbers with the id of their
//! store: used with another store they panic, which is the embedder's error and not the guest's.

pub(crate) mod context;
pub(crate) mod decode;
mod depth;
mod engine;
pub(crate) mod exec;
mod func;
pub(crate) mod instance;
mod linker;
mod module;
pub(crate) mod sections;
#[cfg(feature = "stats")]
mod stats;
mod store;
mod val;
mod validate;

pub use context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
pub use engine::{Config, Engine};
pub use func::{Func, IntoHostFunc, WasmTy};
pub use instance::{Extern, Global, Instance, Memory, Table};
pub use linker::Linker;
pub use module::Module;
pub(crate) use store::{AsyncClosure, HostDtor, HostFuture, HostResource, NativeClosure};
pub use store::{Caller, Store};
pub use val::{ExternRef, Val};
