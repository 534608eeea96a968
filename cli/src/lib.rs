//! The `cellule` program as a library: its commands, and the script runner that the tests call.

pub mod wast;
