//! cellule for C: the functions of `include/cellule.h`, which is generated from these sources.
//!
//! # Contract
//!
//! What C passes is checked as far as it can be: pointers for null, text for UTF-8, a store for being used
//! by two calls at once, handles for their store. No panic crosses the boundary: it becomes an error, or
//! the answer that says that there is nothing. That needs unwinding; in a build with `panic = "abort"` a panic ends
//! the program, as it does for any of Rust's. What can't be checked is what the header asks of its user, and
//! what the `SAFETY` comments name: that pointers are valid, and that what was given up isn't used again.
//!
//! `unsafe` is in `boundary` (what C lends), `store` (who has the store), `callback` (calling C) and `value`
//! (lending a value to C); the functions that take plain pointers are `unsafe` themselves.
#![allow(
    clippy::missing_safety_doc,
    reason = "what holds for all pointers is said once, at the header's beginning"
)]

pub mod boundary;
pub mod callback;
pub mod component;
pub mod engine;
pub mod error;
pub mod instance;
pub mod linker;
pub mod resource;
pub mod store;
pub mod value;

pub use engine::{Config, EngineHandle};
pub use error::{Failure, FailureKind, TrapCode};
pub use store::StoreHandle;
pub use value::{Value, ValueKind};
