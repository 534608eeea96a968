//! A thread of execution: a stack of frames and the registers at its last suspension.

use super::far::Import;
use super::regs::Saved;
use crate::error::{OutOfMemory, Trap};
use crate::fallible::Grow;
use crate::fallible::Shared;
use crate::store::components::{Cursor, NativeFrame};
use crate::store::{Callee, CalleeWord, FuncKind, StoreInner};
use alloc::vec::Vec;

/// A function whose arguments and linkage are in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub instance: u32,
    pub func: u32,
}

/// What is to happen before a thread runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Coming {
    Nothing,
    /// A function is entered and its fuel is taken, which may have been too much.
    Entered,
    /// A function is to be entered, once it is translated and the stack is long enough.
    Func(Entry),
}

/// A function outside the machine that has been called and whose results are awaited.
///
/// In whole words, because what a call writes here is read at once: a processor that finds a wider or
/// another read than the write before waits until the write is in its cache, longer than all else here
/// takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HostCall {
    callee: CalleeWord,
    slots: CallSlots,
    /// Where a guest function that it called returned its results to, and above that the instance that
    /// called; [`NONE`](Self::NONE) where there is none.
    back: u64,
    /// Not zero if the calling frame is left with the results.
    tail: u64,
    /// While a guest function runs that it called: where that was called, and where the calling frame
    /// goes on.
    base: usize,
    ip: *const u64,
}

/// Where on the stack a call's arguments are; results are written to the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallSlots(u64);

impl CallSlots {
    fn new(args: usize, params: u16, results: u16) -> CallSlots {
        CallSlots(args as u32 as u64 | u64::from(params) << 32 | u64::from(results) << 48)
    }

    /// The first argument's slot.
    pub fn at(self) -> usize {
        self.0 as u32 as usize
    }

    /// Slots of results.
    pub fn results(self) -> usize {
        (self.0 >> 48) as usize
    }

    /// The arguments' slots.
    pub fn given(self) -> core::ops::Range<usize> {
        self.at()..self.at() + usize::from((self.0 >> 32) as u16)
    }

    /// The results' slots.
    pub fn returns(self) -> core::ops::Range<usize> {
        self.at()..self.at() + self.results()
    }

    /// The first slot behind both.
    pub fn end(self) -> usize {
        self.given().end.max(self.returns().end)
    }
}

impl HostCall {
    /// No instance's number, nor a place.
    const NONE: u32 = u32::MAX;

    fn new(callee: CalleeWord, instance: u32, slots: CallSlots, tail: bool) -> HostCall {
        HostCall {
            callee,
            slots,
            back: u64::from(instance) << 32 | u64::from(Self::NONE),
            tail: tail.into(),
            base: 0,
            ip: core::ptr::null(),
        }
    }

    /// Whose function it is.
    pub fn callee(&self) -> Callee {
        self.callee.get()
    }

    /// Where its arguments are.
    pub fn slots(&self) -> CallSlots {
        self.slots
    }

    /// It has called a guest function, which has returned its results to this place.
    pub fn returned(&self) -> Option<usize> {
        let at = self.back as u32;
        (at != Self::NONE).then_some(at as usize)
    }

    /// Whether the calling frame is left with the results.
    pub(super) fn is_tail(&self) -> bool {
        self.tail != 0
    }

    /// The instance that called, if it was one.
    pub fn instance(&self) -> Option<u32> {
        let instance = (self.back >> 32) as u32;
        (instance != Self::NONE).then_some(instance)
    }
}

/// Frames and registers. Addresses on the stack are indices, so that it can move when it grows.
pub(crate) struct Thread {
    pub stack: Vec<u64>,
    pub sp: usize,
    pub instance: u32,
    pub(super) regs: Saved,
    pub(super) entry: Coming,
    /// The calls of host and native functions that are under way, innermost last: one that is awaited,
    /// below it those that wait for a guest function which they called.
    calls: Vec<HostCall>,
    awaited: bool,
    /// While it is suspended: the exceptions that its stack refers to.
    held: Option<Shared<Vec<u32>>>,
    /// State of the native calls that are under way, innermost last.
    pub natives: Vec<NativeFrame>,
    /// What is crossing in them.
    pub cursors: Vec<Cursor>,
}

// SAFETY: the pointers in `regs` and `calls` name code of modules that the store keeps alive, which is immutable
// once published; the stack pointer is made anew at every entry. A thread is used by one at a time.
unsafe impl Send for Thread {}
// SAFETY: a shared reference gives no access to what the pointers name.
unsafe impl Sync for Thread {}

/// Who serves calls of a function that isn't WebAssembly's.
pub(super) fn callee_of(kind: FuncKind) -> CalleeWord {
    match kind {
        FuncKind::Host(callee) => callee,
        FuncKind::Native { tree, index } => Callee::Native { tree, index }.into(),
        // No such function is called through here; a closure of this number doesn't exist.
        FuncKind::Wasm { .. } => Callee::Host(u32::MAX).into(),
    }
}

/// Linkage between the place where a native call calls a guest function and the arguments.
pub(crate) const NATIVE_ARGS: usize = 2;

impl Thread {
    pub fn new() -> Thread {
        let regs = Saved {
            ip: core::ptr::null(),
            sp: core::ptr::null_mut(),
            r0: 0,
            r1: 0,
            s0: 0.0,
            d0: 0.0,
        };
        Thread {
            stack: Vec::new(),
            sp: 0,
            instance: 0,
            regs,
            entry: Coming::Nothing,
            calls: Vec::new(),
            awaited: false,
            held: None,
            natives: Vec::new(),
            cursors: Vec::new(),
        }
    }

    /// Where the stack ends as far as it is in use.
    pub(super) fn used(&self, store: &StoreInner) -> usize {
        let func = (self.stack[self.sp - 1] >> 32) as usize;
        let frame = store.instances.get(self.instance as usize).and_then(|at| {
            let code = at.module.funcs.get(func)?.code.get()?;
            Some(self.sp + usize::from(u64::from_le(code[0]) as u16))
        });
        let call = self.call().map_or(0, |call| call.slots.given().end);
        frame.map_or(self.stack.len(), |end| end.max(call).min(self.stack.len()))
    }

    /// Before other threads may run, with this one in the middle of a call: keeps the exceptions that it
    /// refers to, until it is resumed or gone.
    pub fn suspend(&mut self, store: &mut StoreInner) -> Result<(), OutOfMemory> {
        if !store.exceptions.is_empty() && self.sp > 0 {
            let end = self.used(store);
            self.held = store.exceptions.hold(&self.stack[..end])?;
        }
        Ok(())
    }

    /// It runs again.
    pub fn wake(&mut self) {
        self.held = None;
    }

    /// Makes the stack at least `slots` long.
    #[inline]
    pub(super) fn reserve(&mut self, slots: usize, store: &StoreInner) -> Result<(), Trap> {
        if slots <= self.stack.len() {
            return Ok(());
        }
        self.lengthen(slots, store)
    }

    #[cold]
    fn lengthen(&mut self, slots: usize, store: &StoreInner) -> Result<(), Trap> {
        // Places on it are kept in 32 bits.
        let limit = (store.limits.stack_bytes / 8).min(u32::MAX as usize);
        if slots > limit {
            return Err(Trap::StackOverflow);
        }
        let wanted = slots.max(self.stack.len() * 2).clamp(256.min(limit), limit);
        let mut room = |to: usize| self.stack.try_reserve_exact(to - self.stack.len());
        // Where there is no room for twice as much, there may be for what is needed.
        let wanted = match room(wanted) {
            Ok(()) => wanted,
            Err(_) => room(slots).map(|()| slots).map_err(OutOfMemory::from)?,
        };
        self.stack.resize(wanted, 0);
        Ok(())
    }

    /// Prepares a call of a function from outside: `args` become the base frame's arguments.
    pub fn start(&mut self, store: &mut StoreInner, entity: u32, args: &[u64]) -> Result<(), Trap> {
        let func = store.funcs[entity as usize];
        self.awaited = false;
        self.calls.clear();
        self.natives.clear();
        self.cursors.clear();
        self.reserve(2 + args.len().max(func.results as usize), store)?;
        self.stack[2..2 + args.len()].copy_from_slice(args);
        self.stack[0] = super::driver::halt_address();
        self.sp = 2;
        match func.kind {
            FuncKind::Wasm { instance, func } => {
                self.instance = instance;
                self.stack[1] = 2 << 16;
                super::driver::enter_soon(store, self, entry_of(store, instance, func));
            }
            kind => {
                self.entry = Coming::Nothing;
                self.stack[1] = 2 << 16;
                // No instance runs; a number that none has keeps this frame out of backtraces.
                self.instance = u32::MAX;
                let slots = CallSlots::new(2, func.params, func.results);
                let callee = callee_of(kind);
                self.push_call(HostCall::new(callee, HostCall::NONE, slots, true))?;
            }
        }
        Ok(())
    }

    /// The results of a call that is done.
    pub fn results(&self, count: usize) -> &[u64] {
        &self.stack[..count]
    }

    fn push_call(&mut self, call: HostCall) -> Result<(), Trap> {
        self.calls.try_push(call)?;
        self.awaited = true;
        Ok(())
    }

    /// The call that is awaited, if there is one, has come to its end.
    pub(super) fn pop_call(&mut self) -> Option<HostCall> {
        match core::mem::take(&mut self.awaited) {
            true => self.calls.pop(),
            false => None,
        }
    }

    /// The instances that called those native functions which wait for a guest function, innermost first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = u32> {
        let waiting = self.calls.len() - usize::from(self.awaited);
        let calls = self.calls[..waiting].iter().rev();
        calls.map(|call| (call.back >> 32) as u32)
    }

    /// Whether a host or native function is to be called.
    #[inline]
    pub(super) fn awaits(&self) -> bool {
        self.awaited
    }

    /// Room for a call of a function of the host's, and where it is.
    #[inline]
    pub(super) fn import_slots(
        &mut self,
        store: &StoreInner,
        args: usize,
        counts: (u16, u16),
    ) -> Result<CallSlots, Trap> {
        self.reserve(args + usize::from(counts.0.max(counts.1)), store)?;
        Ok(CallSlots::new(args, counts.0, counts.1))
    }

    /// A call that was not done at once is one that is awaited.
    pub fn await_import(&mut self, import: Import) -> Result<(), Trap> {
        let Import { callee, slots } = import;
        self.push_call(HostCall::new(callee, self.instance, slots, false))
    }

    /// A call that was done at once: hands its results to the caller.
    #[inline]
    pub(super) fn import_returned(&mut self, slots: CallSlots) {
        let to = slots.at() - 2;
        match slots.results() {
            0 => {}
            1 => self.stack[to] = self.stack[slots.at()],
            _ => self.stack.copy_within(slots.returns(), to),
        }
        self.load_accumulators(to);
    }

    pub(super) fn await_host(
        &mut self,
        store: &StoreInner,
        callee: CalleeWord,
        args: usize,
        counts: (u16, u16),
        tail: bool,
    ) -> Result<(), Trap> {
        self.reserve(args + usize::from(counts.0.max(counts.1)), store)?;
        let slots = CallSlots::new(args, counts.0, counts.1);
        self.push_call(HostCall::new(callee, self.instance, slots, tail))
    }

    /// Lets the native call that is awaited call a guest function, whose `params` arguments it has
    /// written to `base + NATIVE_ARGS`. When that returns, the native call is awaited again, and the
    /// results are at `base`.
    #[inline]
    pub(super) fn call_guest(
        &mut self,
        store: &mut StoreInner,
        entity: u32,
        base: usize,
    ) -> Result<(), Trap> {
        let func = store.funcs[entity as usize];
        let slots = usize::from(func.params.max(func.results));
        self.reserve(base + NATIVE_ARGS + slots + 2, store)?;
        let shift = u16::try_from(base + 2 - self.sp).map_err(|_| Trap::StackOverflow)?;
        let (true, Some(call)) = (self.awaited, self.calls.last_mut()) else {
            return Ok(());
        };
        (call.base, call.ip) = (base, self.regs.ip);
        self.awaited = false;
        self.stack[base] = super::driver::native_address();
        self.stack[base + 1] = u64::from(shift) << 16;
        self.sp = base + 2;
        match func.kind {
            FuncKind::Wasm { instance, func } => {
                super::driver::enter_soon(store, self, entry_of(store, instance, func));
                Ok(())
            }
            kind => {
                let counts = (func.params, func.results);
                self.await_host(store, callee_of(kind), self.sp, counts, true)
            }
        }
    }

    /// The guest function that a native call called has returned.
    pub(super) fn native_returned(&mut self) {
        if let Some(call) = self.calls.last_mut() {
            self.regs.ip = call.ip;
            self.instance = (call.back >> 32) as u32;
            let above = u64::from(HostCall::NONE) << 32;
            call.back = call.back & above | call.base as u64;
            self.awaited = true;
        }
    }

    /// Slots from `from` on that a native call may use.
    pub fn native_slots(
        &mut self,
        store: &StoreInner,
        from: usize,
        count: usize,
    ) -> Result<(), Trap> {
        self.reserve(from + count, store)
    }

    /// The call of a host or native function whose results are awaited.
    #[inline]
    pub fn call(&self) -> Result<&HostCall, Trap> {
        let call = self.calls.last().filter(|_| self.awaited);
        call.ok_or(Trap::UnreachableCodeReached)
    }

    /// The host function has written its results over its arguments: hands them to the caller.
    pub fn host_returned(&mut self) {
        let Some(call) = self.pop_call() else {
            return;
        };
        let to = if call.is_tail() {
            let link = self.stack[self.sp - 1];
            self.regs.ip = self.stack[self.sp - 2] as usize as *const u64;
            let to = self.sp - 2;
            self.sp -= (link >> 16) as u16 as usize;
            to
        } else {
            call.slots.at() - 2
        };
        match call.slots.results() {
            0 => {}
            1 => self.stack[to] = self.stack[call.slots.at()],
            _ => self.stack.copy_within(call.slots.returns(), to),
        }
        self.load_accumulators(to);
    }

    /// Every return leaves its first result in every accumulator.
    pub(super) fn load_accumulators(&mut self, slot: usize) {
        let value = self.stack[slot];
        self.regs.r0 = value;
        self.regs.s0 = f32::from_bits(value as u32);
        self.regs.d0 = f64::from_bits(value);
    }
}

/// A function of an instance, by its index in the module's space of functions.
pub(super) fn entry_of(store: &StoreInner, instance: u32, func: u32) -> Entry {
    let imported = store.instances[instance as usize].module.imported_funcs;
    Entry {
        instance,
        func: func - imported,
    }
}
