//! What the comparison with the Canonical ABI's Python definitions is made of.
//!
//! A batch is a component made for a few random signatures: two guests of two encodings, each able to
//! call and to be called with them. A case is one call: host to guest, guest to host, or guest to guest.
//! Before it, each guest's memory is filled; after it, everything that a guest can see is compared with
//! what the definitions come to: core values, memories to the byte, `realloc` calls in order, and traps.
//!
//! Assumes that `list<u8>` crosses between host and guest unharmed: that is how memories are set and read.

pub mod batch;
pub mod component;
pub mod guest;
pub mod reference;
pub mod rng;
pub mod types;
pub mod values;
