//! The instruction set: one table, and what is generated from it.
#![forbid(unsafe_code)]

pub(crate) mod table;
