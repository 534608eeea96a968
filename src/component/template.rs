//! Components as values: what a linker is given for an import of a component, and what an instance
//! exports as one.
//!
//! A component that is exported was defined inside another, whose modules and components it may use:
//! it captured them. A [`Template`] is such a component with all that instantiating it needs.

#[cfg(feature = "compile")]
mod gather;

#[cfg(feature = "compile")]
pub(super) use gather::assembled;

use crate::code::module::Bytes;
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::Shared;
use crate::tables::ComponentTables;
#[cfg(not(feature = "compile"))]
use crate::wasm::Engine;
use crate::wasm::Module;
use alloc::vec::Vec;

/// How deep components may capture each other: the depth of nesting that a binary can have, and then
/// some for what hosts pass on.
const MAX_DEPTH: u32 = 1000;

/// A binary with its modules.
#[derive(Debug)]
pub(crate) struct Source {
    pub bytes: Bytes,
    /// How many components it holds.
    pub plans: u32,
    pub modules: Vec<Module>,
}

/// A component as a value.
#[derive(Clone, Debug)]
pub(crate) struct Template(Shared<Inner>);

#[derive(Debug)]
struct Inner {
    source: Shared<Source>,
    plan: u32,
    modules: Vec<Module>,
    components: Vec<Template>,
    depth: u32,
}

impl Template {
    /// A component from an image, which keeps no plan of how to instantiate it inside another.
    pub fn of_image() -> Result<Template> {
        Template::of_binary(Shared::new(Source {
            bytes: Bytes::Static(&[]),
            plans: 0,
            modules: Vec::new(),
        })?)
    }

    /// The root of a binary.
    pub fn of_binary(source: Shared<Source>) -> Result<Template> {
        let inner = Inner {
            plan: source.plans.saturating_sub(1),
            source,
            modules: Vec::new(),
            components: Vec::new(),
            depth: 1,
        };
        Ok(Template(Shared::new(inner)?))
    }

    /// A component of a binary, with what it captured.
    pub fn new(
        source: Shared<Source>,
        plan: u32,
        modules: Vec<Module>,
        components: Vec<Template>,
    ) -> Result<Template> {
        let depth = components.iter().map(|captured| captured.0.depth);
        let depth = 1 + depth.max().unwrap_or(0);
        if depth > MAX_DEPTH {
            let why = "components that captured each other too deep";
            return Err(Error::of(ErrorKind::Limit, why));
        }
        let inner = Inner {
            source,
            plan,
            modules,
            components,
            depth,
        };
        Ok(Template(Shared::new(inner)?))
    }

    /// Whether it comes from an image, which keeps no plan of how to instantiate it inside another.
    #[cfg(feature = "compile")]
    fn is_of_image(&self) -> bool {
        self.0.source.plans == 0
    }
}

/// What assembling gives.
pub(crate) struct Assembled {
    pub tables: Shared<ComponentTables>,
    pub modules: Vec<Module>,
    /// The binaries, in the order that the tables count components in.
    pub sources: Vec<Shared<Source>>,
}

/// Without wasmparser nothing can be flattened.
#[cfg(not(feature = "compile"))]
pub(super) fn assembled(
    _engine: &Engine,
    _root: &Template,
    _given: &[(Vec<alloc::string::String>, Template)],
) -> Result<Assembled> {
    let why = "components as imports or exports in a build without `compile`";
    Err(Error::of(ErrorKind::Unsupported, why))
}
