//! Names for what modules import.

use super::func::{Func, IntoHostFunc, dynamic};
use super::instance::{Extern, Instance, instantiate};
use super::module::Module;
use super::store::{Caller, HostClosure, Store};
use super::val::Val;
use crate::code::module::FuncType;
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

/// Definitions by module and field name.
pub struct Linker<T: 'static> {
    items: BTreeMap<(String, String), Definition<T>>,
    shadowing: bool,
}

impl<T: 'static> Default for Linker<T> {
    fn default() -> Self {
        Linker {
            items: BTreeMap::new(),
            shadowing: false,
        }
    }
}

impl<T: 'static> Linker<T> {
    /// A linker without definitions.
    pub fn new(_engine: &super::engine::Engine) -> Linker<T> {
        Linker::default()
    }

    /// Whether a definition may replace another of the same name.
    pub fn allow_shadowing(&mut self, on: bool) -> &mut Self {
        self.shadowing = on;
        self
    }

    fn insert(&mut self, module: &str, name: &str, definition: Definition<T>) -> Result<&mut Self> {
        let key = (module.to_string(), name.to_string());
        if !self.shadowing && self.items.contains_key(&key) {
            let why = format!("`{module}` `{name}` is defined twice");
            return Err(Error::of(ErrorKind::Link, why));
        }
        self.items.insert(key, definition);
        Ok(self)
    }

    /// Defines something of a store.
    pub fn define(
        &mut self,
        module: &str,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<&mut Self> {
        self.insert(module, name, Definition::Item(item.into()))
    }

    /// Defines a typed closure.
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
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        closure: impl Fn(&mut Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        let wrapped = dynamic(ty.clone(), closure);
        self.insert(module, name, Definition::Closure(ty, wrapped))
    }

    /// Defines all exports of an instance under a module name.
    pub fn instance(
        &mut self,
        store: &Store<T>,
        module: &str,
        instance: Instance,
    ) -> Result<&mut Self> {
        for (name, item) in instance.exports(store) {
            self.define(module, &name, item)?;
        }
        Ok(self)
    }

    /// Looks a name up; a closure becomes a function of the store.
    pub fn get(&self, store: &mut Store<T>, module: &str, name: &str) -> Option<Extern> {
        match self.items.get(&(module.to_string(), name.to_string()))? {
            Definition::Item(item) => Some(*item),
            Definition::Closure(ty, closure) => {
                let func: Func = store.add_host(ty, closure.clone());
                Some(Extern::Func(func))
            }
        }
    }

    /// Instantiates a module with what it imports, and runs its start function.
    ///
    /// # Errors
    /// All imports that nothing serves, in one error; one of another type; a trap.
    pub fn instantiate(&self, store: &mut Store<T>, module: &Module) -> Result<Instance> {
        let mut missing = Vec::new();
        for (space, name, ty) in module.imports() {
            if !self
                .items
                .contains_key(&(space.to_string(), name.to_string()))
            {
                missing.push(format!("`{space}` `{name}` ({ty})"));
            }
        }
        if !missing.is_empty() {
            let why = format!("unknown import: {}", missing.join(", "));
            return Err(Error::of(ErrorKind::Link, why));
        }
        let names: Vec<(String, String)> = module
            .imports()
            .map(|(space, name, _)| (space.to_string(), name.to_string()))
            .collect();
        let found = names
            .iter()
            .filter_map(|(space, name)| self.get(store, space, name));
        let imports: Vec<Extern> = found.collect();
        instantiate(store, module, &imports)
    }
}
