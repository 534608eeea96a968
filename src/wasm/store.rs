//! The store as embedders hold it: the plain data, their own state, and their closures.

use super::context::StoreContextMut;
use super::depth::Depth;
use super::engine::Engine;
use super::exec::Natives;
use super::func::Func;
use super::instance::Instance;
use super::limiter::Limiter;
use super::val::{self, Refs, Val};
use crate::code::module::{FuncType, ValType};
use crate::error::{Error, ErrorKind, OutOfMemory, Result};
use crate::fallible::{self, Grow, Shared, boxed};
use crate::limits::Limits;
use crate::machine::{CallSlots, Thread};
use crate::store::components::{BoundTrampoline, ComponentInstance};
use crate::store::handles::HandleTable;
use crate::store::{Callee, FuncEntity, FuncKind, RefArena, StoreInner};
use crate::tables::{FuncTypeId, TypeId};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::Any;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use spin::Mutex;

static NEXT_SERIAL: Mutex<u64> = Mutex::new(1);

/// A closure that guests can call: arguments in, results out, both as slots in one slice.
pub(crate) type HostClosure<T> = Shared<Box<HostFn<T>>>;

type HostFn<T> = dyn Fn(&mut Store<T>, Option<Instance>, &mut [u64]) -> Result<()> + Send + Sync;

/// A closure, and the function that it is.
pub(crate) struct HostEntry<T: 'static> {
    pub closure: HostClosure<T>,
    pub entity: u32,
}

/// A call of a function of the host by a component: what of its trampoline the call needs, and where on the
/// thread's stack its core values are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImportCall {
    pub tree: u32,
    /// See [`BoundTrampoline`], of which these are.
    pub caller: u32,
    pub ty: FuncTypeId,
    pub params: TypeId,
    pub result: TypeId,
    pub params_in_memory: bool,
    pub result_in_memory: bool,
    pub slots: CallSlots,
}

impl ImportCall {
    #[inline]
    pub fn new(tree: u32, bound: &BoundTrampoline, slots: CallSlots) -> ImportCall {
        ImportCall {
            tree,
            caller: bound.caller,
            ty: bound.ty,
            params: bound.params,
            result: bound.result,
            params_in_memory: bound.params_in_memory,
            result_in_memory: bound.result_in_memory,
            slots,
        }
    }
}

/// A function of the host that components import: it finds its arguments on the thread's stack.
pub(crate) type SyncClosure<T> = Shared<Box<SyncFn<T>>>;

type SyncFn<T> = dyn Fn(&mut Store<T>, &mut Thread, &ImportCall) -> Result<()> + Send + Sync;

/// A call of an asynchronous function of the host.
pub(crate) type HostFuture<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// The future of a call that there is no memory for. It takes none.
struct NoMemory;

impl Future for NoMemory {
    type Output = Result<()>;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Err(OutOfMemory.into()))
    }
}

/// A future on the heap, or one that fails if there is no memory.
pub(crate) fn host_future<'a>(
    future: impl Future<Output = Result<()>> + Send + 'a,
) -> HostFuture<'a> {
    match boxed(future) {
        Ok(future) => Box::into_pin(future),
        Err(OutOfMemory) => Box::pin(NoMemory),
    }
}

/// An asynchronous function of the host that components import.
pub(crate) type AsyncClosure<T> = Shared<Box<AsyncFn<T>>>;

type AsyncFn<T> =
    dyn for<'a> Fn(&'a mut Store<T>, &'a mut Thread, ImportCall) -> HostFuture<'a> + Send + Sync;

/// A function of the host that components import.
pub(crate) enum NativeClosure<T: 'static> {
    Sync(SyncClosure<T>),
    Async(AsyncClosure<T>),
    /// In place of an import that isn't a function.
    None,
}

/// What a tree's imports are, by their numbers.
pub(crate) type NativeClosures<T> = Shared<Vec<NativeClosure<T>>>;

impl<T: 'static> Clone for NativeClosure<T> {
    fn clone(&self) -> Self {
        match self {
            NativeClosure::Sync(closure) => NativeClosure::Sync(closure.clone()),
            NativeClosure::Async(closure) => NativeClosure::Async(closure.clone()),
            NativeClosure::None => NativeClosure::None,
        }
    }
}

/// A destructor that is done when it returns.
pub(crate) type SyncDtor<T> = Shared<Box<SyncDtorFn<T>>>;

type SyncDtorFn<T> = dyn Fn(StoreContextMut<'_, T>, u32) -> Result<()> + Send + Sync;

/// A destructor that may wait.
pub(crate) type AsyncDtor<T> = Shared<Box<AsyncDtorFn<T>>>;

type AsyncDtorFn<T> = dyn for<'a> Fn(StoreContextMut<'a, T>, u32) -> HostFuture<'a> + Send + Sync;

/// What runs when a guest drops the handle that owns a resource of the host.
pub(crate) enum HostDtor<T: 'static> {
    Sync(SyncDtor<T>),
    Async(AsyncDtor<T>),
}

impl<T: 'static> Clone for HostDtor<T> {
    fn clone(&self) -> Self {
        match self {
            HostDtor::Sync(dtor) => HostDtor::Sync(dtor.clone()),
            HostDtor::Async(dtor) => HostDtor::Async(dtor.clone()),
        }
    }
}

/// Closures as what a store holds.
pub(crate) fn host_closure<T: 'static>(
    closure: impl Fn(&mut Store<T>, Option<Instance>, &mut [u64]) -> Result<()> + Send + Sync + 'static,
) -> Result<HostClosure<T>, OutOfMemory> {
    let closure: Box<HostFn<T>> = boxed(closure)?;
    Shared::new(closure)
}

pub(crate) fn sync_closure<T: 'static>(
    closure: impl Fn(&mut Store<T>, &mut Thread, &ImportCall) -> Result<()> + Send + Sync + 'static,
) -> Result<NativeClosure<T>, OutOfMemory> {
    let closure: Box<SyncFn<T>> = boxed(closure)?;
    Ok(NativeClosure::Sync(Shared::new(closure)?))
}

pub(crate) fn async_closure<T: 'static>(
    closure: impl for<'a> Fn(&'a mut Store<T>, &'a mut Thread, ImportCall) -> HostFuture<'a>
    + Send
    + Sync
    + 'static,
) -> Result<NativeClosure<T>, OutOfMemory> {
    let closure: Box<AsyncFn<T>> = boxed(closure)?;
    Ok(NativeClosure::Async(Shared::new(closure)?))
}

impl<T: 'static> HostDtor<T> {
    pub fn new(
        dtor: impl Fn(StoreContextMut<'_, T>, u32) -> Result<()> + Send + Sync + 'static,
    ) -> Result<HostDtor<T>, OutOfMemory> {
        let dtor: Box<SyncDtorFn<T>> = boxed(dtor)?;
        Ok(HostDtor::Sync(Shared::new(dtor)?))
    }

    pub fn new_async(
        dtor: impl for<'a> Fn(StoreContextMut<'a, T>, u32) -> HostFuture<'a> + Send + Sync + 'static,
    ) -> Result<HostDtor<T>, OutOfMemory> {
        let dtor: Box<AsyncDtorFn<T>> = boxed(dtor)?;
        Ok(HostDtor::Async(Shared::new(dtor)?))
    }
}

/// A resource type of the host.
pub(crate) struct HostResource<T: 'static> {
    pub dtor: HostDtor<T>,
}

/// Everything that a running program consists of, and the embedder's `T`.
///
/// ```
/// use cellule::{Config, Engine, Store};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::new(Config::new().consume_fuel(true))?;
/// let mut store = Store::new(&engine, vec!["first"]);
/// store.set_fuel(1_000)?;
/// store.data_mut().push("second");
/// assert_eq!(store.get_fuel()?, 1_000);
/// assert_eq!(store.into_data(), ["first", "second"]);
/// # Ok(())
/// # }
/// ```
pub struct Store<T: 'static> {
    /// What handles carry: the low half of `serial`.
    pub(crate) id: u32,
    /// No other store ever has it. What is suspended goes on only in the store it began in, because
    /// the code that it is in the middle of is that store's.
    pub(crate) serial: u64,
    /// Finds the embedder's limiter in its data.
    pub(super) limiter: Option<Limiter<T>>,
    pub(crate) engine: Engine,
    pub(crate) inner: StoreInner,
    pub(crate) hosts: Vec<HostEntry<T>>,
    /// Threads of execution that wait for a call, so that their stacks stay warm. Boxed, because they
    /// are handed on several times in each call.
    #[allow(clippy::vec_box)]
    pub(crate) idle: Vec<Box<Thread>>,
    /// Calls of hosts into guests inside each other.
    pub(crate) depth: Depth,
    /// Serves the component runtime's functions, once a component is instantiated.
    pub(crate) natives: Option<Natives<T>>,
    /// Fuel beyond what `inner` may use before a call yields.
    reserve: u64,
    /// How much fuel is used between two yields of an asynchronous call.
    yield_interval: Option<u64>,
    /// Functions of hosts that components import, by tree.
    pub(crate) component_hosts: Vec<NativeClosures<T>>,
    /// What each tree was instantiated from: type-erased, because that room lies above.
    pub(crate) origins: Vec<Box<dyn Any + Send + Sync>>,
    /// Resource types of hosts, by their tags' numbers.
    pub(crate) host_resources: Vec<HostResource<T>>,
    pub(super) data: T,
}

impl<T: 'static> Store<T> {
    /// An empty store.
    ///
    /// # Panics
    /// If the host has no memory for it; [`Store::try_new`] gives an error.
    pub fn new(engine: &Engine, data: T) -> Store<T> {
        Store::try_new(engine, data).expect("memory for a store")
    }

    /// An empty store.
    ///
    /// # Errors
    /// If the host has no memory for it: [`OutOfMemory`].
    pub fn try_new(engine: &Engine, data: T) -> Result<Store<T>> {
        let serial = {
            let mut next = NEXT_SERIAL.lock();
            *next += 1;
            *next
        };
        let inner = StoreInner {
            // One isolation domain: all core instances of a store share their references.
            arenas: fallible::collect([RefArena::default()])?,
            components: fallible::collect([ComponentInstance::HOST])?,
            handles: fallible::collect([HandleTable::default()])?,
            fuel_on: engine.config().fuel,
            limits: engine.config().limits,
            #[cfg(feature = "stats")]
            counts: super::stats::counters(engine.config()),
            ..StoreInner::default()
        };
        Ok(Store {
            id: serial as u32,
            serial,
            limiter: None,
            engine: engine.clone(),
            inner,
            hosts: Vec::new(),
            idle: Vec::new(),
            depth: Depth::new()?,
            natives: None,
            reserve: 0,
            yield_interval: None,
            component_hosts: Vec::new(),
            origins: Vec::new(),
            host_resources: Vec::new(),
            data,
        })
    }

    /// A thread of execution for a call; to be given back to `idle`.
    pub(crate) fn take_thread(&mut self) -> Result<Box<Thread>, OutOfMemory> {
        match self.idle.pop() {
            Some(thread) => Ok(thread),
            None => boxed(Thread::new()),
        }
    }

    /// Keeps a thread that has done its call. One that there is no room for is dropped.
    pub(crate) fn give_back(&mut self, thread: Box<Thread>) {
        // Whoever took it from here has left its place.
        let _ = self.idle.try_push(thread);
    }

    /// The engine that it was made with.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        &self.data
    }

    /// The embedder's data.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.data
    }

    /// Takes the embedder's data out.
    pub fn into_data(self) -> T {
        self.data
    }

    /// Sets what guests may use from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.inner.limits = limits;
    }

    /// Sets how much fuel is left; an error if the engine doesn't consume fuel.
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.fuel_is_on()?;
        self.inner.fuel = 0;
        self.reserve = fuel;
        self.refuel();
        Ok(())
    }

    /// Adds fuel to what is left; what a call has used beyond what there was is paid first. An error if
    /// the engine doesn't consume fuel.
    pub fn add_fuel(&mut self, fuel: u64) -> Result<()> {
        self.fuel_is_on()?;
        self.reserve = self.reserve.saturating_add(fuel);
        if self.inner.fuel <= 0 || self.yield_interval.is_none() {
            self.refuel();
        }
        Ok(())
    }

    /// After each so much fuel an asynchronous call yields to its executor and goes on later; `None`,
    /// which is how it is at first, never. Calls that aren't asynchronous take no notice of it.
    pub fn fuel_async_yield_interval(&mut self, interval: Option<u64>) -> Result<()> {
        self.fuel_is_on()?;
        if interval == Some(0) {
            let why = "the interval between two yields can't be 0";
            return Err(Error::of(ErrorKind::Type, why));
        }
        self.yield_interval = interval;
        self.set_fuel(self.get_fuel()?)
    }

    /// Takes fuel from the reserve; whether there was any.
    pub(crate) fn refuel(&mut self) -> bool {
        let room = i64::MAX.saturating_sub(self.inner.fuel.max(0)) as u64;
        // Debt is paid at once: a yield that lets nothing run would be of no use.
        let debt = self.inner.fuel.min(0).unsigned_abs();
        let wanted = self.yield_interval.unwrap_or(u64::MAX).max(debt);
        let amount = self.reserve.min(wanted).min(room);
        self.reserve -= amount;
        self.inner.fuel = self.inner.fuel.saturating_add(amount as i64);
        amount > 0
    }

    /// How much fuel is left, zero if there is debt; an error if the engine doesn't consume fuel.
    pub fn get_fuel(&self) -> Result<u64> {
        self.fuel_is_on()?;
        let debt = u64::try_from(self.inner.fuel.saturating_neg()).unwrap_or(0);
        let left = u64::try_from(self.inner.fuel).unwrap_or(0);
        Ok(self.reserve.saturating_add(left).saturating_sub(debt))
    }

    fn fuel_is_on(&self) -> Result<()> {
        if self.inner.fuel_on {
            return Ok(());
        }
        let why = "fuel is not configured: see `Config::consume_fuel`";
        Err(Error::of(ErrorKind::Type, why))
    }

    /// Adds a closure as a function of the store.
    pub(crate) fn add_host(
        &mut self,
        ty: &FuncType,
        closure: HostClosure<T>,
    ) -> Result<Func, OutOfMemory> {
        let host = self.hosts.len() as u32;
        let entity = FuncEntity::new(
            self.engine.type_id(ty)?,
            ty.param_slots() as u16,
            ty.result_slots() as u16,
            FuncKind::Host(Callee::Host(host).into()),
        );
        self.hosts.try_reserve(1)?;
        self.inner.funcs.try_push(entity)?;
        let entity = self.inner.funcs.len() as u32 - 1;
        self.hosts.push(HostEntry { closure, entity });
        Ok(Func {
            store: self.id,
            entity,
        })
    }

    /// The index in a handle.
    ///
    /// # Panics
    /// If the handle is another store's.
    pub(crate) fn own(&self, store: u32, index: u32) -> usize {
        assert_eq!(store, self.id, "a handle of another store");
        index as usize
    }

    pub(super) fn lift(&self, ty: ValType, slots: &[u64]) -> Val {
        val::lift(&self.inner, self.id, ty, slots)
    }

    /// What values that are references need.
    pub(crate) fn refs(&mut self) -> Refs<'_> {
        Refs {
            id: self.id,
            inner: &mut self.inner,
            failed: false,
        }
    }
}
