//! Exceptions on their way: finding the handler, and handing over what is carried.
//!
//! The frames are searched by their linkage alone, in a loop, before anything is changed; so what no
//! handler takes leaves the thread as it was, for the backtrace. An exception doesn't leave its
//! isolation domain: where the next frame is another component's, it ends in a trap.

use super::driver::{far_address, halt_address, native_address};
use super::thread::Thread;
use crate::code::handlers::{self, Handler};
use crate::code::{a_of, bc_of, op, op_of};
use crate::error::Trap;
use crate::fallible::Grow;
use crate::store::StoreInner;
use crate::store::exceptions::Thrown;

/// A frame, and where it is in its code.
#[derive(Clone, Copy)]
struct Place {
    sp: usize,
    instance: u32,
    /// The address of the instruction that throws, or of the one after the call.
    ip: u64,
    called: bool,
}

/// Handlers that are looked at for one unit of fuel.
const LOOKED_AT: u32 = 8;

/// Does the `throw` or `throw_ref` that is `word`. Afterwards the handler runs, or the exception is the
/// store's uncaught one and the answer `false`.
pub(super) fn throw(store: &mut StoreInner, thread: &mut Thread, word: u64) -> Result<bool, Trap> {
    let instance = &store.instances[thread.instance as usize];
    let from = thread.sp + usize::from(a_of(word));
    let thrown = if op_of(word) == op::Throw {
        let tag = instance.tags[bc_of(word) as usize];
        let count = store.tags[tag as usize].param_slots();
        let flight = &mut store.exceptions.flight;
        flight.clear();
        flight.try_extend(thread.stack[from..from + count].iter().copied())?;
        Thrown {
            tag,
            arena: instance.arena,
            reference: None,
        }
    } else {
        let slot = thread.stack[from];
        let thrown = store.exceptions.throw_ref(instance.arena, slot)?;
        thrown.ok_or(Trap::NullException)?
    };
    let place = Place {
        sp: thread.sp,
        instance: thread.instance,
        ip: thread.regs.ip as usize as u64,
        called: false,
    };
    unwind(store, thread, thrown, Some(place))
}

/// Lets the store's uncaught exception go on to the caller of the host function that is awaited;
/// `false` if nothing catches it there either, or there is none.
pub(crate) fn rethrow(store: &mut StoreInner, thread: &mut Thread) -> Result<bool, Trap> {
    let (Some(uncaught), Ok(&call)) = (store.exceptions.uncaught, thread.call()) else {
        return Ok(false);
    };
    let Some(instance) = call.instance() else {
        return Ok(false);
    };
    let arena = store.instances[instance as usize].arena;
    let Some(thrown) = store.exceptions.throw_ref(arena, uncaught.into())? else {
        return Err(Trap::UncaughtException);
    };
    let here = Place {
        sp: thread.sp,
        instance: thread.instance,
        ip: thread.regs.ip as usize as u64,
        called: true,
    };
    // A tail call has given up its frame, whose handlers no longer count.
    let place = match call.is_tail() {
        true => below(store, thread, here)?,
        false => Some(here),
    };
    unwind(store, thread, thrown, place)
}

/// Goes to the nearest handler from `place` on.
fn unwind(
    store: &mut StoreInner,
    thread: &mut Thread,
    thrown: Thrown,
    mut place: Option<Place>,
) -> Result<bool, Trap> {
    let mut seen = 0;
    while let Some(here) = place {
        if let Some((handler, ip)) = find(store, thread, here, thrown.tag, &mut seen) {
            deliver(store, thread, here, &handler, thrown)?;
            thread.regs.ip = ip;
            let fuel = i64::from(handler.fuel) + i64::from(seen / LOOKED_AT);
            store.spend(fuel);
            return match store.fuel_on && store.fuel < 0 && fuel > 0 {
                true => Err(Trap::OutOfFuel),
                false => Ok(true),
            };
        }
        place = below(store, thread, here)?;
    }
    let end = thread.used(store);
    let reference = store.exception_ref(thrown, &thread.stack[..end])?;
    store.exceptions.uncaught = Some(reference);
    Ok(false)
}

/// The handler of the frame that takes exceptions with this tag here, and its address.
fn find(
    store: &StoreInner,
    thread: &Thread,
    place: Place,
    tag: u32,
    seen: &mut u32,
) -> Option<(Handler, *const u64)> {
    let instance = &store.instances[place.instance as usize];
    let func = (thread.stack[place.sp - 1] >> 32) as usize;
    let code = instance.module.funcs.get(func)?.code.get()?;
    let (instructions, words) = handlers::split(code)?;
    let bytes = (place.ip as usize).checked_sub(code.as_ptr() as usize)?;
    let at = (bytes / 8).checked_sub(place.called.into())?;
    for words in words {
        *seen += 1;
        let handler = Handler::decode(words)?;
        let takes = handler.takes.all || instance.tags.get(handler.tag as usize) == Some(&tag);
        if handler.covers(at) && takes {
            let target = instructions.get(handler.target as usize..)?;
            return Some((handler, target.as_ptr()));
        }
    }
    None
}

/// The frame that called this one; `None` for the first of all.
fn below(store: &StoreInner, thread: &Thread, place: Place) -> Result<Option<Place>, Trap> {
    let Place {
        mut sp,
        mut instance,
        ..
    } = place;
    let mut ip = thread.stack[sp - 2];
    sp -= shift(thread.stack[sp - 1]);
    if ip == native_address() {
        return Err(Trap::UncaughtException);
    }
    if ip == far_address() {
        let link = thread.stack[sp - 1];
        ip = thread.stack[sp - 2];
        let caller = (link >> 32) as u32;
        let arena = |instance: u32| Some(store.instances.get(instance as usize)?.arena);
        if ip == native_address() || arena(caller) != arena(instance) {
            return Err(Trap::UncaughtException);
        }
        instance = caller;
        sp -= shift(link);
    }
    Ok((ip != halt_address()).then_some(Place {
        sp,
        instance,
        ip,
        called: true,
    }))
}

fn shift(link: u64) -> usize {
    usize::from((link >> 16) as u16)
}

/// Makes the handler's frame the running one and gives it what it takes.
fn deliver(
    store: &mut StoreInner,
    thread: &mut Thread,
    place: Place,
    handler: &Handler,
    thrown: Thrown,
) -> Result<(), Trap> {
    let reference = match handler.takes.reference {
        true => {
            let end = thread.used(store);
            Some(store.exception_ref(thrown, &thread.stack[..end])?)
        }
        false => None,
    };
    let mut to = place.sp + usize::from(handler.slot);
    if !handler.takes.all {
        let carried = &store.exceptions.flight;
        thread.stack[to..to + carried.len()].copy_from_slice(carried);
        to += carried.len();
    }
    if let Some(reference) = reference {
        thread.stack[to] = reference.into();
    }
    store.exceptions.uncaught = None;
    thread.sp = place.sp;
    thread.instance = place.instance;
    thread.pop_call();
    Ok(())
}
