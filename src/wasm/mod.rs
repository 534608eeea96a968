//! Core modules for embedders: engine, module, store, linker, instance and what they export.
//!
//! Names and shapes follow wasmtime's and wasmi's. Handles are plain numbers with the id of their
//! store: used with another store they panic, which is the embedder's error and not the guest's.

pub(crate) mod context;
#[cfg(feature = "compile")]
pub(crate) mod decode;
mod depth;
mod describe;
mod engine;
mod exception;
pub(crate) mod exec;
mod func;
pub(crate) mod image;
pub(crate) mod instance;
mod items;
mod limiter;
mod linker;
mod module;
mod resumable;
#[cfg(feature = "compile")]
pub(crate) mod sections;
#[cfg(feature = "stats")]
mod stats;
mod store;
mod typed;
mod val;
#[cfg(feature = "compile")]
mod validate;

pub use context::{AsContext, AsContextMut, Caller, StoreContext, StoreContextMut};
pub use describe::{ExportType, ImportType, ModuleExport, Mutability, ResourcesRequired};
pub use engine::{Config, Engine, EngineWeak};
pub use exception::ExnRef;
pub use func::{Func, IntoHostFunc, WasmRet};
pub use instance::Instance;
pub use items::{Export, Extern, Global, Memory, Table, Tag};
pub use limiter::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};
pub use linker::{InstancePre, Linker};
pub use module::Module;
#[cfg(all(feature = "std", feature = "compile"))]
pub(crate) use module::read_file;
pub use resumable::{
    ResumableCall, ResumableCallHostTrap, ResumableCallOutOfFuel, TypedResumableCall,
    TypedResumableCallHostTrap, TypedResumableCallOutOfFuel,
};
#[cfg(feature = "stats")]
pub use stats::{Held, Sequence};
pub use store::Store;
pub(crate) use store::{
    AsyncClosure, AsyncDtor, HostDtor, HostResource, ImportCall, NativeClosure, NativeClosures,
    async_closure, host_future, sync_closure,
};
pub use typed::{TypedFunc, WasmParams, WasmResults, WasmTy};
pub use val::{ExternRef, V128, Val};
