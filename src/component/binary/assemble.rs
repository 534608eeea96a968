//! Components from several binaries flattened as one.
//!
//! A component as a value is a plan in a binary, and what it captured where it was defined. For a root
//! that imports components, or one that is such a value itself, all binaries that matter become one:
//! each stands as a nested component in a binary made for this. So one validator knows the types of
//! all of them, says whether what is given fits, and nothing else has to know of several binaries.

use super::flatten::{Closure, ModuleDef, Outset, flatten};
use super::parse::{self, Parsed};
use crate::code::module::Bytes;
use crate::error::{Error, ErrorKind, Result};
use crate::tables::{ComponentTables, ModuleId};
use crate::wasm::{Engine, Module};
use alloc::string::String;
use alloc::vec::Vec;
use wasmparser::component_types::{ComponentEntityType, ComponentTypeId};

/// One component as a value.
#[derive(Debug)]
pub(crate) struct Part {
    /// Which of the binaries it is in.
    pub source: usize,
    /// Which component of that binary, in the order of their ends.
    pub plan: u32,
    /// Modules that it captured, of those of the assembly.
    pub modules: Vec<u32>,
    /// Components that it captured: earlier parts.
    pub components: Vec<u32>,
}

/// What becomes one.
#[derive(Debug)]
pub(crate) struct Assembly {
    /// Binaries, and how many components each holds.
    pub sources: Vec<(Bytes, u32)>,
    /// The modules of the binaries in their order, then others that parts captured.
    pub modules: Vec<Module>,
    pub parts: Vec<Part>,
    /// A part.
    pub root: u32,
    /// What the root's imports of components are: the names that lead to each, and a part.
    pub given: Vec<(Vec<String>, u32)>,
}

const HEADER: [u8; 8] = *b"\0asm\x0d\0\x01\0";
const COMPONENT_SECTION: u8 = 4;

/// Flattens the root of an assembly.
pub(crate) fn assemble(engine: &Engine, assembly: &Assembly) -> Result<ComponentTables> {
    let bytes = wrap(&assembly.sources)?;
    let mut parsed = parse::parse(engine, &bytes, super::features(engine)?)?;
    // They are there already, with what was translated of them.
    parsed.modules = Vec::new();
    let mut first = 0;
    let mut bases = Vec::with_capacity(assembly.sources.len());
    for (_, plans) in &assembly.sources {
        bases.push(first);
        first += plans;
    }
    let closures: Vec<Closure> = assembly
        .parts
        .iter()
        .map(|part| Closure {
            plan: bases[part.source] + part.plan,
            modules: part
                .modules
                .iter()
                .map(|module| ModuleDef::Static(ModuleId(*module)))
                .collect(),
            components: part.components.clone(),
        })
        .collect();
    for (path, part) in &assembly.given {
        let root = closures[assembly.root as usize].plan;
        check(&parsed, root, path, closures[*part as usize].plan)?;
    }
    let outset = Outset {
        closures,
        root: assembly.root,
        given: assembly.given.iter().cloned().collect(),
    };
    let limits = engine.config().limits;
    flatten(parsed, &assembly.modules, outset, limits)
}

/// A binary in which each of `sources` is a nested component.
fn wrap(sources: &[(Bytes, u32)]) -> Result<Vec<u8>> {
    let mut bytes = Vec::from(HEADER);
    for (source, _) in sources {
        bytes.push(COMPONENT_SECTION);
        let mut len = source.len();
        while len >= 0x80 {
            bytes.push(len as u8 | 0x80);
            len >>= 7;
        }
        bytes.push(len as u8);
        let full = |_| Error::of(ErrorKind::Limit, "no memory for the components together");
        bytes.try_reserve(source.len()).map_err(full)?;
        bytes.extend_from_slice(source);
    }
    Ok(bytes)
}

/// Whether a component is of the type that the root declares for an import.
fn check(parsed: &Parsed, root: u32, path: &[String], given: u32) -> Result<()> {
    let types = wasmparser::types::Types::as_ref(&parsed.types);
    let ty = |plan: u32| parsed.plans.get(plan as usize).and_then(|plan| plan.ty);
    let declared = ty(root).and_then(|root| declared(parsed, root, path));
    let fits = match (ty(given), declared) {
        (Some(given), Some(declared)) => {
            let given = ComponentEntityType::Component(given);
            ComponentEntityType::is_subtype_of(&given, types, &declared, types)
        }
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let path = path.join("#");
    let why = format_args!(
        "component imports component `{path}`, which is defined otherwise: it has not the imports and \
         exports that are expected"
    );
    Err(Error::of(ErrorKind::Link, why))
}

fn declared(
    parsed: &Parsed,
    root: ComponentTypeId,
    path: &[String],
) -> Option<ComponentEntityType> {
    let types = parsed.types.as_ref();
    let (import, rest) = path.split_first()?;
    let mut found = types[root].imports.get(import)?.ty;
    for name in rest {
        let ComponentEntityType::Instance(id) = found else {
            return None;
        };
        found = types[id].exports.get(name)?.ty;
    }
    Some(found)
}
