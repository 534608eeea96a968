//! Runs calls: the loop around the machine that serves host calls and translates on demand.

use super::instance::Instance;
use super::module::translate_one;
use super::store::{Caller, Store};
use crate::error::{Error, ErrorKind, Frame, Result, Trap};
use crate::machine::Thread;
use crate::machine::driver::{self, Event};
use alloc::string::ToString;
use alloc::vec::Vec;

/// Frames that a backtrace tells at most.
const BACKTRACE: usize = 64;

/// Calls a function of the store with arguments of its type.
pub(crate) fn call<T>(store: &mut Store<T>, entity: u32, args: &[u64]) -> Result<Vec<u64>> {
    if store.depth >= store.inner.limits.host_recursion {
        let why = "calls from hosts into guests are nested too deeply";
        return Err(Error::new(ErrorKind::Limit, why));
    }
    let mut thread = store.idle.pop().unwrap_or_else(Thread::new);
    store.depth += 1;
    let result = run(store, &mut thread, entity, args);
    store.depth -= 1;
    store.idle.push(thread);
    result
}

fn run<T>(
    store: &mut Store<T>,
    thread: &mut Thread,
    entity: u32,
    args: &[u64],
) -> Result<Vec<u64>> {
    thread.start(&store.inner, entity, args)?;
    loop {
        match driver::resume(&mut store.inner, thread) {
            Event::Done => {
                let results = store.inner.funcs[entity as usize].results;
                return Ok(thread.results(results.into()).to_vec());
            }
            Event::OutOfFuel => return Err(trapped(store, thread, Trap::OutOfFuel)),
            Event::Trap(trap) => return Err(trapped(store, thread, trap)),
            Event::Translate { instance, func } => {
                let module = store.inner.instances[instance as usize].module.clone();
                translate_one(&store.engine, &module, func)?;
            }
            Event::HostCall(call) => {
                let closure = store.hosts[call.host as usize].clone();
                let slots = call.params.max(call.results);
                let mut values: Vec<u64> = thread.stack[call.args..call.args + slots].to_vec();
                let instance = call.instance.map(|index| Instance {
                    store: store.id,
                    index,
                });
                closure(&mut Caller { store, instance }, &mut values)?;
                thread.stack[call.args..call.args + call.results]
                    .copy_from_slice(&values[..call.results]);
                thread.host_returned();
            }
        }
    }
}

fn trapped<T>(store: &Store<T>, thread: &Thread, trap: Trap) -> Error {
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
    Error::from(trap).with_frames(frames.collect())
}
