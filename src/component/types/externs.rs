//! What components import and export: items, and what their names say of them.

use super::*;
use crate::tables::names::compatible;

/// What can be imported or exported.
///
/// ```
/// use cellule::Engine;
/// use cellule::component::Component;
/// use cellule::component::types::ComponentItem;
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let component = Component::new(&engine, wat::parse_str(
///     r#"(component
///         (core module $m (func (export "add") (param i32 i32) (result i32)
///             (i32.add (local.get 0) (local.get 1))))
///         (core instance $i (instantiate $m))
///         (func (export "add") (param "a" u32) (param "b" u32) (result u32)
///             (canon lift (core func $i "add"))))"#,
/// ).expect("valid text"))?;
/// let (item, _) = component.get_export(None, "add").expect("an export");
/// match item {
///     ComponentItem::ComponentFunc(add) => assert_eq!(add.params().len(), 2),
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub enum ComponentItem {
    /// A function, or a type of functions.
    ComponentFunc(ComponentFunc),
    /// A core module.
    Module(Module),
    /// A component, or a type of components.
    Component(Component),
    /// An instance, or a type of instances.
    ComponentInstance(ComponentInstance),
    /// A type of values.
    Type(Type),
    /// A resource type.
    Resource(ResourceType),
}

impl ComponentItem {
    pub(crate) fn new(scope: &Scope, row: ExternRow) -> ComponentItem {
        match row.kind {
            ExternKind::Func | ExternKind::FuncType => {
                ComponentItem::ComponentFunc(ComponentFunc::new(scope, FuncTypeId(row.a)))
            }
            ExternKind::Module => ComponentItem::Module(Module::new(scope, ModuleTypeId(row.a))),
            ExternKind::Instance | ExternKind::InstanceType => ComponentItem::ComponentInstance(
                ComponentInstance::new(scope, InstanceTypeId(row.a)),
            ),
            ExternKind::Component | ExternKind::ComponentType => {
                let row = scope.tables.component_type(ComponentTypeId(row.a));
                ComponentItem::Component(Component::new(scope, row))
            }
            ExternKind::Type => ComponentItem::Type(Type::new(scope, TypeId(row.a))),
            ExternKind::Resource | ExternKind::ResourceEq => {
                ComponentItem::Resource(scope.resource(ResourceId(row.a)))
            }
        }
    }
}

impl ComponentItem {
    /// What a row of the tree of exports is.
    pub(crate) fn of_export(scope: &Scope, row: ExportRow) -> ComponentItem {
        match row.kind {
            ExportKind::Func | ExportKind::FuncType => {
                ComponentItem::ComponentFunc(ComponentFunc::new(scope, FuncTypeId(row.ty)))
            }
            ExportKind::Module | ExportKind::ImportedModule => {
                ComponentItem::Module(Module::new(scope, ModuleTypeId(row.ty)))
            }
            ExportKind::Instance | ExportKind::InstanceType => ComponentItem::ComponentInstance(
                ComponentInstance::new(scope, InstanceTypeId(row.ty)),
            ),
            ExportKind::Type => ComponentItem::Type(Type::new(scope, TypeId(row.a))),
            ExportKind::Resource => ComponentItem::Resource(scope.resource(ResourceId(row.a))),
            ExportKind::Component | ExportKind::ComponentType => {
                let row = scope.tables.component_type(ComponentTypeId(row.ty));
                ComponentItem::Component(Component::new(scope, row))
            }
        }
    }
}

/// An import or export of a component or an instance: its type, and what the binary says beside it.
///
/// ```
/// use cellule::Engine;
/// use cellule::component::Component;
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let component = Component::new(&engine, wat::parse_str(
///     r#"(component
///         (import "cache" (implements "my:host/store@1.2.0") (instance (export "clear" (func)))))"#,
/// ).expect("valid text"))?;
/// let ty = component.component_type();
/// let cache = ty.get_import(&engine, "cache").expect("an import");
/// assert_eq!(cache.implements, Some("my:host/store@1.2.0"));
/// assert!(cache.is_implements("my:host/store@1.0.0"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ComponentExtern<'a> {
    /// Its type.
    pub ty: ComponentItem,
    /// The interface that it implements, where the binary says so.
    pub implements: Option<&'a str>,
    /// The embedder's name for it, where the binary has one.
    pub external_id: Option<&'a str>,
}

impl<'a> ComponentExtern<'a> {
    fn new(scope: &'a Scope, row: ExternRow) -> ComponentExtern<'a> {
        let name = |id: NameId| id.some().map(|id| scope.tables.name(id));
        ComponentExtern {
            ty: ComponentItem::new(scope, row),
            implements: name(row.implements),
            external_id: name(row.external_id),
        }
    }

    /// Whether the binary says that it implements this interface, or one of a version that is
    /// compatible with it.
    pub fn is_implements(&self, name: &str) -> bool {
        self.implements
            .is_some_and(|implements| compatible(implements, name))
    }
}

pub(super) fn items(
    scope: &Scope,
    span: Span,
) -> impl ExactSizeIterator<Item = (&str, ComponentExtern<'_>)> {
    let rows = scope.tables.externs(span).iter();
    rows.map(|row| {
        let name = scope.tables.name(row.name);
        (name, ComponentExtern::new(scope, *row))
    })
}

pub(super) fn item<'a>(scope: &'a Scope, span: Span, name: &str) -> Option<ComponentExtern<'a>> {
    let mut rows = scope.tables.externs(span).iter();
    let row = rows.find(|row| scope.tables.name(row.name) == name)?;
    Some(ComponentExtern::new(scope, *row))
}
