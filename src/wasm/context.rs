//! What functions take where wasmtime's take it: a store, or what stands for one inside a host function.

use super::describe::ModuleExport;
use super::engine::Engine;
use super::instance::Instance;
use super::items::Extern;
use super::store::Store;
use crate::error::Result;

/// A store that is lent to be read.
pub struct StoreContext<'a, T: 'static>(pub(crate) &'a Store<T>);

/// A store that is lent: what host functions are given.
pub struct StoreContextMut<'a, T: 'static>(pub(crate) &'a mut Store<T>);

/// Something that a store can be read through.
pub trait AsContext {
    /// The embedder's data.
    type Data: 'static;

    /// The store.
    fn as_context(&self) -> StoreContext<'_, Self::Data>;
}

/// Something that a store can be changed through.
///
/// ```
/// use cellule::{AsContextMut, Engine, Store};
///
/// # fn main() -> cellule::Result<()> {
/// /// Works with a store and with what a host function is given.
/// fn count(mut store: impl AsContextMut<Data = u32>) -> u32 {
///     *store.as_context_mut().data_mut() += 1;
///     *store.as_context().data()
/// }
///
/// let mut store = Store::new(&Engine::default(), 0);
/// count(&mut store);
/// assert_eq!(count(store.as_context_mut()), 2);
/// # Ok(())
/// # }
/// ```
pub trait AsContextMut: AsContext {
    /// The store.
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

impl<'a, T: 'static> StoreContext<'a, T> {
    /// The embedder's data.
    pub fn data(&self) -> &'a T {
        self.0.data()
    }

    /// The engine that the store was made with.
    pub fn engine(&self) -> &Engine {
        self.0.engine()
    }

    /// See [`Store::get_fuel`].
    ///
    /// # Errors
    /// If the engine doesn't consume fuel.
    pub fn get_fuel(&self) -> Result<u64> {
        self.0.get_fuel()
    }
}

impl<T: 'static> StoreContextMut<'_, T> {
    /// The embedder's data.
    pub fn data(&self) -> &T {
        self.0.data()
    }

    /// The embedder's data.
    pub fn data_mut(&mut self) -> &mut T {
        self.0.data_mut()
    }

    /// The engine that the store was made with.
    pub fn engine(&self) -> &Engine {
        self.0.engine()
    }

    /// See [`Store::get_fuel`].
    ///
    /// # Errors
    /// If the engine doesn't consume fuel.
    pub fn get_fuel(&self) -> Result<u64> {
        self.0.get_fuel()
    }

    /// See [`Store::set_fuel`].
    ///
    /// # Errors
    /// If the engine doesn't consume fuel.
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.0.set_fuel(fuel)
    }

    /// See [`Store::fuel_async_yield_interval`].
    ///
    /// # Errors
    /// If the engine doesn't consume fuel, or the interval is zero.
    pub fn fuel_async_yield_interval(&mut self, interval: Option<u64>) -> Result<()> {
        self.0.fuel_async_yield_interval(interval)
    }
}

/// What a host function is given: the store, and which instance called.
///
/// ```
/// use cellule::{Caller, Engine, Linker, Module, Store};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, wat::parse_str(
///     r#"(module
///         (import "host" "print" (func $print (param i32 i32)))
///         (memory (export "memory") 1)
///         (data (i32.const 8) "hello")
///         (func (export "run") (call $print (i32.const 8) (i32.const 5))))"#,
/// ).expect("valid text"))?;
/// let mut linker = Linker::<String>::new(&engine);
/// linker.func_wrap("host", "print", |mut caller: Caller<'_, String>, ptr: u32, len: u32| {
///     let memory = caller.get_export("memory").and_then(|found| found.into_memory());
///     let memory = memory.expect("the guest exports it");
///     let mut text = vec![0; len as usize];
///     memory.read(&caller, ptr as usize, &mut text)?;
///     caller.data_mut().push_str(&String::from_utf8_lossy(&text));
///     cellule::Result::Ok(())
/// })?;
/// let mut store = Store::new(&engine, String::new());
/// let instance = linker.instantiate(&mut store, &module)?;
/// instance.get_typed_func::<(), ()>(&store, "run")?.call(&mut store, ())?;
/// assert_eq!(store.data(), "hello");
/// # Ok(())
/// # }
/// ```
pub struct Caller<'a, T: 'static> {
    pub(crate) store: &'a mut Store<T>,
    pub(crate) instance: Option<Instance>,
}

impl<T: 'static> Caller<'_, T> {
    /// The embedder's data.
    pub fn data(&self) -> &T {
        self.store.data()
    }

    /// The embedder's data.
    pub fn data_mut(&mut self) -> &mut T {
        self.store.data_mut()
    }

    /// The engine that the store was made with.
    pub fn engine(&self) -> &Engine {
        self.store.engine()
    }

    /// The instance that called, if it was one.
    pub fn instance(&self) -> Option<Instance> {
        self.instance
    }

    /// An export of the instance that called; `None` if it wasn't one, or has no such export.
    pub fn get_export(&self, name: &str) -> Option<Extern> {
        self.instance?.get_export(&*self.store, name)
    }

    /// As [`Caller::get_export`], without the name.
    pub fn get_module_export(&self, export: &ModuleExport) -> Option<Extern> {
        self.instance?.get_module_export(&*self.store, export)
    }

    /// See [`Store::get_fuel`].
    ///
    /// # Errors
    /// If the engine doesn't consume fuel.
    pub fn get_fuel(&self) -> Result<u64> {
        self.store.get_fuel()
    }

    /// See [`Store::set_fuel`].
    ///
    /// # Errors
    /// If the engine doesn't consume fuel.
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.store.set_fuel(fuel)
    }

    /// See [`Store::fuel_async_yield_interval`].
    ///
    /// # Errors
    /// If the engine doesn't consume fuel, or the interval is zero.
    pub fn fuel_async_yield_interval(&mut self, interval: Option<u64>) -> Result<()> {
        self.store.fuel_async_yield_interval(interval)
    }
}

impl<'a, C: AsContext> From<&'a C> for StoreContext<'a, C::Data> {
    fn from(context: &'a C) -> Self {
        C::as_context(context)
    }
}

impl<'a, C: AsContext> From<&'a mut C> for StoreContext<'a, C::Data> {
    fn from(context: &'a mut C) -> Self {
        C::as_context(context)
    }
}

impl<'a, C: AsContextMut> From<&'a mut C> for StoreContextMut<'a, C::Data> {
    fn from(context: &'a mut C) -> Self {
        C::as_context_mut(context)
    }
}

impl<T: 'static> AsContext for Store<T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext(self)
    }
}

impl<T: 'static> AsContextMut for Store<T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut(self)
    }
}

impl<T: 'static> AsContext for StoreContext<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext(self.0)
    }
}

impl<T: 'static> AsContext for StoreContextMut<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext(self.0)
    }
}

impl<T: 'static> AsContextMut for StoreContextMut<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut(self.0)
    }
}

impl<T: 'static> AsContext for Caller<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext(self.store)
    }
}

impl<T: 'static> AsContextMut for Caller<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut(self.store)
    }
}

impl<C: AsContext> AsContext for &C {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContext> AsContext for &mut C {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContextMut> AsContextMut for &mut C {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        C::as_context_mut(self)
    }
}
