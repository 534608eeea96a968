//! The `cellule` program as a library: its commands, and what reads official test scripts.

pub mod args;
pub mod disasm;
pub mod images;
pub mod input;
pub mod inspect;
pub mod near;
pub mod run;
pub mod stats;
pub mod wast;
