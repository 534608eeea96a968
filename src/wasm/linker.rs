//! Names for what modules import.

use super::context::{AsContext, AsContextMut, Caller};
use super::describe::ImportType;
use super::engine::Engine;
use super::func::{Func, IntoHostFunc, NO_ROOM, dynamic};
use super::instance::{Instance, instantiate};
use super::items::Extern;
use super::module::Module;
use super::store::{HostClosure, Store};
use super::val::Val;
use crate::code::module::{ExternType, FuncType};
use crate::error::{Error, ErrorKind, OutOfMemory, Result};
use crate::fallible::{self, Grow, Shared, try_collect};
use alloc::string::String;
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
///
/// ```
/// use cellule::{Caller, Engine, Linker, Module, Store};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let text = r#"(module
///     (import "host" "count" (func $count (param i32)))
///     (func (export "run") (call $count (i32.const 3)) (call $count (i32.const 4))))"#;
/// let module = Module::new(&engine, wat::parse_str(text).expect("valid text"))?;
/// let mut linker = Linker::<i32>::new(&engine);
/// linker.func_wrap("host", "count", |mut caller: Caller<'_, i32>, by: i32| {
///     *caller.data_mut() += by;
/// })?;
/// let mut store = Store::new(&engine, 0);
/// let instance = linker.instantiate(&mut store, &module)?;
/// instance.get_typed_func::<(), ()>(&store, "run")?.call(&mut store, ())?;
/// assert_eq!(*store.data(), 7);
/// # Ok(())
/// # }
/// ```
pub struct Linker<T: 'static> {
    engine: Engine,
    /// In the order of module names and names: maps can't be told that there is no memory.
    items: Vec<Entry<T>>,
    shadowing: bool,
}

/// A definition and its names.
struct Entry<T: 'static> {
    module: String,
    name: String,
    definition: Definition<T>,
}

impl<T: 'static> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Entry {
            module: self.module.clone(),
            name: self.name.clone(),
            definition: self.definition.clone(),
        }
    }
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
            items: Vec::new(),
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

    /// Where a definition stands, or would.
    fn place(&self, module: &str, name: &str) -> core::result::Result<usize, usize> {
        let names =
            |entry: &Entry<T>| (entry.module.as_str(), entry.name.as_str()).cmp(&(module, name));
        self.items.binary_search_by(names)
    }

    fn find(&self, module: &str, name: &str) -> Option<&Definition<T>> {
        Some(&self.items[self.place(module, name).ok()?].definition)
    }

    /// Definitions under a module name.
    fn of_module(&self, module: &str) -> &[Entry<T>] {
        let from = self
            .items
            .partition_point(|entry| entry.module.as_str() < module);
        let to = self
            .items
            .partition_point(|entry| entry.module.as_str() <= module);
        &self.items[from..to]
    }

    fn insert(&mut self, module: &str, name: &str, definition: Definition<T>) -> Result<&mut Self> {
        match self.place(module, name) {
            Ok(_) if !self.shadowing => {
                let why = format_args!("`{module}` `{name}` is defined twice");
                return Err(Error::of(ErrorKind::Link, why));
            }
            Ok(at) => self.items[at].definition = definition,
            Err(at) => {
                let entry = Entry {
                    module: fallible::text(module)?,
                    name: fallible::text(name)?,
                    definition,
                };
                self.items.try_reserve(1).map_err(OutOfMemory::from)?;
                self.items.insert(at, entry);
            }
        }
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
        let (ty, closure) = closure.into_host_func()?;
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
        let wrapped = dynamic(ty.clone(), closure)?;
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
            let why = format_args!("`{module}` `{name}` is not defined");
            return Err(Error::of(ErrorKind::Link, why));
        };
        self.insert(as_module, as_name, item)
    }

    /// Defines everything of a module name under another module name as well.
    ///
    /// # Errors
    /// If there is no such module name, or a new name is taken.
    pub fn alias_module(&mut self, module: &str, as_module: &str) -> Result<&mut Self> {
        if self.of_module(module).is_empty() {
            let why = format_args!("nothing is defined in `{module}`");
            return Err(Error::of(ErrorKind::Link, why));
        }
        let items = self.of_module(module).iter().map(|entry| {
            let name = fallible::text(&entry.name)?;
            Ok((name, entry.definition.clone()))
        });
        for (name, item) in try_collect::<_, OutOfMemory>(items)? {
            self.insert(as_module, &name, item)?;
        }
        Ok(self)
    }

    /// Defines every function that a module imports and that isn't defined, to fail when it is called.
    ///
    /// # Errors
    /// If something else than a function isn't defined.
    pub fn define_unknown_imports_as_traps(&mut self, module: &Module) -> Result<()> {
        for import in module.imports() {
            let (space, name, ty) = (import.module(), import.name(), import.ty());
            if self.find(space, name).is_some() {
                continue;
            }
            let what = fallible::format(format_args!("`{space}` `{name}` ({ty})"))?;
            let ExternType::Func(ty) = ty else {
                let why = format_args!("unknown import: {what}");
                return Err(Error::of(ErrorKind::Link, why));
            };
            self.func_new(space, name, ty, move |_, _, _| {
                let why = format_args!("unknown import called: {what}");
                Err(Error::of(ErrorKind::Link, why))
            })?;
        }
        Ok(())
    }

    /// Looks a name up; a closure becomes a function of the store.
    ///
    /// # Panics
    /// If the host has no memory for that function.
    pub fn get(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
        name: &str,
    ) -> Option<Extern> {
        let found = self.find(module, name)?;
        Some(found.in_store(store.as_context_mut().0).expect(NO_ROOM))
    }

    /// Looks up what serves an import; a closure becomes a function of the store.
    pub fn get_by_import(
        &self,
        store: impl AsContextMut<Data = T>,
        import: &ImportType<'_>,
    ) -> Option<Extern> {
        self.get(store, import.module(), import.name())
    }

    /// What a command exports to be run by, under a module name: the function with the empty name, or else
    /// `_start`; a function that does nothing if there is neither.
    ///
    /// # Errors
    /// If it is no function.
    pub fn get_default(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
    ) -> Result<Func> {
        for name in ["", "_start"] {
            if let Some(found) = self.get(store.as_context_mut(), module, name) {
                return found.into_func().ok_or_else(|| {
                    let why = format_args!("`{module}` `{name}` is no function");
                    Error::of(ErrorKind::Type, why)
                });
            }
        }
        Ok(Func::wrap(store, || {}))
    }

    /// All definitions, by module name and name; closures become functions of the store.
    ///
    /// # Panics
    /// If the host has no memory for one of them.
    pub fn iter<'a: 'p, 'p>(
        &'a self,
        mut store: impl AsContextMut<Data = T> + 'p,
    ) -> impl Iterator<Item = (&'a str, &'a str, Extern)> + 'p {
        self.items.iter().map(move |entry| {
            let item = entry.definition.in_store(store.as_context_mut().0);
            (&*entry.module, &*entry.name, item.expect(NO_ROOM))
        })
    }

    /// Finds everything that a module imports, so that instantiating looks nothing up.
    ///
    /// # Errors
    /// All imports that nothing serves, in one error.
    pub fn instantiate_pre(&self, module: &Module) -> Result<InstancePre<T>> {
        let mut found = Vec::with_room(module.imports().len())?;
        let mut missing = String::new();
        for import in module.imports() {
            let (space, name) = (import.module(), import.name());
            match self.find(space, name) {
                Some(item) => found.try_push(item.clone())?,
                None => {
                    let comma = if missing.is_empty() { "" } else { ", " };
                    let more = format_args!("{missing}{comma}`{space}` `{name}` ({})", import.ty());
                    missing = fallible::format(more)?;
                }
            }
        }
        if !missing.is_empty() {
            let why = format_args!("unknown import: {missing}");
            return Err(Error::of(ErrorKind::Link, why));
        }
        Ok(InstancePre {
            module: module.clone(),
            imports: Shared::new(found)?,
        })
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
        store: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<Instance> {
        self.instantiate_pre(module)?.instantiate(store)
    }
}

/// A module with definitions for what it imports, to be instantiated any number of times. Cheap to clone.
///
/// ```
/// use cellule::{Engine, Linker, Module, Store};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let text = r#"(module (global (export "answer") i32 (i32.const 42)))"#;
/// let module = Module::new(&engine, wat::parse_str(text).expect("valid text"))?;
/// let pre = Linker::<()>::new(&engine).instantiate_pre(&module)?;
/// for _ in 0..3 {
///     let mut store = Store::new(&engine, ());
///     let instance = pre.instantiate(&mut store)?;
///     let answer = instance.get_global(&store, "answer").expect("a global");
///     assert_eq!(answer.get(&store).unwrap_i32(), 42);
/// }
/// # Ok(())
/// # }
/// ```
pub struct InstancePre<T: 'static> {
    module: Module,
    imports: Shared<Vec<Definition<T>>>,
}

impl<T: 'static> Clone for InstancePre<T> {
    fn clone(&self) -> Self {
        InstancePre {
            module: self.module.clone(),
            imports: self.imports.clone(),
        }
    }
}

impl<T: 'static> InstancePre<T> {
    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// Instantiates it, and runs its start function.
    ///
    /// # Errors
    /// An import of another type; a limit; a trap.
    ///
    /// # Panics
    /// If an import is another store's.
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        let store = store.as_context_mut().0;
        let imports = try_collect(self.imports.iter().map(|item| item.in_store(store)))?;
        instantiate(store, &self.module, &imports)
    }
}

impl<T: 'static> Definition<T> {
    fn in_store(&self, store: &mut Store<T>) -> Result<Extern, OutOfMemory> {
        Ok(match self {
            Definition::Item(item) => *item,
            Definition::Closure(ty, closure) => store.add_host(ty, closure.clone())?.into(),
        })
    }
}
