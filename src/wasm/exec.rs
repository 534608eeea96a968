//! Runs calls: the loop around the machine that serves host calls and translates on demand.

use super::instance::Instance;
use super::module::translate_one;
use super::store::{NativeClosures, Store};
use super::val::with_slots;
use crate::error::{Error, ErrorKind, Frame, Result, ThrownException, Trap};
use crate::fallible::{self, try_collect};
use crate::machine::driver::{self, Event, Growth};
use crate::machine::{Callee, Import, Thread, unwind};

/// Frames that a backtrace tells at most.
const BACKTRACE: usize = 64;

/// How far a call has come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Progress {
    Done,
    /// It waits for an asynchronous host function, which has not been called yet.
    Host,
    /// It goes on where it stopped once there is more fuel.
    OutOfFuel,
}

/// What serving a native call came to.
#[derive(Debug)]
pub(crate) enum Served {
    /// Its results are where its arguments were.
    Returned,
    /// It has called a guest function and has run the thread, to this.
    Ran(Event),
    /// It is an asynchronous host function, which whoever drives the call has to call and await.
    Awaited,
}

type Serve<T> = fn(&mut Store<T>, &mut Thread, (u32, u32), &mut Held<T>) -> Result<Served>;

/// The component runtime, which lies above this room, as far as calls need it.
pub(crate) struct Natives<T: 'static> {
    /// Serves calls of its functions: of a tree, a trampoline.
    pub serve: Serve<T>,
    /// Calls a function of the host's that a component imports, unless it is an asynchronous one.
    pub import: fn(&mut Store<T>, &mut Thread, Import, &mut Held<T>) -> Result<Imported>,
}

impl<T: 'static> Clone for Natives<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: 'static> Copy for Natives<T> {}

/// What came of a call of a function of the host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Imported {
    /// Its results are where its arguments were.
    Returned,
    /// Nothing: it is an asynchronous one.
    Awaited,
}

/// The host functions of the tree that called last, with its number: held while a call runs, because
/// the store that owns them is lent to each of them.
pub(crate) type Held<T> = Option<(u32, NativeClosures<T>)>;

/// What a thread stopped at that its embedder can do something about.
pub(crate) enum Stop {
    Done,
    OutOfFuel,
    /// See [`Progress::Host`].
    Awaited,
    /// A closure of the embedder's has failed; its results may be given in its stead.
    Host(Error),
}

/// Calls a function of the store with arguments of its type; `read` is given the results.
pub(crate) fn call<T: 'static, R>(
    store: &mut Store<T>,
    entity: u32,
    args: &[u64],
    read: impl FnOnce(&mut Store<T>, &[u64]) -> R,
) -> Result<R> {
    with_thread(store, |store, thread| {
        thread.start(&mut store.inner, entity, args)?;
        finish(store, thread)?;
        let results = store.inner.funcs[entity as usize].results;
        Ok(read(store, thread.results(results.into())))
    })
}

/// Gives a call from outside a thread of execution, and bounds how deep such calls nest.
pub(crate) fn with_thread<T: 'static, R>(
    store: &mut Store<T>,
    run: impl FnOnce(&mut Store<T>, &mut Thread) -> Result<R>,
) -> Result<R> {
    enter(store, |store| {
        let mut thread = store.take_thread()?;
        let result = run(store, &mut thread);
        store.give_back(thread);
        result
    })
}

/// Bounds how deep calls from outside nest.
pub(crate) fn enter<T: 'static, R>(
    store: &mut Store<T>,
    run: impl FnOnce(&mut Store<T>) -> Result<R>,
) -> Result<R> {
    store.depth.enter(store.inner.limits.host_recursion)?;
    let result = run(store);
    store.depth.leave();
    result
}

/// Runs a call that was started to its end; being out of fuel is a trap.
pub(crate) fn finish<T: 'static>(store: &mut Store<T>, thread: &mut Thread) -> Result<()> {
    loop {
        match drive(store, thread)? {
            Progress::Done => return Ok(()),
            Progress::Host => return Err(trapped(store, thread, pending())),
            Progress::OutOfFuel if store.refuel() => {}
            Progress::OutOfFuel => return Err(trapped(store, thread, Trap::OutOfFuel.into())),
        }
    }
}

/// Runs a call until it is done or out of fuel.
pub(crate) fn drive<T: 'static>(store: &mut Store<T>, thread: &mut Thread) -> Result<Progress> {
    thread.wake();
    match driver::resume(&mut store.inner, thread) {
        Event::Done => Ok(Progress::Done),
        event => drive_on(store, thread, event),
    }
}

fn drive_on<T: 'static>(
    store: &mut Store<T>,
    thread: &mut Thread,
    event: Event,
) -> Result<Progress> {
    match step_on(store, thread, event)? {
        Stop::Done => Ok(Progress::Done),
        Stop::OutOfFuel => Ok(Progress::OutOfFuel),
        Stop::Awaited => Ok(Progress::Host),
        Stop::Host(error) => Err(error),
    }
}

/// Runs a call until something happens that its embedder can do something about.
pub(crate) fn step<T: 'static>(store: &mut Store<T>, thread: &mut Thread) -> Result<Stop> {
    thread.wake();
    let event = driver::resume(&mut store.inner, thread);
    step_on(store, thread, event)
}

/// As [`step`], after what has happened.
fn step_on<T: 'static>(store: &mut Store<T>, thread: &mut Thread, event: Event) -> Result<Stop> {
    let stop = until_stop(store, thread, event);
    if !matches!(stop, Ok(Stop::Done) | Err(_)) {
        thread.suspend(&mut store.inner)?;
    }
    stop
}

fn until_stop<T: 'static>(
    store: &mut Store<T>,
    thread: &mut Thread,
    mut event: Event,
) -> Result<Stop> {
    let mut held = None;
    loop {
        match event {
            Event::Import(import) => {
                let natives = store.natives.ok_or(Trap::UnreachableCodeReached)?;
                match (natives.import)(store, thread, import, &mut held) {
                    Ok(Imported::Returned) => {
                        event = driver::after_import(&mut store.inner, thread, import);
                        continue;
                    }
                    Ok(Imported::Awaited) => {
                        thread.await_import(import)?;
                        return Ok(Stop::Awaited);
                    }
                    Err(error) => return Err(trapped(store, thread, error)),
                }
            }
            Event::Done => return Ok(Stop::Done),
            Event::OutOfFuel => return Ok(Stop::OutOfFuel),
            Event::Trap(trap) => return Err(trapped(store, thread, trap.into())),
            Event::Thrown => return Err(trapped(store, thread, ThrownException.into())),
            Event::Translate { instance, func } => {
                let module = store.inner.instances[instance as usize].module.clone();
                translate_one(&store.engine, &module, func)
                    .map_err(|error| trapped(store, thread, error))?;
            }
            Event::Grow(growth) => {
                grow(store, thread, growth).map_err(|error| trapped(store, thread, error))?;
            }
            Event::HostCall => {
                let callee = thread.call()?.callee();
                match (serve(store, thread, callee, &mut held), callee) {
                    (Ok(Served::Returned), _) => thread.host_returned(),
                    (Ok(Served::Ran(next)), _) => {
                        event = next;
                        continue;
                    }
                    (Ok(Served::Awaited), _) => return Ok(Stop::Awaited),
                    (Err(error), Callee::Host(_)) if error.is::<ThrownException>() => {
                        match unwind::rethrow(&mut store.inner, thread) {
                            Ok(true) => {}
                            Ok(false) => return Err(trapped(store, thread, error)),
                            Err(Trap::OutOfFuel) => return Ok(Stop::OutOfFuel),
                            Err(trap) => return Err(trapped(store, thread, trap.into())),
                        }
                    }
                    (Err(error), Callee::Host(_)) => {
                        return Ok(Stop::Host(trapped(store, thread, error)));
                    }
                    (Err(error), Callee::Native { .. }) => {
                        return Err(trapped(store, thread, error));
                    }
                }
            }
        }
        event = driver::resume(&mut store.inner, thread);
    }
}

/// Lets the embedder's limiter judge a growth, and does it or not.
fn grow<T: 'static>(store: &mut Store<T>, thread: &mut Thread, growth: Growth) -> Result<()> {
    let allowed = store.may_grow(growth)?;
    if !driver::grown(&mut store.inner, thread, allowed)? && allowed {
        store.growth_failed(growth)?;
    }
    Ok(())
}

fn serve<T: 'static>(
    store: &mut Store<T>,
    thread: &mut Thread,
    callee: Callee,
    held: &mut Held<T>,
) -> Result<Served> {
    match (callee, store.natives) {
        (Callee::Host(host), _) => {
            let call = *thread.call()?;
            let place = call.slots();
            let closure = store.hosts[host as usize].closure.clone();
            let instance = call.instance().map(|index| Instance {
                store: store.id,
                index,
            });
            with_slots(place.end() - place.at(), |slots| {
                slots[..place.given().len()].copy_from_slice(&thread.stack[place.given()]);
                let kept = store.inner.exceptions.enter_host();
                let result = closure(store, instance, slots);
                store.inner.exceptions.leave_host(kept);
                result?;
                let results = &slots[..place.results()];
                thread.stack[place.returns()].copy_from_slice(results);
                Ok(Served::Returned)
            })
        }
        (Callee::Native { tree, index }, Some(natives)) => {
            (natives.serve)(store, thread, (tree, index), held)
        }
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
    // Where there is no memory for the frames, the error is told without them.
    let frames = driver::backtrace(thread, BACKTRACE).and_then(|frames| {
        let frames = frames.into_iter().filter_map(|(instance, func)| {
            let module = &store.inner.instances.get(instance as usize)?.module;
            let func = func + module.imported_funcs;
            let name = module.func_name(func).map(fallible::text).transpose();
            Some(name.map(|name| Frame { func, name }))
        });
        try_collect(frames)
    });
    error.with_frames(frames.unwrap_or_default())
}

/// Runs a guest's `realloc` inside a host's call. Running out of fuel doesn't stop it: what it uses
/// is debt, which the limit `realloc_fuel` bounds.
pub(crate) fn nested<T: 'static>(store: &mut Store<T>, entity: u32, args: &[u64]) -> Result<u64> {
    let allowed = i64::try_from(store.inner.limits.realloc_fuel).unwrap_or(i64::MAX);
    let mut thread = store.take_thread()?;
    let before = core::mem::replace(&mut store.inner.fuel, allowed);
    let result = thread
        .start(&mut store.inner, entity, args)
        .map_err(Error::from)
        .and_then(|()| drive(store, &mut thread))
        .and_then(|progress| match progress {
            Progress::Done => Ok(thread.results(1)[0]),
            Progress::Host => Err(pending()),
            Progress::OutOfFuel => {
                let why = "`realloc` used more fuel than the limit allows";
                Err(Error::of(ErrorKind::Trap, why))
            }
        });
    let used = allowed.saturating_sub(store.inner.fuel);
    store.inner.fuel = before.saturating_sub(used);
    store.give_back(thread);
    result
}
