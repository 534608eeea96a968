//! Runs calls: the loop around the machine that serves host calls and translates on demand.

use super::instance::Instance;
use super::module::translate_one;
use super::store::{HostClosure, NativeClosures, Store};
use crate::error::{Error, ErrorKind, Frame, Result, ThrownException, Trap};
use crate::fallible::{self, try_collect};
use crate::machine::driver::{self, Event, Growth};
use crate::machine::{CallSlots, Entered, Import, Thread, unwind};
use crate::store::Callee;

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
type CallImport<T> =
    fn(&mut Store<T>, &mut Thread, (u32, u32), CallSlots, &mut Held<T>) -> Imported;

/// The component runtime, which lies above this room, as far as calls need it.
pub(crate) struct Natives<T: 'static> {
    /// Serves calls of its functions: of a tree, a trampoline.
    pub serve: Serve<T>,
    /// Calls a function of the host's that a component imports, unless it is an asynchronous one.
    pub import: CallImport<T>,
}

impl<T: 'static> Clone for Natives<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: 'static> Copy for Natives<T> {}

/// What came of a call of a function of the host's. No [`Result`], because this comes back in registers.
#[derive(Debug)]
pub(crate) enum Imported {
    /// Its results are where its arguments were.
    Returned,
    /// Nothing: it is an asynchronous one.
    Awaited,
    Failed(Error),
}

/// The host functions of the tree that called last, with its number: held while a call runs, because
/// the store that owns them is lent to each of them.
pub(crate) type Held<T> = Option<(u32, NativeClosures<T>)>;

/// As [`Held`], for functions of core modules: those that were called last, by their numbers.
type HeldHosts<T> = [Option<(u32, HostClosure<T>)>; HELD_HOSTS];

const HELD_HOSTS: usize = 4;

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
    let (mut held, mut held_hosts) = (None, [const { None }; HELD_HOSTS]);
    loop {
        match event {
            Event::Import(import) => {
                match imports(store, thread, import, &mut held, &mut held_hosts) {
                    Next::Event(next) => {
                        event = next;
                        continue;
                    }
                    Next::Awaited(import) => {
                        thread.await_import(import)?;
                        return Ok(Stop::Awaited);
                    }
                    Next::Failed(import, error) => {
                        thread.await_import(import)?;
                        if let Some(stop) = failed(store, thread, import.callee.get(), error)? {
                            return Ok(stop);
                        }
                    }
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
                match serve(store, thread, &mut held, &mut held_hosts) {
                    Ok(Served::Returned) => thread.host_returned(),
                    Ok(Served::Ran(next)) => {
                        event = next;
                        continue;
                    }
                    Ok(Served::Awaited) => return Ok(Stop::Awaited),
                    Err(error) => {
                        if let Some(stop) = failed(store, thread, callee, error)? {
                            return Ok(stop);
                        }
                    }
                }
            }
        }
        event = driver::resume(&mut store.inner, thread);
    }
}

/// What comes after calls of the host that were done at once.
enum Next {
    Event(Event),
    /// This call is one of an asynchronous function.
    Awaited(Import),
    /// This call has failed.
    Failed(Import, Error),
}

/// Calls functions of the host, until something else happens. Apart from all else, which would have it go through
/// the native stack for what it needs.
#[inline(never)]
fn imports<T: 'static>(
    store: &mut Store<T>,
    thread: &mut Thread,
    mut import: Import,
    held: &mut Held<T>,
    held_hosts: &mut HeldHosts<T>,
) -> Next {
    let mut entered = Entered::new(&store.inner, thread);
    loop {
        let done = match (import.callee.get(), store.natives) {
            (Callee::Native { tree, index }, Some(natives)) => {
                (natives.import)(store, thread, (tree, index), import.slots, held)
            }
            (Callee::Native { .. }, None) => Imported::Failed(Trap::UnreachableCodeReached.into()),
            (Callee::Host(host), _) => {
                let instance = Some(thread.instance);
                match call_host(store, thread, (host, instance, import.slots), held_hosts) {
                    Ok(()) => Imported::Returned,
                    Err(error) => Imported::Failed(error),
                }
            }
        };
        match done {
            Imported::Returned => {}
            Imported::Awaited => return Next::Awaited(import),
            Imported::Failed(error) => return Next::Failed(import, error),
        }
        match driver::after_import(&mut store.inner, thread, import, &mut entered) {
            Ok(next) => import = next,
            Err(event) => return Next::Event(event),
        }
    }
}

/// What becomes of the awaited call, which has failed; `None` if the guest has caught it and goes on.
#[cold]
fn failed<T: 'static>(
    store: &mut Store<T>,
    thread: &mut Thread,
    callee: Callee,
    error: Error,
) -> Result<Option<Stop>> {
    match callee {
        Callee::Host(_) if error.is::<ThrownException>() => {
            match unwind::rethrow(&mut store.inner, thread) {
                Ok(true) => Ok(None),
                Ok(false) => Err(trapped(store, thread, error)),
                Err(Trap::OutOfFuel) => Ok(Some(Stop::OutOfFuel)),
                Err(trap) => Err(trapped(store, thread, trap.into())),
            }
        }
        Callee::Host(_) => Ok(Some(Stop::Host(trapped(store, thread, error)))),
        Callee::Native { .. } => Err(trapped(store, thread, error)),
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

/// Serves the awaited call.
fn serve<T: 'static>(
    store: &mut Store<T>,
    thread: &mut Thread,
    held: &mut Held<T>,
    held_hosts: &mut HeldHosts<T>,
) -> Result<Served> {
    let call = *thread.call()?;
    match (call.callee(), store.natives) {
        (Callee::Host(host), _) => {
            let at = (host, call.instance(), call.slots());
            call_host(store, thread, at, held_hosts)?;
            Ok(Served::Returned)
        }
        (Callee::Native { tree, index }, Some(natives)) => {
            (natives.serve)(store, thread, (tree, index), held)
        }
        (Callee::Native { .. }, None) => Err(Trap::UnreachableCodeReached.into()),
    }
}

/// Calls a closure of the embedder's, for a core instance if one called it.
#[inline(always)]
fn call_host<T: 'static>(
    store: &mut Store<T>,
    thread: &mut Thread,
    (host, instance, slots): (u32, Option<u32>, CallSlots),
    held: &mut HeldHosts<T>,
) -> Result<()> {
    let held = &mut held[host as usize % HELD_HOSTS];
    let closure = match held {
        Some((of, closure)) if *of == host => closure,
        _ => {
            let closure = store.hosts[host as usize].closure.clone();
            &mut held.insert((host, closure)).1
        }
    };
    let store_id = store.id;
    let instance = instance.map(|index| Instance {
        store: store_id,
        index,
    });
    let kept = store.inner.exceptions.enter_host();
    let result = closure(store, instance, &mut thread.stack[slots.at()..slots.end()]);
    store.inner.exceptions.leave_host(kept);
    result
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
