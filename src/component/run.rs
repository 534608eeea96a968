//! What happens when a guest calls a function that the component runtime provides.
//!
//! Run time. The machine hands such calls to [`serve`]: built-ins of resources, functions of the
//! host, and calls into other components. The last go through an *adapter*: a [`NativeFrame`] in the
//! thread says how far the call has come, the guest functions that it needs (`realloc`, the callee,
//! `post-return`) are ordinary frames on the thread's stack, and values cross as `abi::cross` says.
//! So a call through any number of components costs no native stack and no allocation, and can stop
//! wherever a guest function is entered.
//!
//! The order of an adapter's steps is the specification's: parameters cross, the callee runs, the result
//! crosses, borrows must be gone, `post-return` runs, what was lent comes back. (Borrows are to be gone after
//! the result is lifted and before it is lowered, which are one step here: what the caller's `realloc` does in
//! between, nobody can see after a trap.)

mod straight;

use super::abi::cross::{Crossing, Parts};
use super::abi::{aligned, bytes_cost, pointer, range};
use super::error_context;
use super::instance::origin;
use crate::error::{Error, OutOfMemory, Result, Trap};
use crate::fallible::Grow;
use crate::machine::driver;
use crate::machine::{CallSlots, NATIVE_ARGS, Thread};
use crate::store::components::*;
use crate::store::handles::Dropped;
use crate::store::{Callee, StoreInner};
use crate::tables::{TrampolineId, TrampolineKind, TypeId, TypeRow};
use crate::wasm::exec::{self, Held, Imported, Natives, Served};
use crate::wasm::{
    AsyncClosure, AsyncDtor, HostDtor, ImportCall, NativeClosure, Store, StoreContextMut,
};
use alloc::vec::Vec;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use straight::Stop;

/// What calls need of this room.
pub(super) fn natives<T: 'static>() -> Natives<T> {
    Natives { serve, import }
}

/// Serves a call of a trampoline.
fn serve<T: 'static>(
    store: &mut Store<T>,
    thread: &mut Thread,
    (tree, index): (u32, u32),
    held: &mut Held<T>,
) -> Result<Served> {
    let bound = store.inner.trees[tree as usize].trampolines[index as usize];
    let (returned, slots) = (thread.call()?.returned(), thread.call()?.slots());
    let fresh = returned.is_none();
    let leaves = bound.kind != TrampolineKind::ResourceRep;
    if fresh && leaves && !store.inner.components[bound.instance as usize].may_leave {
        return Err(Trap::CannotLeaveComponent.into());
    }
    match bound.kind {
        TrampolineKind::Adapter => adapter(&mut store.inner, thread, (tree, &bound)),
        TrampolineKind::Lower => match import(store, thread, (tree, index), slots, held) {
            Imported::Returned => Ok(Served::Returned),
            Imported::Awaited => Ok(Served::Awaited),
            Imported::Failed(error) => Err(error),
        },
        TrampolineKind::ResourceNew => {
            let rep = thread.stack[slots.at()] as u32;
            let handles = &mut store.inner.handles[bound.instance as usize];
            let index = handles.insert_own(bound.resource, rep)?;
            thread.stack[slots.at()] = index.into();
            Ok(Served::Returned)
        }
        TrampolineKind::ResourceRep => {
            let index = thread.stack[slots.at()] as u32;
            let handles = &mut store.inner.handles[bound.instance as usize];
            thread.stack[slots.at()] = handles.rep(index, bound.resource)?.into();
            Ok(Served::Returned)
        }
        TrampolineKind::ResourceDrop if !fresh => {
            thread.natives.pop();
            Ok(Served::Returned)
        }
        TrampolineKind::ResourceDrop => resource_drop(store, thread, slots, (tree, index), &bound),
        TrampolineKind::ErrorContextNew => {
            let message = two(thread, slots);
            let index = error_context::new(store, tree, &bound, message)?;
            thread.stack[slots.at()] = index.into();
            Ok(Served::Returned)
        }
        TrampolineKind::ErrorContextMessage => {
            let arguments = two(thread, slots);
            error_context::debug_message(store, tree, &bound, arguments)?;
            Ok(Served::Returned)
        }
        TrampolineKind::ErrorContextDrop => {
            let index = thread.stack[slots.at()] as u32;
            let inner = &mut store.inner;
            let id = inner.handles[bound.instance as usize].drop_error_context(index)?;
            inner.release_error_context(id);
            Ok(Served::Returned)
        }
    }
}

/// The two arguments of a built-in.
fn two(thread: &Thread, slots: CallSlots) -> [u64; 2] {
    [0, 1].map(|at| thread.stack[slots.at() + at])
}

/// Calls a function of the host, unless it is an asynchronous one.
fn import<T: 'static>(
    store: &mut Store<T>,
    thread: &mut Thread,
    (tree, index): (u32, u32),
    slots: CallSlots,
    held: &mut Held<T>,
) -> Imported {
    let inner = &store.inner;
    let bound = &inner.trees[tree as usize].trampolines[index as usize];
    if !inner.components[bound.instance as usize].may_leave {
        return Imported::Failed(Trap::CannotLeaveComponent.into());
    }
    let (lends, target) = (bound.lends, bound.target as usize);
    let call = ImportCall::new(tree, bound, slots);
    let closures = match held {
        Some((of, closures)) if *of == tree => closures,
        _ => {
            let closures = store.component_hosts[tree as usize].clone();
            &mut held.insert((tree, closures)).1
        }
    };
    let NativeClosure::Sync(closure) = &closures[target] else {
        return Imported::Awaited;
    };
    let mark = match store.inner.enter_host_call(lends) {
        Ok(mark) => mark,
        Err(error) => return Imported::Failed(error.into()),
    };
    let kept = store.inner.exceptions.enter_host();
    let result = closure(store, thread, &call);
    store.inner.exceptions.leave_host(kept);
    store.inner.leave_host_call(mark);
    match result.and_then(|()| unlocked(&store.inner, tree)) {
        Ok(()) => Imported::Returned,
        Err(error) => Imported::Failed(error),
    }
}

/// After a call of a host function: an error if the host swallowed the trap of a call that it made into
/// the same tree.
#[inline]
fn unlocked(inner: &StoreInner, tree: u32) -> Result<()> {
    if inner.trees[tree as usize].locked {
        return Err(Trap::CannotEnterComponent.into());
    }
    Ok(())
}

/// Calls an asynchronous function or destructor of the host and awaits it; then the thread can go on.
pub(super) async fn await_host<T: 'static>(
    store: &mut Store<T>,
    thread: &mut Thread,
) -> Result<()> {
    let slots = thread.call()?.slots();
    let Callee::Native { tree, index } = thread.call()?.callee() else {
        return Err(Trap::UnreachableCodeReached.into());
    };
    let bound = store.inner.trees[tree as usize].trampolines[index as usize];
    let depth = store.depth.clone();
    let waiting = waiting(store, tree, index)?;
    let mark = store.inner.enter_host_call(bound.lends)?;
    let result = match waiting {
        Waiting::Func(closure) => {
            let call = ImportCall::new(tree, &bound, slots);
            depth.within(closure(store, thread, call)).await
        }
        Waiting::Dtor(dtor) => {
            let rep = thread.stack[slots.at()] as u32;
            depth.within(dtor(StoreContextMut(store), rep)).await
        }
    };
    store.inner.leave_host_call(mark);
    result.map_err(|error| exec::trapped(store, thread, error))?;
    unlocked(&store.inner, tree)?;
    thread.host_returned();
    Ok(())
}

/// What of the host a guest waits for.
enum Waiting<T: 'static> {
    Func(AsyncClosure<T>),
    Dtor(AsyncDtor<T>),
}

fn waiting<T: 'static>(store: &Store<T>, tree: u32, index: u32) -> Result<Waiting<T>> {
    let bound = &store.inner.trees[tree as usize].trampolines[index as usize];
    if bound.kind == TrampolineKind::ResourceDrop {
        if let HostDtor::Async(dtor) = host_dtor(store, tree, index)? {
            return Ok(Waiting::Dtor(dtor));
        }
    } else if let NativeClosure::Async(closure) =
        &store.component_hosts[tree as usize][bound.target as usize]
    {
        return Ok(Waiting::Func(closure.clone()));
    }
    Err(Trap::UnreachableCodeReached.into())
}

/// As [`await_host`], for a call that can't wait: the function has to be done at once.
pub(super) fn call_host_now<T: 'static>(store: &mut Store<T>, thread: &mut Thread) -> Result<()> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(await_host(store, thread)).poll(&mut context) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(exec::pending()),
    }
}

/// `resource.drop`: an owned handle's destructor runs as a call into the instance that defines it.
fn resource_drop<T: 'static>(
    store: &mut Store<T>,
    thread: &mut Thread,
    slots: CallSlots,
    (tree, index): (u32, u32),
    bound: &BoundTrampoline,
) -> Result<Served> {
    let inner = &mut store.inner;
    let handle = thread.stack[slots.at()] as u32;
    let tag = bound.resource;
    let rep = match inner.handles[bound.instance as usize].drop_handle(handle, tag)? {
        Dropped::Borrow { scope } => {
            inner.scopes.borrow_dropped(scope);
            return Ok(Served::Returned);
        }
        Dropped::Own { rep } => rep,
    };
    if tag.host_number().is_some() {
        return match host_dtor(store, tree, index)? {
            HostDtor::Sync(dtor) => {
                let mark = store.inner.enter_host_call(false)?;
                let kept = store.inner.exceptions.enter_host();
                let result = dtor(StoreContextMut(store), rep);
                store.inner.exceptions.leave_host(kept);
                store.inner.leave_host_call(mark);
                result?;
                unlocked(&store.inner, tree)?;
                Ok(Served::Returned)
            }
            HostDtor::Async(_) => {
                // The handle is gone; what it stood for is what `await_host` passes on.
                thread.stack[slots.at()] = rep.into();
                Ok(Served::Awaited)
            }
        };
    }
    let dtor = inner.dtor(tag);
    if dtor == NONE {
        return Ok(Served::Returned);
    }
    let base = slots.end();
    enter_native(thread, Phase::Dtor, base)?;
    thread.native_slots(inner, base, NATIVE_ARGS + 1)?;
    thread.stack[base + NATIVE_ARGS] = rep.into();
    if let Some(event) = driver::call_guest(inner, thread, dtor, base)? {
        return Ok(Served::Ran(event));
    }
    thread.natives.pop();
    Ok(Served::Returned)
}

/// What runs when a guest drops a resource of the host through this trampoline. Each instance's own:
/// instances of one store may come from different linkers.
fn host_dtor<T: 'static>(store: &Store<T>, tree: u32, index: u32) -> Result<HostDtor<T>> {
    let tables = &store.inner.trees[tree as usize].tables;
    let resource = tables.trampoline(TrampolineId(index)).resource;
    let dtor = origin(store, tree).dtor(resource).cloned();
    dtor.ok_or_else(|| Trap::UnreachableCodeReached.into())
}

#[inline]
fn enter_native(thread: &mut Thread, phase: Phase, base: usize) -> Result<()> {
    thread.natives.try_push(NativeFrame {
        phase,
        base: base as u32,
        cursors: thread.cursors.len() as u32,
        asked: false,
        result: 0,
        scope: false,
    })?;
    Ok(())
}

/// A call into another component: begins it or goes on with it.
fn adapter(
    inner: &mut StoreInner,
    thread: &mut Thread,
    (tree, bound): (u32, &BoundTrampoline),
) -> Result<Served> {
    let call = thread.call()?;
    let (slots, returned) = (call.slots(), call.returned());
    let options = &inner.trees[tree as usize].options;
    let mut adapter = Adapter {
        caller: options[bound.caller as usize],
        callee: options[bound.callee as usize],
        inner,
        thread,
        slots,
        tree,
        bound,
    };
    let mut step = match returned {
        None if bound.straight => return adapter.straight(),
        None => adapter.begin()?,
        Some(at) => Step::Called(at),
    };
    loop {
        step = match step {
            Step::Cross(moving) => adapter.cross(moving)?,
            Step::Ask(request) => adapter.ask(request)?,
            Step::Call(entity, base) => {
                match driver::call_guest(adapter.inner, adapter.thread, entity, base)? {
                    None => Step::Called(base),
                    Some(event) => return Ok(Served::Ran(event)),
                }
            }
            Step::Called(at) => adapter.called(at)?,
            Step::Crossed => adapter.post_return()?,
            Step::End => break,
        };
    }
    adapter.end()
}

/// What an adapter does next.
enum Step {
    /// A value crosses: this one, or what crosses already and has got the room that it asked for.
    Cross(Moving),
    /// What crosses needs room: `realloc` is called.
    Ask(Request),
    /// This guest function is called, above this place.
    Call(u32, usize),
    /// A guest function has returned to this place.
    Called(usize),
    /// The result has crossed.
    Crossed,
    End,
}

/// How a crossing goes on.
#[derive(Clone, Copy)]
enum Moving {
    /// It begins, with what lies in flat slots.
    Flat,
    /// It begins, with what lies at the first address and goes to the second; their ranges are checked.
    Memory(usize, usize),
    /// There is room at this address, unchecked.
    Room(u64),
}

struct Adapter<'a> {
    inner: &'a mut StoreInner,
    thread: &'a mut Thread,
    slots: CallSlots,
    tree: u32,
    bound: &'a BoundTrampoline,
    caller: BoundOptions,
    callee: BoundOptions,
}

impl Adapter<'_> {
    #[inline]
    fn frame(&mut self) -> Result<&mut NativeFrame> {
        let lost = || Error::from(Trap::UnreachableCodeReached);
        self.thread.natives.last_mut().ok_or_else(lost)
    }

    /// Makes the state of the call and the room that it needs above `base`.
    #[inline]
    fn open(&mut self, base: usize) -> Result<()> {
        enter_native(self.thread, Phase::Params, base)?;
        let slots = usize::from(self.bound.callee_params.max(self.bound.callee_results));
        self.thread
            .native_slots(self.inner, base, 2 * NATIVE_ARGS + slots + 4)?;
        if self.bound.lends {
            self.inner.scopes.enter()?;
            self.frame()?.scope = true;
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<Step> {
        self.open(self.slots.end())?;
        if self.bound.params_in_memory {
            let source = self.thread.stack[self.slots.at()];
            self.area(source, &self.caller, self.bound.params)?;
            self.frame()?.phase = Phase::ParamsArea;
            let row = self.row(self.callee_type(self.bound.params));
            return Ok(Step::Ask(Request::new(0, 0, row.align.into(), row.size)));
        }
        self.snapshot(self.bound.params)?;
        Ok(Step::Cross(Moving::Flat))
    }

    /// As [`begin`](Self::begin) and all that follows, until something happens that a room above must see.
    fn straight(mut self) -> Result<Served> {
        match straight::call(&mut self) {
            Ok(()) => self.end(),
            Err(Stop::Ran(event)) => Ok(Served::Ran(event)),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// The guest function that it called has returned.
    fn called(&mut self, returned: usize) -> Result<Step> {
        let result = self.thread.stack[returned];
        let frame = self.frame()?;
        let phase = frame.phase;
        if core::mem::take(&mut frame.asked) {
            let BoundOptions { instance, wide, .. } = *self.to(phase);
            self.set_may_leave(instance, true);
            return match phase {
                Phase::ParamsArea => self.params_area(result),
                _ => Ok(Step::Cross(Moving::Room(pointer(result, wide)))),
            };
        }
        match phase {
            Phase::Callee => self.returned(result),
            _ => {
                // `post-return` is done.
                self.set_may_leave(self.callee.instance, true);
                Ok(Step::End)
            }
        }
    }

    /// There is room for the record of parameters.
    fn params_area(&mut self, room: u64) -> Result<Step> {
        let passed = self.callee_type(self.bound.params);
        let room = self.area(room, &self.callee, passed)?;
        let source = self.thread.stack[self.slots.at()];
        let source = self.area(source, &self.caller, self.bound.params)?;
        let frame = self.frame()?;
        frame.phase = Phase::Params;
        let arguments = frame.base as usize + NATIVE_ARGS;
        self.thread.stack[arguments] = room as u64;
        self.snapshot(self.bound.params)?;
        Ok(Step::Cross(Moving::Memory(source, room)))
    }

    fn row(&self, ty: TypeId) -> TypeRow {
        self.inner.trees[self.tree as usize].tables.ty(ty)
    }

    /// A type of the caller's, as it is on the side of the callee.
    fn callee_type(&self, ty: TypeId) -> TypeId {
        match self.bound.mixed {
            true => self.inner.trees[self.tree as usize].tables.twin(ty),
            false => ty,
        }
    }

    /// The address in a slot, at which a value of the type lies in a side's memory: that is checked.
    fn area(&self, slot: u64, side: &BoundOptions, ty: TypeId) -> Result<usize> {
        let row = self.row(ty);
        let bytes: &[u8] = match side.memory {
            NONE => &[],
            memory => &self.inner.memories[memory as usize].bytes,
        };
        let ptr = pointer(slot, side.wide);
        if !aligned(ptr, row.align.into()) {
            return Err(Trap::UnalignedPointer.into());
        }
        match range(bytes, ptr, row.size.into()) {
            Some(_) => Ok(ptr as usize),
            None => Err(Trap::PointerOutOfBounds.into()),
        }
    }

    /// Where both sides share a memory, `realloc` could change what has not been read yet: the source
    /// is then a copy.
    #[inline]
    fn snapshot(&mut self, ty: TypeId) -> Result<()> {
        if !self.bound.same_memory || ty.some().is_none() {
            return Ok(());
        }
        self.copy_memory()
    }

    #[cold]
    fn copy_memory(&mut self) -> Result<()> {
        let memory = self.caller.memory as usize;
        let StoreInner {
            memories, snapshot, ..
        } = &mut *self.inner;
        let Some(memory) = memories.get(memory) else {
            return Ok(());
        };
        snapshot.clear();
        let room = snapshot.try_reserve_exact(memory.bytes.len());
        room.map_err(OutOfMemory::from)?;
        snapshot.extend_from_slice(&memory.bytes);
        let cost = bytes_cost(snapshot.len() as u64);
        self.inner.spend(cost);
        Ok(())
    }

    fn set_may_leave(&mut self, instance: u32, may: bool) {
        self.inner.components[instance as usize].may_leave = may;
    }

    /// The side that values cross to.
    fn to(&self, phase: Phase) -> &BoundOptions {
        match phase {
            Phase::Result => &self.caller,
            _ => &self.callee,
        }
    }

    /// Has that side's `realloc` run; it can't leave its instance meanwhile.
    fn ask(&mut self, request: Request) -> Result<Step> {
        let kept = usize::from(self.bound.callee_params.max(1));
        let frame = self.frame()?;
        frame.asked = true;
        let phase = frame.phase;
        let base = frame.base as usize + NATIVE_ARGS + kept;
        self.thread
            .native_slots(self.inner, base, NATIVE_ARGS + 4)?;
        let at = base + NATIVE_ARGS;
        self.thread.stack[at..at + 4].copy_from_slice(&request.arguments());
        let BoundOptions {
            instance, realloc, ..
        } = *self.to(phase);
        if realloc == NONE {
            return Err(Trap::UnreachableCodeReached.into());
        }
        self.set_may_leave(instance, false);
        Ok(Step::Call(realloc, base))
    }

    /// Begins a crossing or goes on with one, and with what follows it.
    fn cross(&mut self, moving: Moving) -> Result<Step> {
        let NativeFrame {
            base,
            cursors,
            phase,
            ..
        } = *self.frame()?;
        let (base, back) = (base as usize, phase == Phase::Result);
        let (from, to) = match back {
            true => (&self.callee, &self.caller),
            false => (&self.caller, &self.callee),
        };
        let (ty, src_slots, dst_slots) = match back {
            true => (self.callee_type(self.bound.result), base, self.slots.at()),
            false => (self.bound.params, self.slots.at(), base + NATIVE_ARGS),
        };
        let StoreInner {
            trees,
            memories,
            handles,
            scopes,
            error_contexts,
            guest_resources,
            snapshot,
            limits,
            ..
        } = &mut *self.inner;
        let tree = &trees[self.tree as usize];
        let mut none = [];
        let (src, dst): (&[u8], &mut [u8]) = match (from.memory, to.memory) {
            (a, b) if a == b && a != NONE => (snapshot, &mut memories[b as usize].bytes),
            (NONE, NONE) => (&[], &mut none),
            (a, NONE) => (&memories[a as usize].bytes, &mut none),
            (NONE, b) => (&[], &mut memories[b as usize].bytes),
            (a, b) => {
                let both = memories.get_disjoint_mut([a as usize, b as usize]);
                let [a, b] = both.map_err(|_| Trap::UnreachableCodeReached)?;
                (&a.bytes, &mut b.bytes)
            }
        };
        let parts = Parts {
            tables: &tree.tables,
            resources: &tree.resources,
            guest_resources,
            handles,
            scopes,
            error_contexts,
            string_bytes: limits.string_bytes,
        };
        let mut crossing = Crossing::new(
            parts,
            (from, to),
            (src, dst),
            &mut self.thread.stack,
            (src_slots, dst_slots),
            (&mut self.thread.cursors, cursors as usize),
        );
        let request = match moving {
            Moving::Flat => crossing.begin(ty, true, 0, 0)?,
            Moving::Memory(src, dst) => crossing.begin(ty, false, src, dst)?,
            Moving::Room(room) => crossing.resume(room)?,
        };
        let cost = crossing.cost;
        self.inner.spend(cost);
        match request {
            Some(request) => Ok(Step::Ask(request)),
            None if back => Ok(Step::Crossed),
            None => {
                self.release_snapshot();
                self.frame()?.phase = Phase::Callee;
                Ok(Step::Call(self.bound.target, base))
            }
        }
    }

    fn release_snapshot(&mut self) {
        if self.bound.same_memory {
            self.inner.snapshot = Vec::new();
        }
    }

    /// The callee has returned: its result crosses back.
    fn returned(&mut self, result: u64) -> Result<Step> {
        let frame = self.frame()?;
        let base = frame.base as usize;
        frame.result = result;
        frame.phase = Phase::Result;
        let Some(ty) = self.bound.result.some() else {
            return Ok(Step::Crossed);
        };
        self.snapshot(ty)?;
        if !self.bound.result_in_memory {
            self.thread.stack[base] = result;
            return Ok(Step::Cross(Moving::Flat));
        }
        let dst = self.thread.stack[self.slots.given().end - 1];
        let src = self.area(result, &self.callee, self.callee_type(ty))?;
        let dst = self.area(dst, &self.caller, ty)?;
        Ok(Step::Cross(Moving::Memory(src, dst)))
    }

    /// Sees that the callee has dropped what was lent to it, and lets it clean up, which can't leave its
    /// instance meanwhile.
    fn post_return(&mut self) -> Result<Step> {
        self.release_snapshot();
        if self.frame()?.scope {
            self.inner.scopes.check_return()?;
        }
        if self.callee.post_return == NONE {
            return Ok(Step::End);
        }
        let frame = self.frame()?;
        frame.phase = Phase::PostReturn;
        let (base, result) = (frame.base as usize, frame.result);
        self.thread.stack[base + NATIVE_ARGS] = result;
        self.set_may_leave(self.callee.instance, false);
        Ok(Step::Call(self.callee.post_return, base))
    }

    fn end(&mut self) -> Result<Served> {
        if self.frame()?.scope {
            let StoreInner {
                scopes, handles, ..
            } = &mut *self.inner;
            scopes.exit(handles);
        }
        self.thread.natives.pop();
        Ok(Served::Returned)
    }
}
