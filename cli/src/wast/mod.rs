//! Runs official test scripts, core and component, gated by directive.
//!
//! A directive is judged on its own: what it needs is tried with all the script's features on. What
//! the engine refuses as not supported is skipped under the names of the features that it needs, and
//! so is all that builds upon it; every other refusal is a failure. The script's semantics are those
//! of the reference interpreter for core modules and of the component model's own tests.

pub mod features;
mod legacy;
pub mod report;
pub mod script;
