//! Runs calls: the loop around the machine that serves host calls and translates on demand.

use super::instance::Instance;
use super::module::translate_one;
use super::store::{Caller, Store};
use crate::error::{Error, ErrorKind, Frame, Result, Trap};
use crate::machine::driver::{self, Event};
use crate::machine::{Callee, HostCall, Thread};
use alloc::string::ToString;
use alloc::vec::Vec;

/// Frames that a backtrace tells at most.
const BACKTRACE: usize = 64;

/// How far a call has come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Progress {
    Done,
    /// It waits for an asynchronous host function, which has not been called yet.
    Host(HostCall),
    /// It goes on where it stopped once there is more fuel.
    OutOfFuel,
}

/// What serving a native call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// Its results are where its arguments were.
    Returned,
    /// It has called a guest function.
    Entered,
    /// It is an asynchronous host function, which whoever drives the call has to call and await.
    Awaited,
}

/// Serves calls of the component runtime's functions, which lies above this room.
pub(crate) type NativeHook<T> = fn(&mut Store<T>, &mut Thread, HostCall) -> Result<Served>;

/// Calls a function of the store with arguments of its type.
pub(crate) fn call<T: 'static>(
    store: &mut Store<T>,
    entity: u32,
    args: &[u64],
) -> Result<Vec<u64>> {
    with_thread(store, |store, thread| {
        thread.start(&store.inner, entity, args)?;
        finish(store, thread)?;
        let results = store.inner.funcs[entity as usize].results;
        Ok(thread.results(results.into()).to_vec())
    })
}

/// Gives a call from outside a thread of execution, and bounds how deep such calls nest.
pub(crate) fn with_thread<T: 'static, R>(
    store: &mut Store<T>,
    run: impl FnOnce(&mut Store<T>, &mut Thread) -> Result<R>,
) -> Result<R> {
    let depth = store.depth.clone();
    depth.enter(store.inner.limits.host_recursion)?;
    let mut thread = store.take_thread();
    let result = run(store, &mut thread);
    depth.leave();
    store.idle.push(thread);
    result
}

/// Runs a call that was started to its end; being out of fuel is a trap.
pub(crate) fn finish<T: 'static>(store: &mut Store<T>, thread: &mut Thread) -> Result<()> {
    loop {
        match drive(store, thread)? {
            Progress::Done => return Ok(()),
            Progress::Host(_) => return Err(trapped(store, thread, pending())),
            Progress::OutOfFuel if store.refuel() => {}
            Progress::OutOfFuel => return Err(trapped(store, thread, Trap::OutOfFuel.into())),
        }
    }
}

/// Runs a call until it is done or out of fuel.
pub(crate) fn drive<T: 'static>(store: &mut Store<T>, thread: &mut Thread) -> Result<Progress> {
    loop {
        match driver::resume(&mut store.inner, thread) {
            Event::Done => return Ok(Progress::Done),
            Event::OutOfFuel => return Ok(Progress::OutOfFuel),
            Event::Trap(trap) => return Err(trapped(store, thread, trap.into())),
            Event::Translate { instance, func } => {
                let module = store.inner.instances[instance as usize].module.clone();
                translate_one(&store.engine, &module, func)?;
            }
            Event::HostCall(call) => match serve(store, thread, call) {
                Ok(Served::Returned) => thread.host_returned(),
                Ok(Served::Entered) => {}
                Ok(Served::Awaited) => return Ok(Progress::Host(call)),
                Err(error) => return Err(trapped(store, thread, error)),
            },
        }
    }
}

fn serve<T: 'static>(store: &mut Store<T>, thread: &mut Thread, call: HostCall) -> Result<Served> {
    match (call.callee, store.natives) {
        (Callee::Host(host), _) => {
            let closure = store.hosts[host as usize].clone();
            let slots = call.params.max(call.results);
            let mut values: Vec<u64> = thread.stack[call.args..call.args + slots].to_vec();
            let instance = call.instance.map(|index| Instance {
                store: store.id,
                index,
            });
            closure(&mut Caller { store, instance }, &mut values)?;
            thread.stack[call.args..call.args + call.results]
                .copy_from_slice(&values[..call.results]);
            Ok(Served::Returned)
        }
        (Callee::Native { .. }, Some(hook)) => hook(store, thread, call),
        (Callee::Native { .. }, None) => Err(Trap::UnreachableCodeReached.into()),
    }
}

/// The error of a host function that isn't done at once in a call that can't wait.
pub(crate) fn pending() -> Error {
    let why =
        "an asynchronous host function is not done: its caller has to be called asynchronously";
    Error::of(ErrorKind::Host, why)
}

/// An error with the functions that were running, unless it tells of some already.
pub(crate) fn trapped<T: 'static>(store: &Store<T>, thread: &Thread, error: Error) -> Error {
    if !error.frames().is_empty() {
        return error;
    }
    let frames = driver::backtrace(thread, BACKTRACE)
        .into_iter()
        .filter_map(|(instance, func)| {
            let module = &store.inner.instances.get(instance as usize)?.module;
            let func = func + module.imported_funcs;
            Some(Frame {
                func,
                name: module.func_name(func).map(ToString::to_string),
            })
        });
    error.with_frames(frames.collect())
}

/// Runs a guest's `realloc` inside a host's call. Running out of fuel doesn't stop it: what it uses
/// is debt, which the limit `realloc_fuel` bounds.
pub(crate) fn nested<T: 'static>(store: &mut Store<T>, entity: u32, args: &[u64]) -> Result<u64> {
    let allowed = i64::try_from(store.inner.limits.realloc_fuel).unwrap_or(i64::MAX);
    let before = core::mem::replace(&mut store.inner.fuel, allowed);
    let mut thread = store.take_thread();
    let result = thread
        .start(&store.inner, entity, args)
        .map_err(Error::from)
        .and_then(|()| drive(store, &mut thread))
        .and_then(|progress| match progress {
            Progress::Done => Ok(thread.results(1)[0]),
            Progress::Host(_) => Err(pending()),
            Progress::OutOfFuel => {
                let why = "`realloc` used more fuel than the limit allows";
                Err(Error::of(ErrorKind::Trap, why))
            }
        });
    let used = allowed.saturating_sub(store.inner.fuel);
    store.inner.fuel = before.saturating_sub(used);
    store.idle.push(thread);
    result
}
