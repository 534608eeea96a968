//! Imports against definitions: every import is looked up and checked once, whether it is used or not,
//! and what is wrong is told in one error.

use super::Definition;
use crate::code::module::ExternType;
use crate::component::instance::{Binding, InstancePre};
use crate::component::load::Component;
use crate::component::typed::InstanceType;
use crate::component::types::core_extern;
use crate::error::{Error, ErrorKind, Result};
use crate::store::ResourceType;
use crate::tables::names::NameMap;
use crate::tables::*;
use crate::wasm::{Module, NativeClosure};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Checks the imports of a component; what its resource types are bound to, those that it defines left as
/// they are.
pub(super) fn resources<T: 'static>(
    items: &NameMap<Definition<T>>,
    component: &Component,
) -> Result<Vec<ResourceType>> {
    let tables = component.tables();
    let unknown = |at: usize| {
        ResourceType::uninstantiated(Arc::as_ptr(tables) as usize, ResourceId(at as u32))
    };
    let mut checker = Checker {
        tables,
        resources: (0..tables.resources.len()).map(unknown).collect(),
        problems: Vec::new(),
    };
    for row in tables.externs(tables.root.imports) {
        let name = tables.name(row.name);
        checker.item(name, *row, items.get(name));
    }
    if !checker.problems.is_empty() {
        return Err(Error::of(ErrorKind::Link, checker.problems.join("\n")));
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
    let binding = |leaf: &LeafRow| -> Result<(Binding<T>, NativeClosure<T>)> {
        let found = find(items, tables, *leaf);
        match found {
            Some(Definition::Func(func)) => Ok((Binding::Func, func.call.clone())),
            Some(Definition::Module(module)) => {
                Ok((Binding::Module(module.clone()), NativeClosure::None))
            }
            Some(Definition::Resource(ty, dtor)) => {
                let binding = Binding::Resource(*ty, dtor.clone());
                Ok((binding, NativeClosure::None))
            }
            _ => {
                let why = format!("nothing is defined for `{}`", tables.leaf_path(*leaf));
                Err(Error::of(ErrorKind::Link, why))
            }
        }
    };
    let bindings = tables.leaves.iter().map(binding).collect::<Result<_>>()?;
    Ok(InstancePre::new(component.clone(), bindings, resources))
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
        let path = path.map(|name| tables.name(*name).to_string()).collect();
        given.push((path, found.template().clone()));
    }
    component.with_components(&given)
}

struct Checker<'a> {
    tables: &'a Arc<ComponentTables>,
    /// What the imported resource types are bound to, as far as they have been met.
    resources: Vec<ResourceType>,
    problems: Vec<String>,
}

impl Checker<'_> {
    fn missing(&mut self, what: &str, path: &str, found: Option<&str>) {
        let cause = found.map_or(String::new(), |found| {
            format!(": expected {what} found {found}")
        });
        self.problems.push(format!(
            "component imports {what} `{path}`, but a matching implementation was not found in the linker{cause}"
        ));
    }

    fn refuse(&mut self, what: &str, path: &str, why: &dyn core::fmt::Display) {
        self.problems.push(format!(
            "component imports {what} `{path}`, which is defined otherwise: {why}"
        ));
    }

    /// Checks an import, and what is inside it.
    fn item<T: 'static>(&mut self, path: &str, row: ExternRow, definition: Option<&Definition<T>>) {
        let found = definition.map(desc);
        match (row.kind, definition) {
            (ExternKind::Func, Some(Definition::Func(func))) => {
                let types = InstanceType {
                    tables: self.tables,
                    resources: &self.resources,
                };
                if let Err(error) = (func.check)(&types, FuncTypeId(row.a)) {
                    self.refuse("function", path, &error);
                }
            }
            (ExternKind::Func, _) => self.missing("function", path, found),
            (ExternKind::Module, Some(Definition::Module(module))) => {
                if let Err(error) = fits(self.tables, ModuleTypeId(row.a), module) {
                    self.refuse("module", path, &error);
                }
            }
            (ExternKind::Module, _) => self.missing("module", path, found),
            (ExternKind::Instance, None | Some(Definition::Instance(_))) => {
                let tables = self.tables.clone();
                let exports = tables.instance_type(InstanceTypeId(row.a));
                for row in tables.externs(exports) {
                    let name = tables.name(row.name);
                    let inner = match definition {
                        Some(Definition::Instance(items)) => items.get(name),
                        _ => None,
                    };
                    self.item(&format!("{path}#{name}"), *row, inner);
                }
            }
            (ExternKind::Instance, _) => self.missing("instance", path, found),
            (ExternKind::Resource, Some(Definition::Resource(ty, _))) => {
                self.resources[row.a as usize] = *ty;
            }
            (ExternKind::Resource, _) => self.missing("resource", path, found),
            (ExternKind::ResourceEq, Some(Definition::Resource(ty, _))) => {
                let bound = self.resources[row.a as usize];
                if bound != *ty {
                    self.refuse("resource", path, &"mismatched resource types");
                }
            }
            (ExternKind::ResourceEq, Some(_)) => self.missing("resource", path, found),
            // Its type was checked where it was flattened with the component that imports it.
            (ExternKind::Component, Some(Definition::Component(_))) => {}
            (ExternKind::Component, _) => self.missing("component", path, found),
            // Types need no definition, and a resource that is the same as an earlier one none again.
            _ => {}
        }
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
            return refuse(format!("module export `{name}` not defined"));
        };
        subtype(&actual, &core_extern(tables, expected)).map_err(|why| {
            Error::of(
                ErrorKind::Link,
                format!("module export `{name}` has the wrong type: {why}"),
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
            return refuse(format!("module import `{space}::{name}` not defined"));
        };
        subtype(&core_extern(tables, given), &actual).map_err(|why| {
            let why = format!("module import `{space}::{name}` has the wrong type: {why}");
            Error::of(ErrorKind::Link, why)
        })?;
    }
    Ok(())
}

fn refuse(why: String) -> Result<()> {
    Err(Error::of(ErrorKind::Link, why))
}

/// Whether what is given can stand where something is expected.
fn subtype(given: &ExternType, expected: &ExternType) -> Result<(), String> {
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
        _ => {
            return Err(format!("expected {} found {}", kind(expected), kind(given)));
        }
    };
    if fits {
        return Ok(());
    }
    Err(format!(
        "expected type `{}`, found type `{}`",
        text(expected),
        text(given)
    ))
}

/// A type as the text format writes it.
fn text(ty: &ExternType) -> String {
    let ExternType::Func(ty) = ty else {
        return ty.to_string();
    };
    let mut text = String::from("(func");
    for (word, types) in [("param", ty.params()), ("result", ty.results())] {
        if !types.is_empty() {
            text.push_str(&format!(" ({word}"));
            types.iter().for_each(|ty| text.push_str(&format!(" {ty}")));
            text.push(')');
        }
    }
    text.push(')');
    text
}

fn kind(ty: &ExternType) -> String {
    match ty {
        ExternType::Func(_) => "func",
        ExternType::Global(_) => "global",
        ExternType::Table(_) => "table",
        ExternType::Memory(_) => "memory",
        ExternType::Tag(_) => "tag",
    }
    .to_string()
}
