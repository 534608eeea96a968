//! Official test scripts: what they need, how they are read and how their outcome is reported.
//!
//! Scripts are gated by directive: what the engine refuses as not supported is skipped under the
//! names of the features that it needs, and so is all that builds upon it; every other refusal is a
//! failure.

mod component;
mod core;
pub mod differences;
mod engine;
mod expect;
pub mod features;
mod hosts;
mod legacy;
pub mod report;
mod runner;
pub mod script;
mod spectest;
mod values;

pub use engine::Options;
pub use runner::run;
