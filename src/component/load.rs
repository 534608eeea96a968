//! [`Component`]: a binary that was decoded, validated and flattened, to be linked and instantiated.

#[cfg(feature = "compile")]
use super::binary::{self, Loaded};
use super::template::{self, Assembled, Source, Template};
use super::types::{self, Scope};
#[cfg(feature = "compile")]
use crate::code::module::Bytes;
use crate::error::Result;
#[cfg(feature = "compile")]
use crate::fallible::collect;
use crate::fallible::{Shared, try_collect};
use crate::tables::{ComponentTables, CoreSigId, ExportId, ExportKind, InitKind, Span};
use crate::wasm::{Engine, Module, ResourcesRequired};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use spin::Mutex;

/// A component, to be instantiated any number of times. Cheap to clone.
///
/// ```
/// use cellule::Engine;
/// use cellule::component::Component;
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
/// let ty = component.component_type();
/// let exports: Vec<&str> = ty.exports(&engine).map(|(name, _)| name).collect();
/// assert_eq!(exports, ["add"]);
/// assert_eq!(ty.imports(&engine).len(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Component {
    inner: Shared<Inner>,
}

/// No two components of a process have the same number.
static NEXT_SERIAL: Mutex<u64> = Mutex::new(1);

struct Inner {
    serial: u64,
    engine: Engine,
    tables: Shared<ComponentTables>,
    modules: Vec<Module>,
    /// The engine's numbers of the tables' core signatures.
    sig_ids: Vec<u32>,
    /// What it is where it is imported.
    template: Template,
    /// Its binaries: several if it imports components.
    sources: Vec<Shared<Source>>,
    /// Serial number and tables of what it was before it was given the components that it imports:
    /// indices of their exports mean the same of this one.
    base: Option<(u64, Shared<ComponentTables>)>,
}

impl Component {
    /// Decodes and validates a binary, and works out what instantiating it does.
    ///
    /// Errors name the offset; what is valid but not supported is an error of kind
    /// [`Unsupported`](crate::ErrorKind::Unsupported).
    #[cfg(feature = "compile")]
    pub fn new(engine: &Engine, wasm: impl AsRef<[u8]>) -> Result<Component> {
        Component::of_loaded(engine, binary::component(engine, wasm.as_ref())?)
    }

    /// Apart, so that what it keeps on the native stack isn't there while the binary is validated.
    #[cfg(feature = "compile")]
    #[inline(never)]
    fn of_loaded(engine: &Engine, loaded: Loaded) -> Result<Component> {
        let source = Shared::new(Source {
            bytes: Bytes::Shared(loaded.bytes),
            plans: loaded.plans,
            modules: loaded.modules.clone(),
        })?;
        let assembled = Assembled {
            tables: loaded.tables,
            modules: loaded.modules,
            sources: collect([source.clone()])?,
        };
        let template = Template::of_binary(source)?;
        Component::of(engine, template, assembled, None)
    }

    pub(super) fn of(
        engine: &Engine,
        template: Template,
        assembled: Assembled,
        base: Option<(u64, Shared<ComponentTables>)>,
    ) -> Result<Component> {
        let Assembled {
            tables,
            modules,
            sources,
        } = assembled;
        let sig_ids = types::core_sigs(&tables).map(|sig| engine.type_id(&sig?));
        let sig_ids = try_collect(sig_ids)?;
        let serial = {
            let mut next = NEXT_SERIAL.lock();
            *next += 1;
            *next
        };
        let inner = Inner {
            serial,
            sig_ids,
            engine: engine.clone(),
            tables,
            modules,
            template,
            sources,
            base,
        };
        Ok(Component {
            inner: Shared::new(inner)?,
        })
    }

    /// A component that another exports.
    pub(crate) fn of_template(engine: &Engine, template: Template) -> Result<Component> {
        let assembled = template::assembled(engine, &template, &[])?;
        Component::of(engine, template, assembled, None)
    }

    /// This component with the components that it imports.
    pub(crate) fn with_components(&self, given: &[(Vec<String>, Template)]) -> Result<Component> {
        let Inner {
            engine,
            template,
            tables,
            serial,
            ..
        } = &*self.inner;
        let assembled = template::assembled(engine, template, given)?;
        let base = Some((*serial, tables.clone()));
        Component::of(engine, template.clone(), assembled, base)
    }

    /// The component as a value.
    pub(crate) fn template(&self) -> &Template {
        &self.inner.template
    }

    /// The binary that a component of the tables is in, and its number there.
    pub(crate) fn source(&self, plan: u32) -> Option<(Shared<Source>, u32)> {
        let mut first = 0;
        for source in &self.inner.sources {
            if plan - first < source.plans {
                return Some((source.clone(), plan - first));
            }
            first += source.plans;
        }
        None
    }

    /// The same as [`Component::new`]: this crate reads no text format.
    #[cfg(feature = "compile")]
    pub fn from_binary(engine: &Engine, wasm: &[u8]) -> Result<Component> {
        Component::new(engine, wasm)
    }

    /// As [`Component::new`], with the binary in a file.
    ///
    /// # Errors
    /// As [`Component::new`], or what reading fails with.
    #[cfg(all(feature = "std", feature = "compile"))]
    pub fn from_file(engine: &Engine, file: impl AsRef<std::path::Path>) -> Result<Component> {
        Component::new(engine, crate::wasm::read_file(file.as_ref())?)
    }

    /// The memories and tables that instantiating it makes; `None` if it instantiates modules that it
    /// imports, which may make any.
    pub fn resources_required(&self) -> Option<ResourcesRequired> {
        let mut all = ResourcesRequired::default();
        for init in &self.tables().inits {
            match init.kind {
                InitKind::Instantiate => {
                    all.add(&self.modules()[init.a as usize].resources_required());
                }
                InitKind::InstantiateImported => return None,
                InitKind::Resolve | InitKind::Define => {}
            }
        }
        Some(all)
    }

    /// The engine that it was made with.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// What it imports and exports.
    pub fn component_type(&self) -> types::Component {
        types::Component::new(&self.scope(), self.inner.tables.root)
    }

    /// An export: its type, and an index for lookups without its name. `instance` is the index of the
    /// instance it is in, none for the component's own exports.
    pub fn get_export(
        &self,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<(types::ComponentItem, ComponentExportIndex)> {
        let index = self.get_export_index(instance, name)?;
        let row = self.tables().export(index.export);
        Some((types::ComponentItem::of_export(&self.scope(), row), index))
    }

    /// The index of an export, for lookups without its name.
    pub fn get_export_index(
        &self,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<ComponentExportIndex> {
        let siblings = self.siblings(instance)?;
        let export = self.tables().find_compatible_export(siblings, name)?;
        Some(ComponentExportIndex {
            component: self.inner.serial,
            export,
        })
    }

    /// Its core modules, by [`ModuleId`](crate::tables::ModuleId).
    pub(crate) fn modules(&self) -> &[Module] {
        &self.inner.modules
    }

    /// The engine's number of a core signature.
    pub(crate) fn sig_id(&self, sig: CoreSigId) -> u32 {
        self.inner.sig_ids[sig.index()]
    }

    pub(crate) fn tables(&self) -> &Shared<ComponentTables> {
        &self.inner.tables
    }

    pub(crate) fn scope(&self) -> Scope {
        Scope::uninstantiated(self.inner.tables.clone())
    }

    /// The exports of an exported instance, or the component's own.
    pub(crate) fn siblings(&self, instance: Option<&ComponentExportIndex>) -> Option<Span> {
        let Some(instance) = instance else {
            return Some(self.tables().root_exports);
        };
        let row = self.tables().export(instance.of(self)?);
        (row.kind == ExportKind::Instance).then(|| row.children())
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component").finish_non_exhaustive()
    }
}

/// An export of a component, found once by name and from then on without it.
///
/// ```
/// use cellule::component::{Component, Linker};
/// use cellule::{Engine, Store};
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
/// // Looked up once, before there is an instance.
/// let add = component.get_export_index(None, "add").expect("an export");
/// let mut store = Store::new(&engine, ());
/// let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
/// let add = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, add)?;
/// assert_eq!(add.call(&mut store, (1, 2))?, (3,));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ComponentExportIndex {
    /// The component's serial number.
    component: u64,
    export: ExportId,
}

impl ComponentExportIndex {
    /// The row, if the index is of this component.
    pub(crate) fn of(&self, component: &Component) -> Option<ExportId> {
        if self.component == component.inner.serial {
            return Some(self.export);
        }
        let (serial, base) = component.inner.base.as_ref()?;
        let same = self.component == *serial;
        same.then(|| base.same_export(self.export, component.tables()))
            .flatten()
    }
}

/// What an export is looked up by: a name, which finds the component's own exports, or an index.
pub trait ExportLookup: private::Sealed {
    #[doc(hidden)]
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex>;
}

mod private {
    pub trait Sealed {}
    impl Sealed for str {}
    impl Sealed for alloc::string::String {}
    impl Sealed for super::ComponentExportIndex {}
    impl<T: Sealed + ?Sized> Sealed for &T {}
}

impl ExportLookup for str {
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex> {
        component.get_export_index(None, self)
    }
}

impl ExportLookup for String {
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex> {
        component.get_export_index(None, self)
    }
}

impl ExportLookup for ComponentExportIndex {
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex> {
        self.of(component)?;
        Some(*self)
    }
}

impl<T: ExportLookup + ?Sized> ExportLookup for &T {
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex> {
        (**self).lookup(component)
    }
}
