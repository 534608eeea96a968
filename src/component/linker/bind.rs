//! Imports against definitions: every import is looked up and checked once, whether it is used or not,
//! and what is wrong is told in one error.

use super::Definition;
use crate::code::module::ExternType;
use crate::component::instance::{Binding, InstancePre};
use crate::component::load::Component;
use crate::component::typed::InstanceType;
use crate::component::types::try_core_extern;
use crate::error::{Error, ErrorKind, OutOfMemory, Result};
use crate::fallible::{self, Grow, Shared, collect, try_collect};
use crate::store::ResourceType;
use crate::tables::names::NameMap;
use crate::tables::*;
use crate::wasm::{Module, NativeClosure};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Checks the imports of a component; what its resource types are bound to, those that it defines left as
/// they are.
pub(super) fn resources<T: 'static>(
    items: &NameMap<Definition<T>>,
    component: &Component,
) -> Result<Vec<ResourceType>> {
    let tables = component.tables();
    let unknown =
        |at: usize| ResourceType::uninstantiated(Shared::address(tables), ResourceId(at as u32));
    let mut checker = Checker {
        tables,
        resources: collect((0..tables.resources.len()).map(unknown))?,
        problems: String::new(),
    };
    for row in tables.externs(tables.root.imports) {
        let name = tables.name(row.name);
        checker.item(name, *row, items.get(name))?;
    }
    if !checker.problems.is_empty() {
        return Err(Error::of(ErrorKind::Link, checker.problems));
    }
    Ok(checker.resources)
}

/// Binds the imports of a component.
pub(super) fn bind<T: 'static>(
    items: &NameMap<Definition<T>>,
    component: &Component,
) -> Result<InstancePre<T>> {
    let resources = resources(items, component)?;
    let tables = component.tables();
    let mut bindings = Vec::with_room(tables.leaves.len())?;
    let mut closures = Vec::with_room(tables.leaves.len())?;
    for leaf in &tables.leaves {
        let (binding, closure) = match find(items, tables, *leaf) {
            Some(Definition::Func(func)) => (Binding::Func, func.call.clone()),
            Some(Definition::Module(module)) => {
                (Binding::Module(module.clone()), NativeClosure::None)
            }
            Some(Definition::Resource(ty, dtor)) => {
                (Binding::Resource(*ty, dtor.clone()), NativeClosure::None)
            }
            _ => {
                let why = format_args!("nothing is defined for `{}`", tables.leaf_path(*leaf));
                return Err(Error::of(ErrorKind::Link, why));
            }
        };
        bindings.try_push(binding)?;
        closures.try_push(closure)?;
    }
    InstancePre::new(component.clone(), bindings, closures, resources)
}

/// What is defined for a leaf.
fn find<'l, T: 'static>(
    items: &'l NameMap<Definition<T>>,
    tables: &ComponentTables,
    leaf: LeafRow,
) -> Option<&'l Definition<T>> {
    let import = tables.externs(tables.root.imports)[leaf.import as usize];
    let mut found = items.get(tables.name(import.name))?;
    for name in tables.path(leaf) {
        let Definition::Instance(items) = found else {
            return None;
        };
        found = items.get(tables.name(*name))?;
    }
    Some(found)
}

/// The component with the components that it imports; itself if it imports none, or some of them isn't
/// defined, which [`bind`] tells.
pub(super) fn given<T: 'static>(
    items: &NameMap<Definition<T>>,
    component: &Component,
) -> Result<Component> {
    let tables = component.tables();
    if !tables.open {
        return Ok(component.clone());
    }
    let mut given = Vec::new();
    for leaf in &tables.leaves {
        if leaf.kind != LeafKind::Component {
            continue;
        }
        let Some(Definition::Component(found)) = find(items, tables, *leaf) else {
            return Ok(component.clone());
        };
        let import = tables.externs(tables.root.imports)[leaf.import as usize];
        let path = core::iter::once(&import.name).chain(tables.path(*leaf));
        let path = try_collect(path.map(|name| fallible::text(tables.name(*name))))?;
        given.try_push((path, found.template().clone()))?;
    }
    component.with_components(&given)
}

struct Checker<'a> {
    tables: &'a Shared<ComponentTables>,
    /// What the imported resource types are bound to, as far as they have been met.
    resources: Vec<ResourceType>,
    /// A line for each.
    problems: String,
}

impl Checker<'_> {
    fn missing(&mut self, what: &str, path: &str, found: Option<&str>) -> Result<()> {
        let known = found.is_some();
        let cause = if known { ": expected " } else { "" };
        let (expected, but) = if known { (what, " found ") } else { ("", "") };
        let found = found.unwrap_or_default();
        self.tell(format_args!(
            "component imports {what} `{path}`, but a matching implementation was not found in the \
             linker{cause}{expected}{but}{found}"
        ))
    }

    fn refuse(&mut self, what: &str, path: &str, why: &dyn fmt::Display) -> Result<()> {
        self.tell(format_args!(
            "component imports {what} `{path}`, which is defined otherwise: {why}"
        ))
    }

    fn tell(&mut self, problem: fmt::Arguments<'_>) -> Result<()> {
        let line = fallible::format(problem)?;
        self.problems
            .try_reserve(line.len() + 1)
            .map_err(OutOfMemory::from)?;
        if !self.problems.is_empty() {
            self.problems.push('\n');
        }
        self.problems.push_str(&line);
        Ok(())
    }

    /// Checks an import, and what is inside it.
    fn item<T: 'static>(
        &mut self,
        path: &str,
        row: ExternRow,
        definition: Option<&Definition<T>>,
    ) -> Result<()> {
        let found = definition.map(desc);
        match (row.kind, definition) {
            (ExternKind::Func, Some(Definition::Func(func))) => {
                let types = InstanceType {
                    tables: self.tables,
                    resources: &self.resources,
                };
                match (func.check)(&types, FuncTypeId(row.a)) {
                    Err(error) if error.kind() == ErrorKind::OutOfMemory => return Err(error),
                    Err(error) => self.refuse("function", path, &error)?,
                    Ok(()) => {}
                }
            }
            (ExternKind::Func, _) => self.missing("function", path, found)?,
            (ExternKind::Module, Some(Definition::Module(module))) => {
                match fits(self.tables, ModuleTypeId(row.a), module) {
                    Err(error) if error.kind() == ErrorKind::OutOfMemory => return Err(error),
                    Err(error) => self.refuse("module", path, &error)?,
                    Ok(()) => {}
                }
            }
            (ExternKind::Module, _) => self.missing("module", path, found)?,
            (ExternKind::Instance, None | Some(Definition::Instance(_))) => {
                let tables = self.tables.clone();
                let exports = tables.instance_type(InstanceTypeId(row.a));
                for row in tables.externs(exports) {
                    let name = tables.name(row.name);
                    let inner = match definition {
                        Some(Definition::Instance(items)) => items.get(name),
                        _ => None,
                    };
                    let path = fallible::format(format_args!("{path}#{name}"))?;
                    self.item(&path, *row, inner)?;
                }
            }
            (ExternKind::Instance, _) => self.missing("instance", path, found)?,
            (ExternKind::Resource, Some(Definition::Resource(ty, _))) => {
                self.resources[row.a as usize] = *ty;
            }
            (ExternKind::Resource, _) => self.missing("resource", path, found)?,
            (ExternKind::ResourceEq, Some(Definition::Resource(ty, _))) => {
                let bound = self.resources[row.a as usize];
                if bound != *ty {
                    self.refuse("resource", path, &"mismatched resource types")?;
                }
            }
            (ExternKind::ResourceEq, Some(_)) => self.missing("resource", path, found)?,
            // Its type was checked where it was flattened with the component that imports it.
            (ExternKind::Component, Some(Definition::Component(_))) => {}
            (ExternKind::Component, _) => self.missing("component", path, found)?,
            // Types need no definition, and a resource that is the same as an earlier one none again.
            _ => {}
        }
        Ok(())
    }
}

fn desc<T: 'static>(definition: &Definition<T>) -> &'static str {
    match definition {
        Definition::Func(_) => "func",
        Definition::Module(_) => "module",
        Definition::Component(_) => "component",
        Definition::Resource(..) => "resource",
        Definition::Instance(_) => "instance",
    }
}

/// Whether a module is of a type: it may import less and export more.
fn fits(tables: &ComponentTables, ty: ModuleTypeId, module: &Module) -> Result<()> {
    let row = tables.module_type(ty);
    for expected in tables.core_externs(row.exports) {
        let name = tables.name(expected.name);
        let Some(actual) = module.get_export(name) else {
            return refuse(format_args!("module export `{name}` not defined"));
        };
        subtype(&actual, &try_core_extern(tables, expected)?).map_err(|why| {
            Error::of(
                ErrorKind::Link,
                format_args!("module export `{name}` has the wrong type: {why}"),
            )
        })?;
    }
    let imports = tables.core_externs(row.imports);
    for import in module.imports() {
        let (space, name, actual) = (import.module(), import.name(), import.ty());
        let given = imports
            .iter()
            .find(|row| tables.name(row.module) == space && tables.name(row.name) == name);
        let Some(given) = given else {
            return refuse(format_args!("module import `{space}::{name}` not defined"));
        };
        subtype(&try_core_extern(tables, given)?, &actual).map_err(|why| {
            let why = format_args!("module import `{space}::{name}` has the wrong type: {why}");
            Error::of(ErrorKind::Link, why)
        })?;
    }
    Ok(())
}

fn refuse(why: fmt::Arguments<'_>) -> Result<()> {
    Err(Error::of(ErrorKind::Link, why))
}

/// Two types of which one can't stand where the other is expected.
struct Mismatch<'a> {
    given: &'a ExternType,
    expected: &'a ExternType,
}

/// Whether what is given can stand where something is expected.
fn subtype<'a>(given: &'a ExternType, expected: &'a ExternType) -> Result<(), Mismatch<'a>> {
    let fits = match (given, expected) {
        (ExternType::Func(given), ExternType::Func(expected)) => given == expected,
        (ExternType::Tag(given), ExternType::Tag(expected)) => given == expected,
        (ExternType::Global(given), ExternType::Global(expected)) => given.fits(expected),
        (ExternType::Table(given), ExternType::Table(expected)) => {
            given.fits(given.minimum, expected)
        }
        (ExternType::Memory(given), ExternType::Memory(expected)) => {
            given.fits(given.minimum, expected)
        }
        _ => false,
    };
    match fits {
        true => Ok(()),
        false => Err(Mismatch { given, expected }),
    }
}

impl fmt::Display for Mismatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (given, expected) = (kind(self.given), kind(self.expected));
        if given != expected {
            return write!(f, "expected {expected} found {given}");
        }
        let (given, expected) = (Text(self.given), Text(self.expected));
        write!(f, "expected type `{expected}`, found type `{given}`")
    }
}

/// A type as the text format writes it.
struct Text<'a>(&'a ExternType);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ExternType::Func(ty) = self.0 else {
            return self.0.fmt(f);
        };
        f.write_str("(func")?;
        for (word, types) in [("param", ty.params()), ("result", ty.results())] {
            if !types.is_empty() {
                write!(f, " ({word}")?;
                types.iter().try_for_each(|ty| write!(f, " {ty}"))?;
                f.write_str(")")?;
            }
        }
        f.write_str(")")
    }
}

fn kind(ty: &ExternType) -> &'static str {
    match ty {
        ExternType::Func(_) => "func",
        ExternType::Global(_) => "global",
        ExternType::Table(_) => "table",
        ExternType::Memory(_) => "memory",
        ExternType::Tag(_) => "tag",
    }
}
