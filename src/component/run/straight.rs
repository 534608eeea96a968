//! Calls between components whose values are scalars, and strings and lists that move as bytes: in a straight
//! line.
//!
//! Run time. What an adapter does step by step, with all of its state in the thread, happens here in one go,
//! with the state in native variables: same checks, same fuel, same order. Where a guest function that it calls
//! doesn't come back at once (fuel is used up, a function is to be translated, it calls further), the thread
//! is left as the adapter would have left it, and the adapter goes on with the call.

use super::{Adapter, Moving, Step};
use crate::component::abi::cross::{
    checked_list, checked_string, fields_from, list_cost, scalar_rule, waiting_list, waiting_string,
};
use crate::component::abi::strings::{Form, Source, Transcode};
use crate::component::abi::{self, aligned, bytes_cost, pointer, range};
use crate::error::{Error, OutOfMemory, Trap};
use crate::machine::NATIVE_ARGS;
use crate::machine::driver::{self, Event};
use crate::store::components::*;
use crate::tables::{Encoding, TypeId, TypeKind, TypeRow};

/// Why a call doesn't go on here.
pub(super) enum Stop {
    /// The adapter goes on with it after this.
    Ran(Event),
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

impl From<Trap> for Stop {
    fn from(trap: Trap) -> Stop {
        Stop::Failed(trap.into())
    }
}

/// Where a string or list is on its way: what the adapter needs to know of it to go on.
#[derive(Clone, Copy)]
struct Place {
    /// Its type.
    row: TypeRow,
    /// The parameter that it is, or of the result none.
    param: Option<u32>,
    /// Where its pointer and length go: a slot, counted from the first parameter's, or of the result an address.
    out: usize,
}

/// Calls the callee with what crosses, up to what ends the call.
pub(super) fn call(adapter: &mut Adapter) -> Result<(), Stop> {
    let base = adapter.slots.end();
    adapter.open(base)?;
    params(adapter, base)?;
    adapter.frame()?.phase = Phase::Callee;
    guest(adapter, adapter.bound.target, base)?;
    let result = adapter.thread.stack[base];
    returned(adapter, result, base)?;
    if let Step::Call(post_return, base) = adapter.post_return()? {
        guest(adapter, post_return, base)?;
        let instance = adapter.callee.instance;
        adapter.set_may_leave(instance, true);
    }
    Ok(())
}

/// Has a guest function run to its end.
#[inline]
fn guest(adapter: &mut Adapter, entity: u32, base: usize) -> Result<(), Stop> {
    match driver::call_guest(adapter.inner, adapter.thread, entity, base)? {
        None => Ok(()),
        Some(event) => Err(Stop::Ran(event)),
    }
}

/// Parameters, from the caller's slots to the callee's.
fn params(adapter: &mut Adapter, base: usize) -> Result<(), Stop> {
    let (mut src, mut dst) = (adapter.slots.at(), base + NATIVE_ARGS);
    let first = dst;
    let record = adapter.row(adapter.bound.params);
    let mut cost = 1;
    for param in 0..record.b {
        let tables = &adapter.inner.trees[adapter.tree as usize].tables;
        let row = tables.ty(tables.fields[(record.a + param) as usize].ty);
        if let Some(rule) = scalar_rule(row.kind) {
            adapter.thread.stack[dst] = rule.apply(adapter.thread.stack[src])?;
            (src, dst) = (src + 1, dst + 1);
            continue;
        }
        let pair = [0, 1].map(|at| pointer(adapter.thread.stack[src + at], adapter.caller.wide));
        let place = Place {
            row,
            param: Some(param),
            out: dst - first,
        };
        let ptr = cross(adapter, place, pair, cost)?;
        cost = 0;
        (adapter.thread.stack[dst], adapter.thread.stack[dst + 1]) = (ptr, pair[1]);
        (src, dst) = (src + 2, dst + 2);
    }
    adapter.inner.spend(cost);
    Ok(())
}

/// The result, from where the callee left it to where the caller wants it.
fn returned(adapter: &mut Adapter, result: u64, base: usize) -> Result<(), Stop> {
    let (src, dst) = match adapter.returned(result)? {
        Step::Cross(Moving::Memory(src, dst)) => (src, dst),
        Step::Cross(_) => {
            let row = adapter.row(adapter.bound.result);
            let rule = scalar_rule(row.kind).ok_or(Trap::UnreachableCodeReached)?;
            let slot = adapter.slots.at();
            adapter.inner.spend(1);
            adapter.thread.stack[slot] = rule.apply(adapter.thread.stack[base])?;
            return Ok(());
        }
        _ => return Ok(()),
    };
    let (wide, row) = (adapter.callee.wide, adapter.row(adapter.bound.result));
    let (ptr, len) = abi::pair(&memory(adapter, adapter.callee.memory)?[src..], wide);
    let place = Place {
        row,
        param: None,
        out: dst,
    };
    let room = cross(adapter, place, [ptr, len], 1)?;
    let to = adapter.caller.memory as usize;
    let place = &mut adapter.inner.memories[to].bytes[dst..];
    abi::set_pair(place, (room, len), wide);
    Ok(())
}

fn memory<'a>(adapter: &'a Adapter, number: u32) -> Result<&'a [u8], Trap> {
    let memory = adapter.inner.memories.get(number as usize);
    Ok(&memory.ok_or(Trap::UnreachableCodeReached)?.bytes)
}

/// A string or list, from one memory to room in the other that is asked for; where that is. `cost` is to
/// be paid before.
fn cross(
    adapter: &mut Adapter,
    place: Place,
    [ptr, len]: [u64; 2],
    cost: i64,
) -> Result<u64, Stop> {
    let (from, to) = match place.param {
        Some(_) => (adapter.caller, adapter.callee),
        None => (adapter.callee, adapter.caller),
    };
    let source = memory(adapter, from.memory)?;
    let is_string = place.row.kind == TypeKind::String;
    let (bytes, align, price);
    if is_string {
        let limit = adapter.inner.limits.string_bytes;
        bytes = checked_string(source, (ptr, len), &from, limit)?.bytes;
        (align, price) = (1, bytes_cost(bytes.into()));
    } else {
        let element = adapter.row(place.row.element());
        let (count, size) = checked_list(source, (ptr, len), element)?;
        bytes = size;
        (align, price) = (
            element.align.into(),
            list_cost(element, count, bytes.into()),
        );
    }
    adapter.inner.spend(cost + price);
    let room = ask(adapter, place, Request::new(0, 0, align, bytes), [ptr, len])?;
    let out_of_bounds = match is_string {
        true => Trap::StringOutOfBounds,
        false => Trap::ListOutOfBounds,
    };
    if !aligned(room, align) {
        return Err(Trap::UnalignedPointer.into());
    }
    let memories = [from.memory as usize, to.memory as usize];
    let memories = adapter.inner.memories.get_disjoint_mut(memories);
    let [source, target] = memories.map_err(|_| Trap::UnreachableCodeReached)?;
    let source = range(&source.bytes, ptr, bytes.into()).ok_or(out_of_bounds)?;
    if range(&target.bytes, room, bytes.into()).is_none() {
        return Err(out_of_bounds.into());
    }
    let at = room as usize;
    target.bytes[at..at + source.len()].copy_from_slice(source);
    Ok(room)
}

/// Room on the side that values cross to.
fn ask(adapter: &mut Adapter, place: Place, request: Request, pair: [u64; 2]) -> Result<u64, Stop> {
    let Step::Call(realloc, base) = adapter.ask(request)? else {
        return Err(Trap::UnreachableCodeReached.into());
    };
    let called = driver::call_guest(adapter.inner, adapter.thread, realloc, base)?;
    if let Some(event) = called {
        wait(adapter, place, request.new_size(), pair)?;
        return Err(Stop::Ran(event));
    }
    let phase = adapter.frame()?.phase;
    adapter.frame()?.asked = false;
    let BoundOptions { instance, wide, .. } = *adapter.to(phase);
    adapter.set_may_leave(instance, true);
    Ok(pointer(adapter.thread.stack[base], wide))
}

/// Leaves what waits for its room as the cursors that the adapter would have left.
#[cold]
fn wait(adapter: &mut Adapter, place: Place, room: u32, [ptr, len]: [u64; 2]) -> Result<(), Error> {
    let Place { row, param, out } = place;
    let tables = &adapter.inner.trees[adapter.tree as usize].tables;
    let cursors = &mut adapter.thread.cursors;
    cursors.try_reserve(2).map_err(OutOfMemory::from)?;
    let flat = param.is_some();
    if let Some(param) = param {
        let ty: TypeId = adapter.bound.params;
        let record = tables.ty(ty);
        // The only parameter crosses without a record around it.
        if record.b > 1 {
            cursors.push(fields_from(
                param + 1,
                (ty, record),
                true,
                (out + 2, out + 2),
            ));
        }
    }
    let src = ptr as usize;
    cursors.push(match row.kind {
        TypeKind::String => {
            let (form, bytes) = (Form::Utf8, room);
            let (transcode, _) = Transcode::start(Source { form, bytes }, Encoding::Utf8);
            waiting_string(&transcode, flat, src, out)
        }
        _ => waiting_list(row, (len as u32, room), flat, src, out),
    });
    Ok(())
}
