//! The work behind an exit: calls that leave an instance, bulk operations, growth, entering functions.
//!
//! [`resume`] runs a thread until something happens that a room above must see. It assumes code
//! that `code::verify` accepts and guarantees that a suspended thread is described by its stack,
//! `sp` and `ip` alone.

use super::dispatch;
use super::far::{self, Far, Import, far_return};
use super::regs::{Ctx, Exit, Regs, Saved};
use super::thread::{Coming, Entry, Thread, callee_of, entry_of};
use super::unwind;
use crate::code::module::MemoryType;
use crate::code::{self, HEADER_WORDS, a_of, b_of, bc_of, c_of, op, op_of, word};
use crate::error::{OutOfMemory, Trap};
use crate::fallible::Grow;
use crate::store::{FuncEntity, FuncKind, StoreInner};
use alloc::vec::Vec;

/// What a resumed thread stopped at.
#[derive(Debug)]
pub(crate) enum Event {
    /// The call that started it has returned.
    Done,
    /// Fuel is used up; resume when there is more.
    OutOfFuel,
    /// `Thread::call` is to be called; then `Thread::host_returned` and resume.
    HostCall,
    /// A function of the host's is to be called; then [`after_import`], or `Thread::await_import`.
    Import(Import),
    /// A function must be validated or translated; then resume.
    Translate { instance: u32, func: u32 },
    /// A memory or table is to grow and the embedder must be asked; then [`grown`] and resume.
    Grow(Growth),
    /// An exception that nothing has caught: the store's uncaught one.
    Thrown,
    /// The thread can't go on.
    Trap(Trap),
}

/// A growth of a memory or table that isn't done yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    /// By pages.
    Memory { id: u32, delta: u64 },
    /// By elements.
    Table { id: u32, delta: u64 },
}

static HALT: u64 = word(op::Halt, 0, 0, 0).to_le();
static NATIVE: u64 = word(op::Halt, 0, 0, 0).to_le();
static FAR_RETURN: u64 = word(op::FarReturn, 0, 0, 0).to_le();

/// The return address of a base frame.
pub(super) fn halt_address() -> u64 {
    &raw const HALT as usize as u64
}
/// The return address of a guest function that a native call called.
pub(super) fn native_address() -> u64 {
    &raw const NATIVE as usize as u64
}
pub(super) fn far_address() -> u64 {
    &raw const FAR_RETURN as usize as u64
}

/// Runs `thread` until an event.
pub(crate) fn resume(store: &mut StoreInner, thread: &mut Thread) -> Event {
    if !thread.awaits() && begins(store, thread) {
        let reason = run(store, thread);
        if reason == Exit::Halt as u32 && !core::ptr::eq(thread.regs.ip, &raw const NATIVE) {
            return Event::Done;
        }
        return go_on(store, thread, Some(reason));
    }
    go_on(store, thread, None)
}

/// Goes on after the call that [`Event::Import`] told of: nothing else can have been changed that [`resume`] looks at.
///
/// The next such call is told apart from other events: it is what happens next, mostly.
#[inline(always)]
pub(crate) fn after_import(
    store: &mut StoreInner,
    thread: &mut Thread,
    import: Import,
    entered: &mut Entered,
) -> Result<Import, Event> {
    thread.import_returned(import.slots);
    if entered.ctx.instance != thread.instance {
        *entered = Entered::new(store, thread);
    }
    let reason = entered.run(store, thread);
    if reason == Exit::Slow as u32
        && let Ok(Some(import)) = far::import(store, thread)
    {
        return Ok(import);
    }
    Err(go_on(store, thread, Some(reason)))
}

/// Lets the native call that is awaited call a guest function, as [`Thread::call_guest`] does, and runs
/// it: to its end, mostly, and then there is nothing to tell. Else an event, as of [`resume`].
pub(crate) fn call_guest(
    store: &mut StoreInner,
    thread: &mut Thread,
    entity: u32,
    base: usize,
) -> Result<Option<Event>, Trap> {
    thread.call_guest(store, entity, base)?;
    if !thread.awaits() && begins(store, thread) {
        let reason = run(store, thread);
        if reason == Exit::Halt as u32 && core::ptr::eq(thread.regs.ip, &raw const NATIVE) {
            thread.native_returned();
            return Ok(None);
        }
        return Ok(Some(go_on(store, thread, Some(reason))));
    }
    Ok(Some(go_on(store, thread, None)))
}

/// Whether a function has just been entered and has fuel to begin: it is to run then.
#[inline]
fn begins(store: &StoreInner, thread: &mut Thread) -> bool {
    let entered = matches!(thread.entry, Coming::Entered) && !(store.fuel_on && store.fuel < 0);
    if entered {
        thread.entry = Coming::Nothing;
    }
    entered
}

/// Runs a thread until an event; if it has left the machine, this is why.
fn go_on(store: &mut StoreInner, thread: &mut Thread, mut left: Option<u32>) -> Event {
    loop {
        let reason = match left.take() {
            Some(reason) => reason,
            None => match ready(store, thread) {
                Ok(true) => run(store, thread),
                Ok(false) => continue,
                Err(event) => return event,
            },
        };
        let outcome = match reason {
            0 if core::ptr::eq(thread.regs.ip, &raw const NATIVE) => {
                thread.native_returned();
                return Event::HostCall;
            }
            0 => return Event::Done,
            1 => {
                // SAFETY: the machine is left at the start of an instruction.
                let word = u64::from_le(unsafe { *thread.regs.ip });
                let far = match op_of(word) {
                    op::CallImport => far::call(store, thread, word),
                    op::Throw | op::ThrowRef => match unwind::throw(store, thread, word) {
                        Ok(true) => Far::Entered,
                        Ok(false) => return Event::Thrown,
                        Err(trap) => Far::Trap(trap),
                    },
                    _ => Far::Unusual,
                };
                match far {
                    Far::Entered => continue,
                    Far::Awaited => return Event::HostCall,
                    Far::Import(import) => return Event::Import(import),
                    Far::OutOfFuel => return Event::OutOfFuel,
                    Far::Unusual => match awaited_growth(store, thread) {
                        Some(growth) => return Event::Grow(growth),
                        None => slow(store, thread),
                    },
                    Far::Trap(trap) => Err(trap),
                }
            }
            2 => return Event::OutOfFuel,
            3 => far_return(thread),
            trap => Err(Trap::from_code((trap - Exit::Trap as u32) as u16)),
        };
        match outcome {
            Ok(()) => {}
            // A bulk operation that there isn't enough for yet: it starts when there is.
            Err(Trap::OutOfFuel) => return Event::OutOfFuel,
            Err(trap) => return Event::Trap(trap),
        }
    }
}

/// Does what is to be done before the machine is entered; `false` if there may be more. An event where
/// it can't be entered.
fn ready(store: &mut StoreInner, thread: &mut Thread) -> Result<bool, Event> {
    if thread.awaits() {
        return Err(Event::HostCall);
    }
    if let Coming::Func(entry) = thread.entry {
        match enter(store, thread, entry) {
            Ok(true) => thread.entry = Coming::Entered,
            Ok(false) => {
                return Err(Event::Translate {
                    instance: entry.instance,
                    func: entry.func,
                });
            }
            Err(trap) => return Err(Event::Trap(trap)),
        }
    }
    if let Coming::Entered = thread.entry {
        thread.entry = Coming::Nothing;
        if store.fuel_on && store.fuel < 0 {
            return Err(Event::OutOfFuel);
        }
    }
    if core::ptr::eq(thread.regs.ip, &raw const NATIVE) {
        thread.native_returned();
        return Ok(false);
    }
    if core::ptr::eq(thread.regs.ip, &raw const FAR_RETURN) {
        return far_return(thread).map(|()| false).map_err(Event::Trap);
    }
    if core::ptr::eq(thread.regs.ip, &raw const HALT) {
        // A host function that the embedder called; no instance runs.
        return Err(Event::Done);
    }
    Ok(true)
}

/// Enters a function whose arguments and linkage are in place, or leaves it to [`resume`] where that takes
/// more than this.
#[inline(always)]
pub(super) fn enter_soon(store: &mut StoreInner, thread: &mut Thread, entry: Entry) {
    thread.entry = match enter(store, thread, entry) {
        Ok(true) => Coming::Entered,
        _ => Coming::Func(entry),
    };
}

/// Completes a call whose arguments and linkage are in place; `false`, and nothing is done, if the
/// function is not translated.
#[inline(always)]
fn enter(store: &mut StoreInner, thread: &mut Thread, entry: Entry) -> Result<bool, Trap> {
    let module = &store.instances[entry.instance as usize].module;
    let Some(code) = module.funcs[entry.func as usize].code.get() else {
        return Ok(false);
    };
    let Some((&[header, facts], body)) = code.split_first_chunk::<HEADER_WORDS>() else {
        return Err(Trap::UnreachableCodeReached);
    };
    let (header, facts, ip) = (u64::from_le(header), u64::from_le(facts), body.as_ptr());
    thread.reserve(thread.sp + usize::from(header as u16), store)?;
    let link = thread.stack[thread.sp - 1] & 0xffff_ffff;
    thread.stack[thread.sp - 1] = link | u64::from(entry.func) << 32;
    thread.instance = entry.instance;
    thread.regs.ip = ip;
    if store.fuel_on {
        store.fuel -= i64::from(facts as u32);
    }
    Ok(true)
}

/// Enters the machine.
fn run(store: &mut StoreInner, thread: &mut Thread) -> u32 {
    Entered::new(store, thread).run(store, thread)
}

/// The running instance as the machine sees it. Most of that is the same at each entry, so it is kept over calls
/// of the host.
pub(crate) struct Entered {
    /// What else than the instance's own is in it is only right while the machine runs.
    ctx: Ctx,
    /// Memory 0 of the instance, if it has one.
    memory: Option<u32>,
    arena: u32,
}

impl Entered {
    /// Of the instance that the thread is in.
    #[inline(always)]
    pub fn new(store: &StoreInner, thread: &Thread) -> Entered {
        // What is pointed at here stays where it is: an instance's lists and its module don't change once it
        // is made, and live as long as the store.
        let instance = &store.instances[thread.instance as usize];
        let memory32 = |ty: &MemoryType| !ty.memory64;
        let ctx = Ctx {
            mem_len: 0,
            fuel: 0,
            stack_end: core::ptr::null_mut(),
            funcs: instance.module.funcs.as_ptr(),
            cells: core::ptr::null_mut(),
            globals: instance.globals.as_ptr(),
            memories: core::ptr::null_mut(),
            memory_ids: instance.memories.as_ptr(),
            tables: core::ptr::null_mut(),
            table_ids: instance.tables.as_ptr(),
            arena: core::ptr::null(),
            arena_len: 0,
            type_ids: instance.module.type_ids.as_ptr(),
            instance: thread.instance,
            imported_funcs: instance.module.imported_funcs,
            fuel_on: store.fuel_on,
            memory32: instance.module.memories.first().is_some_and(memory32),
            saved: core::ptr::null_mut(),
        };
        Entered {
            ctx,
            memory: instance.memories.first().copied(),
            arena: instance.arena,
        }
    }

    /// Enters the machine.
    #[inline(always)]
    fn run(&mut self, store: &mut StoreInner, thread: &mut Thread) -> u32 {
        let ctx = &mut self.ctx;
        let stack = thread.stack.as_mut_ptr();
        let mut mem = core::ptr::NonNull::dangling().as_ptr();
        if let Some(id) = self.memory {
            let bytes = &mut store.memories[id as usize].bytes;
            mem = bytes.as_mut_ptr();
            ctx.mem_len = bytes.len();
        }
        let arena = &store.arenas[self.arena as usize].funcs;
        ctx.arena = arena.as_ptr();
        ctx.arena_len = arena.len();
        ctx.fuel = store.fuel;
        ctx.stack_end = stack.wrapping_add(thread.stack.len());
        ctx.cells = store.globals.as_mut_ptr();
        ctx.memories = store.memories.as_mut_ptr();
        ctx.tables = store.tables.as_mut_ptr();
        ctx.saved = &raw mut thread.regs;
        let Saved {
            ip, r0, r1, s0, d0, ..
        } = thread.regs;
        let sp = stack.wrapping_add(thread.sp);
        let regs = Regs {
            ctx: &raw mut *ctx,
            ip,
            sp,
            mem,
            r0,
            r1,
            s0,
            d0,
        };
        #[cfg(feature = "stats")]
        let reason = match store.counts.single.is_empty() {
            true => dispatch::run(regs),
            false => dispatch::counted(regs, &mut store.counts),
        };
        #[cfg(not(feature = "stats"))]
        let reason = dispatch::run(regs);
        thread.sp = (thread.regs.sp as usize - stack as usize) / 8;
        store.fuel = ctx.fuel;
        reason
    }
}

/// How a call reaches its callee.
enum Style {
    /// The callee's slot 0 is this many slots above the caller's.
    Call { shift: u16, words: usize },
    /// The callee takes the frame's place; its arguments begin at this slot.
    Tail { start: u16 },
}

/// Does the instruction at `ip`, which its handler left to us.
fn slow(store: &mut StoreInner, thread: &mut Thread) -> Result<(), Trap> {
    // SAFETY: `ip` is the start of an instruction of translated code, and extension words belong to
    // the instructions that have them.
    let (first, ext) = unsafe {
        let first = u64::from_le(*thread.regs.ip);
        let has_ext = code::info(op_of(first))
            .is_some_and(|info| code::operands::length(&info.operands, first) > 1);
        (
            first,
            if has_ext {
                u64::from_le(*thread.regs.ip.add(1))
            } else {
                0
            },
        )
    };
    let (a, b, c, bc) = (a_of(first), b_of(first), c_of(first), bc_of(first));
    let own = thread.instance;
    let imported = store.instances[own as usize].module.imported_funcs;
    match op_of(first) {
        op::Call | op::CallCharge => {
            let kind = FuncKind::Wasm {
                instance: own,
                func: bc + imported,
            };
            call(
                store,
                thread,
                kind,
                bc + imported,
                Style::Call { shift: a, words: 1 },
            )
        }
        op::ReturnCall | op::ReturnCallCharge => {
            let kind = FuncKind::Wasm {
                instance: own,
                func: bc + imported,
            };
            call(store, thread, kind, bc + imported, Style::Tail { start: a })
        }
        op::CallImport | op::ReturnCallImport => {
            let kind = store.funcs[store.instances[own as usize].funcs[bc as usize] as usize].kind;
            let style = match op_of(first) {
                op::CallImport => Style::Call { shift: a, words: 1 },
                _ => Style::Tail { start: a },
            };
            call(store, thread, kind, bc, style)
        }
        op::CallIndirect | op::CallIndirectR | op::ReturnCallIndirect => {
            let index = match op_of(first) {
                op::CallIndirectR => thread.regs.r0,
                _ => thread.stack[thread.sp + usize::from(b)],
            };
            let entity = indirect_target(store, own, c, index as u32, ext as u32)?;
            let style = match op_of(first) {
                op::ReturnCallIndirect => Style::Tail { start: a },
                _ => Style::Call { shift: a, words: 2 },
            };
            call_entity(store, thread, entity, style)
        }
        op::CallRef | op::ReturnCallRef => {
            let reference = thread.stack[thread.sp + usize::from(b)] as u32;
            let entity = ref_target(store, own, reference, ext as u32, Trap::NullFunction)?;
            let style = match op_of(first) {
                op::ReturnCallRef => Style::Tail { start: a },
                _ => Style::Call { shift: a, words: 2 },
            };
            call_entity(store, thread, entity, style)
        }
        _ => {
            let words = bulk(store, thread, first, ext)?;
            // SAFETY: a bulk instruction is followed by another.
            thread.regs.ip = unsafe { thread.regs.ip.add(words) };
            Ok(())
        }
    }
}

/// The growth that the instruction at `ip` asks for, if a limiter is to judge it.
fn awaited_growth(store: &StoreInner, thread: &Thread) -> Option<Growth> {
    if !store.limited {
        return None;
    }
    // SAFETY: `ip` is the start of an instruction of translated code.
    let first = unsafe { u64::from_le(*thread.regs.ip) };
    if !matches!(op_of(first), op::MemoryGrow | op::TableGrow) {
        return None;
    }
    // SAFETY: both instructions have one extension word.
    let index = unsafe { u64::from_le(*thread.regs.ip.add(1)) } as u32 as usize;
    let slot = |field: u16| thread.stack[thread.sp + usize::from(field)];
    let instance = &store.instances[thread.instance as usize];
    Some(match op_of(first) {
        op::MemoryGrow => {
            let id = instance.memories[index];
            let delta = store.memories[id as usize].operand(slot(b_of(first)));
            Growth::Memory { id, delta }
        }
        _ => {
            let id = instance.tables[index];
            let delta = store.tables[id as usize].operand(slot(c_of(first)));
            Growth::Table { id, delta }
        }
    })
}

/// Does the growth that [`Event::Grow`] told of, or answers −1; whether it was done.
pub(crate) fn grown(
    store: &mut StoreInner,
    thread: &mut Thread,
    allowed: bool,
) -> Result<bool, Trap> {
    // SAFETY: `ip` is still at the instruction that told of the growth, which has one extension word
    // and is followed by another instruction.
    let (first, next) = unsafe { (u64::from_le(*thread.regs.ip), thread.regs.ip.add(2)) };
    let result = thread.sp + usize::from(a_of(first));
    if allowed {
        slow(store, thread)?;
    } else {
        thread.stack[result] = u64::MAX;
        thread.regs.ip = next;
    }
    Ok(thread.stack[result] != u64::MAX)
}

/// The checks of an indirect call.
fn indirect_target(
    store: &StoreInner,
    own: u32,
    table: u16,
    index: u32,
    ty: u32,
) -> Result<u32, Trap> {
    let instance = &store.instances[own as usize];
    let table = &store.tables[instance.tables[usize::from(table)] as usize];
    let reference = *table
        .elements
        .get(index as usize)
        .ok_or(Trap::UndefinedElement)?;
    ref_target(store, own, reference, ty, Trap::IndirectCallToNull)
}

/// The checks of a call of what a reference refers to.
fn ref_target(
    store: &StoreInner,
    own: u32,
    reference: u32,
    ty: u32,
    null: Trap,
) -> Result<u32, Trap> {
    let instance = &store.instances[own as usize];
    let target = store.deref(instance.arena, reference).ok_or(null)?;
    if target.ty != instance.module.type_ids[ty as usize] {
        return Err(Trap::BadSignature);
    }
    Ok(target.entity)
}

fn call(
    store: &mut StoreInner,
    thread: &mut Thread,
    kind: FuncKind,
    func: u32,
    style: Style,
) -> Result<(), Trap> {
    let module = &store.instances[thread.instance as usize].module;
    let ty = module.func_type(func);
    let counts = (ty.param_slots() as u16, ty.result_slots() as u16);
    transfer(store, thread, kind, counts, style)
}

fn call_entity(
    store: &mut StoreInner,
    thread: &mut Thread,
    entity: u32,
    style: Style,
) -> Result<(), Trap> {
    let FuncEntity {
        kind,
        params,
        results,
        ..
    } = store.funcs[entity as usize];
    transfer(store, thread, kind, (params, results), style)
}

/// Moves arguments and writes linkage, so that resuming the thread enters the callee.
fn transfer(
    store: &mut StoreInner,
    thread: &mut Thread,
    kind: FuncKind,
    counts: (u16, u16),
    style: Style,
) -> Result<(), Trap> {
    let sp = thread.sp;
    let params = usize::from(counts.0);
    let room = params.max(counts.1.into()) + 4;
    match (kind, style) {
        (FuncKind::Wasm { instance, func }, Style::Call { shift, words }) => {
            let callee = sp + usize::from(shift);
            thread.reserve(callee + room, store)?;
            // SAFETY: a call is followed by another instruction.
            let back = unsafe { thread.regs.ip.add(words) } as usize as u64;
            thread.stack[callee - 2] = back;
            if instance == thread.instance {
                thread.stack[callee - 1] = u64::from(shift) << 16;
                thread.sp = callee;
            } else {
                thread
                    .stack
                    .copy_within(callee..callee + params, callee + 2);
                thread.stack[callee - 1] = far_link(counts.1, shift, thread.instance);
                push_far(thread, callee);
            }
            thread.entry = Coming::Func(entry_of(store, instance, func));
            Ok(())
        }
        (FuncKind::Wasm { instance, func }, Style::Tail { start }) => {
            thread.reserve(sp + room, store)?;
            let from = sp + usize::from(start);
            thread.reserve(from + params, store)?;
            let back = thread.stack[sp - 2];
            let restores = back == far_address() || back == native_address();
            let inside = instance == thread.instance || restores;
            if inside {
                thread.stack.copy_within(from..from + params, sp);
            } else {
                thread.stack.copy_within(from..from + params, sp + 2);
                let shift = (thread.stack[sp - 1] >> 16) as u16;
                thread.stack[sp - 1] = far_link(counts.1, shift, thread.instance);
                push_far(thread, sp);
            }
            thread.entry = Coming::Func(entry_of(store, instance, func));
            Ok(())
        }
        (kind, Style::Call { shift, words }) => {
            // SAFETY: a call is followed by another instruction.
            thread.regs.ip = unsafe { thread.regs.ip.add(words) };
            let args = sp + usize::from(shift);
            thread.await_host(store, callee_of(kind), args, counts, false)
        }
        (kind, Style::Tail { start }) => {
            let args = sp + usize::from(start);
            thread.await_host(store, callee_of(kind), args, counts, true)
        }
    }
}

/// The word that a far return reads: results to move, the frame's shift, the caller's instance.
pub(super) fn far_link(results: u16, shift: u16, instance: u32) -> u64 {
    u64::from(results) | u64::from(shift) << 16 | u64::from(instance) << 32
}

/// Puts the callee's own linkage at `at`; its frame begins two slots above.
pub(super) fn push_far(thread: &mut Thread, at: usize) {
    thread.stack[at] = far_address();
    thread.stack[at + 1] = 2 << 16;
    thread.sp = at + 2;
}

/// Bulk operations and the like; the number of the instruction's words.
fn bulk(store: &mut StoreInner, thread: &mut Thread, first: u64, ext: u64) -> Result<usize, Trap> {
    let sp = thread.sp;
    let stack = &mut thread.stack;
    let [x, y, z] = [a_of(first), b_of(first), c_of(first)].map(|field| {
        stack
            .get(sp + usize::from(field))
            .copied()
            .unwrap_or_default()
    });
    let (lo, hi) = (ext as u32 as usize, (ext >> 32) as usize);
    let own = thread.instance as usize;
    let set = |stack: &mut Vec<u64>, value: u64| stack[sp + usize::from(a_of(first))] = value;
    let instance = &store.instances[own];
    match op_of(first) {
        op::MemoryGrow => {
            let id = instance.memories[lo] as usize;
            let old = store.grow_memory(id, store.memories[id].operand(y));
            set(stack, old.unwrap_or(u64::MAX));
            Ok(2)
        }
        op::MemoryFill => {
            let id = instance.memories[lo] as usize;
            let [x, z] = [x, z].map(|slot| store.memories[id].operand(slot));
            store.charge(z / 8)?;
            store.memories[id].fill(x, y as u8, z)?;
            Ok(2)
        }
        op::MemoryCopy => {
            let [to, from] = [lo, hi].map(|index| instance.memories[index] as usize);
            copy_memory(store, to, from, (x, y, z))?;
            Ok(2)
        }
        op::MemoryInit => {
            let id = instance.memories[lo] as usize;
            let span = (store.memories[id].operand(x), y as u32, z as u32);
            store.charge(u64::from(span.2) / 8)?;
            init_memory(store, own, lo, hi, span)?;
            Ok(2)
        }
        op::DataDrop => {
            store.instances[own].dropped_data[bc_of(first) as usize] = true;
            Ok(1)
        }
        op::TableGrow => {
            let id = instance.tables[lo] as usize;
            let old = store.grow_table(id, store.tables[id].operand(z), y as u32);
            set(stack, old.unwrap_or(u64::MAX));
            Ok(2)
        }
        op::TableFill => {
            let id = instance.tables[lo] as usize;
            let [x, z] = [x, z].map(|slot| store.tables[id].operand(slot));
            store.charge(z)?;
            store.tables[id].span(x, z)?.fill(y as u32);
            Ok(2)
        }
        op::TableCopy => {
            let [to, from] = [lo, hi].map(|index| instance.tables[index] as usize);
            copy_table(store, to, from, (x, y, z))?;
            Ok(2)
        }
        op::TableInit => {
            let id = instance.tables[lo] as usize;
            let span = (store.tables[id].operand(x), y as u32, z as u32);
            store.charge(span.2.into())?;
            init_table(store, own, lo, hi, span)?;
            Ok(2)
        }
        op::ElemDrop => {
            store.instances[own].elements[bc_of(first) as usize] = Vec::new();
            Ok(1)
        }
        op::RefFunc => {
            let reference = store.func_ref(thread.instance, bc_of(first))?;
            set(stack, reference.into());
            Ok(1)
        }
        // `verify` admits no other instruction that its handler leaves to the driver.
        _ => Err(Trap::UnreachableCodeReached),
    }
}

/// Where to, where from in a segment, and how many.
type Span = (u64, u32, u32);

/// `memory.copy` with its operands as they are in slots: a length has 64 bits where both memories have.
fn copy_memory(
    store: &mut StoreInner,
    to: usize,
    from: usize,
    (x, y, z): (u64, u64, u64),
) -> Result<(), Trap> {
    let (x, y) = (
        store.memories[to].operand(x),
        store.memories[from].operand(y),
    );
    let z = store.memories[from].operand(store.memories[to].operand(z));
    store.charge(z / 8)?;
    let source = store.memories[from].range(y, z)?;
    let target = store.memories[to].range(x, z)?;
    if to == from {
        store.memories[to].bytes.copy_within(source, target.start);
    } else if let Ok([to, from]) = store.memories.get_disjoint_mut([to, from]) {
        to.bytes[target].copy_from_slice(&from.bytes[source]);
    }
    Ok(())
}

/// `memory.init`, also for active segments.
pub(crate) fn init_memory(
    store: &mut StoreInner,
    own: usize,
    memory: usize,
    data: usize,
    (x, y, z): Span,
) -> Result<(), Trap> {
    let instance = &store.instances[own];
    let module = instance.module.clone();
    let bytes: &[u8] = match instance.dropped_data[data] {
        true => &[],
        false => &module.bytes[module.data[data].bytes.clone()],
    };
    let id = instance.memories[memory] as usize;
    store.memories[id].init(x, bytes, y, z)
}

/// As `copy_memory`.
fn copy_table(
    store: &mut StoreInner,
    to: usize,
    from: usize,
    (x, y, z): (u64, u64, u64),
) -> Result<(), Trap> {
    let (x, y) = (store.tables[to].operand(x), store.tables[from].operand(y));
    let z = store.tables[from].operand(store.tables[to].operand(z));
    store.charge(z)?;
    store.tables[from].span(y, z)?;
    store.tables[to].span(x, z)?;
    // They are within a table now.
    let (x, y, z) = (x as usize, y as usize, z as usize);
    if to == from {
        store.tables[to].elements.copy_within(y..y + z, x);
    } else if let Ok([to, from]) = store.tables.get_disjoint_mut([to, from]) {
        to.elements[x..x + z].copy_from_slice(&from.elements[y..y + z]);
    }
    Ok(())
}

/// `table.init`, also for active segments.
pub(crate) fn init_table(
    store: &mut StoreInner,
    own: usize,
    table: usize,
    elem: usize,
    (x, y, z): Span,
) -> Result<(), Trap> {
    let StoreInner {
        instances, tables, ..
    } = store;
    let instance = &instances[own];
    let source = (y as usize)
        .checked_add(z as usize)
        .and_then(|end| instance.elements[elem].get(y as usize..end))
        .ok_or(Trap::TableOutOfBounds)?;
    tables[instance.tables[table] as usize]
        .span(x, z.into())?
        .copy_from_slice(source);
    Ok(())
}

/// The functions that are running, innermost first: instance and index among the defined ones.
pub(crate) fn backtrace(thread: &Thread, most: usize) -> Result<Vec<(u32, u32)>, OutOfMemory> {
    let mut frames: Vec<(u32, u32)> = Vec::new();
    let mut waiting = thread.waiting();
    let (mut sp, mut instance) = (thread.sp, thread.instance);
    if let Coming::Func(entry) = thread.entry {
        instance = entry.instance;
    }
    while frames.len() < most && sp >= 2 {
        let link = thread.stack[sp - 1];
        let mut back = thread.stack[sp - 2];
        frames.try_push((instance, (link >> 32) as u32))?;
        sp -= usize::from((link >> 16) as u16);
        if back == far_address() {
            let far = thread.stack[sp - 1];
            back = thread.stack[sp - 2];
            instance = (far >> 32) as u32;
            sp -= usize::from((far >> 16) as u16);
        }
        if back == native_address() {
            instance = waiting.next().unwrap_or(u32::MAX);
        }
        if back == halt_address() {
            break;
        }
    }
    Ok(frames)
}
