//! Instances: made by a loop over the initializers, looked into by name or index.
//!
//! Making one can stop when fuel runs out and go on later, as a call can. If it fails, what it made
//! is taken out of the store again.

mod make;
#[cfg(test)]
mod tests;

use self::make::Making;
use super::call::Yield;
use super::func::{Func, TypedFunc, scope};
use super::load::{Component, ComponentExportIndex, ExportLookup as InstanceExportLookup};
use super::template::Template;
use super::typed::{ComponentNamedList, InstanceType, Lift, Lower};
use super::types::{self, ComponentItem};
use crate::error::{Error, ErrorKind, Result, Trap};
use crate::fallible::{Grow, Shared};
use crate::store::ResourceType;
use crate::store::components::NONE;
use crate::tables::*;
use crate::wasm::exec::Progress;
use crate::wasm::{
    AsContext, AsContextMut, Engine, HostDtor, Module, NativeClosure, NativeClosures, Store,
    StoreContext, StoreContextMut,
};
use alloc::vec::Vec;

/// What an import is bound to.
pub(crate) enum Binding<T: 'static> {
    /// The closure of the same number.
    Func,
    Module(Module),
    Resource(ResourceType, HostDtor<T>),
}

/// A component whose imports are bound, to be instantiated any number of times. Cheap to clone.
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
/// // Everything is looked up and checked here …
/// let pre = Linker::<()>::new(&engine).instantiate_pre(&component)?;
/// for number in 0..3 {
///     // … and nothing here.
///     let mut store = Store::new(&engine, ());
///     let instance = pre.instantiate(&mut store)?;
///     let add = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, "add")?;
///     assert_eq!(add.call(&mut store, (number, 1))?, (number + 1,));
/// }
/// # Ok(())
/// # }
/// ```
pub struct InstancePre<T: 'static>(Shared<Pre<T>>);

/// What instances are made from.
pub(crate) struct Pre<T: 'static> {
    component: Component,
    /// By the tables' leaves.
    bindings: Vec<Binding<T>>,
    /// As many; none where a leaf is not a function.
    closures: NativeClosures<T>,
    /// What the component's resource types are bound to.
    resources: Vec<ResourceType>,
}

impl<T: 'static> Clone for InstancePre<T> {
    fn clone(&self) -> Self {
        InstancePre(self.0.clone())
    }
}

impl<T: 'static> InstancePre<T> {
    pub(crate) fn new(
        component: Component,
        bindings: Vec<Binding<T>>,
        closures: Vec<NativeClosure<T>>,
        resources: Vec<ResourceType>,
    ) -> Result<InstancePre<T>> {
        let pre = Pre {
            component,
            bindings,
            closures: Shared::new(closures)?,
            resources,
        };
        Ok(InstancePre(Shared::new(pre)?))
    }

    /// The component's types, for [`types::ComponentFunc::typecheck`].
    pub fn instance_type(&self) -> InstanceType<'_> {
        InstanceType {
            tables: self.0.component.tables(),
            resources: &self.0.resources,
        }
    }

    /// The component.
    pub fn component(&self) -> &Component {
        &self.0.component
    }

    /// The engine that the component was made with.
    pub fn engine(&self) -> &Engine {
        self.0.component.engine()
    }

    /// Instantiates it: runs its modules' start functions.
    ///
    /// # Errors
    /// What ended a start function, or a limit. Nothing of the instance remains then.
    // Apart: see `Linker::instantiate_pre`.
    #[inline(never)]
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        let StoreContextMut(store) = store.as_context_mut();
        let mut unfinished = Unfinished::begin(store, self)?;
        loop {
            match unfinished.advance()? {
                Advance::Done(instance) => return Ok(instance),
                Advance::Host => unfinished.making.call_host_now(unfinished.store)?,
                Advance::Refuelled => {}
            }
        }
    }

    /// As [`InstancePre::instantiate`]; where fuel runs out and there is more in reserve, it yields to
    /// the executor: see [`Store::fuel_async_yield_interval`].
    ///
    /// # Errors
    /// As [`InstancePre::instantiate`].
    pub async fn instantiate_async(
        &self,
        mut store: impl AsContextMut<Data = T>,
    ) -> Result<Instance> {
        let StoreContextMut(store) = store.as_context_mut();
        let mut unfinished = Unfinished::begin(store, self)?;
        loop {
            match unfinished.advance()? {
                Advance::Done(instance) => return Ok(instance),
                Advance::Host => unfinished.making.await_host(unfinished.store).await?,
                Advance::Refuelled => Yield(false).await,
            }
        }
    }
}

impl<T: 'static> InstancePre<T> {
    /// A component that it exports. It can be instantiated, or given to components that import one
    /// ([`LinkerInstance::component`](super::LinkerInstance::component)). Where it uses modules or
    /// components of the one around it, imported ones included, it keeps them.
    ///
    /// # Errors
    /// If there is none of that name, or what it declares exceeds a limit.
    pub fn get_component(&self, name: impl InstanceExportLookup) -> Result<Component> {
        let tables = self.component().tables();
        let index = name.lookup(self.component());
        let row = index.and_then(|index| Some(tables.export(index.of(self.component())?)));
        match row {
            Some(row) if row.kind == ExportKind::Component => {
                let template = self.template(TemplateId(row.a))?;
                Component::of_template(self.engine(), template)
            }
            _ => {
                let why = "failed to find component export";
                Err(Error::of(ErrorKind::Type, why))
            }
        }
    }

    /// An exported component as a value.
    fn template(&self, wanted: TemplateId) -> Result<Template> {
        let tables = self.component().tables();
        // Each stands after those that it captured.
        let mut made: Vec<Template> = Vec::with_room(wanted.index() + 1)?;
        for row in &tables.templates[..=wanted.index()] {
            let modules = tables.template_modules[row.modules.range()].iter();
            let modules = modules.map(|module| match *module {
                TemplateModuleRow::Static(id) => self.component().modules().get(id.index()),
                TemplateModuleRow::Imported(leaf) => match self.0.bindings.get(leaf.index()) {
                    Some(Binding::Module(module)) => Some(module),
                    _ => None,
                },
            });
            let modules = modules.map(|module| module.cloned()).collect::<Option<_>>();
            let components = tables.template_components[row.components.range()].iter();
            let components = components.map(|id| made[id.index()].clone()).collect();
            let source = self.component().source(row.plan);
            let (Some(modules), Some((source, plan))) = (modules, source) else {
                return Err(lost("what a component captured"));
            };
            made.push(Template::new(source, plan, modules, components)?);
        }
        made.pop().ok_or_else(|| lost("a component"))
    }
}

impl<T: 'static> InstancePre<T> {
    /// What runs when a guest drops a resource of the host's: what the linker said that the instance
    /// was made with.
    pub(super) fn dtor(&self, resource: ResourceId) -> Option<&HostDtor<T>> {
        let leaf = self.component().tables().resource(resource).leaf.some()?;
        match self.0.bindings.get(leaf.index())? {
            Binding::Resource(_, dtor) => Some(dtor),
            _ => None,
        }
    }
}

/// An instance that is being made: unless it is done, nothing of it remains when this is dropped, be
/// it after an error or because its future is.
struct Unfinished<'s, T: 'static> {
    making: Making<T>,
    store: &'s mut Store<T>,
    done: bool,
}

/// How far making an instance has come.
enum Advance {
    Done(Instance),
    /// A host function is to be called before it goes on.
    Host,
    /// It ran out of fuel and was given more.
    Refuelled,
}

impl<'s, T: 'static> Unfinished<'s, T> {
    fn begin(store: &'s mut Store<T>, pre: &InstancePre<T>) -> Result<Self> {
        Ok(Unfinished {
            making: Making::begin(store, pre)?,
            store,
            done: false,
        })
    }

    fn advance(&mut self) -> Result<Advance> {
        match self.making.advance(self.store)? {
            Progress::Done => {
                self.done = true;
                Ok(Advance::Done(self.making.instance(self.store)))
            }
            Progress::Host => Ok(Advance::Host),
            Progress::OutOfFuel if self.store.refuel() => Ok(Advance::Refuelled),
            Progress::OutOfFuel => Err(Trap::OutOfFuel.into()),
        }
    }
}

impl<T: 'static> Drop for Unfinished<'_, T> {
    fn drop(&mut self) {
        if !self.done {
            self.making.undo(self.store);
        }
    }
}

/// An instance of a component, in a store.
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
///         (func $add (param "a" u32) (param "b" u32) (result u32)
///             (canon lift (core func $i "add")))
///         (instance $math (export "add" (func $add)))
///         (export "my:guest/math" (instance $math)))"#,
/// ).expect("valid text"))?;
/// let mut store = Store::new(&engine, ());
/// let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
/// // A function of an exported instance is found in two steps.
/// let math = instance.get_export_index(&mut store, None, "my:guest/math").expect("an instance");
/// let add = instance.get_export_index(&mut store, Some(&math), "add").expect("a function");
/// let add = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, add)?;
/// assert_eq!(add.call(&mut store, (1, 2))?, (3,));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    store: u32,
    tree: u32,
}

impl Instance {
    /// What it was instantiated from.
    ///
    /// # Panics
    /// If it is of another store.
    pub fn instance_pre<T: 'static>(&self, store: impl AsContext<Data = T>) -> InstancePre<T> {
        let StoreContext(store) = store.as_context();
        assert_eq!(store.id, self.store, "an instance of another store");
        origin(store, self.tree).clone()
    }

    fn origin<'s, T: 'static>(&self, store: &'s Store<T>) -> &'s Pre<T> {
        assert_eq!(store.id, self.store, "an instance of another store");
        &origin(store, self.tree).0
    }

    fn lookup<T: 'static>(
        &self,
        store: &Store<T>,
        name: impl InstanceExportLookup,
    ) -> Option<ExportRow> {
        let component = &self.origin(store).component;
        let index = name.lookup(component)?;
        Some(component.tables().export(index.of(component)?))
    }

    /// An exported function: of the component by its name, of an exported instance by its index.
    ///
    /// # Panics
    /// If the instance is of another store.
    pub fn get_func(
        &self,
        mut store: impl AsContextMut,
        name: impl InstanceExportLookup,
    ) -> Option<Func> {
        let StoreContextMut(store) = store.as_context_mut();
        let row = self.lookup(store, name)?;
        (row.kind == ExportKind::Func).then(|| self.func(store, FuncId(row.a)))
    }

    fn func<T: 'static>(&self, store: &Store<T>, id: FuncId) -> Func {
        let tree = &store.inner.trees[self.tree as usize];
        let row = tree.tables.func(id);
        Func {
            store: self.store,
            tree: self.tree,
            entity: make::func_entity(&store.inner, self.tree, row.core).unwrap_or(NONE),
            options: row.options.0,
            ty: row.ty,
        }
    }

    /// An exported function with Rust types.
    ///
    /// # Errors
    /// If there is none of that name, or it has other types.
    ///
    /// # Panics
    /// If the instance is of another store.
    pub fn get_typed_func<Params, Return>(
        &self,
        mut store: impl AsContextMut,
        name: impl InstanceExportLookup,
    ) -> Result<TypedFunc<Params, Return>>
    where
        Params: ComponentNamedList + Lower,
        Return: ComponentNamedList + Lift,
    {
        let Some(func) = self.get_func(store.as_context_mut(), name) else {
            return Err(Error::of(ErrorKind::Type, "failed to find function export"));
        };
        func.typed(store.as_context())
    }

    /// An exported core module.
    ///
    /// # Panics
    /// If the instance is of another store.
    pub fn get_module(
        &self,
        mut store: impl AsContextMut,
        name: impl InstanceExportLookup,
    ) -> Option<Module> {
        let StoreContextMut(store) = store.as_context_mut();
        let row = self.lookup(store, name)?;
        let origin = self.origin(store);
        match row.kind {
            ExportKind::Module => origin.component.modules().get(row.a as usize).cloned(),
            ExportKind::ImportedModule => match origin.bindings.get(row.a as usize)? {
                Binding::Module(module) => Some(module.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// An exported component; see [`InstancePre::get_component`].
    ///
    /// # Errors
    /// As [`InstancePre::get_component`].
    ///
    /// # Panics
    /// If the instance is of another store.
    pub fn get_component(
        &self,
        mut store: impl AsContextMut,
        name: impl InstanceExportLookup,
    ) -> Result<Component> {
        let StoreContextMut(store) = store.as_context_mut();
        self.instance_pre(&*store).get_component(name)
    }

    /// An exported resource type.
    ///
    /// # Panics
    /// If the instance is of another store.
    pub fn get_resource(
        &self,
        mut store: impl AsContextMut,
        name: impl InstanceExportLookup,
    ) -> Option<ResourceType> {
        let StoreContextMut(store) = store.as_context_mut();
        let row = self.lookup(store, name)?;
        if row.kind != ExportKind::Resource {
            return None;
        }
        let tag = store.inner.trees[self.tree as usize]
            .resources
            .get(row.a as usize)?;
        Some(store.inner.resource_type(store.id, *tag))
    }

    /// An export of any kind, in an exported instance or of the component: its type, and its index for
    /// lookups without the name.
    ///
    /// # Panics
    /// If the instance is of another store.
    pub fn get_export(
        &self,
        mut store: impl AsContextMut,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<(ComponentItem, ComponentExportIndex)> {
        let StoreContextMut(store) = store.as_context_mut();
        let component = &self.origin(store).component;
        let index = component.get_export_index(instance, name)?;
        let row = component.tables().export(index.of(component)?);
        Some((
            ComponentItem::of_export(&scope(store, self.tree), row),
            index,
        ))
    }

    /// The index of an export, for lookups without the name.
    ///
    /// # Panics
    /// If the instance is of another store.
    pub fn get_export_index(
        &self,
        mut store: impl AsContextMut,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<ComponentExportIndex> {
        let StoreContextMut(store) = store.as_context_mut();
        self.origin(store)
            .component
            .get_export_index(instance, name)
    }

    /// The component's type, with what its resource types are in this instance.
    ///
    /// # Panics
    /// If the instance is of another store.
    pub fn ty(&self, store: impl AsContext) -> types::Component {
        let StoreContext(store) = store.as_context();
        let scope = scope(store, self.tree);
        let root = scope.tables.root;
        types::Component::new(&scope, root)
    }
}

/// What a tree was instantiated from.
pub(super) fn origin<T: 'static>(store: &Store<T>, tree: u32) -> &InstancePre<T> {
    match store.origins[tree as usize].downcast_ref() {
        Some(origin) => origin,
        None => unreachable!("a store's trees are made from what fits its type"),
    }
}

/// The error for an initializer that names what isn't there: loading has checked that it is.
fn lost(what: &str) -> Error {
    Error::of(
        ErrorKind::Link,
        format_args!("an initializer names {what} that doesn't exist"),
    )
}
