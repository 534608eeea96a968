//! Calls that stop where fuel is used up or a host function fails, and go on from there.
//!
//! A thread of execution is plain data, so that a suspended call is nothing but its thread. The
//! store may do anything else in the meantime. Dropping a suspended call abandons it.

use super::context::AsContextMut;
use super::exec::{self, Stop};
use super::func::{Func, check, check_room, lift_all, lower_all};
use super::store::Store;
use super::typed::WasmResults;
use super::val::{Val, with_slots};
use crate::error::{Error, Result, Trap};
use crate::machine::{HostCall, Thread};
use crate::store::Callee;
use alloc::boxed::Box;
use core::fmt;
use core::marker::PhantomData;

/// A call in the middle.
struct Suspended {
    /// The store's, see there.
    serial: u64,
    /// The function that was called.
    entity: u32,
    thread: Box<Thread>,
}

/// How far a resumable call has come.
#[derive(Debug)]
pub enum ResumableCall {
    /// It has returned; its results were written.
    Finished,
    /// It goes on when there is more fuel.
    OutOfFuel(ResumableCallOutOfFuel),
    /// It goes on with results in place of those of a host function that failed.
    HostTrap(ResumableCallHostTrap),
}

/// How far a resumable call of a [`TypedFunc`](crate::TypedFunc) has come.
#[derive(Debug)]
pub enum TypedResumableCall<R> {
    /// It has returned.
    Finished(R),
    /// It goes on when there is more fuel.
    OutOfFuel(TypedResumableCallOutOfFuel<R>),
    /// It goes on with results in place of those of a host function that failed.
    HostTrap(TypedResumableCallHostTrap<R>),
}

/// A call that ran out of fuel.
pub struct ResumableCallOutOfFuel {
    call: Suspended,
    required: u64,
}

/// A call in which a host function failed.
pub struct ResumableCallHostTrap {
    call: Suspended,
    host_func: Func,
    host_error: Error,
}

/// A call of a typed function that ran out of fuel.
pub struct TypedResumableCallOutOfFuel<R> {
    call: ResumableCallOutOfFuel,
    results: PhantomData<fn() -> R>,
}

/// A call of a typed function in which a host function failed.
pub struct TypedResumableCallHostTrap<R> {
    call: ResumableCallHostTrap,
    results: PhantomData<fn() -> R>,
}

/// What running a call came to, before its results are read.
enum Outcome<R> {
    Finished(R),
    OutOfFuel(ResumableCallOutOfFuel),
    HostTrap(ResumableCallHostTrap),
}

impl<R> From<Outcome<R>> for TypedResumableCall<R> {
    fn from(outcome: Outcome<R>) -> Self {
        let results = PhantomData;
        match outcome {
            Outcome::Finished(results) => TypedResumableCall::Finished(results),
            Outcome::OutOfFuel(call) => {
                TypedResumableCall::OutOfFuel(TypedResumableCallOutOfFuel { call, results })
            }
            Outcome::HostTrap(call) => {
                TypedResumableCall::HostTrap(TypedResumableCallHostTrap { call, results })
            }
        }
    }
}

impl From<Outcome<()>> for ResumableCall {
    fn from(outcome: Outcome<()>) -> Self {
        match outcome {
            Outcome::Finished(()) => ResumableCall::Finished,
            Outcome::OutOfFuel(call) => ResumableCall::OutOfFuel(call),
            Outcome::HostTrap(call) => ResumableCall::HostTrap(call),
        }
    }
}

pub(super) fn start_untyped<T: 'static>(
    store: &mut Store<T>,
    entity: u32,
    args: &[u64],
    results: &mut [Val],
) -> Result<ResumableCall> {
    let call = start(store, entity, args)?;
    run(store, call, untyped(entity, results)).map(Into::into)
}

pub(super) fn start_typed<T: 'static, R: WasmResults>(
    store: &mut Store<T>,
    entity: u32,
    args: &[u64],
) -> Result<TypedResumableCall<R>> {
    let call = start(store, entity, args)?;
    run(store, call, typed).map(Into::into)
}

fn start<T: 'static>(store: &mut Store<T>, entity: u32, args: &[u64]) -> Result<Suspended> {
    let mut thread = store.take_thread()?;
    thread.start(&mut store.inner, entity, args)?;
    Ok(Suspended {
        serial: store.serial,
        entity,
        thread,
    })
}

/// Reads results as values of the function's type.
fn untyped<T: 'static>(
    entity: u32,
    results: &mut [Val],
) -> impl FnOnce(&mut Store<T>, &[u64]) + use<'_, T> {
    move |store, slots| {
        let ty = store
            .engine
            .func_type(store.inner.funcs[entity as usize].ty);
        lift_all(&store.refs(), ty.results(), slots, results);
    }
}

fn typed<T: 'static, R: WasmResults>(store: &mut Store<T>, slots: &[u64]) -> R {
    R::read(slots, &store.refs())
}

/// Runs a call on. A store that has debt from before pays it first.
fn run<T: 'static, R>(
    store: &mut Store<T>,
    mut call: Suspended,
    read: impl FnOnce(&mut Store<T>, &[u64]) -> R,
) -> Result<Outcome<R>> {
    let stop = exec::enter(store, |store| {
        loop {
            while store.inner.fuel_on && store.inner.fuel < 0 {
                if !store.refuel() {
                    return Ok(Stop::OutOfFuel);
                }
            }
            match exec::step(store, &mut call.thread)? {
                Stop::OutOfFuel if store.refuel() => {}
                stop => return Ok(stop),
            }
        }
    });
    match (stop, call.thread.call().map(HostCall::callee)) {
        (Ok(Stop::Done), _) => {
            let count = store.inner.funcs[call.entity as usize].results;
            let results = read(store, call.thread.results(count.into()));
            store.give_back(call.thread);
            Ok(Outcome::Finished(results))
        }
        (Ok(Stop::OutOfFuel), _) => {
            let required = store.inner.missing_fuel();
            Ok(Outcome::OutOfFuel(ResumableCallOutOfFuel {
                call,
                required,
            }))
        }
        (Ok(Stop::Host(host_error)), Ok(Callee::Host(host))) => {
            let host_func = Func {
                store: store.id,
                entity: store.hosts[host as usize].entity,
            };
            Ok(Outcome::HostTrap(ResumableCallHostTrap {
                call,
                host_func,
                host_error,
            }))
        }
        (Ok(Stop::Awaited), _) => Err(exec::pending()),
        (Ok(Stop::Host(error)) | Err(error), _) => {
            store.give_back(call.thread);
            Err(error)
        }
    }
}

impl Suspended {
    fn check<T: 'static>(&self, store: &Store<T>) {
        assert_eq!(self.serial, store.serial, "a call of another store");
    }
}

impl ResumableCallOutOfFuel {
    /// How much fuel has to be added, with [`Store::add_fuel`], for the call to get any further.
    pub fn required_fuel(&self) -> u64 {
        self.required
    }

    /// Goes on; without enough fuel, nowhere. `results` are as for [`Func::call`].
    ///
    /// # Errors
    /// A trap, or results that don't fit the function's type.
    ///
    /// # Panics
    /// If the call is another store's.
    pub fn resume(
        self,
        mut store: impl AsContextMut,
        results: &mut [Val],
    ) -> Result<ResumableCall> {
        let store = store.as_context_mut().0;
        self.call.check(store);
        let entity = self.call.entity;
        let ty = store
            .engine
            .func_type(store.inner.funcs[entity as usize].ty);
        check_room(&ty, results)?;
        run(store, self.call, untyped(entity, results)).map(Into::into)
    }

    /// The call as the trap that it would have been.
    pub fn into_error(self) -> Error {
        Trap::OutOfFuel.into()
    }
}

impl ResumableCallHostTrap {
    /// The host function that failed.
    pub fn host_func(&self) -> Func {
        self.host_func
    }

    /// How it failed.
    pub fn host_error(&self) -> &Error {
        &self.host_error
    }

    /// Abandons the call.
    pub fn into_host_error(self) -> Error {
        self.host_error
    }

    /// Goes on as if the host function had returned `inputs`. `results` are as for [`Func::call`].
    ///
    /// # Errors
    /// A trap, inputs that don't fit the host function's type, or results that don't fit the function's.
    ///
    /// # Panics
    /// If the call, or a reference among the inputs, is another store's.
    pub fn resume(
        self,
        mut store: impl AsContextMut,
        inputs: &[Val],
        results: &mut [Val],
    ) -> Result<ResumableCall> {
        let store = store.as_context_mut().0;
        self.call.check(store);
        let entity = self.call.entity;
        let ty = store
            .engine
            .func_type(store.inner.funcs[entity as usize].ty);
        check_room(&ty, results)?;
        let call = self.returned(store, inputs)?;
        run(store, call, untyped(entity, results)).map(Into::into)
    }

    /// Gives the host function's results in its stead.
    fn returned<T: 'static>(self, store: &mut Store<T>, inputs: &[Val]) -> Result<Suspended> {
        let mut call = self.call;
        call.check(store);
        let ty = self.host_func.ty(&*store);
        check(&store.inner, ty.results(), inputs, "input")?;
        if let Ok(awaited) = call.thread.call() {
            let at = awaited.slots().at();
            with_slots(ty.result_slots(), |slots| {
                lower_all(&mut store.refs(), inputs, slots)?;
                let place = at..at + slots.len();
                call.thread.stack[place].copy_from_slice(slots);
                Ok(())
            })?;
            call.thread.host_returned();
        }
        Ok(call)
    }
}

impl<R: WasmResults> TypedResumableCallOutOfFuel<R> {
    /// See [`ResumableCallOutOfFuel::required_fuel`].
    pub fn required_fuel(&self) -> u64 {
        self.call.required
    }

    /// Goes on; without enough fuel, nowhere.
    ///
    /// # Errors
    /// A trap.
    ///
    /// # Panics
    /// If the call is another store's.
    pub fn resume(self, mut store: impl AsContextMut) -> Result<TypedResumableCall<R>> {
        let store = store.as_context_mut().0;
        self.call.call.check(store);
        run(store, self.call.call, typed).map(Into::into)
    }

    /// The call as the trap that it would have been.
    pub fn into_error(self) -> Error {
        self.call.into_error()
    }
}

impl<R: WasmResults> TypedResumableCallHostTrap<R> {
    /// The host function that failed.
    pub fn host_func(&self) -> Func {
        self.call.host_func
    }

    /// How it failed.
    pub fn host_error(&self) -> &Error {
        &self.call.host_error
    }

    /// Abandons the call.
    pub fn into_host_error(self) -> Error {
        self.call.host_error
    }

    /// Goes on as if the host function had returned `inputs`.
    ///
    /// # Errors
    /// A trap, or inputs that don't fit the host function's type.
    ///
    /// # Panics
    /// If the call, or a reference among the inputs, is another store's.
    pub fn resume(
        self,
        mut store: impl AsContextMut,
        inputs: &[Val],
    ) -> Result<TypedResumableCall<R>> {
        let store = store.as_context_mut().0;
        let call = self.call.returned(store, inputs)?;
        run(store, call, typed).map(Into::into)
    }
}

impl fmt::Debug for ResumableCallOutOfFuel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutOfFuel({} required)", self.required)
    }
}

impl fmt::Debug for ResumableCallHostTrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostTrap({:?})", self.host_error)
    }
}

impl<R> fmt::Debug for TypedResumableCallOutOfFuel<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}

impl<R> fmt::Debug for TypedResumableCallHostTrap<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}
