//! Names for what modules import.

use super::context::{AsContext, AsContextMut, Caller};
use super::engine::Engine;
use super::func::{IntoHostFunc, dynamic};
use super::instance::{Instance, instantiate};
use super::items::Extern;
use super::module::Module;
use super::store::{HostClosure, Store};
use super::val::Val;
use crate::code::module::{ExternType, FuncType};
use crate::error::{Error, ErrorKind, Result};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

enum Definition<T: 'static> {
    Item(Extern),
    /// Becomes a function of each store that needs it.
    Closure(FuncType, HostClosure<T>),
}

impl<T: 'static> Clone for Definition<T> {
    fn clone(&self) -> Self {
        match self {
            Definition::Item(item) => Definition::Item(*item),
            Definition::Closure(ty, closure) => Definition::Closure(ty.clone(), closure.clone()),
        }
    }
}

/// Definitions by module and field name.
pub struct Linker<T: 'static> {
    engine: Engine,
    items: BTreeMap<String, BTreeMap<String, Definition<T>>>,
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
            items: BTreeMap::new(),
            shadowing: false,
        }
    }

    /// The engine that it was made with.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether a definition may replace another of the same name.
    pub fn allow_shadowing(&mut self, on: bool) -> &mut Self {
        self.shadowing = on;
        self
    }

    fn find(&self, module: &str, name: &str) -> Option<&Definition<T>> {
        self.items.get(module)?.get(name)
    }

    fn insert(&mut self, module: &str, name: &str, definition: Definition<T>) -> Result<&mut Self> {
        if !self.shadowing && self.find(module, name).is_some() {
            let why = format!("`{module}` `{name}` is defined twice");
            return Err(Error::of(ErrorKind::Link, why));
        }
        let items = self.items.entry(module.to_string()).or_default();
        items.insert(name.to_string(), definition);
        Ok(self)
    }

    /// Defines something of a store. A module that imports it can only be instantiated there.
    ///
    /// # Errors
    /// If the name is taken.
    pub fn define(
        &mut self,
        module: &str,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<&mut Self> {
        self.insert(module, name, Definition::Item(item.into()))
    }

    /// Defines a typed closure.
    ///
    /// # Errors
    /// If the name is taken.
    pub fn func_wrap<M>(
        &mut self,
        module: &str,
        name: &str,
        closure: impl IntoHostFunc<T, M>,
    ) -> Result<&mut Self> {
        let (ty, closure) = closure.into_host_func();
        self.insert(module, name, Definition::Closure(ty, closure))
    }

    /// Defines a closure over values.
    ///
    /// # Errors
    /// If the name is taken.
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        closure: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        let wrapped = dynamic(ty.clone(), closure);
        self.insert(module, name, Definition::Closure(ty, wrapped))
    }

    /// Defines all exports of an instance under a module name.
    ///
    /// # Errors
    /// If a name is taken.
    ///
    /// # Panics
    /// If the instance is another store's.
    pub fn instance(
        &mut self,
        store: impl AsContext<Data = T>,
        module: &str,
        instance: Instance,
    ) -> Result<&mut Self> {
        for export in instance.exports(&store) {
            self.define(module, export.name(), export.into_extern())?;
        }
        Ok(self)
    }

    /// Instantiates a module with what is defined, calls its export `_initialize` if it has one, and
    /// defines its exports under a module name.
    ///
    /// # Errors
    /// What [`Linker::instantiate`] and [`Linker::instance`] fail with, or a trap.
    pub fn module(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        name: &str,
        module: &Module,
    ) -> Result<&mut Self> {
        let store = store.as_context_mut().0;
        let instance = self.instantiate(&mut *store, module)?;
        if let Some(start) = instance.get_func(&*store, "_initialize") {
            start.call(&mut *store, &[], &mut [])?;
        }
        self.instance(&*store, name, instance)
    }

    /// Defines under another name what has a name already.
    ///
    /// # Errors
    /// If there is no such definition, or the new name is taken.
    pub fn alias(
        &mut self,
        module: &str,
        name: &str,
        as_module: &str,
        as_name: &str,
    ) -> Result<&mut Self> {
        let Some(item) = self.find(module, name).cloned() else {
            let why = format!("`{module}` `{name}` is not defined");
            return Err(Error::of(ErrorKind::Link, why));
        };
        self.insert(as_module, as_name, item)
    }

    /// Defines everything of a module name under another module name as well.
    ///
    /// # Errors
    /// If there is no such module name, or a new name is taken.
    pub fn alias_module(&mut self, module: &str, as_module: &str) -> Result<&mut Self> {
        let Some(items) = self.items.get(module).cloned() else {
            let why = format!("nothing is defined in `{module}`");
            return Err(Error::of(ErrorKind::Link, why));
        };
        for (name, item) in items {
            self.insert(as_module, &name, item)?;
        }
        Ok(self)
    }

    /// Defines every function that a module imports and that isn't defined, to fail when it is called.
    ///
    /// # Errors
    /// If something else than a function isn't defined.
    pub fn define_unknown_imports_as_traps(&mut self, module: &Module) -> Result<()> {
        for (space, name, ty) in module.imports() {
            if self.find(space, name).is_some() {
                continue;
            }
            let what = format!("`{space}` `{name}` ({ty})");
            let ExternType::Func(ty) = ty else {
                let why = format!("unknown import: {what}");
                return Err(Error::of(ErrorKind::Link, why));
            };
            self.func_new(space, name, ty, move |_, _, _| {
                let why = format!("unknown import called: {what}");
                Err(Error::of(ErrorKind::Link, why))
            })?;
        }
        Ok(())
    }

    /// Looks a name up; a closure becomes a function of the store.
    pub fn get(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
        name: &str,
    ) -> Option<Extern> {
        let found = self.find(module, name)?;
        Some(found.in_store(store.as_context_mut().0))
    }

    /// Instantiates a module with what it imports, and runs its start function.
    ///
    /// # Errors
    /// All imports that nothing serves, in one error; one of another type; a limit; a trap.
    ///
    /// # Panics
    /// If an import is another store's.
    pub fn instantiate(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<Instance> {
        let store = store.as_context_mut().0;
        let mut found = Vec::new();
        let mut missing = Vec::new();
        for (space, name, ty) in module.imports() {
            match self.find(space, name) {
                Some(item) => found.push(item),
                None => missing.push(format!("`{space}` `{name}` ({ty})")),
            }
        }
        if !missing.is_empty() {
            let why = format!("unknown import: {}", missing.join(", "));
            return Err(Error::of(ErrorKind::Link, why));
        }
        let found = found.into_iter().map(|item| item.in_store(store));
        let imports: Vec<Extern> = found.collect();
        instantiate(store, module, &imports)
    }
}

impl<T: 'static> Definition<T> {
    fn in_store(&self, store: &mut Store<T>) -> Extern {
        match self {
            Definition::Item(item) => *item,
            Definition::Closure(ty, closure) => store.add_host(ty, closure.clone()).into(),
        }
    }
}
