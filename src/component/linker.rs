//! [`Linker`]: what components can import, by name.

mod bind;

use super::host::{self, HostFunc};
use super::instance::{Instance, InstancePre};
use super::load::Component;
use super::typed::{ComponentNamedList, Lift, Lower};
use super::types::{self, ComponentItem};
use super::val::Val;
use crate::error::{Error, ErrorKind, OutOfMemory, Result};
use crate::fallible::{self, Shared};
use crate::store::ResourceType;
use crate::tables::names::{NameMap, Undefined};
use crate::wasm::{AsContextMut, Engine, HostDtor, Module, StoreContextMut};
use alloc::boxed::Box;
use core::future::Future;

/// Something that a component can import.
pub(crate) enum Definition<T: 'static> {
    Func(HostFunc<T>),
    Module(Module),
    Component(Component),
    Resource(ResourceType, HostDtor<T>),
    Instance(NameMap<Definition<T>>),
}

impl<T: 'static> Clone for Definition<T> {
    fn clone(&self) -> Self {
        match self {
            Definition::Func(func) => Definition::Func(func.clone()),
            Definition::Module(module) => Definition::Module(module.clone()),
            Definition::Component(component) => Definition::Component(component.clone()),
            Definition::Resource(ty, dtor) => Definition::Resource(*ty, dtor.clone()),
            Definition::Instance(items) => Definition::Instance(items.clone()),
        }
    }
}

/// What components of one engine can import: functions, resources, core modules, instances of them.
///
/// A component that imports `wasi:io/streams@0.2.6` is served by a definition for `0.2.12`: a name is
/// looked up exactly, then by what semver calls compatible.
///
/// ```
/// use cellule::component::{Component, Linker};
/// use cellule::{Engine, Store, StoreContextMut};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let mut linker = Linker::<Vec<String>>::new(&engine);
/// linker.root().func_wrap("log", |mut store: StoreContextMut<'_, Vec<String>>, (text,): (String,)| {
///     store.data_mut().push(text);
///     Ok(())
/// })?;
/// let component = Component::new(&engine, wat::parse_str("(component)").expect("valid text"))?;
/// let mut store = Store::new(&engine, Vec::new());
/// let instance = linker.instantiate(&mut store, &component)?;
/// assert!(instance.get_func(&mut store, "run").is_none());
/// # Ok(())
/// # }
/// ```
pub struct Linker<T: 'static> {
    engine: Engine,
    items: NameMap<Definition<T>>,
    shadowing: bool,
}

impl<T: 'static> Clone for Linker<T> {
    fn clone(&self) -> Self {
        Linker {
            engine: self.engine.clone(),
            items: self.items.clone(),
            shadowing: self.shadowing,
        }
    }
}

impl<T: 'static> Linker<T> {
    /// A linker without definitions.
    pub fn new(engine: &Engine) -> Linker<T> {
        Linker {
            engine: engine.clone(),
            items: NameMap::default(),
            shadowing: false,
        }
    }

    /// The engine that it was made with.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether a definition may replace another of the same name; at first it may not.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Self {
        self.shadowing = allow;
        self
    }

    /// Where what components import themselves is defined.
    pub fn root(&mut self) -> LinkerInstance<'_, T> {
        LinkerInstance {
            engine: &self.engine,
            items: &mut self.items,
            shadowing: self.shadowing,
        }
    }

    /// Where what is in an instance that components import is defined: its name is an interface's,
    /// for instance `wasi:io/streams@0.2.12`.
    ///
    /// # Errors
    /// If the name is defined and is no instance.
    pub fn instance(&mut self, name: &str) -> Result<LinkerInstance<'_, T>> {
        self.root().into_instance(name)
    }

    /// Checks that everything that a component imports is defined and of the right type, and binds it,
    /// so that instantiating looks nothing up. A component that imports components is worked out anew
    /// here, together with them.
    ///
    /// # Errors
    /// All imports that are missing or don't fit, in one error.
    // Apart, as `InstancePre::instantiate`: inlined, both would have their room on the native stack
    // at once, and for as long as the caller runs the instance.
    #[inline(never)]
    pub fn instantiate_pre(&self, component: &Component) -> Result<InstancePre<T>> {
        if !Engine::same(&self.engine, component.engine()) {
            let why = "the component is of another engine than the linker";
            return Err(Error::of(ErrorKind::Type, why));
        }
        bind::bind(&self.items, &bind::given(&self.items, component)?)
    }

    /// Instantiates a component: runs its modules' start functions.
    ///
    /// # Errors
    /// As [`Linker::instantiate_pre`], or what ended a start function. Nothing of the instance remains
    /// then.
    pub fn instantiate(
        &self,
        store: impl AsContextMut<Data = T>,
        component: &Component,
    ) -> Result<Instance> {
        self.instantiate_pre(component)?.instantiate(store)
    }

    /// As [`Linker::instantiate`]; where fuel runs out and there is more in reserve, it yields to the
    /// executor: see [`Store::fuel_async_yield_interval`](crate::Store::fuel_async_yield_interval).
    ///
    /// # Errors
    /// As [`Linker::instantiate`].
    pub async fn instantiate_async(
        &self,
        store: impl AsContextMut<Data = T>,
        component: &Component,
    ) -> Result<Instance> {
        self.instantiate_pre(component)?
            .instantiate_async(store)
            .await
    }

    /// The type of a component with the resource types that it would get from the definitions.
    ///
    /// # Errors
    /// As [`Linker::instantiate_pre`].
    pub fn substituted_component_type(&self, component: &Component) -> Result<types::Component> {
        let resources = bind::resources(&self.items, component)?;
        let scope = types::Scope {
            tables: component.tables().clone(),
            resources: Some(Shared::new(resources)?),
        };
        Ok(types::Component::new(&scope, component.tables().root))
    }

    /// Defines each function that a component imports and nothing serves as one that traps, and each
    /// resource as one of its own.
    ///
    /// # Errors
    /// If the component imports something else that isn't defined.
    pub fn define_unknown_imports_as_traps(&mut self, component: &Component) -> Result<()> {
        let engine = self.engine.clone();
        let ty = component.component_type();
        for (name, item) in ty.imports(&engine) {
            self.root().define_unknown(name, name, &item.ty)?;
        }
        Ok(())
    }
}

/// One instance's definitions in a [`Linker`].
///
/// ```
/// use cellule::component::{Component, Linker, Resource, ResourceType};
/// use cellule::{Engine, Store, StoreContextMut};
///
/// # fn main() -> cellule::Result<()> {
/// struct Timer;
///
/// let engine = Engine::default();
/// let mut linker = Linker::<Vec<u32>>::new(&engine);
/// let mut clock = linker.instance("my:host/clock@1.2.0")?;
/// clock.func_wrap("now", |_: StoreContextMut<'_, Vec<u32>>, (): ()| Ok((7u64,)))?;
/// clock.resource("timer", ResourceType::host::<Timer>(), |mut store, rep| {
///     store.data_mut().push(rep);
///     Ok(())
/// })?;
/// clock.func_wrap("start", |_: StoreContextMut<'_, Vec<u32>>, (): ()| {
///     Ok((Resource::<Timer>::new_own(1),))
/// })?;
/// // Served although it was built against an older version.
/// let component = Component::new(&engine, wat::parse_str(
///     r#"(component
///         (import "my:host/clock@1.0.0" (instance
///             (export "timer" (type $timer (sub resource)))
///             (export "now" (func (result u64)))
///             (export "start" (func (result (own $timer)))))))"#,
/// ).expect("valid text"))?;
/// linker.instantiate(&mut Store::new(&engine, Vec::new()), &component)?;
/// # Ok(())
/// # }
/// ```
pub struct LinkerInstance<'a, T: 'static> {
    engine: &'a Engine,
    items: &'a mut NameMap<Definition<T>>,
    shadowing: bool,
}

/// The Rust type that stands for resources that nothing serves.
enum Unknown {}

impl<'a, T: 'static> LinkerInstance<'a, T> {
    fn insert(&mut self, name: &str, definition: Definition<T>) -> Result<()> {
        let inserted = self.items.insert(name, definition, self.shadowing);
        inserted.map_err(|why| match why {
            Undefined::Twice => Error::of(
                ErrorKind::Link,
                format_args!("map entry `{name}` defined twice"),
            ),
            Undefined::OutOfMemory => OutOfMemory.into(),
        })
    }

    /// Defines a function by a closure over Rust types: parameters and result are tuples.
    ///
    /// # Errors
    /// If the name is defined.
    pub fn func_wrap<F, Params, Return>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: Fn(StoreContextMut<'_, T>, Params) -> Result<Return> + Send + Sync + 'static,
        Params: ComponentNamedList + Lift + 'static,
        Return: ComponentNamedList + Lower + 'static,
    {
        self.insert(name, Definition::Func(host::wrap(func)?))
    }

    /// Defines a function by a closure over dynamic values: it is given the type that the component
    /// declares, the arguments, and a place for the result where there is one.
    ///
    /// # Errors
    /// If the name is defined.
    pub fn func_new<F>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: Fn(StoreContextMut<'_, T>, types::ComponentFunc, &[Val], &mut [Val]) -> Result<()>
            + Send
            + Sync
            + 'static,
    {
        self.insert(name, Definition::Func(host::dynamic(func)?))
    }

    /// Defines a function by an asynchronous closure over Rust types. A guest that calls it has to be
    /// called asynchronously, unless its future is done when it is polled first.
    ///
    /// # Errors
    /// If the name is defined.
    pub fn func_wrap_async<F, Params, Return>(&mut self, name: &str, func: F) -> Result<()>
    where
        T: Send,
        F: for<'f> Fn(
                StoreContextMut<'f, T>,
                Params,
            ) -> Box<dyn Future<Output = Result<Return>> + Send + 'f>
            + Send
            + Sync
            + 'static,
        Params: ComponentNamedList + Lift + 'static,
        Return: ComponentNamedList + Lower + 'static,
    {
        self.insert(name, Definition::Func(host::wrap_async(func)?))
    }

    /// Defines a function by an asynchronous closure over dynamic values; see
    /// [`LinkerInstance::func_new`] and [`LinkerInstance::func_wrap_async`].
    ///
    /// # Errors
    /// If the name is defined.
    pub fn func_new_async<F>(&mut self, name: &str, func: F) -> Result<()>
    where
        T: Send,
        F: for<'f> Fn(
                StoreContextMut<'f, T>,
                types::ComponentFunc,
                &'f [Val],
                &'f mut [Val],
            ) -> Box<dyn Future<Output = Result<()>> + Send + 'f>
            + Send
            + Sync
            + 'static,
    {
        self.insert(name, Definition::Func(host::dynamic_async(func)?))
    }

    /// Defines a core module.
    ///
    /// # Errors
    /// If the name is defined.
    pub fn module(&mut self, name: &str, module: &Module) -> Result<()> {
        self.insert(name, Definition::Module(module.clone()))
    }

    /// Defines a component, for components that import one: they instantiate it, with arguments of their
    /// own. wasmtime has no such function, since it refuses such components.
    ///
    /// ```
    /// use cellule::component::{Component, Linker};
    /// use cellule::{Engine, Store};
    ///
    /// # fn main() -> cellule::Result<()> {
    /// # let parse = |text| wat::parse_str(text).expect("valid text");
    /// let engine = Engine::default();
    /// let five = Component::new(&engine, parse(r#"(component
    ///     (core module $m (func (export "n") (result i32) (i32.const 5)))
    ///     (core instance $i (instantiate $m))
    ///     (func (export "n") (result u32) (canon lift (core func $i "n"))))"#))?;
    /// let user = Component::new(&engine, parse(r#"(component
    ///     (import "numbers" (component $c (export "n" (func (result u32)))))
    ///     (instance $i (instantiate $c))
    ///     (export "n" (func $i "n")))"#))?;
    /// let mut linker = Linker::<()>::new(&engine);
    /// linker.root().component("numbers", &five)?;
    /// let mut store = Store::new(&engine, ());
    /// let instance = linker.instantiate(&mut store, &user)?;
    /// let n = instance.get_typed_func::<(), (u32,)>(&mut store, "n")?;
    /// assert_eq!(n.call(&mut store, ())?, (5,));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the name is defined, or the component is of another engine.
    pub fn component(&mut self, name: &str, component: &Component) -> Result<()> {
        if !Engine::same(self.engine, component.engine()) {
            let why = "the component is of another engine than the linker";
            return Err(Error::of(ErrorKind::Type, why));
        }
        self.insert(name, Definition::Component(component.clone()))
    }

    /// Defines a resource type, and what runs when a guest drops the handle that owns such a resource.
    ///
    /// # Errors
    /// If the name is defined.
    pub fn resource(
        &mut self,
        name: &str,
        ty: ResourceType,
        dtor: impl Fn(StoreContextMut<'_, T>, u32) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        let dtor = HostDtor::new(dtor)?;
        self.insert(name, Definition::Resource(ty, dtor))
    }

    /// Defines a resource type with a destructor that may wait. A guest that drops such a resource has to
    /// be called asynchronously, unless the destructor is done when it is polled first.
    ///
    /// # Errors
    /// If the name is defined.
    pub fn resource_async<F>(&mut self, name: &str, ty: ResourceType, dtor: F) -> Result<()>
    where
        T: Send,
        F: Fn(StoreContextMut<'_, T>, u32) -> Box<dyn Future<Output = Result<()>> + Send + '_>
            + Send
            + Sync
            + 'static,
    {
        let dtor = HostDtor::new_async(move |store, rep| Box::into_pin(dtor(store, rep)))?;
        self.insert(name, Definition::Resource(ty, dtor))
    }

    /// The definitions of an instance inside this one.
    ///
    /// # Errors
    /// If the name is defined and is no instance.
    pub fn instance(&mut self, name: &str) -> Result<LinkerInstance<'_, T>> {
        LinkerInstance {
            engine: self.engine,
            items: &mut *self.items,
            shadowing: self.shadowing,
        }
        .into_instance(name)
    }

    /// As [`LinkerInstance::instance`], giving up this one.
    ///
    /// # Errors
    /// If the name is defined and is no instance.
    pub fn into_instance(self, name: &str) -> Result<LinkerInstance<'a, T>> {
        let empty = || Definition::Instance(NameMap::default());
        let item = self.items.get_or_insert_with(name, empty)?;
        if self.shadowing && !matches!(item, Definition::Instance(_)) {
            *item = empty();
        }
        match item {
            Definition::Instance(items) => Ok(LinkerInstance {
                engine: self.engine,
                items,
                shadowing: self.shadowing,
            }),
            _ => {
                let why = format_args!("`{name}` is defined and is no instance");
                Err(Error::of(ErrorKind::Link, why))
            }
        }
    }

    /// Defines what is missing of an import.
    fn define_unknown(&mut self, path: &str, name: &str, item: &ComponentItem) -> Result<()> {
        match item {
            ComponentItem::ComponentInstance(instance) => {
                if matches!(self.items.get(name), Some(known) if !matches!(known, Definition::Instance(_)))
                {
                    return Ok(());
                }
                let engine = self.engine.clone();
                // What a compatible version defines is kept: only what is missing is added to it.
                let known = self.items.get(name).cloned();
                if let (Some(known), false) = (known, self.items.has(name)) {
                    self.insert(name, known)?;
                }
                let mut inner = self.instance(name)?;
                for (name, item) in instance.exports(&engine) {
                    let path = fallible::format(format_args!("{path}#{name}"))?;
                    inner.define_unknown(&path, name, &item.ty)?;
                }
                Ok(())
            }
            _ if self.items.get(name).is_some() => Ok(()),
            ComponentItem::ComponentFunc(_) => {
                let path = fallible::text(path)?;
                self.func_new(name, move |_, _, _, _| Err(unknown_import(&path)))
            }
            ComponentItem::Resource(_) => {
                self.resource(name, ResourceType::host::<Unknown>(), |_, _| Ok(()))
            }
            ComponentItem::Module(_) | ComponentItem::Component(_) => {
                let why = format_args!(
                    "`{path}` is a module or component, which nothing can stand in for"
                );
                Err(Error::of(ErrorKind::Link, why))
            }
            ComponentItem::Type(_) => Ok(()),
        }
    }
}

fn unknown_import(path: &str) -> Error {
    let why = format_args!("unknown import: `{path}` has not been defined");
    Error::of(ErrorKind::Trap, why)
}
