//! A WebAssembly Component Model runtime for places where a JIT can't go.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod code;
