//! The store as embedders hold it: the plain data, their own state, and their closures.

use super::engine::Engine;
use super::func::Func;
use super::instance::Instance;
use super::val::{Val, extern_of, extern_slot};
use crate::code::module::{FuncType, ValType};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::machine::Thread;
use crate::store::{FuncEntity, FuncKind, RefArena, StoreInner};
use alloc::sync::Arc;
use alloc::vec::Vec;
use spin::Mutex;

static NEXT_ID: Mutex<u32> = Mutex::new(1);

/// A closure that guests can call: arguments in, results out, both as slots in one slice.
pub(crate) type HostClosure<T> =
    Arc<dyn Fn(&mut Caller<'_, T>, &mut [u64]) -> Result<()> + Send + Sync>;

/// Everything that a running program consists of, and the embedder's `T`.
pub struct Store<T> {
    pub(crate) id: u32,
    pub(crate) engine: Engine,
    pub(crate) inner: StoreInner,
    pub(crate) hosts: Vec<HostClosure<T>>,
    /// Threads of execution that wait for a call, so that their stacks stay warm.
    pub(crate) idle: Vec<Thread>,
    /// Calls of hosts into guests inside each other.
    pub(crate) depth: u32,
    data: T,
}

impl<T> Store<T> {
    /// An empty store.
    pub fn new(engine: &Engine, data: T) -> Store<T> {
        let id = {
            let mut next = NEXT_ID.lock();
            *next = next.wrapping_add(1);
            *next
        };
        let inner = StoreInner {
            // One isolation domain: all core instances of a store share their references.
            arenas: alloc::vec![RefArena::default()],
            fuel_on: engine.config().fuel,
            limits: engine.config().limits,
            #[cfg(feature = "stats")]
            counts: super::stats::counters(engine.config()),
            ..StoreInner::default()
        };
        Store {
            id,
            engine: engine.clone(),
            inner,
            hosts: Vec::new(),
            idle: Vec::new(),
            depth: 0,
            data,
        }
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

    /// Sets what guests may use from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.inner.limits = limits;
    }

    /// Sets how much fuel is left; an error if the engine doesn't consume fuel.
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.fuel_is_on()?;
        self.inner.fuel = i64::try_from(fuel).unwrap_or(i64::MAX);
        Ok(())
    }

    /// How much fuel is left, zero if there is debt; an error if the engine doesn't consume fuel.
    pub fn get_fuel(&self) -> Result<u64> {
        self.fuel_is_on()?;
        Ok(u64::try_from(self.inner.fuel).unwrap_or(0))
    }

    fn fuel_is_on(&self) -> Result<()> {
        if self.inner.fuel_on {
            return Ok(());
        }
        let why = "fuel is not configured: see `Config::consume_fuel`";
        Err(Error::new(ErrorKind::Type, why))
    }

    /// Adds a closure as a function of the store.
    pub(crate) fn add_host(&mut self, ty: &FuncType, closure: HostClosure<T>) -> Func {
        let host = self.hosts.len() as u32;
        self.hosts.push(closure);
        let entity = FuncEntity {
            ty: self.engine.type_id(ty),
            params: ty.params().len() as u16,
            results: ty.results().len() as u16,
            kind: FuncKind::Host { host },
        };
        self.inner.funcs.push(entity);
        Func {
            store: self.id,
            entity: self.inner.funcs.len() as u32 - 1,
        }
    }

    /// The index in a handle.
    ///
    /// # Panics
    /// If the handle is another store's.
    pub(crate) fn own(&self, store: u32, index: u32) -> usize {
        assert_eq!(store, self.id, "a handle of another store");
        index as usize
    }

    pub(crate) fn lower(&mut self, value: &Val) -> u64 {
        match value {
            Val::I32(x) => u64::from(*x as u32),
            Val::I64(x) => *x as u64,
            Val::F32(bits) => u64::from(*bits),
            Val::F64(bits) => *bits,
            Val::FuncRef(None) => 0,
            Val::FuncRef(Some(func)) => {
                let entity = self.own(func.store, func.entity) as u32;
                self.inner.intern(0, entity).into()
            }
            Val::ExternRef(reference) => extern_slot(*reference),
        }
    }

    pub(crate) fn lift(&self, ty: ValType, slot: u64) -> Val {
        match ty {
            ValType::I32 => Val::I32(slot as i32),
            ValType::I64 => Val::I64(slot as i64),
            ValType::F32 => Val::F32(slot as u32),
            ValType::F64 => Val::F64(slot),
            ValType::FuncRef => Val::FuncRef(self.inner.deref(0, slot as u32).map(|func| Func {
                store: self.id,
                entity: func.entity,
            })),
            ValType::ExternRef => Val::ExternRef(extern_of(slot)),
        }
    }
}

/// What a host function is given: the store, and which instance called.
pub struct Caller<'a, T> {
    /// The store.
    pub store: &'a mut Store<T>,
    pub(crate) instance: Option<Instance>,
}

impl<T> Caller<'_, T> {
    /// The embedder's data.
    pub fn data(&self) -> &T {
        &self.store.data
    }

    /// The embedder's data.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.store.data
    }

    /// The instance that called, if it was one.
    pub fn instance(&self) -> Option<Instance> {
        self.instance
    }
}
